// The dashboard: arrow keys move from bar to bar, Home and End to the oldest and newest; a search is an address.
"use strict";
document.addEventListener("keydown", (event) => {
  const bar = event.target.closest?.(".bars a");
  if (!bar) return;
  const all = [...bar.parentElement.children];
  const at = all.indexOf(bar);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || !all[to]) return;
  event.preventDefault();
  bar.tabIndex = -1;
  all[to].tabIndex = 0;
  all[to].focus();
});

// What is searched for stands in the address at once: polls and buttons tell by it what the page shows.
document.querySelector(".filters")?.addEventListener("input", (event) => {
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(event.currentTarget))}`);
});
