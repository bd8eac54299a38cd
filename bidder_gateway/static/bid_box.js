// The box beside a lot: where its bidding stands, where the viewer stands, and the form to bid in
// or the way that leads to it. The server draws the same for the first paint (bid_box.html).

import { html } from "../../foundation/static/html.js";
import { Icon } from "../../foundation/static/icons.js";
import { BidForm } from "./bid_form.js";
import { shareOfMsrp } from "./costs.js";
import { errorInWords } from "../../foundation/static/countdown.js";
import { clock, ownTime, page } from "./live.js";
import { money } from "../../foundation/static/money.js";
import { Outcome } from "./outcome.js";
import { Countdown, Moment, Reserve, Standing } from "./parts.js";
import { useTicking } from "./ticker.js";
import { Price, bidsInWords, priceLabel } from "./tile.js";
import { Watch } from "./watching.js";
import { count } from "./words.js";

export function BidBox({ sale, lot, position, viewer, bid, watched, typed }) {
  const { terms, paused } = sale.sale;
  const opens = useOpens(lot);
  const write = (minor) => money(minor, terms.currency);
  const share = shareOfMsrp(lot.price_minor ?? lot.opening_minor, page.lot.msrp_minor);
  return html`<${Standing} position=${position} watched=${watched} />
    <h2 class="unlisted" id="bid-heading">Bidding on lot ${lot.lot_id}</h2>
    <div class="head">
      <p><span class="label">${priceLabel(lot)}</span><br /><${Price} lot=${lot} currency=${terms.currency} big /></p>
      <p><span class="label">${lot.status === "LIVE" && !opens ? "Time left" : "Bidding"}</span><br /><${Countdown} lot=${lot} paused=${paused} windowUs=${terms.soft_close?.window_us} big /></p>
    </div>
    <p class="row small">
      <span>${bidsInWords(lot)}</span>
      ${share && html`<span>${share} of MSRP</span>`}
      <${Reserve} lot=${lot} />
    </p>
    <${Ends} lot=${lot} />
    <${Doing} sale=${sale} lot=${lot} position=${position} viewer=${viewer} typed=${typed} />
    <div class="outcomes"><${Outcome} bid=${bid} position=${position} /></div>
    <div class="row between">
      <${Watch} sale_id=${sale.sale_id} lot_id=${lot.lot_id} title=${`lot ${lot.lot_id}`} />
      ${sale.own && html`<${Limits} own=${sale.own} write=${write} />`}
    </div>`;
}

