// What the seller says while a page is open: messages to everybody, answers to questions. The API is
// asked now and then whether there is something new, which costs next to nothing when there is not
// (its ETag); the list itself is the server's, and nobody's typing is touched. Each server process
// answers alike, so that it does not matter which one a page is connected to.

import { showToast } from "../../foundation/static/notices.js";
import { showTimes } from "../../foundation/static/time.js";
import { listen, now } from "./live.js";

const MESSAGES_MS = 6_000;
const QUESTIONS_MS = 20_000;
// Of the times between: so that pages which were opened together do not ask together for ever.
const SPREAD = 0.2;
const TOLD_CHARACTERS = 200;

/** Keep the sections of this page as they are on the server, from now on. */
export function keepSaid() {
  keep("messages", MESSAGES_MS, messagesState, tellMessages);
  const lookAtQuestions = keep("questions", QUESTIONS_MS, questionsState, tellQuestions);
  if (lookAtQuestions) onAnswer(document.getElementById("questions"), lookAtQuestions);
}

const messagesState = (items) => String(items[0]?.number ?? 0);
// As the page has it, see bidder_gateway/pages/questions.py.
const questionsState = (items) =>
  items.map((one) => `${one.question_id}/${one.answered_at_us ?? "None"}/${one.hidden ?? "None"}`).join(" ");

function keep(name, everyMs, stateOf, tell) {
  const section = document.getElementById(name);
  if (!section) return null;
  let tag = "";
  let timer = 0;
  let busy = false;
  let gone = false;

  async function look() {
    clearTimeout(timer);
    if (gone) return;
    timer = setTimeout(look, everyMs * (1 + SPREAD * (Math.random() - 0.5)));
    if (busy || document.visibilityState !== "visible") return;
    busy = true;
    try {
      await fetchNew();
    } catch {
      // the line is cut, as the banner says; it is asked again
    } finally {
      busy = false;
    }
  }

  async function fetchNew() {
    const headers = { Accept: "application/json", ...(tag && { "If-None-Match": tag }) };
    const answer = await fetch(section.dataset.api, { headers, cache: "no-store" });
    gone = answer.status === 404; // the sale is not for this reader any more
    if (!answer.ok) return;
    const { items } = await answer.json();
    const state = stateOf(items);
    if (state !== section.dataset.said) {
      const before = section.dataset.said;
      await takeList(section, name);
      section.dataset.said = state;
      section.hidden = false;
      tell(items, before);
    }
    tag = answer.headers.get("ETag") ?? "";
  }

  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, everyMs); // the page has just been drawn
  return look;
}

/** The list as the server draws it now. */
async function takeList(section, name) {
  const answer = await fetch(section.dataset.page, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = document.importNode(drawn.getElementById(`${name}-list`), true);
  const list = document.getElementById(`${name}-list`);
  const open = list.contains(document.activeElement) ? document.activeElement.closest("li")?.id : null;
  list.replaceWith(fresh);
  showTimes(fresh);
  if (open) document.getElementById(open)?.querySelector("summary, a")?.focus({ preventScroll: true });
}

/** A toast is said politely by screen readers, once. */
function tellMessages(items, before) {
  const fresh = items.filter((one) => one.number > Number(before));
  if (fresh.length === 0) return;
  const text = fresh[0].message;
  const short = text.length > TOLD_CHARACTERS ? `${text.slice(0, TOLD_CHARACTERS)}…` : text;
  const more = fresh.length > 1 ? ` (and ${fresh.length - 1} more)` : "";
  showToast(`The seller says: ${short}${more}`);
}

function tellQuestions(items, before) {
  const known = new Set(before.split(" "));
  const fresh = items.filter((one) => one.answer !== null && !known.has(questionsState([one])));
  if (fresh.length === 0) return;
  const many = fresh.length === 1 ? "A question about this lot is answered." : `${fresh.length} questions about this lot are answered.`;
  document.getElementById("questions-news").textContent = many;
}

/** The notice that an answer came is there at once; the page then does not wait. */
function onAnswer(section, look) {
  const { sale, lot } = section.dataset;
  let told = now().told;
  listen((state) => {
    const fresh = state.news.filter(({ number, kind }) => number > told && kind === "notice");
    told = state.told;
    if (fresh.some(({ notice }) => notice.sale_id === sale && notice.lot_id === lot)) look();
  });
}
