// What comes up over a page without being asked: toasts, and the banner of a lost connection.
// Both are live regions that every page has from the start, so that screen readers know them.

import { iconElement } from "./icons.js";

// Long enough to read two lines twice; a toast with a link stays until it is closed.
const TOAST_MS = 8_000;
const MAX_TOASTS = 3;
const BACK_MS = 2_000;

const ICONS = { success: "check", info: "info", warning: "alert", error: "alert" };

/** Show a message; the kinds are those of the server's flash messages. ``urgent``: said at once. */
export function showToast(text, { kind = "info", link = null, linkText = "Show", urgent = false } = {}) {
  const region = document.getElementById("toasts");
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  if (urgent) toast.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = linkText;
    words.append(" ", anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet icon-only";
  close.setAttribute("aria-label", "Close this message");
  close.append(iconElement("x"));
  close.addEventListener("click", () => toast.remove());
  toast.append(iconElement(ICONS[kind] ?? "info"), words, close);
  region.append(toast);
  while (region.children.length > MAX_TOASTS) region.firstElementChild.remove();
  if (!link) removeLater(toast);
  return toast;
}

/** A message that is being read (pointer or focus on it) stays. */
function removeLater(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) removeLater(toast);
    else toast.remove();
  }, TOAST_MS);
}

let hideLater = 0;

/** "lost" shows the banner, "up" hides it; after a loss it says for a moment that all is well. */
export function showConnection(state) {
  const banner = document.getElementById("connection");
  clearTimeout(hideLater);
  if (state === "lost") {
    write(banner, "offline", "Connection lost. Reconnecting… Prices may be out of date.", false);
  } else if (!banner.hidden && !banner.classList.contains("back")) {
    write(banner, "check", "Connected again. Everything is up to date.", true);
    hideLater = setTimeout(() => {
      banner.hidden = true;
      banner.replaceChildren();
    }, BACK_MS);
  }
}

function write(banner, icon, text, back) {
  const words = document.createElement("span");
  words.textContent = text;
  banner.classList.toggle("back", back);
  banner.hidden = false;
  banner.replaceChildren(iconElement(icon), words);
}
