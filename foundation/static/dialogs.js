// Dialogs without a line of script in the page: a button with data-opens="ID" opens the dialog
// with this id, one with data-closes closes the dialog around it. A click outside closes it too.
// Menus (details.menu) close on Escape, and when something else is clicked.

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const opener = target?.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (target?.closest("[data-closes]")) target.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement && isOutside(target, event)) target.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

/** A click on the veil counts as one on the dialog; only its place tells them apart. */
function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const within = event.clientX >= box.left && event.clientX <= box.right;
  // A click made with the keyboard has no place.
  return event.detail > 0 && !(within && event.clientY >= box.top && event.clientY <= box.bottom);
}
