// What every live page has: the state, the line to the server, the server's clock. One of each a
// page; views look at the state with `useLive`, and say what they want through `connection`.
//
// The page brings its first frames along (the very ones that the server would send), so that it
// is right before anything is connected, and the stream goes on from there without a gap.

import { render, useEffect, useState } from "../../foundation/static/html.js";
import { Connection, SUBPROTOCOL, SignedOut } from "./connection.js";
import { ServerClock } from "../../foundation/static/countdown.js";
import { emptyState, reduce } from "./reduce.js";

const TICKETS = "/api/v1/tickets";
const LIVE = "/api/v1/live";
const KEPT = "softclose.bids";
// A bid that waited longer than this for its verdict is not sent again behind its maker's back.
const KEPT_MS = 15 * 60 * 1_000;

/** What the server gave the page; see bidder_gateway/page_data.py. */
export const page = JSON.parse(document.getElementById("page-data").textContent);

export const clock = new ServerClock();

let state = emptyState();
const listeners = new Set();
let planned = false;

export const now = () => state;

export function tell(message) {
  const before = state;
  state = reduce(state, message);
  if (state === before || planned) return;
  // At most once a frame, however many events there are; a page that is not looked at has none.
  planned = true;
  if (document.visibilityState === "visible") requestAnimationFrame(told);
  else setTimeout(told, 200);
}

function told() {
  if (!planned) return;
  planned = false;
  for (const listener of [...listeners]) listener(state);
}

/** Call with the state after changes, until the returned function is called. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the state, in a component that is drawn again when it is another one. */
export function useLive(select) {
  const [part, setPart] = useState(() => select(state));
  useEffect(() => {
    setPart(select(state)); // it may have changed since the first drawing
    return listen((after) => setPart(select(after)));
  }, []);
  return part;
}

export const connection = new Connection({
  open: () => new WebSocket(new URL(LIVE, location.href.replace(/^http/, "ws")), SUBPROTOCOL),
  ticket,
  tell,
  sequenceOf: (sale_id) => (state.sales[sale_id]?.sale ? state.sales[sale_id].sequence : undefined),
  hasGap: (sale_id) => state.sales[sale_id]?.gap ?? false,
  gone: () => location.reload(), // the server says what there is for who looks
  clock,
  now: () => performance.now(),
  wall: () => Date.now(),
  later: (run, ms) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  visible: () => document.visibilityState === "visible",
  keep,
});

async function ticket() {
  if (!page.signed_in) return null;
  const answer = await fetch(TICKETS, { method: "POST", headers: { Accept: "application/json" } });
  if (answer.status === 401 || answer.status === 403) throw new SignedOut();
  if (!answer.ok) throw new Error(`tickets: ${answer.status}`);
  return (await answer.json()).ticket;
}

/** Our own clock in microseconds, the one that samples are taken by. */
export const ownTime = () => performance.now() * 1_000;

// Bids without a verdict outlive a reload of this tab, for the person who made them.

function keep(bids) {
  try {
    if (bids.length === 0) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify({ bidder_id: page.bidder_id, bids }));
  } catch {
    // no storage: the bids are still kept by this page
  }
}

function kept() {
  try {
    const { bidder_id, bids } = JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
    const since = Date.now() - KEPT_MS;
    return bidder_id && bidder_id === page.bidder_id ? bids.filter((bid) => bid.made_at > since) : [];
  } catch {
    return [];
  }
}

/** Go live. */
export function start() {
  for (const { sale_id, lots } of page.follow) connection.follow(sale_id, lots);
  for (const frame of page.frames) tell(frame);
  for (const bid of kept()) connection.bid(bid);
  window.addEventListener("online", () => connection.hurry());
  window.addEventListener("offline", () => connection.away());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connection.hurry();
    told(); // a frame that was asked for while the page went out of sight never comes
  });
  window.addEventListener("pagehide", () => connection.stop());
  window.addEventListener("pageshow", (event) => event.persisted && connection.start());
  connection.start();
}

/**
 * Draw into an element in place of what the server has drawn there. Who had the focus in it has it
 * still, and what was typed stays (see the form).
 */
export function takeOver(element, drawn) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const { id, selectionStart, selectionEnd } = focused ?? {};
  element.replaceChildren();
  render(drawn, element);
  if (!focused) return;
  const again = (id && document.getElementById(id)) || element.querySelector("a, button, input");
  again?.focus({ preventScroll: true });
  if (selectionStart != null) again?.setSelectionRange?.(selectionStart, selectionEnd);
}
