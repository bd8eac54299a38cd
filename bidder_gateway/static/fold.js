// A sale on a page as the fold of its events, as in docs/reference.md. Pure: each function takes
// a sale and returns another, with the news of it: what a person might want to be told.
//
// A sale here is {sequence, sale, lots, own, counters, ladders, streamed, fell, whole, gap}: ``own``
// is the viewer's part of it (null: not registered), ``counters`` the counter-offers made to them,
// ``ladders`` the histories of the lots that are looked at, ``streamed`` the last ``lot_sequence``
// that the stream had of each lot, ``fell`` when the viewer's bids on a lot fell last.
//
// What is the viewer's own trails the public events of the same moment, and a lot may be ahead of
// both, as a verdict is part of neither.

/** Entries of a ladder that are kept. */
const LADDER = 300;

export function newSale(sale_id) {
  return {
    sale_id, sequence: 0, sale: null, lots: {}, own: null, counters: {}, ladders: {}, streamed: {},
    fell: {}, whole: true, gap: false,
  };
}

/** Where the viewer stands on a lot: a word for the code, the views have icon and words for it. */
export function positionOf(sale, lot) {
  const { own } = sale;
  if (own === null || own.maxima[lot.lot_id] === undefined) return "";
  const leads = lot.leader === own.paddle;
  switch (lot.status) {
    case "LIVE": return leads ? "leading" : "outbid";
    case "IF_BID": return leads ? "bound" : "lost";
    case "SOLD": return leads ? "won" : "lost";
    default: return "ended";
  }
}

/** The sale after a public event, and its news. What the sale has already changes nothing. */
export function foldPublic(sale, event) {
  if (event.sequence <= sale.sequence) return [sale, []];
  if (isGap(sale, event)) return [{ ...sale, gap: true }, []];
  const before = sale;
  let after = { ...sale, sequence: event.sequence };
  if (event.lot_id != null && event.lot_sequence != null) {
    after.streamed = { ...sale.streamed, [event.lot_id]: event.lot_sequence };
  }
  const known = sale.lots[event.lot_id]?.lot_sequence ?? 0;
  if (event.lot_sequence == null || event.lot_sequence > known) after = apply(after, event);
  after = withEntry(after, event);
  return [after, newsOf(before, after, event)];
}

/** Events of the whole sale have no gap; of chosen lots each lot's own count has none. */
function isGap(sale, event) {
  if (sale.whole) return event.sequence !== sale.sequence + 1;
  const last = sale.streamed[event.lot_id];
  return event.lot_sequence != null && last !== undefined && event.lot_sequence !== last + 1;
}

function apply(sale, event) {
  switch (event.type) {
    case "bid_placed": {
      const { leader, price_minor, next_minimum_minor, reserve, bid_count } = event;
      return changed(sale, event, { leader, price_minor, next_minimum_minor, reserve, bid_count });
    }
    case "end_extended":
      return changed(sale, event, { closes_at_us: event.closes_at_us, extensions: event.extensions });
    case "ends_moved": {
      const lots = { ...sale.lots };
      for (const { lot_id, closes_at_us, latest_end_us } of event.ends) {
        if (lots[lot_id]) lots[lot_id] = { ...lots[lot_id], closes_at_us, latest_end_us };
      }
      return { ...sale, lots };
    }
    case "lots_rescheduled": {
      const lots = { ...sale.lots };
      for (const { lot_id, opens_at_us, closes_at_us, latest_end_us } of event.lots) {
        const times = { opens_at_us, scheduled_closes_at_us: closes_at_us, closes_at_us, latest_end_us };
        if (lots[lot_id]) lots[lot_id] = { ...lots[lot_id], ...times };
      }
      return { ...sale, lots };
    }
    case "reserve_status_changed": {
      const { reserve, price_minor, next_minimum_minor } = event;
      return changed(sale, event, { reserve, price_minor, next_minimum_minor });
    }
    case "bids_voided": return voided(sale, event);
    case "lot_withdrawn": return changed(sale, event, { status: "WITHDRAWN" });
    case "if_bid_opened": return changed(sale, event, { status: "IF_BID", closes_at_us: event.until_us });
    case "lot_sold":
      return changed(sale, event, { status: "SOLD", price_minor: event.hammer_price_minor, reserve: event.reserve });
    case "lot_passed": return changed(sale, event, { status: "PASSED", passed_because: event.reason });
    case "lot_scheduled": return scheduled(sale, event);
    case "sale_paused":
      return { ...sale, sale: { ...sale.sale, paused: true, paused_because: event.reason } };
    case "sale_resumed": return { ...sale, sale: { ...sale.sale, paused: false } };
    case "sale_cancelled": return { ...sale, sale: { ...sale.sale, cancelled: true } };
    case "sale_closed": return { ...sale, sale: { ...sale.sale, closed: true } };
    default: return sale; // a newer server's event: what it changes comes with the next snapshot
  }
}

