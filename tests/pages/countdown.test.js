import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ServerClock, errorInWords, errorMatters, leftInSpeech, leftInWords, urgency,
} from "../../foundation/static/countdown.js";

const MS = 1_000;
const S = 1_000_000;

/** A sample over a line that takes so long each way, of a server whose clock is ``ahead``. */
function sample(at, ahead, there, back, held = 0) {
  const s1 = at + there + ahead;
  return { c0: at, s1, s2: s1 + held, c3: at + there + held + back };
}

test("on an even line the offset is exact, and the error is half the round trip", () => {
  const clock = new ServerClock();
  clock.add(sample(0, 7 * S, 20 * MS, 20 * MS, 5 * MS));
  assert.deepEqual(clock.read(45 * MS), { now: 45 * MS + 7 * S, error: 20 * MS });
});

test("the truth lies within the error, however uneven the line", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 500; round += 1) {
    const clock = new ServerClock();
    const ahead = Math.round((random() - 0.5) * 1e12);
    let at = 0;
    for (let count = 0; count < 12; count += 1) {
      const one = sample(at, ahead, random() * 900 * MS, random() * 900 * MS, random() * 3 * MS);
      clock.add(one);
      at = one.c3 + random() * 2 * S;
      const { now, error } = clock.read(at);
      assert.ok(Math.abs(now - (at + ahead)) <= error + 1, `${round}: ${now - at - ahead} > ${error}`);
      const until = at + ahead + 5 * S;
      assert.ok(clock.left(at, until) <= until - (at + ahead) + 1, "more time than there is");
    }
  }
});

test("the best of the last eight counts", () => {
  const clock = new ServerClock();
  clock.add(sample(0, 0, 1 * MS, 1 * MS));
  for (let count = 1; count <= 7; count += 1) clock.add(sample(count * S, 0, 400 * MS, 10 * MS));
  assert.ok(clock.read(8 * S).error < 6 * MS);
  clock.add(sample(8 * S, 0, 400 * MS, 10 * MS));
  assert.ok(clock.read(9 * S).error > 200 * MS);
});

test("an error grows with its sample's age", () => {
  const clock = new ServerClock();
  clock.add(sample(0, 0, 1 * MS, 1 * MS));
  assert.equal(Math.round(clock.read(60 * S).error / MS), 31);
});

test("a server clock that was set anew voids what was known", () => {
  const clock = new ServerClock();
  for (let count = 0; count < 8; count += 1) clock.add(sample(count * S, 0, 1 * MS, 1 * MS));
  clock.add(sample(9 * S, 200 * MS, 30 * MS, 30 * MS));
  const { now, error } = clock.read(9 * S + 60 * MS);
  assert.ok(Math.abs(now - (9 * S + 260 * MS)) <= error);
});

test("after a sleep nothing is known", () => {
  const clock = new ServerClock();
  clock.lookForSleep(0, 500 * S);
  clock.add(sample(0, 0, 1 * MS, 1 * MS));
  clock.lookForSleep(1 * S, 501 * S + 10 * MS);
  assert.ok(clock.known);
  clock.lookForSleep(2 * S, 900 * S);
  assert.equal(clock.read(2 * S), null);
  assert.equal(clock.left(2 * S, 10 * S), null);
});

test("an answer before its question is left out", () => {
  const clock = new ServerClock();
  clock.add({ c0: 10, s1: 5, s2: 4, c3: 20 });
  clock.add({ c0: 10, s1: 5, s2: 6, c3: 9 });
  clock.add({ c0: 10, s1: 5, s2: 500, c3: 20 });
  clock.add({ c0: NaN, s1: 5, s2: 6, c3: 9 });
  assert.ok(!clock.known);
});

test("time left is rounded up, so that nothing left is the end", () => {
  const words = [
    [0, "0:00"], [-5 * S, "0:00"], [1, "0:01"], [9 * S, "0:09"], [61 * S, "1:01"], [3_599 * S, "59:59"],
    [3_600 * S, "1 h 00 min"], [5 * 3_600 * S + 59 * S, "5 h 00 min"], [30 * 3_600 * S, "1 day 6 h"],
    [80 * 3_600 * S, "3 days"],
  ];
  for (const [left, expected] of words) assert.equal(leftInWords(left), expected);
});

test("speech names two units at most", () => {
  assert.equal(leftInSpeech(125 * S), "2 minutes 5 seconds");
  assert.equal(leftInSpeech(3_600 * S), "1 hour");
  assert.equal(leftInSpeech(0), "no time");
});

test("errors are rounded up, and told where they matter", () => {
  assert.equal(errorInWords(3 * MS), "±0.01 s");
  assert.equal(errorInWords(121 * MS), "±0.13 s");
  assert.equal(errorInWords(1_410 * MS), "±1.5 s");
  assert.ok(errorMatters(300 * MS, 30 * S));
  assert.ok(!errorMatters(300 * MS, 600 * S));
  assert.ok(!errorMatters(20 * MS, 30 * S));
});

test("urgency follows the soft close's window", () => {
  assert.equal(urgency(20 * 60 * S), "");
  assert.equal(urgency(9 * 60 * S, 10 * 60 * S), "soon");
  assert.equal(urgency(60 * S), "last");
  assert.equal(urgency(0), "over");
});
