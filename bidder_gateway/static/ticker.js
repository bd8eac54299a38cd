// One timer for all countdowns of a page: a component is drawn again when its words change.

import { useEffect, useState } from "../../foundation/static/html.js";

const TICK_MS = 200;

const waiting = new Set();
let timer = null;

/** Call several times a second, until the returned function is called. */
export function everyTick(run) {
  waiting.add(run);
  timer ??= setInterval(() => waiting.forEach((one) => one()), TICK_MS);
  return () => {
    waiting.delete(run);
    if (waiting.size === 0) timer = clearInterval(timer) ?? null;
  };
}

/** A value that time changes; it is compared by what it looks like as JSON. */
export function useTicking(compute, inputs) {
  const [text, setText] = useState(() => JSON.stringify(compute()));
  useEffect(() => {
    const look = () => setText(JSON.stringify(compute()));
    look();
    return everyTick(look);
  }, inputs);
  return JSON.parse(text);
}
