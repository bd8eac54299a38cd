import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { money, parseMoney, plain } from "../../foundation/static/money.js";
import { incrementAt, leastBid, quickBids } from "../../bidder_gateway/static/increments.js";
import { doorCost, premiumMinor, shareOfMsrp } from "../../bidder_gateway/static/costs.js";
import { LIQUIDATION, terms } from "./samples.js";

test("amounts have cents only where there are any", () => {
  assert.equal(money(125000, "USD"), "$1,250");
  assert.equal(money(125050, "USD"), "$1,250.50");
  assert.equal(money(5, "USD"), "$0.05");
  assert.equal(money(-123456789, "EUR"), "-€1,234,567.89");
  assert.equal(money(1234, "JPY"), "¥1,234");
  assert.equal(money(1234500, "KWD"), "KWD 1,234.500");
  assert.equal(plain(125050, "USD"), "1250.50");
});

const cases = JSON.parse(readFileSync(new URL("./typed_money.json", import.meta.url)));

test("what people type is one exact amount", () => {
  for (const [typed, currency, minor] of cases.good) {
    assert.deepEqual(parseMoney(typed, currency), { minor }, typed);
  }
});

test("what is not exactly one amount is refused with a sentence", () => {
  for (const [typed, currency] of cases.bad) {
    const { minor, fault } = parseMoney(typed, currency);
    assert.equal(minor, undefined, typed);
    assert.match(fault, /^[A-Z].*\.$/, typed);
  }
  assert.match(parseMoney("10.5", "JPY").fault, /whole JPY/);
});

test("the increment is taken at the price named", () => {
  assert.equal(incrementAt(LIQUIDATION, 9_999), 500);
  assert.equal(incrementAt(LIQUIDATION, 10_000), 1_000);
  assert.equal(incrementAt(LIQUIDATION, 99_000_000), 100_000);
});

test("who leads may raise by any step, others reach the next minimum", () => {
  const lot = { next_minimum_minor: 52_500 };
  assert.equal(leastBid(lot, LIQUIDATION), 52_500);
  assert.equal(leastBid(lot, LIQUIDATION, { ownMinor: 30_000 }), 52_500);
  assert.equal(leastBid(lot, LIQUIDATION, { leads: true, ownMinor: 51_000 }), 51_100);
});

test("offered amounts are round and rise", () => {
  assert.deepEqual(quickBids(52_500, LIQUIDATION), [52_500, 57_500, 65_000]);
  assert.deepEqual(quickBids(51_100, LIQUIDATION, true), [52_500, 57_500, 65_000]);
});

const way = (rate_ppm, amount_minor = null, flags = {}) => ({ amount_minor, tax: { rate_ppm, premium_taxable: true, freight_taxable: true, ...flags } });

test("the cost at the door is that of the rules, line by line", () => {
  assert.deepEqual(doorCost(terms({ premiumBps: 1_500 }), 123_750, way(82_500)), {
    hammer_minor: 123_750, premium_minor: 18_563, tax_minor: 11_741, freight_minor: null, total_minor: 154_054,
  });
});

test("tiers of the premium are marginal, and there is a minimum", () => {
  const tiers = [[0, 1_500], [1_000_000, 1_200], [5_000_000, 1_000]].map(([from_minor, rate_bps]) => ({ from_minor, rate_bps }));
  assert.equal(premiumMinor({ tiers, minimum_minor: 0 }, 6_250_000), 755_000);
  assert.equal(premiumMinor({ tiers, minimum_minor: 5_000 }, 10_000), 5_000);
  assert.equal(premiumMinor({ tiers: [], minimum_minor: 0 }, 10_000), 0);
});

test("what is taxed is what terms and place both tax, and shares are exact for large amounts", () => {
  const tax = (sale, one) => doorCost(terms(sale), 100_000, one).tax_minor;
  assert.equal(tax({ freightTaxable: true }, way(100_000, 20_000)), 12_000);
  assert.equal(tax({ freightTaxable: false }, way(100_000, 20_000)), 10_000);
  assert.equal(tax({ freightTaxable: true }, way(100_000, 20_000, { freight_taxable: false })), 10_000);
  assert.equal(tax({ premiumBps: 1_000 }, way(100_000, null, { premium_taxable: false })), 10_000);
  assert.equal(doorCost(terms(), 9_007_199_254_740_991, way(999_900)).tax_minor, 9_006_298_534_815_517);
});

test("a share of the MSRP is a per cent that never says nothing for something", () => {
  assert.equal(shareOfMsrp(23_000, 100_000), "23 %");
  assert.equal(shareOfMsrp(4_100, 100_000), "4.1 %");
  assert.equal(shareOfMsrp(1, 100_000), "under 0.1 %");
  assert.equal(shareOfMsrp(1, 0), null);
});
