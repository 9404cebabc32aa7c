// The zone of the browser: for a new account, and on offer in the settings.
"use strict";
{
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const hidden = document.querySelector("[data-browser-zone]");
  if (hidden) hidden.value = own;
  const offer = document.getElementById("own-zone");
  const field = document.getElementById("f-timezone");
  if (offer && own && field.value !== own) {
    offer.querySelector("span").textContent = own;
    offer.hidden = false;
    offer.querySelector("button").addEventListener("click", () => {
      field.value = own;
      offer.hidden = true;
      field.focus();
    });
  }
}
