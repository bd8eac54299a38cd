import assert from "node:assert/strict";
import { test } from "node:test";

import { entryOf, positionOf } from "../../bidder_gateway/static/fold.js";
import { bidsOn, emptyState, reduce, saleOf, unanswered } from "../../bidder_gateway/static/reduce.js";
import { CLOSES, SALE, bid, event, lot, snapshot, standing, terms } from "./samples.js";

const MINE = 101;
const THEIRS = 102;

/** The state after these messages. */
const after = (messages, state = emptyState()) => messages.reduce(reduce, state);
const started = (lots = [lot("1"), lot("2")], mine = {}) => after([snapshot(lots), standing({ paddle: MINE, ...mine })]);
const lotOf = (state, lot_id = "1") => state.sales[SALE].lots[lot_id];
const position = (state, lot_id = "1") => positionOf(state.sales[SALE], lotOf(state, lot_id));
const kinds = (state, from = 0) => state.news.slice(from).map((one) => one.kind);
const own = (type, fields) => ({ type: "own", sale_id: SALE, event: { type, sale_id: SALE, ...fields } });
const verdict = (bid_id, code, fields = {}) => ({
  type: "verdict", request: 1, bid_id, code, message: "", sequence: null, receipt: null, lot: null, minimum_minor: null, ...fields,
});
const made = (bid_id, fields = {}) => ({
  type: "page:bid", bid: { bid_id, sale_id: SALE, lot_id: "1", amount_minor: 50_000, currency: "USD", made_at: 1, ...fields },
});
const MAXIMUM = own("bid_placed", { lot_id: "1", maximum_minor: 50_000 });

test("a snapshot is the sale, and a standing the viewer's part", () => {
  const state = started();
  assert.equal(saleOf(state, SALE).sequence, 10);
  assert.equal(saleOf(state, SALE).own.paddle, MINE);
  assert.equal(saleOf(state, "another"), undefined);
});

test("a bid changes the lot, once", () => {
  const frame = bid(11, "1", 2, THEIRS, THEIRS, 12_000);
  const state = after([frame, frame], started());
  assert.equal(lotOf(state).price_minor, 12_000);
  assert.equal(lotOf(state).leader, THEIRS);
  assert.equal(lotOf(state).next_minimum_minor, 13_000);
  assert.deepEqual(kinds(state), ["bid"]);
});

test("a missing event is a gap, after which nothing is folded until it is closed", () => {
  const state = after([bid(12, "1", 3, THEIRS, THEIRS, 13_000), bid(13, "1", 4, THEIRS, THEIRS, 14_000)], started());
  assert.equal(state.sales[SALE].gap, true);
  assert.equal(state.sales[SALE].sequence, 10);
  const closed = after([bid(11, "1", 2, THEIRS, THEIRS, 12_000)], state);
  assert.equal(closed.sales[SALE].sequence, 11);
});

test("of chosen lots each lot's own count has no gap", () => {
  let state = after([{ type: "page:follow", sale_id: SALE, whole: false }, snapshot([lot("1")]), standing()]);
  state = after([bid(15, "1", 2, THEIRS, THEIRS, 12_000), bid(30, "1", 3, THEIRS, THEIRS, 13_000)], state);
  assert.equal(state.sales[SALE].sequence, 30);
  assert.equal(state.sales[SALE].gap, false);
  assert.equal(after([bid(40, "1", 5, THEIRS, THEIRS, 15_000)], state).sales[SALE].gap, true);
});

test("who leads and is passed is outbid, and is told once", () => {
  const state = after([bid(11, "1", 2, MINE, MINE, 10_000), MAXIMUM], started());
  assert.equal(position(state), "leading");
  const passed = after([bid(12, "1", 3, THEIRS, THEIRS, 51_000)], state);
  assert.equal(position(passed), "outbid");
  assert.deepEqual(kinds(passed, state.news.length), ["bid", "outbid"]);
});

