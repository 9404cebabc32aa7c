// The pages of an execution: what runs counts on between two answers of the server, and a receipt is printed.
"use strict";
const began = new WeakMap();

// As the server says it (lib/words.py).
function length(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = hours ? [[hours, "h"], [minutes, "m"]] : minutes ? [[minutes, "m"], [rest, "s"]] : [[rest, "s"]];
  return parts.filter(([number], at) => number || !at).map((part) => part.join("")).join(" ");
}

setInterval(() => {
  for (const one of document.querySelectorAll("[data-so-far]")) {
    const told = Number(one.dataset.soFar);
    if (began.get(one)?.told !== told) began.set(one, { told, at: performance.now() });
    const passed = told + performance.now() - began.get(one).at;
    const words = `${length(Math.floor(passed / 1000))} so far`;
    if (one.textContent !== words) one.textContent = words;
  }
}, 500);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
