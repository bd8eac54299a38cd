// Bid increments, as in auction/increments.py: how far above the price the next bid must be.

/** The increment at a price: the one of the last step that begins at or below it. */
export function incrementAt(table, priceMinor) {
  let increment = table.steps[0].increment_minor;
  for (const step of table.steps) {
    if (step.from_minor > priceMinor) break;
    increment = step.increment_minor;
  }
  return increment;
}

/**
 * The least that this viewer can bid on a lot. Who leads may raise the own maximum by any step;
 * everybody else has to reach the next minimum, and to go beyond what they bid before.
 */
export function leastBid(lot, table, { leads = false, ownMinor = null } = {}) {
  const beyondOwn = ownMinor === null ? 0 : ownMinor + table.unit_minor;
  return leads ? beyondOwn : Math.max(lot.next_minimum_minor, beyondOwn);
}

/**
 * Amounts that are offered at a touch: the least bid (who leads and may raise by anything: the
 * next round step) and two round steps above it.
 */
export function quickBids(leastMinor, table, leads = false) {
  const step = incrementAt(table, leastMinor);
  const round = Math.ceil(leastMinor / step) * step;
  const amounts = [leads ? round : leastMinor, round + 2 * step, round + 5 * step];
  return amounts.filter((amount) => Number.isSafeInteger(amount));
}
