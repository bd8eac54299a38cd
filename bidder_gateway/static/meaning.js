// What a bid means, in one sentence, before it is made. bidder_gateway/meaning.py says the same
// where no scripts run, and tests/pages/meanings.json holds both to it.

/**
 * ``bid``: {amount_minor, opening_minor, reserve, has_leader, leads, own_minor, rule}: the amount,
 * the lot as it stands, and the viewer's part of it. ``money`` writes an amount.
 */
export function meaning(bid, money) {
  const amount = money(bid.amount_minor);
  if (bid.rule === "AT_MAXIMUM") {
    return bid.leads
      ? `You lead already, and this raises your own price to exactly ${amount}.`
      : `Your bid is exactly ${amount}, and you pay that if nobody bids more.`;
  }
  const lower = "your max or the seller's secret reserve, whichever is lower";
  if (bid.leads) {
    const raised = `Your max goes from ${money(bid.own_minor)} to ${amount}`;
    if (bid.reserve === "NOT_MET") return `${raised}, and the current bid goes at once to ${lower}.`;
    const step = bid.rule === "INCREMENT_OVER" ? ", or to a full step above the next highest bid" : "";
    return `${raised}, and the current bid goes up only when others bid${step}.`;
  }
  // Below the reserve the current bid is the leader's max, so that any bid above it leads.
  if (bid.reserve === "NOT_MET") {
    return `You take the lead, the current bid goes at once to ${lower}, and you never pay above ${amount}.`;
  }
  if (bid.has_leader) {
    return `We bid for you only as far as it takes to lead, never above ${amount}, and if the leader's max is as high they stay ahead.`;
  }
  if (bid.amount_minor <= bid.opening_minor) return `You take the lead at ${amount}, and pay no more than that.`;
  return `You take the lead at the opening bid of ${money(bid.opening_minor)}, and we raise it only as far as it takes to stay ahead, never above ${amount}.`;
}

// A typed zero too many is ten times the amount; careful people bid three times the least.
const FAR = 3;

/** Why a bid should be looked at twice, as a sentence; null: no reason. */
export function caution({ amount_minor, least_minor, msrp_minor, total_minor }, money) {
  if (msrp_minor && total_minor > msrp_minor) {
    return `At the door this could come to ${money(total_minor)}, more than the MSRP of ${money(msrp_minor)}.`;
  }
  if (amount_minor > FAR * least_minor) {
    return `This is ${Math.floor(amount_minor / least_minor)} times the ${money(least_minor)} that would be enough now.`;
  }
  return null;
}
