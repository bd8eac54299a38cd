// The board of a sale that goes on: asked for each second, drawn anew when something is new. The
// time left is counted here; the server's clock is known by the answers' dates, to a second.

import { html, render } from "../../foundation/static/html.js";
import { leftInSpeech, leftInWords, urgency } from "../../foundation/static/countdown.js";
import { money } from "../../foundation/static/money.js";

const EVERY_MS = 1_000;
const WORDS = { IF_BID: ["You decide", "warn"], SOLD: ["Sold", "good"], PASSED: ["Not sold", ""], WITHDRAWN: ["Withdrawn", ""] };
const table = document.getElementById("board");
const body = table.tBodies[0];
const runs = table.dataset.runs === "yes";
let board = null;
let tag = "";
let ahead = 0; // how far the server's clock is ahead of ours, milliseconds

setInterval(ask, EVERY_MS);
ask();

async function ask() {
  try {
    const answer = await fetch(`${table.dataset.address}/board`, {
      headers: tag ? { Accept: "application/json", "If-None-Match": tag } : { Accept: "application/json" },
      cache: "no-store",
    });
    const date = Date.parse(answer.headers.get("Date"));
    if (!Number.isNaN(date)) ahead = date - Date.now();
    if (answer.ok) {
      board = await answer.json();
      tag = answer.headers.get("ETag") ?? "";
      sums();
    }
    away(!answer.ok && answer.status !== 304);
  } catch {
    away(true);
  }
  if (board !== null) draw();
}

function away(yes) {
  document.getElementById("live-away").hidden = !yes;
}

function sums() {
  const now = {
    unended: board.unended,
    sold: board.sold,
    price: money(board.price_minor, board.currency),
    recovery: rate(board.recovery_bps),
    watchers: board.watchers,
  };
  for (const [name, value] of Object.entries(now)) {
    document.querySelector(`[data-sum=${name}]`).textContent = String(value);
  }
  const [words, kind] = stateOfSale();
  const badge = document.querySelector("#live-state .badge");
  if (badge.textContent.trim() !== words) badge.replaceWith(Object.assign(document.createElement("span"), { className: `badge ${kind}`, textContent: words }));
}

function stateOfSale() {
  if (board.cancelled) return ["Cancelled", "bad"];
  if (board.paused_from_us !== null) return ["Paused", "warn"];
  return board.closed ? ["Ended", ""] : ["Goes on", "good"];
}

let drawn = false;

function draw() {
  if (!drawn) body.replaceChildren();
  drawn = true;
  const now = (Date.now() + ahead) * 1_000;
  render(html`${board.lots.map((lot) => html`<${Row} key=${lot.lot_id} lot=${lot} now=${now} />`)}`, body);
}

function Row({ lot, now }) {
  const id = encodeURIComponent(lot.lot_id);
  const open = lot.status === "LIVE" || lot.status === "IF_BID";
  return html`<tr role="row">
    <th scope="row" role="rowheader"><a href=${`${table.dataset.public}/lots/${id}`}>${lot.lot_id} ${lot.title}</a></th>
    <td role="cell" class="figure" data-label="Price">${lot.price_minor === null ? "no bid" : money(lot.price_minor, board.currency)}</td>
    <td role="cell" class="figure" data-label="Recovery">${rate(lot.recovery_bps)}</td>
    <td role="cell" class="figure" data-label="To the reserve">${reserve(lot)}</td>
    <td role="cell" class="figure" data-label="Bidders">${lot.bidders}</td>
    <td role="cell" class="figure" data-label="Watchers">${lot.watchers}</td>
    <td role="cell" data-label="Left">${left(lot, now)}</td>
    <td role="cell" class="actions">${
      runs && open
        ? html`<a class="button" href=${`${table.dataset.address}?lot=${id}#act`}>${lot.status === "IF_BID" ? "Answer" : "Change"}<span class="unlisted"> lot ${lot.lot_id}</span></a>`
        : null
    }</td>
  </tr>`;
}

function reserve(lot) {
  if (lot.reserve_minor === null) return "none";
  return lot.to_reserve_minor === null ? "met" : money(lot.to_reserve_minor, board.currency);
}

function left(lot, now) {
  if (lot.status !== "LIVE") {
    const [words, kind] = WORDS[lot.status];
    return html`<span class=${`badge ${kind}`}>${words}</span>`;
  }
  if (board.paused_from_us !== null) return html`<span class="badge warn">Paused</span>`;
  const us = Math.max(0, lot.closes_at_us - now);
  return html`<span class=${`countdown ${urgency(us)}`}><span aria-hidden="true">${leftInWords(us)}</span><span class="unlisted">${leftInSpeech(us)}</span></span>`;
}

function rate(bps) {
  return bps === null ? "–" : `${(bps / 100).toFixed(2).replace(/\.?0+$/, "")} %`;
}
