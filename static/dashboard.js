// Arrow keys move from bar to bar of a job, Home and End to its oldest and newest.
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
