// Notices that the server sends while a page is open: a toast, and the count in the navigation.
// What the page tells by itself, because it follows the sale, is not told twice.

import { showToast } from "../../foundation/static/notices.js";
import { listen, now, page } from "./live.js";

const PAGE_TELLS = new Set([
  "OUTBID", "LEADING_AGAIN", "LOT_WON", "LOT_LOST", "IF_BID_OPENED", "IF_BID_COUNTERED", "SALE_PAUSED",
  "SALE_RESUMED", "ENDS_MOVED", "LOTS_RESCHEDULED", "BIDS_VOIDED", "LOT_WITHDRAWN", "LOT_REOPENED",
]);

const followed = new Set(page.follow.map(({ sale_id }) => sale_id));

/** Show notices from now on. */
export function noticesShown() {
  count().catch(() => {}); // the count is shown by the next page
  let told = now().told;
  listen((state) => {
    const fresh = state.news.filter(({ number, kind }) => number > told && kind === "notice");
    told = state.told;
    for (const { notice } of fresh) show(notice);
  });
}

function show(notice) {
  showCount(unread + 1);
  if (PAGE_TELLS.has(notice.kind) && followed.has(notice.sale_id)) return;
  showToast(`${notice.title}. ${notice.text}`, { kind: notice.urgent ? "warning" : "info", link: notice.link });
}

/** How many notices were not read, in the navigation. */
async function count() {
  if (!page.signed_in) return;
  const answer = await fetch("/api/v1/notices/count", { headers: { Accept: "application/json" } });
  if (answer.ok) showCount((await answer.json()).unread);
}

let unread = 0;

function showCount(now) {
  unread = now;
  const link = document.querySelector('.main-nav a[href="/notices"]');
  if (!link) return;
  let badge = link.querySelector(".count");
  if (!badge) {
    badge = document.createElement("span");
    badge.className = "count";
    link.append(badge);
  }
  badge.hidden = now === 0;
  badge.textContent = now > 99 ? "99+" : String(now);
  badge.setAttribute("aria-label", `${now} not read`);
}
