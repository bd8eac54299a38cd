// The line to the server: opened with a one-time ticket, watched, and opened again when it is
// lost, for as long as the page is there. The page itself is never reloaded.
//
// - A follow is asked for again after each opening, from the last sequence that the state has, so
//   that nothing is missed and nothing comes twice.
// - A bid is kept until its verdict is here, and is sent again with the same id: after each opening,
//   when the server says that it does not know, and when no answer comes. The server never accepts
//   an id twice, so sending too often does no harm; the other way round a bid might be lost.
// - While the page is looked at, something is heard from the server every second, because it is
//   asked for the time. Nothing for QUIET_MS: the page says so. Nothing for DEAD_MS: a new line.
//
// Everything from outside (socket, timers, clock, chance) is handed in, so that tests need none.

import { asksAgain } from "./reduce.js";

export const SUBPROTOCOL = "softclose.v1+json";

const BEAT_MS = 200;
// Asked for the time if nothing was heard for so long, and anyway every so often, for the clock.
const ASK_AFTER_MS = 1_000;
const ASK_LEAST_MS = 300;
const SAMPLE_EVERY_MS = 3_000;
// Three samples soon after the opening, of which the best will do.
const FIRST_SAMPLES_MS = [0, 250, 600];
// What the person is shown within 2 s of the cut, with time for one look in between.
export const QUIET_MS = 1_700;
export const DEAD_MS = 6_000;
const OPEN_WITHIN_MS = 8_000;
// The pause before the next try: a random part of this, which doubles from try to try.
const BACK_OFF_MS = { first: 500, most: 15_000 };
// Who was sent away for asking too much stays away for so long at least.
const SENT_AWAY_MS = 30_000;
const SENT_AWAY = new Set([4429, 4430]);
// A bid without a verdict on a line that is well is sent again after this time.
const UNANSWERED_MS = 4_000;
const AGAIN_MS = { first: 300, most: 5_000 };

const MICRO = 1_000;

/** Raised by ``ticket`` when nobody is signed in any more. */
export class SignedOut extends Error {}

export class Connection {
  #env;
  #socket = null;
  #live = false;
  #quiet = false;
  #stopped = true;
  #tries = 0;
  #signedOut = false;
  #follows = new Map(); // sale id -> lots, or null for the whole sale
  #subscribing = new Map(); // request -> sale id
  #outbox = new Map(); // bid id -> {bid, request, sent_at, tries, again_at}
  #request = 0;
  #heard = 0; // times here are milliseconds of env.now()
  #asked = 0;
  #sampled = 0;
  #round = 0;
  #beaten = 0;
  #wait = 0; // the server asked to stay away for so long
  #opening = null; // the attempt that is under way
  #loss = null; // the last one: an older one's next try is void
  #timers = new Set();

