// The cost at the door, line by line, before a bid is made.

import { html } from "../../foundation/static/html.js";
import { doorCost, shareMinor, shareOfMsrp } from "./costs.js";
import { money } from "../../foundation/static/money.js";

/** "10 %", "8.25 %" of basis points. */
const rate = (bps) => `${(bps / 100).toLocaleString("en-US", { maximumFractionDigits: 2 })} %`;

/** The premium with its rate; where it is not that rate (tiers, a minimum), without. */
function premiumWords({ tiers }, hammerMinor, premiumMinor) {
  const plain = tiers.length === 1 && shareMinor(hammerMinor, tiers[0].rate_bps) === premiumMinor;
  return plain ? `Buyer's premium (${rate(tiers[0].rate_bps)})` : "Buyer's premium";
}

/** What an amount comes to by this way of freight. */
export function CostLines({ amountMinor, terms, way, msrpMinor, heading }) {
  const { currency, premium } = terms;
  const cost = doorCost(terms, amountMinor, way);
  const write = (minor) => money(minor, currency);
  const share = shareOfMsrp(cost.total_minor, msrpMinor);
  const shipped = cost.freight_minor !== null;
  return html`<section class="stack tight costs" aria-labelledby="costs-heading">
    <h3 id="costs-heading" class="label">${heading}</h3>
    <dl class="sums">
      <dt>Winning bid</dt><dd>${write(cost.hammer_minor)}</dd>
      <dt>${premiumWords(premium, amountMinor, cost.premium_minor)}</dt><dd>${write(cost.premium_minor)}</dd>
      <dt>${way.tax.words}</dt><dd>${write(cost.tax_minor)}</dd>
      <dt>${shipped ? "Freight" : "Freight: you collect"}</dt><dd>${write(cost.freight_minor ?? 0)}</dd>
      <dt class="total">${shipped ? "At your door" : "All in, at the dock"}</dt><dd class="total">${write(cost.total_minor)}</dd>
      ${share && html`<dt>Share of MSRP (${write(msrpMinor)})</dt><dd>${share}</dd>`}
    </dl>
  </section>`;
}
