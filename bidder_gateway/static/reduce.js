// The state of a live page: one pure function of the state and a message. Messages are the
// server's frames (docs/protocol.md) and what happens on the page itself, whose types begin with
// "page:". Nothing here waits, reads a clock or touches the document.

import { foldOwn, foldPublic, newSale, withEntries, withLots, withMaximum } from "./fold.js";

/** News that are kept for those who tell them. */
const NEWS = 100;
const NOTICES = 50;

// The server may be asked again with the same bid, which is never accepted twice.
const ASK_AGAIN = new Set(["BUSY", "UNAVAILABLE", "TOO_MANY", "SLOW_DOWN"]);

/** Whether a code of a verdict or an error means: not known yet, send the same bid again. */
export const asksAgain = (code) => ASK_AGAIN.has(code);

/**
 * ``line``: how the connection is: connecting, live, quiet (nothing heard for too long), lost,
 * signed_out or refused, and when it is tried again. ``viewer``: undefined until the server said
 * who it is, null for a guest. ``bids``: by id, those of this page. ``news``: numbered.
 */
export function emptyState() {
  return {
    line: { state: "connecting", again_at: null },
    viewer: undefined,
    sales: {},
    bids: {},
    notices: [],
    news: [],
    told: 0,
  };
}

export function reduce(state, message) {
  switch (message.type) {
    case "welcome": return { ...state, viewer: message.viewer };
    case "subscribed": return state;
    case "unsubscribed": return without(state, message.sale_id);
    case "snapshot": return snapshot(state, message);
    case "conflated": return conflated(state, message);
    case "standing": return standing(state, message);
    case "event": return publicEvent(state, message.event);
    case "own": return ownEvent(state, message);
    case "verdict": return verdict(state, message);
    case "error": return refused(state, message);
    case "notice": return noticed(state, message.notice);
    case "goodbye": return state; // the line tells of it
    case "page:line": return line(state, message);
    case "page:follow": return follow(state, message);
    case "page:ladder": return ladder(state, message);
    case "page:bid": return { ...state, bids: { ...state.bids, [message.bid.bid_id]: { state: "sent", ...message.bid } } };
    case "page:bid_sent": return bidWith(state, message.bid_id, { state: "sent", request: message.request });
    case "page:bid_dropped": return bidWith(state, message.bid_id, { state: "dropped" });
    case "page:notices": return { ...state, notices: message.notices.slice(0, NOTICES) };
    default: return state; // a newer server's frame
  }
}

/** The sale as it is known; undefined before its first snapshot. */
export function saleOf(state, sale_id) {
  const sale = state.sales[sale_id];
  return sale?.sale ? sale : undefined;
}

/** The page's bids on a lot, the latest first. */
export function bidsOn(state, sale_id, lot_id) {
  const those = Object.values(state.bids).filter((bid) => bid.sale_id === sale_id && bid.lot_id === lot_id);
  return those.sort((one, other) => other.made_at - one.made_at);
}

/** Bids that wait for their verdicts. */
export function unanswered(state) {
  return Object.values(state.bids).filter((bid) => bid.state === "sent" || bid.state === "unsure");
}

function withSale(state, sale, news = []) {
  return withNews({ ...state, sales: { ...state.sales, [sale.sale_id]: sale } }, sale.sale_id, news);
}

function withNews(state, sale_id, news) {
  if (news.length === 0) return state;
  const numbered = news.map((one, place) => ({ number: state.told + place + 1, sale_id, ...one }));
  return { ...state, told: state.told + news.length, news: [...state.news, ...numbered].slice(-NEWS) };
}

function without(state, sale_id) {
  const { [sale_id]: _gone, ...sales } = state.sales;
  return { ...state, sales };
}

function follow(state, { sale_id, whole }) {
  const sale = state.sales[sale_id] ?? newSale(sale_id);
  return withSale(state, { ...sale, whole, gap: false });
}

function snapshot(state, { sale_id, sequence, sale: view, lots }) {
  const known = state.sales[sale_id] ?? newSale(sale_id);
  const fresh = known.whole ? { ...known, lots: onlyThose(known.lots, lots) } : known;
  const [sale, news] = withLots(fresh, lots, sequence, view);
  return withSale(state, sale, news);
}

