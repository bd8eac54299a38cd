// What a hammer price comes to at the door, as in auction/costs.py: premium, tax, freight, each
// rounded half up. Shares are taken in BigInt, since an amount times a rate may not be exact.

/** A share of an amount, rounded half up to the minor unit. */
export function shareMinor(amountMinor, rateBps) {
  return Number((BigInt(amountMinor) * BigInt(rateBps) + 5_000n) / 10_000n);
}

/** The buyer's premium: each tier's rate on its own part of the price, at least the minimum. */
export function premiumMinor(premium, hammerMinor) {
  const tiers = premium.tiers;
  let scaled = 0n; // in ten-thousandths of a minor unit, so that only the sum is rounded
  tiers.forEach((tier, place) => {
    const until = Math.min(tiers[place + 1]?.from_minor ?? hammerMinor, hammerMinor);
    if (until > tier.from_minor) scaled += BigInt(until - tier.from_minor) * BigInt(tier.rate_bps);
  });
  return Math.max(Number((scaled + 5_000n) / 10_000n), premium.minimum_minor);
}

/**
 * The cost at the door, line by line. ``taxBps``: the rate that this buyer bears; null: not known
 * yet, and left out. ``freightMinor``: null when the buyer collects.
 */
export function doorCost(terms, hammerMinor, taxBps, freightMinor) {
  const premium = premiumMinor(terms.premium, hammerMinor);
  const freight = freightMinor ?? 0;
  let base = hammerMinor;
  if (terms.premium.taxable) base += premium;
  if (terms.freight_taxable) base += freight;
  const tax = taxBps ? shareMinor(base, taxBps) : 0;
  return {
    hammer_minor: hammerMinor,
    premium_minor: premium,
    tax_minor: tax,
    freight_minor: freight,
    total_minor: hammerMinor + premium + tax + freight,
  };
}

/** An amount as a share of the MSRP: "23 %", "4.1 %", "under 0.1 %"; null without an MSRP. */
export function shareOfMsrp(amountMinor, msrpMinor) {
  if (!msrpMinor) return null;
  const tenths = Math.round((amountMinor / msrpMinor) * 1_000);
  if (tenths === 0) return amountMinor > 0 ? "under 0.1 %" : "0 %";
  return tenths < 100 ? `${(tenths / 10).toFixed(1)} %` : `${Math.round(tenths / 10)} %`;
}
