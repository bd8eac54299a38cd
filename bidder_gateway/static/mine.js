// Lists of lots over several sales, live: my bids, my watchlist. Their order is that of the page; a
// lot that ends stays where it is until the page is opened again.

import { html, useEffect, useReducer } from "../../foundation/static/html.js";
import { announceList } from "./announcer.js";
import { banner } from "./banner.js";
import { positionOf } from "./fold.js";
import { page, start, takeOver, useLive } from "./live.js";
import { noticesShown } from "./notices_shown.js";
import { saleOf } from "./reduce.js";
import { Tile } from "./tile.js";
import { isWatched, onWatching } from "./watching.js";

function List() {
  const sales = useLive((state) => state.sales);
  const [, redraw] = useReducer((drawn) => drawn + 1, 0);
  useEffect(() => onWatching(redraw), []);
  const tiles = page.order.map(([sale_id, lot_id]) => {
    const sale = saleOf({ sales }, sale_id);
    const lot = sale?.lots[lot_id];
    if (!lot) return null;
    return html`<${Tile} key=${`${sale_id}/${lot_id}`} sale_id=${sale_id} lot=${lot} card=${page.cards[sale_id][lot_id]}
      position=${positionOf(sale, lot)} own=${sale.own?.maxima[lot_id] ?? null} watched=${isWatched(sale_id, lot_id)}
      terms=${sale.sale.terms} paused=${sale.sale.paused} saleTitle=${page.sales[sale_id]} />`;
  });
  return html`<ul class="tiles">${tiles}</ul>`;
}

start();
if (page.order.length) takeOver(document.getElementById("lots"), html`<${List} />`);
banner();
announceList((sale_id) => page.cards[sale_id] ?? {});
noticesShown();
