import assert from "node:assert/strict";
import { test } from "node:test";

import { AHEAD_US, SignedOut, World } from "./world.js";
import { SALE, bid, lot, snapshot, standing } from "./samples.js";

const A_BID = { bid_id: "a", sale_id: SALE, lot_id: "1", amount_minor: 50_000, currency: "USD", made_at: 1 };

const verdict = (bid_id, code) => ({ type: "verdict", request: 1, bid_id, code, message: "", sequence: 1, receipt: "r", lot: null, minimum_minor: null });

async function following() {
  const world = new World();
  world.connection.follow(SALE);
  await world.started();
  world.socket.gets(snapshot([lot("1")]));
  world.socket.gets(standing());
  return world;
}

/** Another socket than before is open and welcome. */
async function back(world, sockets, within = 2_000) {
  await world.pass(within);
  assert.equal(world.sockets.length, sockets);
  await world.welcome();
}

test("it says hello with a ticket, follows from the start, and asks for the time", async () => {
  const world = await following();
  const [hello, subscribe] = world.socket.sent;
  assert.deepEqual(hello, { type: "hello", ticket: "ticket", client: "page" });
  assert.deepEqual(subscribe, { type: "subscribe", request: 1, sale_id: SALE });
  await world.pass(700);
  assert.equal(world.socket.of("time").length, 3);
  const { now, error } = world.clock.read(world.time * 1_000);
  assert.ok(Math.abs(now - (world.time * 1_000 + AHEAD_US)) <= error);
  assert.deepEqual(world.lines, ["live"]);
});

test("a guest says hello without a ticket", async () => {
  const world = new World({ ticket: async () => null, viewer: null });
  await world.started();
  assert.deepEqual(world.socket.sent[0], { type: "hello", client: "page" });
  assert.equal(world.state.viewer, null);
});

test("a sale that is taken away is followed no more, and its page is loaded anew", async () => {
  const world = await following();
  world.socket.gets({ type: "unsubscribed", request: 7, sale_id: SALE });
  assert.deepEqual(world.gone, []);
  world.socket.gets({ type: "unsubscribed", request: null, sale_id: SALE });
  assert.deepEqual(world.gone, [SALE]);
  world.socket.ends();
  await back(world, 2);
  assert.equal(world.socket.of("subscribe").length, 0);
});

test("who is signed out watches as a guest, is told, and is let in again later", async () => {
  let signedOut = true;
  const world = new World({ ticket: async () => { if (signedOut) throw new SignedOut(); return "new"; } });
  await world.started();
  assert.deepEqual(world.state.line, { again_at: null, state: "live", signed_out: true });
  signedOut = false;
  world.socket.ends();
  await back(world, 2);
  assert.equal(world.socket.sent[0].ticket, "new");
  assert.equal(world.state.line.signed_out, false);
});

test("a silent line is shown within two seconds, whenever it is cut", async () => {
  for (let early = 0; early < 1_500; early += 130) {
    const world = await following();
    await world.pass(2_000 + early);
    world.cut = true;
    assert.equal(world.lines.at(-1), "live");
    await world.pass(2_000);
    assert.equal(world.lines.at(-1), "quiet", `cut after ${early} ms`);
  }
});

test("a line that only held its breath goes on, without another socket", async () => {
  const world = await following();
  await world.pass(1_000);
  world.cut = true;
  await world.pass(2_500);
  world.cut = false;
  await world.pass(1_500);
  assert.deepEqual(world.lines, ["live", "quiet", "live"]);
  assert.equal(world.sockets.length, 1);
});

test("a dead line is opened again, and resumes from where it was", async () => {
  const world = await following();
  world.socket.gets(bid(11, "1", 2, 102, 102, 12_000));
  world.cut = true;
  await world.pass(7_000);
  world.cut = false;
  assert.equal(world.lines.at(-1), "lost");
  await back(world, 2);
  assert.deepEqual(world.socket.of("subscribe")[0], { type: "subscribe", request: 2, sale_id: SALE, since: 11 });
  assert.equal(world.lines.at(-1), "live");
});

test("what an old socket says is not heard", async () => {
  const world = await following();
  const old = world.socket;
  old.ends();
  await back(world, 2);
  old.readyState = 1;
  old.gets(bid(11, "1", 2, 102, 102, 12_000));
  old.onclose();
  assert.equal(world.state.sales[SALE].sequence, 10);
  assert.equal(world.lines.at(-1), "live");
});

test("pauses between tries grow, with jitter, up to a bound", async () => {
  const world = new World({ ticket: async () => { throw new TypeError("no network"); } });
  const pauses = [];
  const told = world.tell.bind(world);
  world.tell = (message) => {
    if (message.state === "lost") pauses.push(message.again_at - world.time);
    told(message);
  };
  world.connection.start();
  await world.pass(120_000);
  assert.deepEqual(pauses.slice(0, 4), [300, 600, 1_200, 2_400]);
  assert.equal(pauses.at(-1), 9_000);
  world.connection.hurry();
  const before = pauses.length;
  await world.pass(0);
  assert.equal(pauses.length, before + 1);
});

test("an opening that hangs is given up and tried again", async () => {
  const world = new World();
  world.connection.start();
  await world.pass(8_100);
  assert.equal(world.lines.at(-1), "lost");
  await world.pass(1_000);
  assert.equal(world.sockets.length, 2);
});

test("the server's word on when to come back is kept", async () => {
  for (const [code, away] of [[1012, 4_000], [4429, 30_000]]) {
    const world = await following();
    world.socket.gets({ type: "goodbye", code, message: "", resume_after_ms: 4_000, resume: {} });
    world.socket.ends();
    await world.pass(away - 10);
    assert.equal(world.sockets.length, 1);
    await world.pass(20);
    assert.equal(world.sockets.length, 2);
  }
});

