// What came of the bids that were made on this page: waiting, not confirmed yet, or the verdict
// with its reason and receipt.

import { html } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { connection, page } from "./live.js";
import { money } from "../../foundation/static/money.js";
import { verdictInWords } from "./words.js";

const WAYS = {
  register: () => [page.register_path, "Register for the sale"],
  budgets: () => [page.budgets_path, "Change my budgets"],
  sign_in: () => [page.sign_in_path, "Sign in"],
};

/** The last bid of the page on this lot; ``position``: where the viewer stands by now. */
export function Outcome({ bid, position }) {
  if (!bid || bid.state === "dropped") return null;
  if (bid.state !== "answered") return html`<${Waiting} bid=${bid} />`;
  return html`<${Answered} bid=${bid} over=${bid.code === "LEADING" && position !== "leading"} />`;
}

function Waiting({ bid }) {
  const amount = money(bid.amount_minor, bid.currency);
  if (bid.state === "sent") {
    return html`<div class="note info outcome" data-outcome="sent"><${Icon} name="refresh" /><p>Your bid of ${amount} is on its way…</p></div>`;
  }
  const why = bid.why === "LINE" ? "The connection is lost." : "The server could not say.";
  return html`<div class="note warn outcome" data-outcome="unsure"><${Icon} name="offline" /><div class="stack tight">
    <p><strong>Not confirmed yet.</strong> ${why} Your bid of ${amount} is sent again until the answer is here; it counts once at most.</p>
    <p><button type="button" onClick=${() => connection.drop(bid.bid_id)}>Stop asking</button> <span class="small">It may have arrived already.</span></p>
  </div></div>`;
}

/** ``over``: what the verdict said was so then, and is not any more. */
function Answered({ bid, over }) {
  const told = verdictInWords(bid, (minor) => money(minor, bid.currency));
  const { kind, icon, title, text, way } = over ? { ...told, kind: "info", title: "Accepted." } : told;
  const [href, words] = way && WAYS[way] ? WAYS[way]() : [];
  return html`<div class="note ${kind} outcome" data-outcome=${bid.code}><${Icon} name=${icon} /><div class="stack tight">
    <p><strong>${title}</strong> ${text}</p>
    ${href && html`<p><a class="button" href=${href}>${words}</a></p>`}
    ${bid.receipt && html`<details class="receipt"><summary>Receipt</summary>
      <p class="small">With this anybody can check after the close that your bid is in the record, unchanged.</p>
      <dl class="facts small">
        <dt>Bid</dt><dd><code>${bid.bid_id}</code></dd>
        <dt>Place</dt><dd>${bid.sequence === null ? "private: rivals do not see it" : `event ${bid.sequence} of the sale`}</dd>
        <dt>Receipt</dt><dd><code>${hexOf(bid.receipt)}</code></dd>
      </dl>
    </details>`}
  </div></div>`;
}

/** Base64 as hexadecimal, as the exported log is checked by. */
export function hexOf(base64) {
  return [...atob(base64)].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
