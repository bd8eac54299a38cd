// The board of a sale's lots, live. The page comes with all of it drawn by the server; this takes
// over the tiles, the counts on the chips, and the form of filters, which works without scripts too.
//
// Tiles change in place at once. Their order changes only while nobody has a hand or the focus on
// them: a tile that jumps away from under a finger is somebody's wrong bid.

import { html, useEffect, useReducer, useState } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { announceList } from "./announcer.js";
import { banner } from "./banner.js";
import { NOTHING_CHOSEN, choiceOf, choose, counts, queryOf, rowsOf } from "./choosing.js";
import { listen, now, page, start, takeOver, useLive } from "./live.js";
import { noticesShown } from "./notices_shown.js";
import { saleOf } from "./reduce.js";
import { keepSaid } from "./said.js";
import { Tile } from "./tile.js";
import { isWatched, onWatching } from "./watching.js";
import { count } from "./words.js";

// Tiles that are drawn at once; more on demand.
const STEP = 60;
const REORDER_MS = 2_000;
// A hand that was still for so long is not on its way to a tile.
const STILL_MS = 3_000;

const { sale_id } = page.follow[0];
const form = document.getElementById("choice");
let choice = choiceOf(location.search);
const choosers = new Set();

function setChoice(next) {
  choice = next;
  const query = queryOf(choice);
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  for (const chooser of choosers) chooser();
}

/** The form's fields and the chips choose; nothing is sent. */
function takeOverForm() {
  const read = () => setChoice({ ...choice, ...Object.fromEntries(new FormData(form)), show: choice.show });
  form.addEventListener("input", read);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    read();
  });
  document.getElementById("chips").addEventListener("click", (event) => {
    const chip = event.target.closest("[data-show]");
    if (!chip || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    setChoice({ ...choice, show: chip.dataset.show });
  });
}

function clearChoice() {
  form.reset();
  for (const field of form.elements) if (field.name in NOTHING_CHOSEN) field.value = NOTHING_CHOSEN[field.name];
  setChoice({ ...NOTHING_CHOSEN });
  form.elements.q.focus();
}

const rows = () => rowsOf(saleOf(now(), sale_id), page.cards[sale_id], isWatched);

/** The chips' counts, and which of them is on. */
function drawChips() {
  const numbers = counts(rows());
  for (const chip of document.querySelectorAll("#chips [data-show]")) {
    const number = chip.querySelector(".number");
    const text = String(numbers[chip.dataset.show]);
    if (number.textContent !== text) number.textContent = text;
    chip.hidden = chip.dataset.optional !== undefined && text === "0" && choice.show !== chip.dataset.show;
    if (chip.dataset.show === choice.show) chip.setAttribute("aria-current", "true");
    else chip.removeAttribute("aria-current");
  }
}

let touched = 0;

function handsOff() {
  const tiles = document.getElementById("board");
  return performance.now() - touched > STILL_MS && !tiles.contains(document.activeElement);
}

/** The order of the tiles: anew when another choice is made, else when nobody is at them. */
function useOrder() {
  const [order, setOrder] = useState(() => choose(rows(), choice).map(({ lot }) => lot.lot_id));
  useEffect(() => {
    const anew = () => {
      const next = choose(rows(), choice).map(({ lot }) => lot.lot_id);
      setOrder((old) => (old.join() === next.join() ? old : next));
    };
    choosers.add(anew);
    const timer = setInterval(() => handsOff() && anew(), REORDER_MS);
    return () => {
      choosers.delete(anew);
      clearInterval(timer);
    };
  }, []);
  return order;
}

function Board() {
  const sale = useLive((state) => saleOf(state, sale_id));
  const [, redraw] = useReducer((drawn) => drawn + 1, 0);
  const [most, setMost] = useState(STEP);
  const order = useOrder();
  useEffect(() => onWatching(redraw), []);
  const byId = new Map(rowsOf(sale, page.cards[sale_id], isWatched).map((row) => [row.lot.lot_id, row]));
  const shown = order.map((lot_id) => byId.get(lot_id)).filter(Boolean);
  const { terms, paused } = sale.sale;
  if (shown.length === 0) return html`<${Nothing} />`;
  return html`<ul class="tiles">
      ${shown.slice(0, most).map((row) => html`<${Tile} key=${row.lot.lot_id} ...${row} terms=${terms} paused=${paused} />`)}
    </ul>
    ${shown.length > most && html`<p class="more"><button type="button" onClick=${() => setMost(most + STEP)}>Show more: ${count(shown.length - most, "lot")} left</button></p>`}`;
}

function Nothing() {
  return html`<div class="empty">
    <h2>No lot fits</h2>
    <p>Nothing in this sale matches what you chose.</p>
    <button type="button" class="primary" onClick=${clearChoice}>Show all lots</button>
  </div>`;
}

/** How many are shown, for everybody; said once the typing stops. */
function drawFound() {
  const found = choose(rows(), choice).length;
  const text = `${count(found, "lot")}`;
  const place = document.getElementById("found");
  if (place.textContent !== text) place.textContent = text;
}

/** Whether the sale is paused, cancelled or over, for everybody. */
function SaleNote() {
  const view = useLive((state) => saleOf(state, sale_id).sale);
  if (view.paused && !view.cancelled) {
    return html`<div class="note warn"><${Icon} name="pause" /><p><strong>The sale is paused.</strong> ${view.paused_because ?? page.paused_reason ?? ""} No lot ends and no bid is taken until it goes on.</p></div>`;
  }
  if (view.cancelled) {
    return html`<div class="note warn"><${Icon} name="minus" /><p><strong>The seller has cancelled this sale.</strong> No more bids are taken.</p></div>`;
  }
  return view.closed ? html`<div class="note info"><${Icon} name="check" /><p>Every lot of this sale has ended.</p></div>` : null;
}

for (const type of ["pointermove", "pointerdown", "touchmove", "wheel", "keydown"]) {
  document.addEventListener(type, () => { touched = performance.now(); }, { passive: true });
}
start();
takeOver(document.getElementById("board"), html`<${Board} />`);
takeOver(document.getElementById("sale-note"), html`<${SaleNote} />`);
takeOverForm();
for (const draw of [drawChips, drawFound]) {
  draw();
  listen(draw);
  onWatching(draw);
  choosers.add(draw);
}
banner();
announceList((of) => page.cards[of] ?? {});
noticesShown();
keepSaid();
