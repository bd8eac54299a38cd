// The watchlist: what is watched, and the button that changes it. Whoever bids on a lot watches it.

import { html, useState } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { showToast } from "../../foundation/static/notices.js";
import { page } from "./live.js";

const keyOf = (sale_id, lot_id) => `${sale_id}/${lot_id}`;
const watched = new Set((page.watched ?? []).map(([sale_id, lot_id]) => keyOf(sale_id, lot_id)));
const listeners = new Set();

export const isWatched = (sale_id, lot_id) => watched.has(keyOf(sale_id, lot_id));

/** Call when something was put on the list or taken off. */
export function onWatching(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function mark(sale_id, lot_id, is) {
  if (is) watched.add(keyOf(sale_id, lot_id));
  else watched.delete(keyOf(sale_id, lot_id));
  for (const listener of listeners) listener();
}

async function change(sale_id, lot_id, is) {
  mark(sale_id, lot_id, is);
  const path = `/api/v1/watchlist/${encodeURIComponent(sale_id)}/${encodeURIComponent(lot_id)}`;
  try {
    const answer = await fetch(path, { method: is ? "PUT" : "DELETE", keepalive: true });
    if (answer.ok) return;
    throw new Error(String(answer.status));
  } catch {
    mark(sale_id, lot_id, !is);
    showToast("The watchlist could not be changed. Try again in a moment.", { kind: "error" });
  }
}

/** A button that puts a lot on the list or takes it off. */
export function Watch({ sale_id, lot_id, title, compact = false }) {
  const [busy, setBusy] = useState(false);
  if (!page.signed_in) return null;
  const is = isWatched(sale_id, lot_id);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    await change(sale_id, lot_id, !is);
    setBusy(false);
  };
  const label = `Watch ${title}`;
  if (compact) {
    return html`<button type="button" class="icon-only watch" aria-pressed=${String(is)} aria-label=${label} onClick=${press}><${Icon} name="eye" /></button>`;
  }
  return html`<button type="button" class="watch" aria-pressed=${String(is)} onClick=${press}><${Icon} name="eye" />${is ? "Watching" : "Watch"}</button>`;
}
