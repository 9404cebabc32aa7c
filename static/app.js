// What HTML cannot do: pause polls nobody sees, say what went wrong, copy a text. Everything works without it.
"use strict";
document.documentElement.classList.add("js");

const said = document.getElementById("said");

// A sentence in the corner: it waits while it is pointed at or holds the focus, and goes when it is dismissed.
function leave(line, seconds) {
  const close = document.createElement("button");
  close.className = "plain";
  close.type = "button";
  close.textContent = "Dismiss";
  close.onclick = () => line.remove();
  line.append(" ", close);
  let timer = null;
  const start = () => (timer = setTimeout(() => line.remove(), seconds * 1000));
  const wait = () => clearTimeout(timer);
  for (const kind of ["pointerenter", "focusin"]) line.addEventListener(kind, wait);
  for (const kind of ["pointerleave", "focusout"]) line.addEventListener(kind, start);
  start();
}

function say(sentence, seconds = 6) {
  const line = document.createElement("p");
  line.textContent = sentence;
  said.append(line);
  leave(line, seconds);
}

for (const line of said.children) leave(line, 8);

// A filter that is swapped in place stands in the address, too.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-address]")) history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
});

document.addEventListener("say", (event) => say(event.detail.value));

// What is seen of an element, without what it names as no part of it.
function textOf(element) {
  const left = element.dataset.copyWithout;
  if (!left) return element.textContent;
  element.classList.add("copying");
  const text = element.innerText;
  element.classList.remove("copying");
  return text.trim();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(textOf(document.getElementById(button.dataset.copy)));
    say("Copied.", 2);
  } catch {
    say("The browser did not allow copying: select the text instead.");
  }
});

// What is typed is not lost without a question: from its first change on a form is `unsaved`, until somebody says else.
// A change that no hand made is `quiet`; one whose field keeps it to itself counts, too.
function guard(form) {
  const kept = { unsaved: form.hasAttribute("data-unsaved") };
  for (const kind of ["input", "change"]) form.addEventListener(kind, (event) => (kept.unsaved ||= !event.quiet), true);
  addEventListener("beforeunload", (event) => {
    if (kept.unsaved) event.preventDefault();
  });
  return kept;
}

// A draft: what is typed is counted at once, saved in a moment, and never lost without a question.
const edit = document.getElementById("edit");

const counted = {
  points: (field) => [...field.value.trim()].length,
  utf16: (field) => field.value.length,
  bytes: (field) => new TextEncoder().encode(field.value).length,
  tags: (field) => field.value.split(/[,\n]/).filter((tag) => tag.trim().replace(/^#+/, "").trim()).length,
};

function count() {
  for (const line of document.querySelectorAll("[data-count]")) {
    const used = counted[line.dataset.how](edit.elements[line.dataset.count]);
    const over = used > Number(line.dataset.limit);
    line.querySelector("b").textContent = used.toLocaleString("en");
    line.className = over ? "bad" : "soft";
    line.querySelector("use").setAttribute("href", over ? "#i-bad" : "#i-ok");
  }
}

if (edit) {
  const kept = guard(edit);
  edit.addEventListener("input", count);
  // Asked with what stands in the form when it is sent: it may have waited for the answer to the one before.
  document.addEventListener("htmx:before:request", (event) => {
    const ctx = event.detail.ctx;
    if (ctx.sourceElement !== edit) return;
    for (const [name, value] of new FormData(edit)) ctx.request.body.set(name, value);
    kept.unsaved = false;
  });
  const failed = (event) => {
    if (event.detail.ctx?.sourceElement === edit) kept.unsaved = true;
  };
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:after:request", (event) => {
    const { status } = event.detail.ctx.response;
    if (status >= 400 || status === 204) failed(event); // 204: off to the sign-in page, and not saved
  });
  document.addEventListener("submit", () => (kept.unsaved = false));
  // A text that was written anew is shown, unless something is typed that it would replace.
  document.addEventListener("htmx:after:swap", () => {
    const news = document.querySelector("#order[data-news]");
    if (news && !kept.unsaved && news.dataset.news !== edit.elements.version.value) location.reload();
  });
}

// A sentence and what it rests on stand out together.
const pair = (event) => {
  const number = event.target.closest?.("[data-claim]")?.dataset.claim;
  for (const one of document.querySelectorAll("[data-claim]")) one.classList.toggle("lit", one.dataset.claim === number);
};
if (document.getElementById("sources")) for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, pair);
