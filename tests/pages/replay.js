// Fold recorded frames as a page does: node replay.js FRAMES.json prints the state that it comes to.
// Used by tests/integration/test_pages_fold.py, which compares it with what the server says.

import { readFileSync } from "node:fs";

import { positionOf } from "../../bidder_gateway/static/fold.js";
import { emptyState, reduce } from "../../bidder_gateway/static/reduce.js";

const { sale_id, follow, frames } = JSON.parse(readFileSync(process.argv[2], "utf8"));
let state = reduce(emptyState(), { type: "page:follow", sale_id, whole: follow === null });
for (const frame of frames) state = reduce(state, frame);

const sale = state.sales[sale_id];
const positions = Object.fromEntries(Object.values(sale.lots).map((lot) => [lot.lot_id, positionOf(sale, lot)]));
process.stdout.write(JSON.stringify({ ...sale, positions, news: state.news.map(({ kind, lot_id }) => [kind, lot_id ?? null]) }));
