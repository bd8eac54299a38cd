// The words of the pages that are made in the browser; those made on the server have the same
// ones in templates/words.html. Pure.

import { unanswered } from "./reduce.js";

/** Where the viewer stands on a lot: how it looks, its icon, its words. */
export const STANDINGS = {
  leading: { icon: "arrow-up", words: "You lead" },
  outbid: { icon: "alert", words: "You are outbid" },
  bound: { icon: "clock", words: "Your bid stands: the seller decides" },
  won: { icon: "trophy", words: "You won" },
  lost: { icon: "minus", words: "Somebody else won" },
  ended: { icon: "minus", words: "Not sold" },
  watched: { icon: "eye", words: "You watch this" },
};

export const STATUSES = {
  SOLD: "Sold",
  PASSED: "Not sold",
  WITHDRAWN: "Withdrawn",
  IF_BID: "Seller decides",
};

export const RESERVES = {
  NONE: { icon: "tag", kind: "", words: "No reserve" },
  NOT_MET: { icon: "lock", kind: "warn", words: "Reserve not met" },
  MET: { icon: "check", kind: "good", words: "Reserve met" },
};

/** "1 bid", "12 bids". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}

/** A time span of the terms: "5 minutes", "90 seconds". */
export function span(us) {
  const seconds = us / 1_000_000;
  if (seconds < 120 && seconds % 60) return count(seconds, "second");
  if (seconds < 7_200) return count(Math.round(seconds / 6) / 10, "minute");
  return count(Math.round(seconds / 360) / 10, "hour");
}

/** What a person is told about the line to the server; null: nothing, all is well. */
export function lineInWords(state, waitedLong = true) {
  const waiting = unanswered(state).length;
  const bids = waiting ? ` ${count(waiting, "bid")} not confirmed yet: sent again until the answer is here.` : "";
  switch (state.line.state) {
    case "live":
      return state.line.signed_out
        ? { icon: "lock", text: "You are signed out. You can watch; to bid, sign in again.", link: true }
        : null;
    case "quiet":
      return { icon: "offline", text: `No answer from the server. Prices may be out of date.${bids}` };
    case "lost":
      return { icon: "offline", text: `Connection lost. Reconnecting; prices may be out of date.${bids}` };
    default:
      return waitedLong ? { icon: "offline", text: "Connecting. Prices may be out of date." } : null;
  }
}

/** What a verdict says to the person who bid: a heading, a sentence, how it is meant. */
export function verdictInWords(bid, money) {
  const { code, message, minimum_minor } = bid;
  const amount = money(bid.amount_minor);
  switch (code) {
    case "LEADING":
      return { kind: "good", icon: "check", title: "You lead.", text: `Your max bid of ${amount} is recorded.` };
    case "OUTBID":
      return { kind: "bad", icon: "alert", title: "Outbid at once.", text: `Your max bid of ${amount} is recorded, but another bidder's max is as high or higher. Of two equal ones the earlier leads.` };
    case "AMOUNT_BELOW_MINIMUM":
      return { kind: "warn", icon: "alert", title: "Not enough any more.", text: `${amount} was not accepted: the least you can bid now is ${money(minimum_minor)}.` };
    case "LOT_CLOSED":
      return { kind: "bad", icon: "clock", title: "Too late.", text: `${amount} was not accepted: bidding had ended when it arrived.` };
    case "NOT_REGISTERED":
      return { kind: "warn", icon: "info", title: "Register first.", text: "Your organisation is not registered for this sale. Nothing was bid.", way: "register" };
    case "TERMS_NOT_ACCEPTED":
      return { kind: "warn", icon: "document", title: "Accept the terms first.", text: "The sale's terms, or a restriction of this lot, are not accepted yet. Nothing was bid.", way: "register" };
    case "BUDGET_EXCEEDED":
      return { kind: "warn", icon: "wallet", title: "Beyond your own budget.", text: `${sentence(message)} Nothing was bid.`, way: "budgets" };
    case "UNAUTHENTICATED":
    case "FORBIDDEN":
      return { kind: "warn", icon: "lock", title: "You cannot bid with this login.", text: `${sentence(message)} Nothing was bid.`, way: "sign_in" };
    default:
      return { kind: "warn", icon: "alert", title: TITLES[code] ?? "Not accepted.", text: `${sentence(message)} Nothing was bid.` };
  }
}

const TITLES = {
  NOT_ABOVE_OWN_MAXIMUM: "Your max is that high already.",
  LIMIT_EXCEEDED: "Beyond your limit.",
  LOT_NOT_OPEN: "Not open yet.",
  LOT_WITHDRAWN: "This lot was withdrawn.",
  SALE_PAUSED: "The sale is paused.",
  SELLER_MAY_NOT_BID: "Sellers may not bid on their own goods.",
  NOT_FOUND: "This lot is not here any more.",
};

/** A message of the engine as a sentence. */
function sentence(message) {
  if (!message) return "It was not accepted.";
  const text = message[0].toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
