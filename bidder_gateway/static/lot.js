// A lot's own page, live: the bid box, the ladder, and on phones a bar with the price and the time.

import { html, useEffect, useReducer } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { announceLot } from "./announcer.js";
import { banner } from "./banner.js";
import { BidBox } from "./bid_box.js";
import { entryOf, positionOf } from "./fold.js";
import { Ladder } from "./ladder.js";
import { connection, listen, now, page, start, takeOver, tell, useLive } from "./live.js";
import { money } from "../../foundation/static/money.js";
import { noticesShown } from "./notices_shown.js";
import { Countdown } from "./parts.js";
import { bidsOn, saleOf } from "./reduce.js";
import { keepSaid } from "./said.js";
import { priceLabel } from "./tile.js";
import { isWatched, onWatching } from "./watching.js";

const { sale_id } = page.follow[0];
const { lot_id } = page.lot;
// What the viewer leads and owes has changed a moment ago; it is asked for once for all changes.
const REFRESH_MS = 800;
const RETRY_MS = 3_000;
// Histories trail the stream by moments.
const SETTLE_MS = 1_000;

function useLot() {
  const sale = useLive((state) => saleOf(state, sale_id));
  const lot = sale.lots[lot_id];
  return { sale, lot, position: positionOf(sale, lot) };
}

function Box({ typed }) {
  const { sale, lot, position } = useLot();
  const bid = useLive((state) => bidsOn(state, sale_id, lot_id)[0]);
  const viewer = useLive((state) => state.viewer);
  const [, redraw] = useReducer((drawn) => drawn + 1, 0);
  useEffect(() => onWatching(redraw), []);
  return html`<${BidBox} sale=${sale} lot=${lot} position=${position} viewer=${viewer} bid=${bid} watched=${isWatched(sale_id, lot_id)} typed=${typed} />`;
}

function History() {
  const { sale } = useLot();
  const { entries, complete } = sale.ladders[lot_id] ?? { entries: [], complete: false };
  return html`<${Ladder} entries=${entries} complete=${complete} paddle=${sale.own?.paddle} currency=${sale.sale.terms.currency} />`;
}

/** On phones: price and time stay in view, and one touch leads to the box. */
function Bar() {
  const { sale, lot, position } = useLot();
  const { terms, paused } = sale.sale;
  return html`<p><span class="label">${priceLabel(lot)}</span><br /><span class="price">${money(lot.price_minor ?? lot.opening_minor, terms.currency)}</span></p>
    <${Countdown} lot=${lot} paused=${paused} windowUs=${terms.soft_close?.window_us} />
    <a class="button primary" href="#bid-box">${lot.status === "LIVE" ? html`<${Icon} name="gavel" />${position === "outbid" ? "Bid again" : "Bid"}` : "Result"}</a>`;
}

/** The bar is there while the box is not in view. */
function showBar(bar, box) {
  new IntersectionObserver(([seen]) => { bar.hidden = seen.isIntersecting; }, { threshold: 0.2 }).observe(box);
}

/** The viewer's exposure is the server's to know: ask again after what may have changed it. */
function keepStanding() {
  let position = null;
  let timer = null;
  listen((state) => {
    const sale = saleOf(state, sale_id);
    const is = `${positionOf(sale, sale.lots[lot_id])} ${sale.own?.maxima[lot_id]}`;
    if (position !== null && is !== position && sale.own) {
      timer ??= setTimeout(() => {
        timer = null;
        connection.refresh(sale_id);
      }, REFRESH_MS);
    }
    position = is;
  });
}

/** The whole history, when the stream had to skip some of it or there is more than came along. */
function keepHistory() {
  let fetching = false;
  listen((state) => {
    const ladder = saleOf(state, sale_id)?.ladders[lot_id];
    if (fetching || !ladder || ladder.complete || state.line.state !== "live") return;
    fetching = true;
    setTimeout(() => fetchHistory().catch(pause).finally(() => { fetching = false; }), SETTLE_MS);
  });
}

const pause = () => new Promise((done) => { setTimeout(done, RETRY_MS); });

async function fetchHistory() {
  const answer = await fetch(`${page.history_path}?limit=200`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const { items } = await answer.json();
  tell({ type: "page:ladder", sale_id, lot_id, entries: items.map(entryOf).filter(Boolean), complete: true });
}

start();
tell({ type: "page:ladder", sale_id, lot_id, entries: page.history.map(entryOf).filter(Boolean), complete: page.history_complete });
const box = document.getElementById("bid-box");
const bar = document.getElementById("bid-bar");
const typed = document.getElementById("amount")?.value ?? "";
takeOver(box, html`<${Box} typed=${typed} />`);
takeOver(document.getElementById("ladder"), html`<${History} />`);
takeOver(bar, html`<${Bar} />`);
showBar(bar, box);
keepStanding();
keepHistory();
banner();
announceLot(sale_id, lot_id);
noticesShown();
keepSaid();
