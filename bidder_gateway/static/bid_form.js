// The form in which a bid is made: what it would mean, what it would cost at the door, and a second
// look at what may be a slip. The amount that is being typed is never touched from outside.

import { html, useEffect, useRef, useState } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { CostLines } from "./cost_lines.js";
import { doorCost } from "./costs.js";
import { Freight, useFreight } from "./freight.js";
import { leastBid, quickBids } from "./increments.js";
import { connection, page } from "./live.js";
import { caution, meaning } from "./meaning.js";
import { money, parseMoney, plain, sign } from "../../foundation/static/money.js";

/** A new id for a bid. Pages that are not on a secure address have no randomUUID. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What is known before a bid: the least that would do, what it means, what it costs. */
function useBid({ sale, lot, position, typed, way }) {
  const { terms } = sale.sale;
  const { currency, increments, price_rule } = terms;
  const write = (minor) => money(minor, currency);
  const leads = position === "leading";
  const own = sale.own?.maxima[lot.lot_id] ?? null;
  const least = leastBid(lot, increments, { leads, ownMinor: own });
  const parsed = typed.trim() === "" ? null : parseMoney(typed, currency);
  const fault = faultOf(parsed, least, increments.unit_minor, leads, write);
  const minor = parsed?.minor ?? least;
  const cost = doorCost(terms, minor, way);
  const bid = { amount_minor: minor, opening_minor: lot.opening_minor, reserve: lot.reserve, has_leader: lot.leader !== null, leads, own_minor: own, rule: price_rule };
  return {
    least, leads, own, parsed, fault, minor, write, terms,
    means: meaning(bid, write),
    careful: caution({ amount_minor: minor, least_minor: least, msrp_minor: page.lot.msrp_minor, total_minor: cost.total_minor }, write),
    total: cost.total_minor,
  };
}

/** Why an amount will not do, as a sentence; null: it will, or nothing is typed yet. */
function faultOf(parsed, least, unit, leads, write) {
  if (parsed === null) return null;
  if (parsed.fault) return parsed.fault;
  if (parsed.minor % unit) return `Bids in this sale are multiples of ${write(unit)}.`;
  if (parsed.minor >= least) return null;
  return leads ? `Your max can only go up: at least ${write(least)}.` : `The least you can bid now is ${write(least)}.`;
}

/** ``before``: what was typed into the server's form before this one took its place. */
export function BidForm({ sale, lot, position, before }) {
  const { currency } = sale.sale.terms;
  const [typed, setTyped] = useState(page.lot.asked_minor === null ? before : plain(page.lot.asked_minor, currency));
  const [asked, setAsked] = useState(false); // whether a fault has been asked for by sending
  const [ways, chosen, choose, ask] = useFreight();
  const way = ways[chosen];
  const field = useRef(null);
  const dialog = useRef(null);
  const bid = useBid({ sale, lot, position, typed, way });
  const { write, terms } = bid;
  // A short amount may grow while it is typed; it is complained of when it is sent, or is no amount.
  const complaint = bid.fault && (asked || bid.parsed?.fault || typed.length > 6) ? bid.fault : null;

  const send = () => {
    connection.bid({
      bid_id: newId(), sale_id: sale.sale_id, lot_id: lot.lot_id, amount_minor: bid.minor,
      currency: terms.currency, quote_id: way.quote_id, made_at: Date.now(),
    });
    setTyped("");
    setAsked(false);
  };
  const submit = (event) => {
    event.preventDefault();
    setAsked(true);
    if (bid.parsed === null || bid.fault) field.current.focus();
    else if (bid.careful) dialog.current.showModal();
    else send();
  };
  useEffect(() => {
    // A link in a notice brings an amount along: it is asked about, and never bid by itself.
    if (page.lot.asked_minor !== null && bid.parsed !== null && !bid.fault) dialog.current.showModal();
  }, []);
  const empty = asked && bid.parsed === null ? "Enter the most you would pay." : null;
  const message = empty ?? complaint;

  return html`<form class="stack" method="post" action=${page.bid_path} onSubmit=${submit} noValidate data-live>
      <div class="field">
        <label for="amount">${bid.leads ? "Raise your max bid" : "Your max bid"}</label>
        <p class="hint" id="amount-hint">${bid.leads ? `Now ${write(bid.own)}. ` : ""}At least ${write(bid.least)}. Only you see it.</p>
        <div class="affixed">
          <span aria-hidden="true">${sign(terms.currency).trim()}</span>
          <input id="amount" name="amount" type="text" inputmode="decimal" autocomplete="off" ref=${field} value=${typed}
            onInput=${(event) => { setTyped(event.target.value); setAsked(false); }}
            aria-describedby=${message ? "amount-fault amount-hint" : "amount-hint meaning"} aria-invalid=${message ? "true" : undefined} />
        </div>
        ${message && html`<p class="error" id="amount-fault"><${Icon} name="alert" /><span>${message}</span></p>`}
      </div>
      <div class="quick" role="group" aria-label="Amounts">
        ${quickBids(bid.least, terms.increments, bid.leads).map((minor, place) => html`<button type="button" key=${place} aria-label=${`Set my max to ${write(minor)}`}
          onClick=${() => { setTyped(plain(minor, terms.currency)); setAsked(false); field.current.focus(); }}>${write(minor)}</button>`)}
      </div>
      <p class="meaning" id="meaning">${bid.means}</p>
      <button type="submit" class="primary large full"><${Icon} name="gavel" />${bid.leads ? "Raise my max to" : "Bid up to"} ${write(bid.minor)}</button>
      <p class="small muted">A bid is binding and cannot be taken back.</p>
      <${CostLines} amountMinor=${bid.minor} terms=${terms} way=${way} msrpMinor=${page.lot.msrp_minor} heading=${`If you win at ${write(bid.minor)}`} />
      <${Freight} ways=${ways} chosen=${chosen} onChoose=${choose} onAsk=${ask} currency=${terms.currency} />
    </form>
    <${Careful} dialog=${dialog} bid=${bid} lot=${lot} onYes=${send} onNo=${() => field.current?.focus()} />`;
}

/** A bid that may be a slip is looked at twice. */
function Careful({ dialog, bid, lot, onYes, onNo }) {
  const close = (event) => (event.target.returnValue === "yes" ? onYes() : onNo());
  return html`<dialog ref=${dialog} aria-labelledby="careful-title" onClose=${close}>
    <form method="dialog">
      <header><h2 id="careful-title">Bid up to ${bid.write(bid.minor)}?</h2></header>
      <div class="content">
        <p>${bid.careful ?? "You came here to bid."}</p>
        <p>${bid.means}</p>
        <p class="strong">All in, lot ${lot.lot_id} could come to ${bid.write(bid.total)}. A bid cannot be taken back.</p>
      </div>
      <footer>
        <button value="no">Change the amount</button>
        <button value="yes" class="primary">Yes, bid up to ${bid.write(bid.minor)}</button>
      </footer>
    </form>
  </dialog>`;
}
