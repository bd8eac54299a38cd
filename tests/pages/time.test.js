import assert from "node:assert/strict";
import { test } from "node:test";

import { inUtc, inWords, showTimes } from "../../foundation/static/time.js";

const MOMENT = new Date("2026-11-22T04:40:05Z");

test("a moment is written in the viewer's zone", () => {
  const words = inWords(MOMENT, { zone: "America/Chicago", language: "en-US" });
  assert.equal(words.replace(/\u202f/g, " "), "Nov 21, 2026, 10:40 PM CST");
});

test("the title is the same moment in UTC", () => {
  assert.equal(inUtc(MOMENT), "2026-11-22 04:40:05 UTC");
});

test("an unknown style is the full one", () => {
  const full = inWords(MOMENT, { zone: "UTC", language: "en-GB" });
  assert.equal(inWords(MOMENT, { style: "odd", zone: "UTC", language: "en-GB" }), full);
});

test("what is no moment is left as the server wrote it", () => {
  const broken = { dateTime: "soon", textContent: "soon", dataset: {}, title: "" };
  const good = { dateTime: "2026-11-22T04:40:05Z", textContent: "?", dataset: { style: "date" } };
  showTimes({ querySelectorAll: () => [broken, good] });
  assert.equal(broken.textContent, "soon");
  assert.match(good.textContent, /2026/);
  assert.equal(good.title, "2026-11-22 04:40:05 UTC");
});
