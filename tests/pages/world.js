// A world for `Connection` without a network and without waiting: virtual time, and sockets whose
// server is the test.

import { Connection, SignedOut } from "../../bidder_gateway/static/connection.js";
import { ServerClock } from "../../foundation/static/countdown.js";
import { emptyState, reduce } from "../../bidder_gateway/static/reduce.js";

/** How far the server's clock is ahead of ours, in microseconds. */
export const AHEAD_US = 1_800_000_000_000_000;

class Socket {
  constructor(world) {
    this.world = world;
    this.readyState = 0;
    this.sent = [];
  }

  send(text) {
    const frame = JSON.parse(text);
    this.sent.push(frame);
    if (frame.type === "time" && this.world.answersTime && !this.world.cut) {
      const s1 = frame.c0 + AHEAD_US + this.world.delay * 1_000;
      this.world.at(this.world.time + 2 * this.world.delay, () => this.gets({ type: "time", c0: frame.c0, s1, s2: s1 }));
    }
  }

  close() {
    this.readyState = 3;
  }

  /** The server says something; a cut line carries nothing. */
  gets(frame) {
    if (this.readyState === 1 && !this.world.cut) this.onmessage({ data: JSON.stringify(frame) });
  }

  /** The server, or the network by an answer of its own, ends it. */
  ends() {
    this.readyState = 3;
    this.onclose();
  }

  of(type) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export class World {
  constructor({ ticket = async () => "ticket", viewer = { bidder_id: "kestrel", name: "Kim", may_bid: true } } = {}) {
    this.time = 1_000;
    this.wallTime = 5_000_000;
    this.cut = false;
    this.answersTime = true;
    this.delay = 10;
    this.visible = true;
    this.viewer = viewer;
    this.sockets = [];
    this.lines = [];
    this.gone = [];
    this.kept = [];
    this.state = emptyState();
    this.clock = new ServerClock();
    this.timers = [];
    const later = (run, ms) => this.at(this.time + ms, run);
    this.connection = new Connection({
      open: () => this.#socket(),
      ticket,
      tell: (message) => this.tell(message),
      sequenceOf: (sale_id) => this.state.sales[sale_id]?.sale ? this.state.sales[sale_id].sequence : undefined,
      hasGap: (sale_id) => this.state.sales[sale_id]?.gap ?? false,
      gone: (sale_id) => this.gone.push(sale_id),
      clock: this.clock,
      now: () => this.time,
      wall: () => this.wallTime + this.time,
      later,
      random: () => 0.5,
      visible: () => this.visible,
      keep: (bids) => { this.kept = bids; },
    });
  }

  tell(message) {
    this.state = reduce(this.state, message);
    if (message.type === "page:line") this.lines.push(message.state);
  }

  at(time, run) {
    const timer = { time, run };
    this.timers.push(timer);
    return () => { this.timers = this.timers.filter((one) => one !== timer); };
  }

  #socket() {
    const socket = new Socket(this);
    this.sockets.push(socket);
    return socket;
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** Let so many milliseconds pass; what waits for promises gets its turns. */
  async pass(ms) {
    const until = this.time + ms;
    for (;;) {
      await new Promise((done) => setImmediate(done));
      const due = this.timers.filter((timer) => timer.time <= until).sort((a, b) => a.time - b.time)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = Math.max(this.time, due.time);
      due.run();
    }
    this.time = until;
  }

  /** The server lets the newest socket in. */
  async welcome() {
    await this.pass(0);
    this.socket.readyState = 1;
    this.socket.onopen();
    this.socket.gets({ type: "welcome", connection: "c", now_us: 0, viewer: this.viewer });
    await this.pass(0);
  }

  async started() {
    this.connection.start();
    await this.welcome();
    return this;
  }
}

export { SignedOut };