test("who is outbid at once is outbid, though never leading", () => {
  const state = after([bid(11, "1", 2, THEIRS, THEIRS, 10_000), bid(12, "1", 3, MINE, THEIRS, 51_000), MAXIMUM], started());
  assert.equal(position(state), "outbid");
  assert.deepEqual(kinds(state), ["bid", "bid"]);
});

test("a skipped stretch tells of what it turned", () => {
  const leading = after([bid(11, "1", 2, MINE, MINE, 10_000), MAXIMUM], started());
  const now = lot("1", { leader: THEIRS, price_minor: 60_000, lot_sequence: 9 });
  const state = after([{ type: "conflated", sale_id: SALE, from: 12, to: 40, sale: snapshot([]).sale, lots: [now] }], leading);
  assert.equal(state.sales[SALE].sequence, 40);
  assert.equal(position(state), "outbid");
  assert.deepEqual(kinds(state, leading.news.length), ["outbid"]);
  assert.equal(lotOf(state, "2").lot_id, "2");
});

test("ends move: a lot's own, and those of others", () => {
  const moved = event(12, "ends_moved", {
    lot_sequence: null, reason: "OUTAGE", cause_lot_id: null, dark_us: 1,
    ends: [{ lot_id: "2", closes_at_us: CLOSES + 9, latest_end_us: CLOSES + 99 }, { lot_id: "unknown", closes_at_us: 1, latest_end_us: null }],
  });
  const extended = event(11, "end_extended", { lot_id: "1", lot_sequence: 2, closes_at_us: CLOSES + 5, extensions: 1, final: true });
  const state = after([extended, moved], started());
  assert.equal(lotOf(state).closes_at_us, CLOSES + 5);
  assert.equal(lotOf(state).extensions, 1);
  assert.equal(lotOf(state, "2").closes_at_us, CLOSES + 9);
  assert.equal(lotOf(state, "2").latest_end_us, CLOSES + 99);
  assert.deepEqual(kinds(state), ["extended", "moved"]);
});

test("the hammer falls for the one and against the other", () => {
  const led = after([bid(11, "1", 2, MINE, MINE, 10_000), MAXIMUM], started());
  const sold = event(12, "lot_sold", { lot_id: "1", lot_sequence: 3, hammer_price_minor: 10_000, reserve: "NONE", allocations: [{ paddle: MINE, quantity: 1, price_minor: 10_000, amount_minor: 10_000 }] });
  assert.equal(position(after([sold], led)), "won");
  assert.deepEqual(kinds(after([sold], led), led.news.length), ["won"]);
  const outbid = after([bid(12, "1", 3, THEIRS, THEIRS, 51_000)], led);
  const lost = after([{ ...sold, event: { ...sold.event, sequence: 13, lot_sequence: 4 } }], outbid);
  assert.equal(position(lost), "lost");
  assert.deepEqual(kinds(lost, outbid.news.length), ["lost"]);
  assert.deepEqual(kinds(after([event(11, "lot_sold", { lot_id: "2", lot_sequence: 2, hammer_price_minor: 1, reserve: "NONE", allocations: [] })], started())), ["sold"]);
});

test("a top bid below the reserve binds its bidder", () => {
  const led = after([bid(11, "1", 2, MINE, MINE, 10_000), MAXIMUM], started());
  const state = after([event(12, "if_bid_opened", { lot_id: "1", lot_sequence: 3, paddle: MINE, price_minor: 10_000, until_us: 5 })], led);
  assert.equal(position(state), "bound");
  const countered = after([own("if_bid_countered", { lot_id: "1", amount_minor: 20_000 })], state);
  assert.equal(countered.sales[SALE].counters["1"], 20_000);
  assert.equal(kinds(countered).at(-1), "countered");
  assert.deepEqual(after([own("counter_declined", { lot_id: "1" })], countered).sales[SALE].counters, {});
  assert.equal(position(after([event(13, "lot_passed", { lot_id: "1", lot_sequence: 4, reason: "IF_BID_DECLINED", price_minor: 1 })], state)), "ended");
});

