// What a winning bid comes to at the door: premium, tax, freight, each rounded half up. Shares are
// taken in BigInt, since an amount times a rate may not be exact as a number.

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
 * The cost at the door, line by line, as auction/catalog/door_price.py counts. ``way``: how the goods
 * come: {amount_minor, tax: {rate_ppm, premium_taxable, freight_taxable}}; amount_minor null when
 * nothing is paid to us for it.
 */
export function doorCost(terms, hammerMinor, way) {
  const premium = premiumMinor(terms.premium, hammerMinor);
  const freight = way.amount_minor ?? 0;
  let base = hammerMinor;
  if (terms.premium.taxable && way.tax.premium_taxable) base += premium;
  if (terms.freight_taxable && way.tax.freight_taxable) base += freight;
  const tax = Number((BigInt(base) * BigInt(way.tax.rate_ppm) + 500_000n) / 1_000_000n);
  return {
    hammer_minor: hammerMinor,
    premium_minor: premium,
    tax_minor: tax,
    freight_minor: way.amount_minor,
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
