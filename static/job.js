// A job's form: ready-made schedules, and a question before what is typed is lost.
"use strict";
const jobForm = document.getElementById("job-form");
const typedJob = guard(jobForm);
jobForm.addEventListener("submit", () => (typedJob.unsaved = false));
jobForm.querySelector("[data-discard]").addEventListener("click", () => (typedJob.unsaved = false));

// A preset fills the fields in place; without this script the server does.
function fill(values) {
  for (const [name, value] of Object.entries(values)) {
    for (const field of [jobForm.elements[name]].flatMap((one) => (one instanceof Node ? one : [...one]))) {
      if (/radio|checkbox/.test(field.type)) field.checked = [value].flat().includes(field.value);
      else field.value = value;
    }
  }
  jobForm.dispatchEvent(new Event("change", { bubbles: true }));
}

jobForm.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  event.preventDefault();
  fill(JSON.parse(button.dataset.fill));
});

// What was typed before htmx was there, or what the browser filled in again, counts too.
setTimeout(() => {
  const changed = (field) => field.checked !== field.defaultChecked || (field.type !== "radio" && field.value !== field.defaultValue);
  const field = [...jobForm.querySelectorAll("input")].find(changed);
  field?.dispatchEvent(new Event("input", { bubbles: true }));
});
