// Small parts of live pages, as components.

import { html } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { inUtc, inWords } from "../../foundation/static/time.js";
import { errorInWords, errorMatters, leftInSpeech, leftInWords, urgency } from "../../foundation/static/countdown.js";
import { clock, ownTime } from "./live.js";
import { useTicking } from "./ticker.js";
import { RESERVES, STANDINGS, STATUSES } from "./words.js";

/** A moment of the server's, in the viewer's zone. */
export function Moment({ at, style = "time" }) {
  const moment = new Date(at / 1_000);
  return html`<time datetime=${moment.toISOString()} title=${inUtc(moment)}>${inWords(moment, { style })}</time>`;
}

/** The time left of a lot, by the server's clock. ``big``: with the error where it matters. */
export function Countdown({ lot, paused, windowUs, big = false }) {
  const { closes_at_us, opens_at_us, status } = lot;
  const shown = useTicking(
    () => timeLeft({ closes_at_us, opens_at_us, status }, paused, windowUs),
    [closes_at_us, opens_at_us, status, paused, windowUs],
  );
  const look = `countdown ${shown.look}${big ? " big" : ""}`;
  if (shown.at) {
    return html`<span class="${look} moment"><${Icon} name="clock" /> <span>${shown.prefix} <${Moment} at=${shown.at} style="short" /></span></span>`;
  }
  return html`<span class=${look} role="timer">
    <${Icon} name=${paused ? "pause" : "clock"} />
    ${shown.prefix && html`<span class="unlisted">${shown.prefix} </span>`}
    <span aria-hidden=${shown.speech ? "true" : undefined}>${shown.words}</span>
    ${shown.speech && html`<span class="unlisted">${shown.speech}</span>`}
    ${shown.error && html` <small class="error-bound">${shown.error}</small>`}
  </span>`;
}

/** How the end of a lot is told now. */
export function timeLeft(lot, paused, windowUs) {
  if (lot.status !== "LIVE") {
    return lot.status === "IF_BID"
      ? { look: "over", prefix: "Until", at: lot.closes_at_us }
      : { look: "over", words: STATUSES[lot.status] ?? "Ended" };
  }
  if (paused) return { look: "soon", words: "Paused" };
  const own = ownTime();
  const reading = clock.read(own);
  if (reading === null) return { look: "", prefix: "Ends", at: lot.closes_at_us };
  if (reading.now < lot.opens_at_us) return { look: "", prefix: "Opens", at: lot.opens_at_us };
  const left = clock.left(own, lot.closes_at_us);
  if (left <= 0) return { look: "over", words: "Ended", speech: "Ended: waiting for the result" };
  return {
    look: urgency(left, windowUs),
    prefix: "Ends in",
    words: leftInWords(left),
    speech: leftInSpeech(left),
    error: errorMatters(reading.error, left) ? errorInWords(reading.error) : null,
  };
}

/** Where the viewer stands: an icon and words, and a colour besides. */
export function Standing({ position, watched = false, children = null }) {
  const name = position || (watched ? "watched" : "");
  if (!name) return null;
  const { icon, words } = STANDINGS[name];
  return html`<p class="standing ${name}"><${Icon} name=${icon} /><span>${words}</span>${children}</p>`;
}

/** Whether the reserve is met. */
export function Reserve({ lot }) {
  const { icon, kind, words } = RESERVES[lot.reserve];
  return html`<span class="badge ${kind}"><${Icon} name=${icon} />${words}</span>`;
}

/** Sold, not sold, withdrawn; nothing while the lot is open. */
export function Status({ lot }) {
  if (lot.status === "LIVE") return null;
  const kind = lot.status === "SOLD" ? "good" : "";
  const icon = lot.status === "SOLD" ? "gavel" : lot.status === "IF_BID" ? "clock" : "minus";
  return html`<span class="badge ${kind}"><${Icon} name=${icon} />${STATUSES[lot.status]}</span>`;
}
