import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { caution, meaning } from "../../bidder_gateway/static/meaning.js";
import { money } from "../../foundation/static/money.js";

const { meanings, cautions } = JSON.parse(readFileSync(new URL("./meanings.json", import.meta.url)));
const dollars = (minor) => money(minor, "USD");

test("a bid is one sentence", () => {
  for (const { bid, says } of meanings) {
    assert.equal(meaning(bid, dollars), says);
    assert.equal(says.match(/\.(?= |$)/g).length, 1, says);
  }
});

test("what may be a slip is looked at twice", () => {
  for (const { of, says } of cautions) {
    const [amount_minor, least_minor, msrp_minor, total_minor] = of;
    assert.equal(caution({ amount_minor, least_minor, msrp_minor, total_minor }, dollars), says);
  }
});