function changed(sale, event, fields) {
  const lot = sale.lots[event.lot_id];
  if (lot === undefined) return sale;
  const now = { ...lot, ...fields, lot_sequence: event.lot_sequence };
  return { ...sale, lots: { ...sale.lots, [event.lot_id]: now } };
}

function voided(sale, event) {
  const { leader, price_minor, next_minimum_minor, reserve, lot_id } = event;
  const after = changed(sale, event, { leader, price_minor, next_minimum_minor, reserve });
  const everybodys = sale.sale?.terms.void_rule === "NO_REVIVE";
  return everybodys || event.paddle === sale.own?.paddle ? withoutMaximum(after, lot_id, event) : after;
}

function scheduled(sale, event) {
  const { lot_id, title, kind, group, restrictions, opening_minor, opens_at_us, closes_at_us, latest_end_us } = event;
  const lot = {
    lot_id, title, kind, group, restrictions, status: "LIVE", opening_minor, opens_at_us,
    scheduled_closes_at_us: closes_at_us, closes_at_us, latest_end_us, extensions: 0, price_minor: null,
    next_minimum_minor: opening_minor, reserve: event.reserve, bid_count: 0, leader: null,
    lot_sequence: event.lot_sequence,
  };
  return { ...sale, lots: { ...sale.lots, [lot_id]: lot } };
}

/** The sale after an event about the viewer, with what only the viewer sees of it. */
export function foldOwn(sale, event) {
  const { own } = sale;
  switch (event.type) {
    case "bidder_registered": {
      const { paddle, limit_minor, terms_version, restrictions } = event;
      const blank = { exposure_minor: 0, maxima: {} };
      return { ...sale, own: { ...blank, ...own, paddle, limit_minor, terms_version, accepted: restrictions } };
    }
    case "limit_changed":
      return own ? { ...sale, own: { ...own, limit_minor: event.limit_minor } } : sale;
    case "bid_placed":
    case "maximum_raised":
      return hasFallen(sale, event) ? sale : withMaximum(sale, event.lot_id, event.maximum_minor);
    case "bids_voided":
      return hasFallen(sale, event) ? sale : withoutMaximum(sale, event.lot_id, event);
    case "if_bid_countered":
      return { ...sale, counters: { ...sale.counters, [event.lot_id]: event.amount_minor } };
    case "counter_declined": {
      const { [event.lot_id]: _answered, ...counters } = sale.counters;
      return { ...sale, counters };
    }
    default: return sale;
  }
}

/** A maximum of the viewer's own, never lower than the one that is known. */
export function withMaximum(sale, lot_id, maximum_minor) {
  const { own } = sale;
  if (own === null || maximum_minor == null || (own.maxima[lot_id] ?? 0) >= maximum_minor) return sale;
  return { ...sale, own: { ...own, maxima: { ...own.maxima, [lot_id]: maximum_minor } } };
}

/** The viewer's bids on a lot fell with this event. */
function withoutMaximum(sale, lot_id, { sequence, at_us }) {
  if (sale.own === null) return sale;
  const { [lot_id]: _voided, ...maxima } = sale.own.maxima;
  return { ...sale, own: { ...sale.own, maxima }, fell: { ...sale.fell, [lot_id]: { sequence, at_us } } };
}

/** Whether a bid of the viewer's that is heard of now was made before their bids on its lot fell. */
function hasFallen(sale, { lot_id, sequence, at_us }) {
  const fell = sale.fell[lot_id];
  if (fell === undefined) return false;
  return sequence == null ? at_us < fell.at_us : sequence <= fell.sequence;
}

/**
 * What a ladder shows of an event; null: nothing. The events of a history (GET .../history) have the
 * fields of those of the stream, but for a few that are named otherwise.
 */
export function entryOf(event) {
  const { sequence, at_us, type } = event;
  const entry = (kind, fields = {}) => ({ sequence, at_us, kind, ...fields });
  switch (type) {
    case "bid_placed": {
      const { paddle, leader, price_minor, reserve } = event;
      return entry("bid", { paddle, leader, price_minor, reserve });
    }
    case "end_extended": return entry("extended", { closes_at_us: event.closes_at_us, final: event.final === true });
    case "ends_moved": return entry("moved", { closes_at_us: event.closes_at_us, reason: event.reason });
    case "lots_rescheduled": return entry("rescheduled", { closes_at_us: event.closes_at_us });
    case "bids_voided": return entry("voided", { paddle: event.paddle, price_minor: event.price_minor });
    case "reserve_status_changed": return entry("reserve", { reserve: event.reserve });
    case "if_bid_opened": return entry("if_bid", { paddle: event.paddle, price_minor: event.price_minor });
    case "lot_sold": {
      const paddle = event.allocations?.[0]?.paddle ?? event.paddle ?? null;
      return entry("sold", { paddle, price_minor: event.hammer_price_minor ?? event.price_minor });
    }
    case "lot_passed": return entry("passed", { reason: event.reason });
    case "lot_withdrawn": return entry("withdrawn");
    case "sale_paused": return entry("paused", { reason: event.reason });
    case "sale_resumed": return entry("resumed");
    default: return null;
  }
}

