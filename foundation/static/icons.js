// The icons of icons.svg for pages that are made in the browser. They are decoration: a word
// beside them, or an aria-label around them, says the same.

import { h } from "../vendor/preact.js";

const SPRITE = new URL("./icons.svg", import.meta.url).pathname;
const SVG = "http://www.w3.org/2000/svg";

/** As a Preact component: html`<${Icon} name="clock" />`. */
export function Icon({ name }) {
  return h("svg", { class: "icon", "aria-hidden": "true" }, h("use", { href: `${SPRITE}#${name}` }));
}

/** As an element of the document. */
export function iconElement(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}
