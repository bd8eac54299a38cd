// Notices that the server sends while a page is open: a toast, and the count in the navigation.
// What the page tells by itself, because it follows the sale, is not told twice.

import { showToast } from "../../foundation/static/notices.js";
import { listen, now, page } from "./live.js";

const PAGE_TELLS = new Set([
  "OUTBID", "LEADING_AGAIN", "LOT_WON", "LOT_LOST", "IF_BID_OPENED", "IF_BID_COUNTERED", "SALE_PAUSED",
  "SALE_RESUMED", "ENDS_MOVED", "BIDS_VOIDED", "LOT_WITHDRAWN", "LOT_REOPENED",
]);

const followed = new Set(page.follow.map(({ sale_id }) => sale_id));

/** Show notices from now on. */
export function noticesShown() {
  let told = now().told;
  listen((state) => {
    const fresh = state.news.filter(({ number, kind }) => number > told && kind === "notice");
    told = state.told;
    for (const { notice } of fresh) show(notice);
  });
}

function show(notice) {
  countUp();
  if (PAGE_TELLS.has(notice.kind) && followed.has(notice.sale_id)) return;
  showToast(notice.text, { kind: notice.urgent ? "warning" : "info", link: notice.link ?? null });
}

function countUp() {
  for (const badge of document.querySelectorAll("[data-unread]")) {
    const unread = Number(badge.dataset.unread) + 1;
    badge.dataset.unread = String(unread);
    badge.textContent = String(unread);
    badge.hidden = false;
  }
}