/** Of what is known, the lots that the snapshot has too. */
function onlyThose(known, lots) {
  return Object.fromEntries(lots.filter(({ lot_id }) => known[lot_id]).map(({ lot_id }) => [lot_id, known[lot_id]]));
}

function conflated(state, { sale_id, to, sale: view, lots }) {
  const known = state.sales[sale_id];
  if (known === undefined || to <= known.sequence) return state;
  const [sale, news] = withLots(known, lots, to, view);
  return withSale(state, sale, news);
}

function standing(state, { sale_id, type: _type, sequence: _sequence, leads: _leads, won: _won, ...own }) {
  const sale = state.sales[sale_id];
  return sale ? withSale(state, { ...sale, own }) : state;
}

function publicEvent(state, event) {
  const known = state.sales[event.sale_id];
  if (!known?.sale) return state;
  const [sale, news] = foldPublic(known, event);
  return withSale(state, sale, news);
}

function ownEvent(state, { sale_id, event }) {
  const known = state.sales[sale_id];
  if (known === undefined) return state;
  const sale = foldOwn(known, event);
  const countered = event.type === "if_bid_countered";
  const told = countered ? [{ kind: "countered", lot_id: event.lot_id, amount_minor: event.amount_minor }] : [];
  return withSale(state, sale, told);
}

function verdict(state, message) {
  const { type: _type, request: _request, ...answer } = message;
  const bid = state.bids[message.bid_id];
  if (bid === undefined) return state;
  if (asksAgain(message.code)) return bidWith(state, bid.bid_id, { state: "unsure", why: message.code });
  const after = bidWith(state, bid.bid_id, { ...answer, state: "answered" });
  const known = after.sales[bid.sale_id];
  const told = [{ kind: "verdict", bid_id: bid.bid_id, lot_id: bid.lot_id, code: message.code }];
  if (!known?.sale || message.lot === null) return withNews(after, bid.sale_id, told);
  return withSale(after, withVerdictsLot(known, message.lot), told);
}

/** The lot as the verdict has it, where that is newer than what the stream has brought. */
function withVerdictsLot(sale, state) {
  const { lot_id, leads: _leads, own_maximum_minor, ...fields } = state;
  const known = sale.lots[lot_id];
  const after = withMaximum(sale, lot_id, own_maximum_minor);
  if (known === undefined || fields.lot_sequence <= known.lot_sequence) return after;
  return { ...after, lots: { ...after.lots, [lot_id]: { ...known, ...fields } } };
}

function refused(state, { request, code, message }) {
  const bid = Object.values(state.bids).find((one) => one.request === request && one.state === "sent");
  if (request === null || bid === undefined) return state;
  if (asksAgain(code)) return bidWith(state, bid.bid_id, { state: "unsure", why: code });
  const after = bidWith(state, bid.bid_id, { state: "answered", code, message, lot: null, receipt: null });
  return withNews(after, bid.sale_id, [{ kind: "verdict", bid_id: bid.bid_id, lot_id: bid.lot_id, code }]);
}

function noticed(state, notice) {
  const others = state.notices.filter((one) => one.notice_id !== notice.notice_id);
  const after = { ...state, notices: [notice, ...others].slice(0, NOTICES) };
  return withNews(after, notice.sale_id ?? null, [{ kind: "notice", notice }]);
}

function line(state, { type: _type, ...now }) {
  const after = { ...state, line: { again_at: null, ...now } };
  if (now.state === "live") return after;
  const bids = Object.entries(state.bids).map(([id, bid]) => [id, bid.state === "sent" ? { ...bid, state: "unsure", why: "LINE" } : bid]);
  return { ...after, bids: Object.fromEntries(bids) };
}

function ladder(state, { sale_id, lot_id, entries, complete }) {
  const sale = state.sales[sale_id] ?? newSale(sale_id);
  return withSale(state, withEntries(sale, lot_id, entries, complete));
}

function bidWith(state, bid_id, fields) {
  const bid = state.bids[bid_id];
  return bid ? { ...state, bids: { ...state.bids, [bid_id]: { ...bid, ...fields } } } : state;
}

