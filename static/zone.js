// A time zone: a list of what the server finds for the text, walked by arrow keys (the combobox pattern of WAI-ARIA).
"use strict";
const place = document.querySelector("[data-zones]");
const zone = place.querySelector("input");
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const list = Object.assign(document.createElement("ul"), { id: "zone-list", hidden: true });
const told = Object.assign(document.createElement("p"), { className: "hidden" });
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Suggestions");
told.setAttribute("role", "status");
zone.after(list, told);
for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id }))
  zone.setAttribute(name, value);
let asked = 0; // the latest question: an answer to an older one comes too late
let waits = null;

async function zones(text) {
  const number = ++asked;
  const query = new URLSearchParams({ q: text, own: ownZone });
  const answer = await fetch(`${place.dataset.zones}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const found = answer?.status === 200 ? await answer.json().catch(() => []) : [];
  return number === asked ? found : null;
}

function option(found, number) {
  const line = Object.assign(document.createElement("li"), { id: `zone-${number}` });
  line.setAttribute("role", "option");
  line.dataset.name = found.name;
  const about = Object.assign(document.createElement("span"), { className: "soft", textContent: found.about });
  line.append(`${found.name.replaceAll("_", " ")} `, about);
  return line;
}

function shut() {
  asked++;
  clearTimeout(waits);
  list.hidden = true;
  zone.setAttribute("aria-expanded", "false");
  zone.removeAttribute("aria-activedescendant");
}

async function search(text) {
  const found = await zones(text);
  if (!found || document.activeElement !== zone) return;
  shut();
  told.textContent = found.length ? `${found.length} time zones` : "No time zone fits";
  list.replaceChildren(...found.map(option));
  list.hidden = !found.length;
  zone.setAttribute("aria-expanded", String(!list.hidden));
  if (found[0]?.name === zone.value) zone.dispatchEvent(new Event("change", { bubbles: true }));
}

function point(line) {
  list.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
  line.setAttribute("aria-selected", "true");
  line.scrollIntoView({ block: "nearest" });
  zone.setAttribute("aria-activedescendant", line.id);
}

function choose(line) {
  zone.value = line.dataset.name;
  shut();
  zone.dispatchEvent(new Event("change", { bubbles: true }));
}

// Half a word is no zone yet: the next runs follow once one is chosen, typed out, or left.
zone.addEventListener("input", (event) => {
  event.stopPropagation();
  clearTimeout(waits);
  waits = setTimeout(() => search(zone.value), 150);
});
zone.addEventListener("click", () => list.hidden && search(""));
zone.addEventListener("blur", shut);
zone.addEventListener("keydown", (event) => {
  const lines = [...list.children];
  const now = lines.findIndex((line) => line.hasAttribute("aria-selected"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    if (list.hidden) search("");
    else point(lines.at(now < 0 && step < 0 ? -1 : (now + step) % lines.length));
  } else if (list.hidden) return;
  else if (event.key === "Escape") {
    event.preventDefault();
    shut();
  } else if ((event.key === "Enter" || event.key === "Tab") && now >= 0) {
    if (event.key === "Enter") event.preventDefault();
    choose(lines[now]);
  }
});
list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one types
list.addEventListener("click", (event) => choose(event.target.closest("li")));

// A new job starts in the zone of the person who makes it, unless an account or a hand has chosen another.
if (zone.hasAttribute("data-own-zone") && ownZone !== zone.value) {
  const before = zone.value;
  zones("").then((found) => {
    if (found?.[0]?.name !== ownZone || zone.value !== before) return;
    zone.defaultValue = zone.value = ownZone;
    zone.dispatchEvent(Object.assign(new Event("change", { bubbles: true }), { quiet: true }));
  });
}
