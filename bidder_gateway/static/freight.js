// How the goods come to the buyer: collected, or shipped at a quoted price. The choice counts in
// the cost at the door, and goes with the bid as the quote's id.

import { html } from "../../foundation/static/html.js";
import { money } from "./money.js";

/** The ways that a lot's freight can be had, from the page's data. */
export function waysOf(freight) {
  if (!freight) return [];
  return freight.ways.map((way) => ({ ...way, quote_id: way.quote_id ?? null }));
}

/** Radio buttons, if there is a choice; else the one way in words. */
export function Freight({ ways, chosen, onChoose, currency }) {
  if (ways.length === 0) return null;
  if (ways.length === 1) return html`<p class="small muted">${ways[0].words}</p>`;
  return html`<fieldset class="field freight">
    <legend class="label">Freight</legend>
    ${ways.map((way, place) => html`<label class="choice" key=${way.quote_id ?? way.words}>
      <input type="radio" name="freight" value=${place} checked=${place === chosen} onChange=${() => onChoose(place)} />
      <span>${way.words}${way.amount_minor ? html`: <span class="strong">${money(way.amount_minor, currency)}</span>` : ""}</span>
    </label>`)}
  </fieldset>`;
}
