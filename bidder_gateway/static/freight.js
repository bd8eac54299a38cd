// How the goods come to the buyer: collected, or shipped at a quoted price. What is chosen counts in
// the cost at the door, and goes with the bid by the quote's id.
//
// A quote is asked for by the form that works without scripts too; its answer is the lot's page with
// the quote in it, from which the ways are taken.

import { html, useState } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { page } from "./live.js";
import { money } from "../../foundation/static/money.js";

const BESIDES = [
  ["liftgate", "Liftgate", "there is no dock"],
  ["residential", "Residential address", ""],
  ["limited_access", "Limited access", "a school, a site, a storage yard"],
  ["appointment", "Appointment needed", ""],
];

/** The ways of freight and which one is chosen: [ways, chosen, choose, ask]. */
export function useFreight() {
  const [ways, setWays] = useState(page.freight.ways);
  const [chosen, choose] = useState(page.freight.ways.length - 1);
  const ask = async (form) => {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) throw new Error("There is no price for freight now. Try again in a moment.");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const data = JSON.parse(fresh.getElementById("page-data").textContent);
    if (data.freight.ways.length < 2) {
      throw new Error(fresh.querySelector(".flash p")?.textContent ?? "There is no price for that address.");
    }
    const [collect, quoted] = data.freight.ways;
    const others = ways.slice(1).filter((way) => way.words !== quoted.words);
    setWays([collect, ...others, quoted]);
    choose(others.length + 1);
    // Whoever comes back to this page by the browser's history finds the quote again.
    history.replaceState(null, "", `?quote=${encodeURIComponent(quoted.quote_id)}`);
  };
  return [ways, Math.min(chosen, ways.length - 1), choose, ask];
}

export function Freight({ ways, chosen, onChoose, onAsk, currency }) {
  return html`<fieldset class="field freight">
      <legend class="label">How it comes to you</legend>
      ${ways.map((way, place) => html`<label class="choice" key=${way.quote_id ?? "collect"}>
        <input type="radio" name="freight" value=${place} checked=${place === chosen} onChange=${() => onChoose(place)} />
        <span>${way.words}${way.amount_minor === null ? "" : html`: <span class="strong nowrap">${money(way.amount_minor, currency)}</span>`}</span>
      </label>`)}
    </fieldset>
    ${page.freight.can_quote && html`<${Ask} onAsk=${onAsk} first=${ways.length === 1} />`}`;
}

/** The form that asks for a quote. It is no form element: it stands inside of the bid's. */
function Ask({ onAsk, first }) {
  const [state, setState] = useState({ busy: false, fault: "" });
  const press = async (event) => {
    const box = event.target.closest(".ask");
    const form = document.createElement("form");
    form.action = page.freight.path;
    for (const field of box.querySelectorAll("input")) form.append(field.cloneNode());
    setState({ busy: true, fault: "" });
    try {
      await onAsk(form);
      setState({ busy: false, fault: "" });
      box.closest("details").open = false;
    } catch (error) {
      setState({ busy: false, fault: error.message });
    }
  };
  return html`<details class="quote">
    <summary><${Icon} name="truck" />${first ? "Get a price for shipping" : "Ship somewhere else"}</summary>
    <div class="ask stack">
      <div class="field">
        <label for="freight-zip">ZIP code of the delivery</label>
        <input id="freight-zip" name="postal_code" inputmode="numeric" autocomplete="postal-code" maxlength="5" defaultValue=${page.freight.postal_code}
          aria-describedby=${state.fault ? "freight-fault" : undefined} aria-invalid=${state.fault ? "true" : undefined}
          onKeyDown=${(event) => { if (event.key === "Enter") { event.preventDefault(); press(event); } }} />
        ${state.fault && html`<p class="error" id="freight-fault" role="alert"><${Icon} name="alert" /><span>${state.fault}</span></p>`}
      </div>
      <div>${BESIDES.map(([name, words, hint]) => html`<label class="choice" key=${name}><input type="checkbox" name=${name} value="on" /><span>${words}${hint && html` <span class="hint">(${hint})</span>`}</span></label>`)}</div>
      <button type="button" aria-busy=${state.busy ? "true" : undefined} onClick=${press}>Show the price</button>
    </div>
  </details>`;
}
