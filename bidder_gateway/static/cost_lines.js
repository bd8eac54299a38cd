// The cost at the door, line by line, before a bid is made.

import { html } from "../../foundation/static/html.js";
import { doorCost, shareOfMsrp } from "./costs.js";
import { money } from "./money.js";

/** "10 %", "8.25 %" of basis points. */
export const rate = (bps) => `${(bps / 100).toLocaleString("en-US", { maximumFractionDigits: 2 })} %`;

function premiumWords({ tiers, minimum_minor }, currency) {
  const least = minimum_minor ? `, at least ${money(minimum_minor, currency)}` : "";
  if (tiers.length === 0) return `Buyer's premium${minimum_minor ? ` (${money(minimum_minor, currency)})` : ""}`;
  const rates = tiers.map((tier) => rate(tier.rate_bps)).join(", then ");
  return `Buyer's premium (${rates}${least})`;
}

/** What an amount comes to. ``tax``: {bps, words}; bps null: not known before registering. */
export function CostLines({ amountMinor, terms, tax, way, msrpMinor, heading }) {
  const { currency, premium } = terms;
  const cost = doorCost(terms, amountMinor, tax.bps, way?.amount_minor ?? null);
  const write = (minor) => money(minor, currency);
  const share = shareOfMsrp(cost.total_minor, msrpMinor);
  return html`<section class="stack tight costs" aria-labelledby="costs-heading">
    <h3 id="costs-heading" class="label">${heading}</h3>
    <dl class="sums">
      <dt>Winning bid</dt><dd>${write(cost.hammer_minor)}</dd>
      <dt>${premiumWords(premium, currency)}</dt><dd>${write(cost.premium_minor)}</dd>
      <dt>${tax.words}</dt><dd>${tax.bps === null ? "not known yet" : write(cost.tax_minor)}</dd>
      <dt>Freight${way?.quote_id || way?.amount_minor ? "" : ", collected"}</dt><dd>${write(cost.freight_minor)}</dd>
      <dt class="total">At your door${way?.quote_id || way?.amount_minor ? "" : ", without freight"}</dt><dd class="total">${write(cost.total_minor)}</dd>
      ${share && html`<dt>Share of MSRP (${write(msrpMinor)})</dt><dd>${share}</dd>`}
    </dl>
  </section>`;
}

