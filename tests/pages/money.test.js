import assert from "node:assert/strict";
import { test } from "node:test";

import { money, parseMoney, plain } from "../../bidder_gateway/static/money.js";
import { incrementAt, leastBid, quickBids } from "../../bidder_gateway/static/increments.js";
import { doorCost, premiumMinor, shareMinor, shareOfMsrp } from "../../bidder_gateway/static/costs.js";
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

test("what people type is one exact amount", () => {
  for (const typed of ["1250", "1,250", "1250.00", "$1 250", " 1 250.0 ", "US$1,250", "1,250 usd", "USD 1250", "1\u202f250"]) {
    assert.deepEqual(parseMoney(typed, "USD"), { minor: 125000 }, typed);
  }
  assert.deepEqual(parseMoney("1,234,567.89", "USD"), { minor: 123456789 });
  assert.deepEqual(parseMoney("€ 12.5", "EUR"), { minor: 1250 });
  assert.deepEqual(parseMoney("1,250", "JPY"), { minor: 1250 });
  assert.deepEqual(parseMoney("1.250", "KWD"), { minor: 1250 });
});

test("what is not exactly one amount is refused with a sentence", () => {
  const refused = ["", "  ", "abc", "1.250", "12,50", "1,25", "1 25", "1,250 000", "1e3", "10.005",
    "0", "0.00", "-5", "+5", "1250.", ".5", "٣", "１２", "0x10", "1250 or so", "$", "12 34 56", "Infinity",
    "90071992547409.92", "9".repeat(400)];
  for (const typed of refused) {
    const { minor, fault } = parseMoney(typed, "USD");
    assert.equal(minor, undefined, typed);
    assert.match(fault, /^[A-Z].*\.$/, typed);
  }
  assert.match(parseMoney("10.5", "JPY").fault, /whole JPY/);
  assert.match(parseMoney("$5", "EUR").fault, /digits/);
});

test("the largest exact amount is an amount", () => {
  assert.deepEqual(parseMoney("90071992547409.91", "USD"), { minor: Number.MAX_SAFE_INTEGER });
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

test("the cost at the door is that of the rules, line by line", () => {
  const cost = doorCost(terms({ premiumBps: 1_500 }), 123_750, 825, null);
  assert.deepEqual(cost, {
    hammer_minor: 123_750, premium_minor: 18_563, tax_minor: 11_741, freight_minor: 0, total_minor: 154_054,
  });
});

test("tiers of the premium are marginal, and there is a minimum", () => {
  const tiers = [[0, 1_500], [1_000_000, 1_200], [5_000_000, 1_000]].map(([from_minor, rate_bps]) => ({ from_minor, rate_bps }));
  assert.equal(premiumMinor({ tiers, minimum_minor: 0 }, 6_250_000), 755_000);
  assert.equal(premiumMinor({ tiers, minimum_minor: 5_000 }, 10_000), 5_000);
  assert.equal(premiumMinor({ tiers: [], minimum_minor: 0 }, 10_000), 0);
});

test("freight is taxed as the terms say, and shares are exact for large amounts", () => {
  assert.equal(doorCost(terms({ freightTaxable: true }), 100_000, 1_000, 20_000).tax_minor, 12_000);
  assert.equal(doorCost(terms({ freightTaxable: false }), 100_000, 1_000, 20_000).tax_minor, 10_000);
  assert.equal(shareMinor(9_007_199_254_740_991, 9_999), 9_006_298_534_815_517);
});

test("a share of the MSRP is a per cent that never says nothing for something", () => {
  assert.equal(shareOfMsrp(23_000, 100_000), "23 %");
  assert.equal(shareOfMsrp(4_100, 100_000), "4.1 %");
  assert.equal(shareOfMsrp(1, 100_000), "under 0.1 %");
  assert.equal(shareOfMsrp(1, 0), null);
});
