// Which lots of a board are shown, and in which order. Pure.

import { positionOf } from "./fold.js";

/** What is chosen when nothing is. */
export const NOTHING_CHOSEN = { q: "", category: "", condition: "", show: "all", sort: "ending" };

/** The choice in an address's query. */
export function choiceOf(query) {
  const given = new URLSearchParams(query);
  const choice = { ...NOTHING_CHOSEN };
  for (const name of Object.keys(choice)) choice[name] = given.get(name) ?? choice[name];
  if (!(choice.show in SHOWN)) choice.show = "all";
  if (!(choice.sort in ORDERS)) choice.sort = "ending";
  return choice;
}

/** The query of a choice, without what is the rule anyway. */
export function queryOf(choice) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(choice)) {
    if (value !== NOTHING_CHOSEN[name]) given.set(name, value);
  }
  return String(given);
}

const SHOWN = {
  all: () => true,
  open: ({ lot }) => lot.status === "LIVE",
  leading: ({ position }) => position === "leading" || position === "bound",
  outbid: ({ position }) => position === "outbid",
  watched: ({ watched }) => watched,
  mine: ({ position }) => position !== "",
  ended: ({ lot }) => lot.status !== "LIVE",
};

const priceOf = ({ lot }) => lot.price_minor ?? lot.opening_minor;
const shareOf = (row) => (row.card.msrp_minor ? priceOf(row) / row.card.msrp_minor : Infinity);
const byPlace = (one, other) => one.card.place - other.card.place;

const ORDERS = {
  ending: (one, other) => isOver(one) - isOver(other) || one.lot.closes_at_us - other.lot.closes_at_us,
  price: (one, other) => priceOf(one) - priceOf(other),
  dearest: (one, other) => priceOf(other) - priceOf(one),
  share: (one, other) => shareOf(one) - shareOf(other),
  bids: (one, other) => other.lot.bid_count - one.lot.bid_count,
  lot: byPlace,
};

const isOver = ({ lot }) => (lot.status === "LIVE" ? 0 : 1);

/** Every lot with its card and the viewer's part of it. */
export function rowsOf(sale, cards, isWatched) {
  return Object.values(sale.lots).map((lot) => ({
    sale_id: sale.sale_id,
    lot,
    card: cards[lot.lot_id] ?? blankCard(lot),
    position: positionOf(sale, lot),
    own: sale.own?.maxima[lot.lot_id] ?? null,
    watched: isWatched(sale.sale_id, lot.lot_id),
  }));
}

/** For a lot that joined the sale after the page was made. */
function blankCard(lot) {
  return {
    title: lot.title, category: "", condition: "", source: "", units: null, msrp_minor: null, photo: null,
    place: Number.MAX_SAFE_INTEGER, words: lot.title.toLowerCase(),
  };
}

/** The rows that are chosen, in the order that is chosen. */
export function choose(rows, choice) {
  const words = choice.q.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ card, lot }) =>
    (!choice.category || card.category === choice.category) &&
    (!choice.condition || card.condition === choice.condition) &&
    words.every((word) => card.words.includes(word) || lot.lot_id.toLowerCase() === word);
  const chosen = rows.filter((row) => SHOWN[choice.show](row) && fits(row));
  const order = ORDERS[choice.sort];
  return chosen.sort((one, other) => order(one, other) || byPlace(one, other));
}

/** How many rows there are of each kind that can be shown. */
export function counts(rows) {
  return Object.fromEntries(Object.entries(SHOWN).map(([name, is]) => [name, rows.filter(is).length]));
}