test("voided bids are bids no more", () => {
  const led = after([bid(11, "1", 2, MINE, MINE, 10_000), MAXIMUM], started());
  const voided = (paddle) => event(12, "bids_voided", { lot_id: "1", lot_sequence: 3, paddle, leader: null, price_minor: null, next_minimum_minor: 10_000, reserve: "NONE" });
  assert.equal(position(after([voided(MINE)], led)), "");
  assert.equal(lotOf(after([voided(MINE)], led)).price_minor, null);
  assert.equal(position(after([voided(THEIRS)], led)), "outbid");
  const noRevive = after([snapshot([lot("1")], { terms: terms({ void_rule: "NO_REVIVE" }) }), standing({ paddle: MINE, maxima: { 1: 50_000 } })]);
  assert.equal(position(after([{ ...voided(THEIRS), event: { ...voided(THEIRS).event, sequence: 11 } }], noRevive)), "");
});

test("an opponent's void may give the lead back", () => {
  const state = started([lot("1", { leader: THEIRS, price_minor: 60_000, lot_sequence: 5 })], { maxima: { 1: 50_000 } });
  const restored = event(11, "bids_voided", { lot_id: "1", lot_sequence: 6, paddle: THEIRS, leader: MINE, price_minor: 10_000, next_minimum_minor: 11_000, reserve: "NONE" });
  const now = after([restored], state);
  assert.equal(position(now), "leading");
  assert.deepEqual(kinds(now), ["voided", "leading"]);
});

test("a reserve that is met, a pause, a withdrawal and new lots are news", () => {
  const state = after([
    bid(11, "1", 2, THEIRS, THEIRS, 90_000, { reserve: "MET" }),
    event(12, "sale_paused", { lot_sequence: null, reason: "A truck blocks the dock." }),
    event(13, "sale_resumed", { lot_sequence: null }),
    event(14, "lot_withdrawn", { lot_id: "2", lot_sequence: 2, cause: "RECALL" }),
    event(15, "lot_scheduled", { lot_id: "3", lot_sequence: 1, title: "More", kind: "CASE", group: "", restrictions: [], opening_minor: 5_000, reserve: "NONE", opens_at_us: 1, closes_at_us: 2, latest_end_us: null, manifest_sha256: null }),
    event(16, "sale_closed", { lot_sequence: null, sold: 1, passed: 1, withdrawn: 1 }),
    event(17, "something_newer", { lot_id: "1", lot_sequence: 3 }),
  ], started([lot("1", { reserve: "NOT_MET" }), lot("2")]));
  assert.deepEqual(kinds(state), ["bid", "reserve_met", "paused", "resumed", "withdrawn", "closed"]);
  assert.equal(lotOf(state, "2").status, "WITHDRAWN");
  assert.equal(lotOf(state, "3").next_minimum_minor, 5_000);
  assert.equal(state.sales[SALE].sale.closed, true);
  assert.equal(state.sales[SALE].sequence, 17);
});

test("a registration in another window is a registration here", () => {
  const state = after([snapshot([lot("1")]), own("bidder_registered", { paddle: 117, limit_minor: 5, terms_version: 2, restrictions: ["no-export"] })]);
  assert.deepEqual(saleOf(state, SALE).own, { exposure_minor: 0, maxima: {}, paddle: 117, limit_minor: 5, terms_version: 2, accepted: ["no-export"] });
  assert.equal(after([own("limit_changed", { limit_minor: 9 })], state).sales[SALE].own.limit_minor, 9);
});

