// The ways by which notices reach somebody that need scripts: pushes to this browser, and a phone
// number that is confirmed by a code.

import { showToast } from "../../foundation/static/notices.js";
import { askForPush, endPush, pushState } from "./push.js";

const WORDS = {
  on: ["Pushes come to this browser, also when no page is open.", "Turn off"],
  off: ["Be told on this device when you are outbid, also when no page is open.", "Turn on"],
  denied: ["This browser does not allow pushes from here. Allow notifications in its settings for this site first.", ""],
};

function showPush(state) {
  const [words, action] = WORDS[state] ?? [];
  const box = document.querySelector("[data-push]");
  const button = box.querySelector("[data-push-button]");
  document.querySelector("[data-push-none]").hidden = Boolean(words);
  box.hidden = !words;
  if (!words) return;
  box.querySelector("[data-push-words]").textContent = words;
  button.textContent = action;
  button.hidden = !action;
  button.dataset.state = state;
}

document.querySelector("[data-push-button]").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.setAttribute("aria-busy", "true");
  try {
    showPush(button.dataset.state === "on" ? await endPush() : await askForPush());
  } catch {
    showToast("That did not work. Try again in a moment.", { kind: "error" });
  } finally {
    button.removeAttribute("aria-busy");
  }
});

pushState().then(showPush, () => showPush("unsupported"));

const PHONE = "/api/v1/notices/phone";
const number = document.querySelector("[data-phone]");
const code = document.querySelector("[data-code]");
const fault = document.querySelector("[data-phone-fault]");

async function send(path, value) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
  if (answer.ok) return;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? "That did not work. Try again in a moment.");
}

/** A form whose answer is shown here. */
function onSend(form, done) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    try {
      await done(new FormData(form));
    } catch (error) {
      fault.textContent = error.message;
      fault.hidden = false;
    }
  });
}

if (number) {
  number.hidden = false;
  onSend(number, async (fields) => {
    await send(PHONE, { phone: fields.get("phone").replace(/[\s().-]/g, "") });
    code.hidden = false;
    code.elements.code.focus();
  });
  onSend(code, async (fields) => {
    await send(`${PHONE}/confirm`, { code: fields.get("code").trim() });
    location.reload();
  });
}