  /**
   * env: open() -> socket; ticket() -> Promise of a ticket or null (a guest), raises SignedOut;
   * tell(message); sequenceOf(sale_id) -> the last sequence or undefined; hasGap(sale_id);
   * gone(sale_id): there is no such sale any more for who looks; clock; now() and wall() in milliseconds; later(run, ms) -> cancel; random(); visible();
   * keep(bids): unanswered bids that a reload of the page should know.
   */
  constructor(env) {
    this.#env = env;
  }

  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#beaten = this.#env.now();
    this.#every(BEAT_MS, () => this.#beat());
    this.#open();
  }

  /** For a page that goes away. */
  stop() {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#drop();
  }

  /** The network says that it is there again, or the page is looked at again: do not wait. */
  hurry() {
    if (this.#stopped) return;
    if (this.#live) this.#ask();
    else if (this.#opening === null) this.#open();
  }

  /** The network says that it is gone. */
  away() {
    if (this.#socket !== null) this.#lost();
  }

  /** Follow a sale, or some lots of it, from now on and after each opening. */
  follow(sale_id, lots = null) {
    this.#follows.set(sale_id, lots);
    this.#env.tell({ type: "page:follow", sale_id, whole: lots === null });
    if (this.#live) this.#subscribe(sale_id);
  }

  /** Ask for the viewer's own part of a sale again; no event comes twice by it. */
  refresh(sale_id) {
    if (this.#live && this.#follows.has(sale_id)) this.#subscribe(sale_id);
  }

  /** Have a bid judged. ``bid``: {bid_id, sale_id, lot_id, amount_minor, currency, quote_id}. */
  bid(bid) {
    this.#env.tell({ type: "page:bid", bid: { ...bid, state: "unsure", why: "LINE" } });
    this.#outbox.set(bid.bid_id, { bid, request: null, sent_at: 0, tries: 0, again_at: 0 });
    this.#keep();
    if (this.#live) this.#send(bid.bid_id);
  }

  /** Stop asking for a verdict. The bid may have arrived all the same. */
  drop(bid_id) {
    if (this.#outbox.delete(bid_id)) this.#env.tell({ type: "page:bid_dropped", bid_id });
    this.#keep();
  }

  // Opening.

  async #open() {
    const attempt = {};
    this.#opening = attempt;
    const cancel = this.#later(OPEN_WITHIN_MS, () => this.#opening === attempt && this.#lost());
    try {
      const ticket = await this.#ticket();
      if (this.#opening !== attempt || this.#stopped) return;
      const socket = this.#env.open();
      this.#socket = socket;
      socket.onopen = () => this.#write({ type: "hello", ...(ticket ? { ticket } : {}), client: "page" });
      socket.onmessage = ({ data }) => this.#socket === socket && this.#receive(data, cancel);
      socket.onclose = () => this.#socket === socket && this.#lost();
      socket.onerror = () => {}; // a close follows
    } catch {
      if (this.#opening === attempt) this.#lost();
    }
  }

  async #ticket() {
    try {
      const ticket = await this.#env.ticket();
      this.#signedOut = false;
      return ticket;
    } catch (error) {
      if (!(error instanceof SignedOut)) throw error;
      this.#signedOut = true;
      return null;
    }
  }

  #welcome(cancel) {
    cancel();
    this.#opening = null;
    this.#live = true;
    this.#quiet = false;
    this.#tries = 0;
    this.#tellLive();
    for (const sale_id of this.#follows.keys()) this.#subscribe(sale_id);
    for (const bid_id of this.#outbox.keys()) this.#send(bid_id);
    for (const ms of FIRST_SAMPLES_MS) this.#later(ms, () => this.#live && this.#ask());
  }

  #tellLive() {
    this.#env.tell({ type: "page:line", state: "live", signed_out: this.#signedOut });
  }

  #subscribe(sale_id) {
    const request = this.#next();
    const since = this.#env.sequenceOf(sale_id);
    const lots = this.#follows.get(sale_id);
    this.#subscribing.set(request, sale_id);
    this.#write({
      type: "subscribe", request, sale_id, ...(lots ? { lots } : {}), ...(since === undefined ? {} : { since }),
    });
  }

  // Listening.

  #receive(data, cancel) {
    const frame = JSON.parse(data);
    this.#heard = this.#env.now();
    if (this.#quiet) {
      this.#quiet = false;
      this.#tellLive();
    }
    switch (frame.type) {
      case "time": return this.#time(frame);
      case "goodbye": this.#goodbye(frame); break;
      case "verdict": this.#settle(frame.bid_id, frame.code); break;
      case "error": this.#error(frame); break;
      case "unsubscribed": this.#unsubscribed(frame); break;
      default:
    }
    this.#env.tell(frame);
    if (frame.type === "welcome") this.#welcome(cancel);
    const sale_id = frame.type === "event" ? frame.event.sale_id : null;
    if (sale_id !== null && this.#env.hasGap(sale_id)) this.#subscribe(sale_id);
  }

  #time({ c0, s1, s2 }) {
    const c3 = Math.round(this.#heard * MICRO);
    this.#round = this.#heard - c0 / MICRO;
    this.#env.clock.add({ c0, s1, s2, c3 });
  }

  #goodbye({ code, resume_after_ms }) {
    this.#wait = SENT_AWAY.has(code) ? Math.max(SENT_AWAY_MS, resume_after_ms) : resume_after_ms;
  }

  /** Nobody asked for it: there is no such sale any more for who looks, and its page says so. */
  #unsubscribed({ request, sale_id }) {
    if (request !== null || !this.#follows.has(sale_id)) return;
    this.#follows.delete(sale_id);
    this.#env.gone(sale_id);
  }

  #error({ request, code }) {
    const sale_id = this.#subscribing.get(request);
    if (sale_id !== undefined && code === "UNAVAILABLE") {
      this.#later(ASK_AFTER_MS, () => this.#live && this.#subscribe(sale_id));
    }
    for (const [bid_id, sent] of this.#outbox) {
      if (sent.request === request) this.#settle(bid_id, code);
    }
  }

  // Bids.

  #send(bid_id) {
    const sent = this.#outbox.get(bid_id);
    if (sent === undefined || !this.#live) return;
    const { sale_id, lot_id, amount_minor, currency, quote_id } = sent.bid;
    sent.request = this.#next();
    sent.sent_at = this.#env.now();
    sent.again_at = sent.sent_at + UNANSWERED_MS;
    this.#env.tell({ type: "page:bid_sent", bid_id, request: sent.request });
    this.#write({
      type: "bid", request: sent.request, sale_id, lot_id, bid_id,
      offer: { kind: "MAXIMUM", amount_minor, currency }, ...(quote_id ? { quote_id } : {}),
    });
  }

  #settle(bid_id, code) {
    const sent = this.#outbox.get(bid_id);
    if (sent === undefined) return;
    if (asksAgain(code)) {
      const most = Math.min(AGAIN_MS.first * 2 ** sent.tries, AGAIN_MS.most);
      sent.tries += 1;
      sent.again_at = this.#env.now() + most * (0.5 + this.#env.random() / 2);
    } else {
      this.#outbox.delete(bid_id);
      this.#keep();
    }
  }

  #keep() {
    this.#env.keep([...this.#outbox.values()].map(({ bid }) => bid));
  }

  // Watching over the line.

  #beat() {
    const { now, wall, clock, visible } = this.#env;
    const at = now();
    // The page slept, or nobody looked at it: what came meanwhile is still to be read or asked for.
    const late = at - this.#beaten > 1_000;
    clock.lookForSleep(at * MICRO, wall() * MICRO);
    if (visible()) this.#beaten = at;
    if (!this.#live) return;
    for (const [bid_id, sent] of this.#outbox) if (at >= sent.again_at) this.#send(bid_id);
    if (!visible()) return;
    const silent = at - this.#heard;
    const askAfter = Math.max(ASK_LEAST_MS, ASK_AFTER_MS - this.#round);
    const due = silent > askAfter ? at - this.#asked > askAfter : at - this.#sampled > SAMPLE_EVERY_MS;
    if (due || late) this.#ask();
    if (late) {
      this.#heard = at;
    } else if (silent > DEAD_MS) {
      this.#lost();
    } else if (silent > QUIET_MS && !this.#quiet) {
      this.#quiet = true;
      this.#env.tell({ type: "page:line", state: "quiet" });
    }
  }

  #ask() {
    this.#asked = this.#sampled = this.#env.now();
    this.#write({ type: "time", c0: Math.round(this.#asked * MICRO) });
  }

  #lost() {
    this.#drop();
    if (this.#stopped) return;
    const most = Math.min(BACK_OFF_MS.first * 2 ** this.#tries, BACK_OFF_MS.most);
    const pause = this.#wait || most * (0.2 + 0.8 * this.#env.random());
    this.#wait = 0;
    this.#tries += 1;
    this.#env.tell({ type: "page:line", state: "lost", again_at: this.#env.now() + pause });
    const loss = {};
    this.#loss = loss;
    this.#later(pause, () => this.#loss === loss && this.#opening === null && !this.#live && this.#open());
  }

  /** Let go of the socket, whatever state it is in. */
  #drop() {
    const socket = this.#socket;
    this.#socket = this.#opening = null;
    this.#live = this.#quiet = false;
    this.#subscribing.clear();
    socket?.close();
  }

  #write(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #next() {
    this.#request += 1;
    return this.#request;
  }

  #later(ms, run) {
    const cancel = this.#env.later(() => {
      this.#timers.delete(cancel);
      run();
    }, ms);
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  #every(ms, run) {
    this.#later(ms, () => {
      run();
      if (!this.#stopped) this.#every(ms, run);
    });
  }
}