test("a bid is sent at once, and forgotten with its verdict", async () => {
  const world = await following();
  world.connection.bid(A_BID);
  assert.deepEqual(world.socket.of("bid")[0], {
    type: "bid", request: 2, sale_id: SALE, lot_id: "1", bid_id: "a",
    offer: { kind: "MAXIMUM", amount_minor: 50_000, currency: "USD" },
  });
  assert.equal(world.state.bids.a.state, "sent");
  assert.equal(world.kept.length, 1);
  world.socket.gets(verdict("a", "LEADING"));
  assert.equal(world.state.bids.a.state, "answered");
  assert.deepEqual(world.kept, []);
  await world.pass(10_000);
  assert.equal(world.socket.of("bid").length, 1);
});

test("a bid without its answer is sent again with the same id on the next line", async () => {
  const world = await following();
  world.connection.bid({ ...A_BID, quote_id: "q1" });
  world.cut = true;
  await world.pass(2_000);
  assert.equal(world.state.bids.a.state, "unsure");
  await world.pass(5_000);
  world.cut = false;
  await back(world, 2);
  const [first] = world.sockets[0].of("bid");
  const [again] = world.socket.of("bid");
  assert.notEqual(again.request, first.request);
  assert.deepEqual({ ...again, request: 0 }, { ...first, request: 0 });
  assert.equal(again.quote_id, "q1");
  const follows = world.socket.sent.findIndex((frame) => frame.type === "subscribe");
  assert.ok(follows < world.socket.sent.indexOf(again), "followed before the bid is sent again");
});

test("a bid that is made while the line is lost is sent when it is back", async () => {
  const world = await following();
  world.socket.ends();
  world.connection.bid(A_BID);
  assert.equal(world.state.bids.a.state, "unsure");
  await back(world, 2);
  assert.equal(world.socket.of("bid").length, 1);
});

test("a server that does not know is asked again, with growing pauses", async () => {
  const world = await following();
  world.connection.bid(A_BID);
  const at = [world.time];
  for (let tries = 0; tries < 4; tries += 1) {
    world.socket.gets(verdict("a", tries % 2 ? "BUSY" : "UNAVAILABLE"));
    assert.equal(world.state.bids.a.state, "unsure");
    const sent = world.socket.of("bid").length;
    while (world.socket.of("bid").length === sent) await world.pass(50);
    at.push(world.time);
  }
  const pauses = at.slice(1).map((time, place) => time - at[place]);
  assert.ok(pauses[3] > pauses[1] && pauses[3] < 3_000, String(pauses));
  assert.equal(new Set(world.socket.of("bid").map((frame) => frame.bid_id)).size, 1);
});

test("a bid that gets no answer on a good line is sent again", async () => {
  const world = await following();
  world.connection.bid(A_BID);
  await world.pass(4_500);
  assert.equal(world.socket.of("bid").length, 2);
});

test("a bid that is dropped is not sent again", async () => {
  const world = await following();
  world.connection.bid(A_BID);
  world.connection.drop("a");
  assert.equal(world.state.bids.a.state, "dropped");
  assert.deepEqual(world.kept, []);
  await world.pass(10_000);
  assert.equal(world.socket.of("bid").length, 1);
});

test("an error about a bid ends it or has it sent again, by its code", async () => {
  const world = await following();
  world.connection.bid(A_BID);
  world.socket.gets({ type: "error", request: world.socket.of("bid")[0].request, code: "TOO_MANY", message: "" });
  await world.pass(1_000);
  assert.equal(world.socket.of("bid").length, 2);
  world.socket.gets({ type: "error", request: world.socket.of("bid")[1].request, code: "FORBIDDEN", message: "" });
  assert.equal(world.state.bids.a.state, "answered");
  await world.pass(10_000);
  assert.equal(world.socket.of("bid").length, 2);
});

test("a gap is closed by asking from before it", async () => {
  const world = await following();
  world.socket.gets(bid(13, "1", 4, 102, 102, 14_000));
  assert.deepEqual(world.socket.of("subscribe").at(-1), { type: "subscribe", request: 2, sale_id: SALE, since: 10 });
});

test("a sale that cannot be read now is asked for again", async () => {
  const world = await following();
  world.socket.gets({ type: "error", request: 1, code: "UNAVAILABLE", message: "" });
  await world.pass(1_100);
  assert.equal(world.socket.of("subscribe").length, 2);
});

test("a page that nobody looks at asks for nothing, and looks around when it is looked at", async () => {
  const world = await following();
  await world.pass(1_000);
  world.visible = false;
  const asked = world.socket.of("time").length;
  await world.pass(20_000);
  assert.equal(world.socket.of("time").length, asked);
  assert.equal(world.lines.at(-1), "live");
  world.visible = true;
  await world.pass(1_000);
  assert.ok(world.socket.of("time").length > asked);
  assert.deepEqual(world.lines, ["live"]);
});

test("a device that slept reads what came before it calls the line lost", async () => {
  const world = await following();
  await world.pass(1_000);
  world.time += 60_000; // no timer ran
  await world.pass(300);
  assert.deepEqual(world.lines, ["live"]);
  world.cut = true;
  await world.pass(2_100);
  assert.equal(world.lines.at(-1), "quiet");
});

test("a stopped connection does nothing more", async () => {
  const world = await following();
  world.connection.stop();
  const sent = world.socket.sent.length;
  world.connection.hurry();
  await world.pass(60_000);
  assert.equal(world.socket.sent.length, sent);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.timers.length, 0);
});
