// Dialogs for links that ask first, and the keyboard's shortcuts. Every link works without them.
"use strict";
const dialog = document.createElement("dialog");
dialog.id = "dialog";
dialog.innerHTML = '<div id="dialog-content"></div>';
document.body.append(dialog);
const content = dialog.firstChild;

function prepare() {
  const heading = content.querySelector("h1, h2");
  if (heading) {
    heading.id ||= "dialog-title";
    dialog.setAttribute("aria-labelledby", heading.id);
  }
  for (const form of content.querySelectorAll("form[method=post]")) {
    form.setAttribute("hx-post", form.getAttribute("action") || dialog.dataset.href);
    form.setAttribute("hx-target", dialog.dataset.target || "#dialog-content");
    form.setAttribute("hx-swap", dialog.dataset.target ? "outerMorph" : "innerHTML");
    form.setAttribute("hx-status:422", "target:#dialog-content swap:innerHTML");
    form.setAttribute("hx-disable", "find button");
  }
  for (const box of content.querySelectorAll("[data-keys-switch]")) box.checked = keysOn();
  htmx.process(content);
}

async function open(link) {
  const answer = await fetch(link.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  const text = answer?.status === 200 ? await answer.text() : "";
  if (!text || text.includes("<html")) return void (location.href = link.href);
  dialog.dataset.href = link.href;
  dialog.dataset.target = link.dataset.dialog;
  content.innerHTML = text;
  prepare();
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target === dialog || (dialog.open && event.target.closest("[data-close]"))) {
    event.preventDefault();
    return dialog.close();
  }
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link);
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (dialog.contains(ctx.sourceElement) && ctx.response.status < 400) dialog.close();
});
document.addEventListener("htmx:after:swap", () => dialog.open && prepare());

// A menu closes when one is elsewhere, or by Escape.
for (const kind of ["click", "focusin"]) document.addEventListener(kind, (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
addEventListener("pagehide", () => dialog.close());

function keysOn() {
  return localStorage.getItem("keys") !== "off";
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-keys-switch]")) localStorage.setItem("keys", event.target.checked ? "on" : "off");
});
for (const box of document.querySelectorAll("[data-keys-switch]")) box.checked = keysOn();

const first = (selector) => [...document.querySelectorAll(selector)].find((one) => one.checkVisibility?.() ?? true);
const within = (item) => (item.matches("a[href], button") ? item : item.querySelector("a[href], button"));
const item = () => document.activeElement?.closest?.("[data-item]");

// To another page, and there to what `selector` finds.
function goTo(url, selector) {
  if (location.pathname === url && selector && focusOn(selector)) return;
  if (selector) sessionStorage.setItem("focus", selector);
  location.href = url;
}
function focusOn(selector) {
  const found = first(selector);
  if (found) (found.matches("[data-item]") ? within(found) : found)?.focus();
  return Boolean(found);
}
const wanted = sessionStorage.getItem("focus");
if (wanted) {
  sessionStorage.removeItem("focus");
  focusOn(wanted);
}

function move(step) {
  const all = [...document.querySelectorAll("[data-item]")];
  if (!all.length) return;
  const at = all.indexOf(item());
  within(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))])?.focus();
}

// Of the focused card or row, or the page's own; among several cards none is guessed.
function press(selector) {
  const here = item()?.querySelector(selector) ?? [...document.querySelectorAll(selector)].find((one) => !one.closest("[data-item]"));
  here?.click();
}

const GO = { d: "/dashboard", r: "/drafts", n: "/notifications", s: "/settings" };
const KEYS = {
  "?": () => document.getElementById("keys")?.click(),
  "/": () => focusOn("[data-search]") || goTo("/dashboard", "[data-search]"),
  t: () => press("[data-trigger-now]"),
  e: () => press("[data-edit]"),
  j: () => move(1),
  k: () => move(-1),
};
let going = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || dialog.open || !keysOn()) return;
  if (event.target.closest?.("input, select, textarea, [contenteditable]") || !document.getElementById("badge")) return;
  const second = Date.now() - going < 1500;
  going = 0;
  if (second && event.key === "j") goTo("/dashboard", "[data-item]");
  else if (second && GO[event.key]) goTo(GO[event.key]);
  else if (event.key === "g") going = Date.now();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});
