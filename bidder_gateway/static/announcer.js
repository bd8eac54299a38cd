// Tells screen readers and, by toasts, everybody what happens on the page without their doing.
// What is polite is gathered and said at most once in some seconds.

import { showToast } from "../../foundation/static/notices.js";
import { inWords } from "../../foundation/static/time.js";
import { positionOf } from "./fold.js";
import { clock, listen, now, ownTime } from "./live.js";
import { money } from "../../foundation/static/money.js";
import { saleOf } from "./reduce.js";
import { milestone, speechOf } from "./speech.js";
import { everyTick } from "./ticker.js";
import { isWatched } from "./watching.js";

const POLITE_EVERY_MS = 6_000;

const TOASTS = {
  outbid: (lot, price) => [`You are outbid on ${lot}. Current bid ${price}.`, "error"],
  leading: (lot, price) => [`You lead again on ${lot} at ${price}.`, "success"],
  won: (lot, price) => [`You won ${lot} for ${price}.`, "success"],
  lost: (lot, price) => [`${lot} was sold to another bidder for ${price}.`, "info"],
  bound: (lot, price) => [`${lot} ended below its reserve. Your bid of ${price} stands while the seller decides.`, "info"],
  countered: (lot, price) => [`The seller asks you for ${price} for ${lot}.`, "warning"],
};

class Regions {
  constructor() {
    this.polite = region("polite");
    this.urgent = region("assertive");
    this.waiting = [];
    this.saidAt = -Infinity;
    this.timer = null;
  }

  say(text) {
    if (!text) return;
    this.waiting.push(text);
    const wait = this.saidAt + POLITE_EVERY_MS - performance.now();
    this.timer ??= setTimeout(() => this.#speak(), Math.max(0, wait));
  }

  #speak() {
    this.timer = null;
    this.saidAt = performance.now();
    this.polite.textContent = this.waiting.join(" ");
    this.waiting = [];
  }

  call(text) {
    const line = document.createElement("p");
    line.textContent = text;
    this.urgent.replaceChildren(line);
  }
}

function region(politeness) {
  const element = document.createElement("div");
  element.className = "unlisted";
  element.setAttribute("aria-live", politeness);
  element.dataset.says = politeness;
  document.body.append(element);
  return element;
}

/** Call with the news of the state that have not been told yet. */
function onNews(tell) {
  let told = now().told;
  listen((state) => {
    const fresh = state.news.filter(({ number }) => number > told);
    told = state.told;
    if (fresh.length) tell(fresh);
  });
}

function viewOf(sale_id, interesting, name) {
  const currency = () => saleOf(now(), sale_id)?.sale.terms.currency ?? "USD";
  return {
    interesting,
    name,
    money: (minor) => money(minor, currency()),
    moment: (us) => inWords(new Date(us / 1_000), { style: "seconds" }),
    bid: (bid_id) => now().bids[bid_id],
  };
}

/** A toast about a lot, with the way to it; being outbid is said at once. */
function toast(one, view) {
  const make = TOASTS[one.kind];
  if (!make) return;
  const [text, kind] = make(view.name(one.lot_id), view.money(one.price_minor ?? one.amount_minor));
  const link = `/sales/${encodeURIComponent(one.sale_id)}/lots/${encodeURIComponent(one.lot_id)}`;
  const linkText = one.kind === "outbid" ? "Bid again" : "Open the lot";
  showToast(text[0].toUpperCase() + text.slice(1), { kind, link, linkText, urgent: one.kind === "outbid" });
}

/** On a list of lots: those that the viewer bids on or watches. */
export function announceList(cardsOf) {
  const regions = new Regions();
  onNews((news) => {
    for (const sale_id of new Set(news.map((one) => one.sale_id))) {
      const sale = saleOf(now(), sale_id);
      if (!sale) continue;
      const those = news.filter((one) => one.sale_id === sale_id);
      const mine = (lot_id) => sale.lots[lot_id] && (positionOf(sale, sale.lots[lot_id]) !== "" || isWatched(sale_id, lot_id));
      const name = (lot_id) => `lot ${lot_id}, ${cardsOf(sale_id)[lot_id]?.title ?? sale.lots[lot_id]?.title ?? ""}`;
      const view = viewOf(sale_id, mine, name);
      for (const one of those) toast(one, view);
      // A toast has said it already.
      const rest = those.filter((one) => !TOASTS[one.kind]);
      const { polite, urgent } = speechOf(rest, view);
      regions.say(polite);
      urgent.forEach((text) => regions.call(text));
    }
  });
}

/** On a lot's own page: everything about it, and how the time runs out. */
export function announceLot(sale_id, lot_id) {
  const regions = new Regions();
  const view = viewOf(sale_id, (other) => other === lot_id, () => "");
  onNews((news) => {
    const here = news.filter((one) => one.sale_id === sale_id);
    const { polite, urgent } = speechOf(here, view);
    regions.say(polite);
    urgent.forEach((text) => regions.call(text));
  });
  let before = null;
  everyTick(() => {
    const sale = saleOf(now(), sale_id);
    const lot = sale?.lots[lot_id];
    const left = lot?.status === "LIVE" && !sale.sale.paused ? clock.left(ownTime(), lot.closes_at_us) : null;
    const passed = left === null ? null : milestone(before, left);
    if (passed) regions.say(passed >= 60 ? `${passed / 60} minute${passed > 60 ? "s" : ""} left.` : `${passed} seconds left.`);
    before = left;
  });
}
