// Values that the tests of the pages' scripts share, in the shapes of docs/protocol.md.

const steps = (...pairs) => pairs.map(([from_minor, increment_minor]) => ({ from_minor, increment_minor }));

/** The default increments of the house. */
export const LIQUIDATION = {
  steps: steps(
    [0, 500], [10_000, 1_000], [50_000, 2_500], [100_000, 5_000], [500_000, 10_000],
    [1_000_000, 25_000], [2_500_000, 50_000], [5_000_000, 100_000],
  ),
  unit_minor: 100,
  least_opening_minor: 5_000,
  exponent: 2,
};

/** Terms of a sale. */
export function terms({ premiumBps = 0, freightTaxable = true, rule = "INCREMENT_OVER", softClose = true, ...others } = {}) {
  return {
    version: 1,
    currency: "USD",
    sale_format: "ENGLISH",
    increments: LIQUIDATION,
    price_rule: rule,
    enforce_minimum: true,
    soft_close: softClose ? { window_us: 300_000_000, extension_us: 300_000_000, mode: "RESET" } : null,
    closing: "INDEPENDENT",
    void_rule: "RESTORE",
    if_bid_us: null,
    premium: {
      tiers: premiumBps ? [{ from_minor: 0, rate_bps: premiumBps }] : [],
      minimum_minor: 0,
      taxable: true,
    },
    freight_taxable: freightTaxable,
    deposit_minor: 0,
    deposit_factor: 10,
    certificate_required: false,
    confirmation: "NOT_ASKED",
    ...others,
  };
}

export const SALE = "sale-1";
export const OPENS = 1_800_000_000_000_000;
export const CLOSES = OPENS + 3_600_000_000;

/** A lot as a snapshot has it. */
export function lot(lot_id, fields = {}) {
  return {
    lot_id,
    title: `Lot ${lot_id}`,
    kind: "PALLET",
    group: "",
    restrictions: [],
    status: "LIVE",
    opening_minor: 10_000,
    opens_at_us: OPENS,
    scheduled_closes_at_us: CLOSES,
    closes_at_us: CLOSES,
    latest_end_us: null,
    extensions: 0,
    price_minor: null,
    next_minimum_minor: 10_000,
    reserve: "NONE",
    bid_count: 0,
    leader: null,
    lot_sequence: 1,
    ...fields,
  };
}

/** A snapshot of the sale. */
export function snapshot(lots, { sequence = 10, ...sale } = {}) {
  return {
    type: "snapshot",
    sale_id: SALE,
    sequence,
    sale: { sale_id: SALE, liquidator_id: "harbor", terms: terms(), paused: false, closed: false, hash: "", ...sale },
    lots,
  };
}

/** The viewer's own part of the sale. */
export function standing(fields = {}) {
  return {
    type: "standing",
    sale_id: SALE,
    sequence: 10,
    paddle: 101,
    limit_minor: null,
    exposure_minor: 0,
    maxima: {},
    leads: [],
    won: [],
    accepted: [],
    terms_version: 1,
    ...fields,
  };
}

/** A public event's frame. */
export function event(sequence, type, fields = {}) {
  const header = { type, version: 1, sale_id: SALE, sequence, at_us: OPENS + sequence * 1_000_000 };
  return { type: "event", event: { ...header, ...fields }, commitment: "", hash: "" };
}

/** A bid's event: ``paddle`` bids, ``leader`` leads. */
export function bid(sequence, lot_id, lot_sequence, paddle, leader, price_minor, fields = {}) {
  return event(sequence, "bid_placed", {
    lot_id, lot_sequence, paddle, leader, price_minor,
    next_minimum_minor: price_minor + 1_000, reserve: "NONE", bid_count: lot_sequence - 1, ...fields,
  });
}