/** The ladders that are looked at, with an event; one about the whole sale is in each of them. */
function withEntry(sale, event) {
  let after = sale;
  for (const [lot_id, ladder] of Object.entries(sale.ladders)) {
    const seen = asSeenBy(lot_id, event);
    const entry = seen && entryOf(seen);
    if (entry) after = withEntries(after, lot_id, [entry], ladder.complete);
  }
  return after;
}

/** An event as one lot has to do with it; null: not at all. */
function asSeenBy(lot_id, event) {
  if (event.type === "ends_moved" || event.type === "lots_rescheduled") {
    const moved = (event.ends ?? event.lots).find((lot) => lot.lot_id === lot_id);
    return moved ? { ...event, closes_at_us: moved.closes_at_us } : null;
  }
  return event.lot_id == null || event.lot_id === lot_id ? event : null;
}

/** The ladder of a lot with these entries too: the latest first, each once. */
export function withEntries(sale, lot_id, entries, complete) {
  const all = new Map((sale.ladders[lot_id]?.entries ?? []).map((entry) => [entry.sequence, entry]));
  for (const entry of entries) all.set(entry.sequence, entry);
  const ordered = [...all.values()].sort((one, other) => other.sequence - one.sequence).slice(0, LADDER);
  return { ...sale, ladders: { ...sale.ladders, [lot_id]: { entries: ordered, complete } } };
}

/** The sale with lots as they stand after ``sequence``, and its news. */
export function withLots(sale, lots, sequence, view) {
  const after = { ...sale, sequence, sale: { ...view }, lots: { ...sale.lots }, gap: false };
  after.streamed = { ...sale.streamed };
  after.ladders = { ...sale.ladders };
  const news = [];
  for (const lot of lots) {
    const before = sale.lots[lot.lot_id];
    if (before === undefined || lot.lot_sequence >= before.lot_sequence) after.lots[lot.lot_id] = lot;
    after.streamed[lot.lot_id] = lot.lot_sequence;
    const ladder = sale.ladders[lot.lot_id];
    if (ladder && before && lot.lot_sequence > before.lot_sequence) {
      after.ladders[lot.lot_id] = { ...ladder, complete: false };
    }
    if (before) news.push(...turnsOf(sale, after, lot.lot_id));
  }
  return [after, news];
}

/** What turned for the viewer on a lot: outbid, leading again, won, lost. */
export function turnsOf(before, after, lot_id) {
  const lot = after.lots[lot_id];
  if (!lot || !before.lots[lot_id]) return [];
  const [was, is] = [positionOf(before, before.lots[lot_id]), positionOf(after, lot)];
  const turned = { outbid: was === "leading", won: was !== "won", lost: was !== "lost" && was !== "", leading: was === "outbid", bound: was !== "bound" };
  return was !== is && turned[is] ? [{ kind: is, lot_id, price_minor: lot.price_minor }] : [];
}

function newsOf(before, after, event) {
  const { lot_id } = event;
  const turns = lot_id == null ? [] : turnsOf(before, after, lot_id);
  const lot = after.lots[lot_id];
  switch (event.type) {
    case "bid_placed": {
      const met = event.reserve === "MET" && before.lots[lot_id]?.reserve === "NOT_MET";
      const mine = event.paddle === after.own?.paddle;
      const told = { kind: "bid", lot_id, paddle: event.paddle, price_minor: event.price_minor, mine };
      return [told, ...turns, ...(met ? [{ kind: "reserve_met", lot_id }] : [])];
    }
    case "end_extended":
      return [{ kind: "extended", lot_id, closes_at_us: event.closes_at_us, final: event.final }];
    case "ends_moved":
      return [{ kind: "moved", reason: event.reason, lot_ids: event.ends.map((end) => end.lot_id) }];
    case "lots_rescheduled":
      return [{ kind: "rescheduled", lot_ids: event.lots.map((moved) => moved.lot_id) }];
    case "reserve_status_changed":
      return [...turns, ...(event.reserve === "MET" ? [{ kind: "reserve_met", lot_id }] : [])];
    case "bids_voided": return [{ kind: "voided", lot_id, mine: event.paddle === after.own?.paddle }, ...turns];
    case "lot_sold": return turns.length ? turns : [{ kind: "sold", lot_id, price_minor: lot?.price_minor }];
    case "lot_passed": return [{ kind: "passed", lot_id, reason: event.reason }];
    case "lot_withdrawn": return [{ kind: "withdrawn", lot_id }];
    case "if_bid_opened": return turns.length ? turns : [{ kind: "if_bid", lot_id }];
    case "sale_paused": return [{ kind: "paused", reason: event.reason }];
    case "sale_resumed": return [{ kind: "resumed" }];
    case "sale_cancelled": return [{ kind: "cancelled" }];
    case "sale_closed": return [{ kind: "closed" }];
    default: return turns;
  }
}
