// What keeps itself fresh: asks while somebody looks, never twice at once, and waits longer while nobody answers.
"use strict";
const LONGEST = 30;
const lost = document.getElementById("lost");
const base = document.title.replace(/^(● )?(\(\d+\) )?/, "");
const asking = new WeakMap();
const glances = new Map(); // by a fragment's id: what makes its next poll a cheap one while nothing changed
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("repocast") : null;
let pause = 0; // seconds until the next try; 0 while the server answers
let retry = null;

const polls = (element) => /\bevery\b/.test(element?.getAttribute?.("hx-trigger") ?? "");

function ask() {
  for (const element of document.querySelectorAll("[hx-trigger*=every]")) htmx.trigger(element, "every");
}

function again() {
  retry = null;
  const one = document.querySelector("[hx-trigger*=every]");
  if (one && !document.hidden) htmx.trigger(one, "every");
}

function miss() {
  if (!pause) lost.textContent = lost.dataset.sentence;
  pause = Math.min(LONGEST, pause ? pause * 2 : 2);
  clearTimeout(retry);
  retry = setTimeout(again, pause * 1000);
}

function found() {
  if (!pause) return;
  pause = 0;
  clearTimeout(retry);
  retry = null;
  lost.textContent = "";
  say("Connected again.", 4);
  ask();
}

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const element = ctx.sourceElement;
  if (!polls(element)) return;
  if (document.hidden || asking.has(element) || retry !== null) return event.preventDefault();
  asking.set(element, ctx);
  ctx.request.headers["X-Live"] = "1";
  if (glances.has(element.id)) ctx.request.headers["X-Glance"] = glances.get(element.id);
});

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  if (asking.get(ctx.sourceElement) === ctx) asking.delete(ctx.sourceElement);
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { status } = ctx.response;
  if (status < 500) {
    const glance = ctx.response.headers?.get("X-Glance");
    if (glance) glances.set(ctx.sourceElement.id, glance);
    found();
    if (status < 400 && (ctx.request.method ?? "GET").toUpperCase() !== "GET") tabs?.postMessage("changed");
  } else if (polls(ctx.sourceElement)) miss();
  else say("Something broke on our side. Nothing was lost; try again in a moment.");
});

document.addEventListener("htmx:error", (event) => {
  const source = event.detail.ctx?.sourceElement;
  if (source && polls(source)) miss();
  else say("Repocast could not be reached. Nothing was changed; try again.");
});

// Back on the page, or on the network: everything is asked at once.
function back() {
  if (document.hidden) return;
  clearTimeout(retry);
  retry = null;
  ask();
}
document.addEventListener("visibilitychange", back);
for (const kind of ["focus", "online"]) addEventListener(kind, () => window.htmx && back());

// What is done in one tab shows in the others at once, also when a form led on to another page.
if (tabs) tabs.onmessage = () => window.htmx && back();
document.addEventListener("submit", (event) => {
  if (event.target.method === "post" && !event.target.hasAttribute("hx-post")) sessionStorage.setItem("changed", "1");
});
if (sessionStorage.getItem("changed")) {
  sessionStorage.removeItem("changed");
  tabs?.postMessage("changed");
}

// Signed out meanwhile: said, with the way back to this page; nothing that is typed here is lost.
document.addEventListener("signed-out", () => {
  const link = document.createElement("a");
  link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  lost.replaceChildren("You are signed out. ", link, " and come back to this page.");
  for (const element of document.querySelectorAll("[hx-trigger*=every]")) element.removeAttribute("hx-trigger");
});

// The tab tells what runs and how much is unread.
function entitle() {
  const own = document.querySelector("[data-title]")?.dataset.title;
  const count = document.querySelector("#badge .count")?.firstChild.data.trim();
  const runs = document.querySelector("main h1 .mark.live, #job[data-state=RUNNING]");
  document.title = (runs ? "● " : "") + (count ? `(${count}) ` : "") + (own ? `${own} · Repocast` : base);
}
document.addEventListener("htmx:after:swap", entitle);
entitle();
