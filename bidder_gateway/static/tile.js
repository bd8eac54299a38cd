// A lot in a list: what it is, where its bidding stands, where the viewer stands. The server makes
// the same markup for the first paint (templates/tile.html).

import { Component, html, useRef } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { shareOfMsrp } from "./costs.js";
import { money } from "../../foundation/static/money.js";
import { Countdown, Reserve, Standing, Status } from "./parts.js";
import { Watch } from "./watching.js";
import { count } from "./words.js";

const DRAWN_BY = ["lot", "card", "position", "own", "watched", "paused"];

/** Drawn again only when something of it has changed: a board has hundreds. */
export class Tile extends Component {
  shouldComponentUpdate(next) {
    return DRAWN_BY.some((name) => next[name] !== this.props[name]);
  }

  render({ sale_id, lot, card, position, own = null, watched, paused, terms, saleTitle = null }) {
    const { currency, soft_close } = terms;
    const href = `/sales/${encodeURIComponent(sale_id)}/lots/${encodeURIComponent(lot.lot_id)}`;
    return html`<li class="tile" data-lot=${lot.lot_id}>
      <${Picture} photo=${card.photo} />
      <div class="corner"><span class="badge">Lot ${lot.lot_id}</span><${Status} lot=${lot} /></div>
      <div class="body">
        <h3><a href=${href}>${card.title}</a></h3>
        <p class="meta">
          ${saleTitle && html`<span>${saleTitle}</span>`}
          ${card.condition_words && html`<span>${card.condition_words}</span>`}
          ${card.units && html`<span>${count(card.units, "unit")}</span>`}
          ${card.msrp_minor && html`<span>MSRP ${money(card.msrp_minor, currency)}</span>`}
        </p>
        <div class="bid">
          <span class="label">${priceLabel(lot)}</span>
          <${Price} lot=${lot} currency=${currency} />
          <${Countdown} lot=${lot} paused=${paused} windowUs=${soft_close?.window_us} />
          <p class="meta"><span>${besides(lot, card)}</span>${lot.reserve !== "NONE" && html`<${Reserve} lot=${lot} />`}</p>
          ${own !== null && html`<p class="meta">Your max ${money(own, currency)}</p>`}
        </div>
      </div>
      <${Standing} position=${position} watched=${watched} />
      <${Watch} sale_id=${sale_id} lot_id=${lot.lot_id} title=${`lot ${lot.lot_id}`} compact />
    </li>`;
  }
}

function Picture({ photo }) {
  if (!photo) return html`<div class="photo none"><${Icon} name="pallet" /></div>`;
  return html`<img class="photo" src=${photo.src} alt="" width=${photo.width} height=${photo.height} loading="lazy" />`;
}

/** The price, which flashes when it changes: a new element begins the animation. */
export function Price({ lot, currency, big = false }) {
  const minor = lot.price_minor ?? lot.opening_minor;
  const first = useRef(minor);
  const changed = first.current !== minor;
  if (changed) first.current = null; // from now on every price is another one
  return html`<span class="price${big ? " big" : ""}${changed ? " changed" : ""}" key=${minor}>${money(minor, currency)}</span>`;
}

export function priceLabel(lot) {
  if (lot.price_minor === null) return "Opening bid";
  return lot.status === "SOLD" ? "Winning bid" : lot.status === "LIVE" ? "Current bid" : "Highest bid";
}

function besides(lot, card) {
  const share = lot.price_minor === null ? null : shareOfMsrp(lot.price_minor, card.msrp_minor);
  return `${bidsInWords(lot)}${share ? ` · ${share} of MSRP` : ""}`;
}

/** "No bids", "1 bid", "12 bids". */
export const bidsInWords = (lot) => (lot.bid_count ? count(lot.bid_count, "bid") : "No bids");