test("a ladder has each entry once, the latest first, and knows when it misses some", () => {
  const history = [bid(8, "1", 1, THEIRS, THEIRS, 10_000), bid(9, "1", 1, MINE, MINE, 11_000)].map(({ event: e }) => entryOf(e));
  let state = after([{ type: "page:ladder", sale_id: SALE, lot_id: "1", entries: history, complete: true }], started());
  state = after([bid(11, "1", 2, THEIRS, THEIRS, 12_000)], state);
  assert.deepEqual(state.sales[SALE].ladders["1"].entries.map((e) => e.sequence), [11, 9, 8]);
  const skipped = after([{ type: "conflated", sale_id: SALE, from: 12, to: 20, sale: snapshot([]).sale, lots: [lot("1", { lot_sequence: 9 })] }], state);
  assert.equal(skipped.sales[SALE].ladders["1"].complete, false);
  const mended = after([{ type: "page:ladder", sale_id: SALE, lot_id: "1", entries: [entryOf(bid(15, "1", 5, MINE, MINE, 13_000).event)], complete: true }], skipped);
  assert.deepEqual(mended.sales[SALE].ladders["1"].entries.map((e) => e.sequence), [15, 11, 9, 8]);
  assert.equal(mended.sales[SALE].ladders["1"].complete, true);
});

test("what concerns the whole sale is in the ladder of a lot, as far as the lot has to do with it", () => {
  let state = after([{ type: "page:ladder", sale_id: SALE, lot_id: "1", entries: [], complete: true }], started());
  state = after([
    event(11, "sale_paused", { lot_sequence: null, reason: "Fire drill" }),
    event(12, "sale_resumed", { lot_sequence: null }),
    event(13, "ends_moved", { lot_sequence: null, reason: "PAUSE", ends: [{ lot_id: "1", closes_at_us: 7, latest_end_us: null }] }),
    event(14, "ends_moved", { lot_sequence: null, reason: "LINKED", ends: [{ lot_id: "2", closes_at_us: 8, latest_end_us: null }] }),
    bid(15, "2", 2, THEIRS, THEIRS, 10_000),
  ], state);
  const { entries } = state.sales[SALE].ladders["1"];
  assert.deepEqual(entries.map((e) => [e.sequence, e.kind]), [[13, "moved"], [12, "resumed"], [11, "paused"]]);
  assert.equal(entries[0].closes_at_us, 7);
});

test("the history's events make the same entries as the stream's", () => {
  const { event: streamed } = event(11, "lot_sold", { lot_id: "1", hammer_price_minor: 5, allocations: [{ paddle: MINE }] });
  assert.deepEqual(entryOf(streamed), { sequence: 11, at_us: streamed.at_us, kind: "sold", paddle: MINE, price_minor: 5 });
  const told = { sequence: 11, at_us: 1, type: "lot_sold", paddle: null, price_minor: 5 };
  assert.deepEqual(entryOf(told), { sequence: 11, at_us: 1, kind: "sold", paddle: null, price_minor: 5 });
  for (const type of ["end_extended", "bids_voided", "reserve_status_changed", "if_bid_opened", "lot_passed", "lot_withdrawn"]) {
    assert.notEqual(entryOf({ sequence: 1, at_us: 1, type }), null, type);
  }
  assert.equal(entryOf({ type: "lot_scheduled" }), null);
});

test("a bid goes from sent to its verdict", () => {
  const sent = after([made("a"), { type: "page:bid_sent", bid_id: "a", request: 7 }], started());
  assert.equal(sent.bids.a.state, "sent");
  assert.equal(unanswered(sent).length, 1);
  const told = after([verdict("a", "LEADING", { sequence: 11, receipt: "cmVj", message: "" })], sent);
  assert.equal(told.bids.a.state, "answered");
  assert.equal(told.bids.a.receipt, "cmVj");
  assert.equal(unanswered(told).length, 0);
  assert.deepEqual(kinds(told), ["verdict"]);
});

test("a bid that is not known of stays unanswered", () => {
  const sent = after([made("a"), { type: "page:bid_sent", bid_id: "a", request: 7 }], started());
  for (const message of [
    verdict("a", "UNAVAILABLE"), verdict("a", "BUSY"), { type: "error", request: 7, code: "TOO_MANY", message: "" },
    { type: "page:line", state: "lost", again_at: 5 }, { type: "page:line", state: "quiet" },
  ]) {
    const state = after([message], sent);
    assert.equal(state.bids.a.state, "unsure", JSON.stringify(message));
    assert.equal(state.news.length, 0);
  }
});

