// The history of a lot: every public bid and what moved its end, the latest first.

import { html, useState } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { money } from "../../foundation/static/money.js";
import { Moment } from "./parts.js";

const FIRST = 6;

const PASSED = {
  NO_BIDS: "Not sold: nobody bid",
  RESERVE_NOT_MET: "Not sold: the reserve was not met",
  IF_BID_DECLINED: "Not sold: the seller declined",
  IF_BID_EXPIRED: "Not sold: the seller did not answer in time",
};

// After these nobody leads any more.
const OVER = new Set(["sold", "passed", "withdrawn"]);

const MOVED = {
  LINKED: "Moved with another lot",
  OUTAGE: "Moved, as our service was away,",
  PAUSE: "Moved, as the sale was paused,",
};

export function Ladder({ entries, complete, paddle, currency }) {
  const [all, setAll] = useState(false);
  if (entries.length === 0 && complete) return html`<p class="muted">Nobody has bid yet. The first bid leads at the opening bid.</p>`;
  const over = entries.some(({ kind }) => OVER.has(kind));
  const latest = over ? null : entries.find(({ kind }) => kind === "bid" || kind === "voided")?.sequence;
  const shown = all ? entries : entries.slice(0, FIRST);
  return html`<ol class="ladder" reversed>
      ${shown.map((entry) => html`<${Entry} key=${entry.sequence} entry=${entry} paddle=${paddle} currency=${currency} latest=${entry.sequence === latest} />`)}
    </ol>
    ${!complete && html`<p class="small muted">Some entries are still being fetched.</p>`}
    ${entries.length > shown.length && html`<p><button type="button" onClick=${() => setAll(true)}>Show all ${entries.length}</button></p>`}`;
}

function Entry({ entry, paddle, currency, latest }) {
  const { kind, at_us } = entry;
  const time = html`<${Moment} at=${at_us} style="seconds" />`;
  if (kind === "bid") {
    const mine = entry.paddle === paddle;
    return html`<li class=${mine ? "mine" : ""}>
      <span>${bidInWords(entry, paddle, latest)}</span><span class="price">${money(entry.price_minor, currency)}</span>${time}
    </li>`;
  }
  const { icon, text } = eventInWords(entry, paddle, currency);
  return html`<li class="event"><span><${Icon} name=${icon} /> ${text}</span>${time}</li>`;
}

function who(number, paddle) {
  return number === paddle ? "you" : `bidder ${number}`;
}

/** ``latest``: whether what the bid came to still stands. */
function bidInWords(entry, paddle, latest) {
  const by = who(entry.paddle, paddle);
  const name = by[0].toUpperCase() + by.slice(1);
  const leads = (number) => (latest ? (number === paddle ? "lead" : "leads") : "led");
  if (entry.paddle === entry.leader) return `${name} bid and ${leads(entry.paddle)}`;
  return `${name} bid; ${who(entry.leader, paddle)} still ${leads(entry.leader)}`;
}

function eventInWords(entry, paddle, currency) {
  const price = entry.price_minor == null ? "" : money(entry.price_minor, currency);
  switch (entry.kind) {
    case "extended":
      return { icon: "clock", text: html`Extended to <${Moment} at=${entry.closes_at_us} style="seconds" />${entry.final ? ", the final end" : ""}` };
    case "moved":
      return { icon: "clock", text: html`${MOVED[entry.reason] ?? "The end moved"} to <${Moment} at=${entry.closes_at_us} style="seconds" />` };
    case "rescheduled":
      return { icon: "clock", text: html`The seller moved the lot's times; it ends <${Moment} at=${entry.closes_at_us} style="seconds" />` };
    case "paused": return { icon: "pause", text: `The sale was paused${entry.reason ? `: ${entry.reason}` : ""}` };
    case "resumed": return { icon: "gavel", text: "The sale went on" };
    case "voided": return { icon: "alert", text: `The bids of ${who(entry.paddle, paddle)} were voided by staff` };
    case "reserve": return { icon: "lock", text: entry.reserve === "MET" ? "The reserve is met" : "The seller changed the reserve" };
    case "if_bid": return { icon: "clock", text: `Ended at ${price}, below the reserve: the seller decides` };
    case "sold": return { icon: "gavel", text: `Sold${entry.paddle === null ? "" : ` to ${who(entry.paddle, paddle)}`} for ${price}` };
    case "passed": return { icon: "minus", text: PASSED[entry.reason] ?? "Not sold" };
    case "withdrawn": return { icon: "minus", text: "Withdrawn by the seller" };
    default: return { icon: "info", text: "" };
  }
}
