// A form is sent once: while its answer is awaited its buttons are busy, and a second click or
// Enter does nothing. Coming back to the page by the browser's history frees it again.

// On the window, so that it comes after all others: what they called off is their own affair.
window.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setBusy(form, true);
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    setBusy(form, false);
  }
});

function setBusy(form, busy) {
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    // Not disabled: that would drop the name of the button from what is sent, and its focus.
    if (busy) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }
}