test("an error that will not change is the bid's answer", () => {
  const sent = after([made("a"), { type: "page:bid_sent", bid_id: "a", request: 7 }], started());
  const state = after([{ type: "error", request: 7, code: "FORBIDDEN", message: "log in" }], sent);
  assert.equal(state.bids.a.state, "answered");
  assert.equal(state.bids.a.code, "FORBIDDEN");
  assert.equal(after([{ type: "error", request: 8, code: "FORBIDDEN", message: "" }], sent).bids.a.state, "sent");
  assert.equal(after([{ type: "error", request: null, code: "SLOW_DOWN", message: "" }], sent).bids.a.state, "sent");
});

test("a verdict shows the lot before the stream does, and the stream takes over", () => {
  const judged = { lot_id: "1", status: "LIVE", price_minor: 30_500, next_minimum_minor: 31_500, reserve: "NONE", closes_at_us: CLOSES + 7, extensions: 1, bid_count: 3, leader: MINE, leads: true, own_maximum_minor: 50_000, lot_sequence: 5 };
  let state = after([made("a"), verdict("a", "LEADING", { lot: judged })], started());
  assert.equal(position(state), "leading");
  assert.equal(lotOf(state).closes_at_us, CLOSES + 7);
  assert.equal(lotOf(state).leads, undefined);
  state = after([bid(11, "1", 2, THEIRS, THEIRS, 10_000), bid(12, "1", 3, THEIRS, THEIRS, 12_000)], state);
  assert.equal(lotOf(state).price_minor, 30_500);
  state = after([bid(13, "1", 4, MINE, MINE, 30_500), event(14, "end_extended", { lot_id: "1", lot_sequence: 5, closes_at_us: CLOSES + 7, extensions: 1, final: false }), bid(15, "1", 6, THEIRS, THEIRS, 70_000)], state);
  assert.equal(state.sales[SALE].gap, false);
  assert.equal(position(state), "outbid");
});

test("an old verdict does not turn the lot back", () => {
  const state = started([lot("1", { price_minor: 80_000, leader: THEIRS, lot_sequence: 9 })]);
  const judged = { lot_id: "1", status: "LIVE", price_minor: 30_000, leader: MINE, leads: true, own_maximum_minor: 50_000, lot_sequence: 5 };
  const now = after([made("a"), verdict("a", "LEADING", { lot: judged })], state);
  assert.equal(lotOf(now).price_minor, 80_000);
  assert.equal(position(now), "outbid");
});

test("bids on a lot are listed with the latest first", () => {
  const state = after([made("a", { made_at: 1 }), made("b", { made_at: 2 }), made("c", { lot_id: "2", made_at: 3 })], started());
  assert.deepEqual(bidsOn(state, SALE, "1").map((one) => one.bid_id), ["b", "a"]);
});

test("notices are kept once each, the latest first", () => {
  const notice = (notice_id) => ({ type: "notice", notice: { notice_id, sale_id: SALE } });
  const state = after([notice("a"), notice("b"), notice("a")]);
  assert.deepEqual(state.notices.map((one) => one.notice_id), ["a", "b"]);
});

test("what is not known changes nothing, and no message changes an old state", () => {
  const state = started();
  const before = structuredClone(state);
  assert.equal(reduce(state, { type: "newer" }), state);
  for (const message of [
    bid(11, "1", 2, MINE, MINE, 1), MAXIMUM, snapshot([lot("1")], { sequence: 20 }), made("a"), { type: "unsubscribed", request: 1, sale_id: SALE },
    { type: "event", event: { type: "bid_placed", sale_id: "unknown", sequence: 1 } }, verdict("unknown", "LEADING"),
    own("bid_placed", { lot_id: "9", maximum_minor: 1 }), { type: "own", sale_id: "unknown", event: {} }, { type: "standing", sale_id: "unknown" },
  ]) reduce(state, message);
  assert.deepEqual(state, before);
});