/** When the lot ends, what moved it, and how well the time is known. */
function Ends({ lot }) {
  const error = useTicking(() => {
    const reading = clock.read(ownTime());
    return reading ? errorInWords(reading.error) : null;
  }, []);
  if (lot.status !== "LIVE") return null;
  const extended = lot.extensions > 0 ? `, extended ${count(lot.extensions, "time")}` : "";
  const final = lot.latest_end_us === lot.closes_at_us ? " This end is final." : "";
  return html`<p class="small muted ends">
    Ends <${Moment} at=${lot.closes_at_us} style="seconds" /><strong>${extended}</strong>.${final}${error ? ` By the server's clock, ${error}.` : ""}
  </p>`;
}

/** Whether the lot opens later, by the server's clock. */
function useOpens(lot) {
  return useTicking(() => {
    const reading = clock.read(ownTime());
    return reading !== null && reading.now < lot.opens_at_us;
  }, [lot.opens_at_us]);
}

/**
 * The form to bid in, or why there is none and what to do about it. ``viewer``: who the server takes
 * us for by now, undefined while it has not said: a login may have ended since the page was made.
 */
function Doing({ sale, lot, position, viewer, typed }) {
  const { own } = sale;
  const { terms, paused } = sale.sale;
  const opens = useOpens(lot);
  if (lot.status !== "LIVE") return html`<${Ended} sale=${sale} lot=${lot} position=${position} />`;
  if (!page.signed_in || viewer === null) return html`<${Way} icon="user" text="Sign in and register for the sale to bid." href=${page.sign_in_path} words="Sign in to bid" />`;
  if (!page.may_bid) return html`<${Told} icon="info" kind="info" text=${page.may_not_bid} />`;
  if (viewer && !viewer.may_bid) return html`<${Told} icon="shield" kind="warn" text="Your organisation may not bid now. See its approval." />`;
  if (own === null) return html`<${Way} icon="document" text="Registering takes a minute: you read the terms and get a bidder number." href=${page.register_path} words="Register to bid" />`;
  const missing = lot.restrictions.filter((one) => !own.accepted.includes(one));
  if (own.terms_version !== terms.version || missing.length) {
    const text = missing.length ? "This lot has restrictions that you have not accepted yet." : "The terms of this sale have changed since you accepted them.";
    return html`<${Way} icon="document" text=${text} href=${page.register_path} words="Read and accept" />`;
  }
  if (paused) {
    const why = sale.sale.paused_because ? `: ${sale.sale.paused_because}` : "";
    return html`<${Told} icon="pause" kind="warn" text=${`The sale is paused${why}. Bids are taken again when it goes on; no lot ends meanwhile.`} />`;
  }
  if (opens) return html`<${Told} icon="calendar" kind="info" text="Bidding on this lot has not begun. You can bid here as soon as it opens." />`;
  return html`<${BidForm} sale=${sale} lot=${lot} position=${position} before=${typed} />`;
}

function Told({ icon, kind, text }) {
  return html`<div class="note ${kind}"><${Icon} name=${icon} /><p>${text}</p></div>`;
}

function Way({ icon, text, href, words }) {
  return html`<div class="stack tight">
    <p>${text}</p>
    <p><a class="button primary large full" href=${href}><${Icon} name=${icon} />${words}</a></p>
  </div>`;
}

/** What happens next, once the bidding has ended. */
function Ended({ sale, lot, position }) {
  const write = (minor) => money(minor, sale.sale.terms.currency);
  const counter = sale.counters[lot.lot_id] ?? page.lot.counter_minor;
  if (position === "won") {
    return html`<div class="note good"><${Icon} name="trophy" /><div class="stack tight">
      <p><strong>You won for ${write(lot.price_minor)}.</strong> ${page.after_winning}</p>
      <p><a class="button" href="/won">What I won</a></p>
    </div></div>`;
  }
  if (position === "bound") return html`<${Bound} lot=${lot} counter=${counter} write=${write} />`;
  if (position === "lost") {
    return html`<div class="note info"><${Icon} name="info" /><div class="stack tight">
      <p>Another bidder won${lot.status === "SOLD" ? ` for ${write(lot.price_minor)}` : ""}. You owe nothing for this lot, and it no longer counts towards your limit.</p>
      <p><a class="button" href=${page.sale_path}>Other lots of this sale</a></p>
    </div></div>`;
  }
  const texts = {
    SOLD: `Sold for ${write(lot.price_minor ?? 0)}.`,
    PASSED: lot.price_minor === null ? "Nobody bid on this lot." : "The highest bid did not reach the seller's reserve.",
    WITHDRAWN: "The seller has withdrawn this lot. No bid on it counts any more.",
    IF_BID: "The highest bid did not reach the reserve. The seller may accept it until the time above.",
  };
  return html`<div class="note info"><${Icon} name="info" /><div class="stack tight">
    <p>${texts[lot.status]}</p>
    <p><a class="button" href=${page.sale_path}>Other lots of this sale</a></p>
  </div></div>`;
}

/** The highest bid below the reserve stays bound while the seller decides. */
function Bound({ lot, counter, write }) {
  if (!counter) {
    return html`<div class="note info"><${Icon} name="clock" /><p>
      Your bid of ${write(lot.price_minor)} is the highest, but below the seller's reserve. It stands until <${Moment} at=${lot.closes_at_us} style="short" />: until then the seller may accept it, decline it, or ask you for more.
    </p></div>`;
  }
  return html`<div class="note warn"><${Icon} name="dollar" /><div class="stack">
    <p><strong>The seller asks you for ${write(counter)}.</strong> Your bid of ${write(lot.price_minor)} stands whatever you answer, until <${Moment} at=${lot.closes_at_us} style="short" />.</p>
    <form method="post" action=${page.counter_path} class="row">
      <button name="answer" value="accept" class="primary">Pay ${write(counter)}</button>
      <button name="answer" value="decline">No, thank you</button>
    </form>
  </div></div>`;
}

function Limits({ own, write }) {
  const used = own.limit_minor === null ? "no limit" : `${write(own.exposure_minor)} of ${write(own.limit_minor)} used`;
  return html`<p class="small muted">Bidder ${own.paddle} · ${used}</p>`;
}

