// The server's clock, as far as a client can know it, and the time left by it.
//
// A sample is a question over the WebSocket: c0 when it was asked and c3 when the answer came, by
// our own clock; s1 when it arrived and s2 when it was answered, by the server's. The offset
// between the clocks is ((s1 - c0) + (s2 - c3)) / 2, wrong by at most half of
// (c3 - c0) - (s2 - s1), however unevenly the way there and back took. Of the last eight samples
// the one with the smallest error counts, and its error grows while it ages, as clocks drift.
//
// A countdown that shows time left after the end would make somebody bid too late. So the time
// left is counted from the latest moment that it may be at the server: with the error taken off.
//
// All times here are microseconds; our own clock is any that does not jump.

/** Samples that are kept. */
export const SAMPLES = 8;
// Clocks of computers drift apart by less than this part, and are slewed by no more (RFC 5905).
const DRIFT = 500e-6;
// Two clocks of this device that disagree by so much: it slept, and one of them stood still.
const SLEPT_US = 250_000;
// An error below this is smaller than what a person can act on, and is not shown at the countdown.
const NOTEWORTHY_US = 150_000;

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is known of the server's clock. */
export class ServerClock {
  #samples = [];
  #apart = null; // this device's two clocks, when last looked at

  /** Take in an answer. What cannot be (an answer before its question) is left out. */
  add({ c0, s1, s2, c3 }) {
    const round = c3 - c0 - (s2 - s1);
    if (!(c3 >= c0 && s2 >= s1 && round >= 0)) return;
    const sample = { offset: (s1 - c0 + (s2 - c3)) / 2, half: round / 2, at: c3 };
    // Samples that cannot all be true: the server's clock was set anew, and the old ones are void.
    const agreeing = this.#samples.filter((old) => {
      const between = Math.abs(old.offset - sample.offset);
      return between <= errorOf(old, c3) + sample.half;
    });
    this.#samples = [...agreeing, sample].slice(-SAMPLES);
  }

  /** Forget everything: the next sample is the first. */
  forget() {
    this.#samples = [];
  }

  /**
   * Compare this device's steady clock with its wall clock. If they went apart it slept, the
   * steady one may have stood still, and nothing is known any more.
   */
  lookForSleep(own, wall) {
    const apart = wall - own;
    if (this.#apart !== null && Math.abs(apart - this.#apart) > SLEPT_US) this.forget();
    this.#apart = apart;
  }

  get known() {
    return this.#samples.length > 0;
  }

  /** The server's time now and how far it may be wrong; null while nothing is known. */
  read(own) {
    let best = null;
    for (const sample of this.#samples) {
      if (best === null || errorOf(sample, own) < errorOf(best, own)) best = sample;
    }
    return best && { now: own + best.offset, error: errorOf(best, own) };
  }

  /** The time that is left for certain before a moment of the server's; null: not known. */
  left(own, until) {
    const reading = this.read(own);
    return reading && until - (reading.now + reading.error);
  }
}

function errorOf(sample, own) {
  return sample.half + Math.max(0, own - sample.at) * DRIFT;
}

/** Time left in words. Rounded up to the second: "0:00" is never shown while there is any. */
export function leftInWords(left) {
  if (left <= 0) return "0:00";
  if (left > 2 * DAY) return `${Math.floor(left / DAY)} days`;
  if (left > DAY) return `1 day ${Math.floor((left - DAY) / HOUR)} h`;
  const seconds = Math.ceil(left / SECOND);
  const two = (value) => String(value).padStart(2, "0");
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** The same for a screen reader: "2 minutes 5 seconds". */
export function leftInSpeech(left) {
  const seconds = Math.max(0, Math.ceil(left / SECOND));
  const parts = [
    [Math.floor(seconds / 86_400), "day"],
    [Math.floor(seconds / 3_600) % 24, "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ].filter(([count]) => count > 0);
  if (parts.length === 0) return "no time";
  return parts.slice(0, 2).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ");
}

/** An error as "±0.02 s". Rounded up, since it is a promise. */
export function errorInWords(error) {
  const seconds = error / SECOND;
  if (seconds < 0.01) return "±0.01 s";
  return seconds < 1 ? `±${(Math.ceil(seconds * 100) / 100).toFixed(2)} s` : `±${(Math.ceil(seconds * 10) / 10).toFixed(1)} s`;
}

/** Whether the error is large enough, and the end near enough, to be told at the countdown. */
export function errorMatters(error, left) {
  return error > NOTEWORTHY_US && left < 2 * MINUTE;
}

/** How the countdown looks: "over", "last" (under a minute), "soon" (in the window), "". */
export function urgency(left, windowUs = 0) {
  if (left <= 0) return "over";
  if (left <= MINUTE) return "last";
  return left <= Math.max(windowUs, 5 * MINUTE) ? "soon" : "";
}
