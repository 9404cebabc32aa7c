// What HTML cannot do: pause polls nobody sees, say what went wrong, copy a text. Everything works without it.
"use strict";
document.documentElement.classList.add("js");

const said = document.getElementById("said");
const LOST = "Repocast does not answer. Trying again …";
let lost = null;

function say(sentence, seconds = 6) {
  const line = document.createElement("p");
  line.textContent = sentence;
  said.append(line);
  if (seconds) setTimeout(() => line.remove(), seconds * 1000);
  return line;
}

for (const line of said.children) setTimeout(() => line.remove(), 8000);

const polls = (element) => /\bevery\b/.test(element.getAttribute?.("hx-trigger") ?? "");

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && polls(event.detail.ctx.sourceElement)) event.preventDefault();
});

// Back on the page: what polls is asked at once.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[hx-trigger*=every]")) htmx.trigger(element, "every");
});

document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response.status >= 500) {
    if (!polls(event.detail.ctx.sourceElement)) say("Something broke on our side. Nothing was lost; try again in a moment.");
    else lost ??= say(LOST, 0);
  } else if (lost) {
    lost.remove();
    lost = null;
    say("Connected again.", 3);
  }
});

document.addEventListener("htmx:error", (event) => {
  const source = event.detail.ctx?.sourceElement;
  if (source && polls(source)) lost ??= say(LOST, 0);
  else say("Repocast could not be reached. Nothing was changed; try again.");
});

document.addEventListener("say", (event) => say(event.detail.value));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    say("Copied.", 2);
  } catch {
    say("The browser did not allow copying: select the text instead.");
  }
});

// A new job starts in the zone of the person who makes it.
const zone = document.querySelector("[data-own-zone]");
if (zone) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zone.list.options].some((option) => option.value === own)) zone.value = own;
}

// What was typed before htmx was there, or what the browser filled in again, counts too.
setTimeout(() => {
  const changed = (field) => field.checked !== field.defaultChecked || (field.type !== "radio" && field.value !== field.defaultValue);
  const field = [...document.querySelectorAll("#job-form input")].find(changed);
  field?.dispatchEvent(new Event("input", { bubbles: true }));
});
