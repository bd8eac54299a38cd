// What a screen reader is told of what happens, out of the news of the state. Pure.
//
// Most news are summed up and said politely, seldom. Urgent are only the two that somebody has to
// act on: being outbid, and the verdict on one's own bid.

import { count, verdictInWords } from "./words.js";

/**
 * ``view``: {interesting(lot_id), name(lot_id), money(minor), moment(us), bid(bid_id)}: which lots
 * are told of, what they are called here ("" on a lot's own page), and how values are written.
 */
export function speechOf(news, view) {
  const urgent = [];
  const lots = new Map(); // lot -> what is to be told of it
  const sale = [];
  for (const one of news) {
    const told = ofSale(one, view);
    if (told) {
      sale.push(told);
    } else if (one.kind === "verdict") {
      urgent.push(verdict(one, view));
    } else if (one.kind === "outbid") {
      urgent.push(`You are outbid${on(one, view)}. The current bid is ${view.money(one.price_minor)}.`);
    } else if (one.lot_id !== undefined && view.interesting(one.lot_id)) {
      gather(lots, one);
    }
  }
  const ofLots = [...lots].map(([lot_id, told]) => lotInWords(lot_id, told, view)).filter(Boolean);
  return { polite: [...sale, ...ofLots].join(" "), urgent: urgent.filter(Boolean) };
}

function on({ lot_id }, view) {
  const name = view.name(lot_id);
  return name ? ` on ${name}` : "";
}

function verdict({ bid_id }, view) {
  const bid = view.bid(bid_id);
  if (!bid) return "";
  const { title, text } = verdictInWords(bid, view.money);
  return `${title} ${text}`;
}

function ofSale(one, view) {
  switch (one.kind) {
    case "paused": return `The sale is paused. ${one.reason}`;
    case "resumed": return "The sale goes on.";
    case "cancelled": return "The seller has cancelled this sale.";
    case "closed": return "Every lot of this sale has ended.";
    case "moved": {
      const many = one.lot_ids.filter(view.interesting).length;
      return many ? `The ends of ${count(many, "lot")} that you follow moved later.` : "";
    }
    case "rescheduled": {
      const many = one.lot_ids.filter(view.interesting).length;
      return many ? `The seller moved the times of ${count(many, "lot")} that you follow.` : "";
    }
    default: return "";
  }
}

function gather(lots, one) {
  const told = lots.get(one.lot_id) ?? { bids: 0, price_minor: null, others: [] };
  if (one.kind === "bid") {
    told.bids += one.mine ? 0 : 1;
    told.price_minor = one.price_minor;
  } else {
    // Of the same kind only the last: ten extensions are one end.
    told.others = [...told.others.filter((other) => other.kind !== one.kind), one];
  }
  lots.set(one.lot_id, told);
}

function lotInWords(lot_id, { bids, price_minor, others }, view) {
  const parts = [];
  if (bids > 0) parts.push(`${count(bids, "new bid")}, current bid ${view.money(price_minor)}`);
  for (const one of others) parts.push(otherInWords(one, view));
  const text = parts.filter(Boolean).join("; ");
  const name = view.name(lot_id);
  return text && `${name ? `${name}: ` : ""}${text}.`;
}

function otherInWords(one, view) {
  switch (one.kind) {
    case "extended": return `the end moved to ${view.moment(one.closes_at_us)}${one.final ? ", and moves no more" : ""}`;
    case "reserve_met": return "the reserve is met";
    case "leading": return "you lead again";
    case "won": return `you won for ${view.money(one.price_minor)}`;
    case "lost": return `somebody else won for ${view.money(one.price_minor)}`;
    case "sold": return `sold for ${view.money(one.price_minor)}`;
    case "passed": return "not sold";
    case "withdrawn": return "withdrawn from the sale";
    case "bound": return "ended below the reserve; your bid stands while the seller decides";
    case "if_bid": return "ended below the reserve; the seller decides";
    case "countered": return `the seller asks you for ${view.money(one.amount_minor)}`;
    case "voided": return one.mine ? "your bids on it were voided" : "bids on it were voided";
    default: return "";
  }
}

// The times before the end that are said, in seconds.
const MILESTONES = [300, 60, 30, 10];

/** The milestone that lies between two looks at the time left, in seconds; null: none. */
export function milestone(leftBeforeUs, leftUs) {
  if (leftBeforeUs === null || leftUs <= 0) return null;
  return MILESTONES.find((seconds) => leftBeforeUs > seconds * 1_000_000 && leftUs <= seconds * 1_000_000) ?? null;
}
