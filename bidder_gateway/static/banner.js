// The banner about the line to the server: on every live page, at the same place (base.html).
// Its words change when the state does, never by the second, so that a screen reader is not told
// the same thing again and again.

import { iconElement } from "../../foundation/static/icons.js";
import { listen, now } from "./live.js";
import { lineInWords } from "./words.js";

// A page that has just been opened connects in less; only then is there something to tell.
const FIRST_MS = 2_000;
const BACK_MS = 3_000;

let shown = "";
let began = 0;
let hideLater = 0;

/** Show the banner whenever it is due, from now on. */
export function banner() {
  began = performance.now();
  listen(draw);
  setTimeout(draw, FIRST_MS + 50);
}

function draw() {
  const told = lineInWords(now(), performance.now() - began > FIRST_MS);
  const element = document.getElementById("connection");
  if (told === null) {
    if (!shown || shown === BACK.text) return;
    write(element, BACK);
    hideLater = setTimeout(() => {
      element.hidden = true;
      shown = "";
    }, BACK_MS);
  } else if (told.text !== shown) {
    clearTimeout(hideLater);
    write(element, told);
  }
}

const BACK = { icon: "check", text: "Connected again. Everything is up to date.", back: true };

function write(element, { icon, text, back = false, link = false }) {
  const words = document.createElement("span");
  words.textContent = text;
  const parts = [iconElement(icon), words];
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    anchor.textContent = "Sign in";
    parts.push(anchor);
  }
  element.classList.toggle("back", back);
  element.hidden = false;
  element.replaceChildren(...parts);
  shown = text;
}
