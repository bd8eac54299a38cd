// Where keys lead in the grid of the stock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { after, begins, moved } from "../../auction/static/grid_moves.js";

const SIZE = { rows: 3, columns: 4 };
const HERE = { row: 1, column: 1 };

test("arrows move by one cell and stop at the edges", () => {
  assert.deepEqual(moved("ArrowUp", HERE, SIZE), { row: 0, column: 1 });
  assert.deepEqual(moved("ArrowDown", { row: 2, column: 1 }, SIZE), { row: 2, column: 1 });
  assert.deepEqual(moved("ArrowLeft", { row: 0, column: 0 }, SIZE), { row: 0, column: 0 });
  assert.deepEqual(moved("ArrowRight", { row: 0, column: 3 }, SIZE), { row: 0, column: 3 });
});

test("with Control they go to the edge", () => {
  assert.deepEqual(moved("ArrowDown", HERE, SIZE, { ctrl: true }), { row: 2, column: 1 });
  assert.deepEqual(moved("Home", HERE, SIZE, { ctrl: true }), { row: 0, column: 0 });
  assert.deepEqual(moved("End", HERE, SIZE, { ctrl: true }), { row: 2, column: 3 });
});

test("other keys are none of the grid's", () => {
  assert.equal(moved("a", HERE, SIZE), null);
  assert.equal(moved("Tab", HERE, SIZE), null);
});

test("Enter goes on below, Tab across and into the next row", () => {
  assert.deepEqual(after("Enter", HERE, SIZE), { row: 2, column: 1 });
  assert.deepEqual(after("Enter", HERE, SIZE, { shift: true }), { row: 0, column: 1 });
  assert.deepEqual(after("Tab", { row: 1, column: 3 }, SIZE), { row: 2, column: 0 });
  assert.deepEqual(after("Tab", { row: 2, column: 3 }, SIZE), { row: 2, column: 3 });
  assert.deepEqual(after("Tab", { row: 1, column: 0 }, SIZE, { shift: true }), { row: 0, column: 3 });
});

test("a character begins to type, a shortcut does not", () => {
  assert.equal(begins({ key: "7" }), true);
  assert.equal(begins({ key: "c", ctrlKey: true }), false);
  assert.equal(begins({ key: "F5" }), false);
});
