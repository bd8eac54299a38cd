// Lots of a sale are put in another order without loading the page again: the buttons are those of
// the form, Alt with an arrow does the same from anywhere in a row. The ends belong to the places,
// not to the lots, and stay where they are.

import { showToast } from "../../foundation/static/notices.js";

const form = document.getElementById("order-form");
const body = document.querySelector("#sale-lots tbody");
const said = document.getElementById("order-said");
let turn = Promise.resolve();

form.addEventListener("submit", (event) => {
  const [way, id] = (event.submitter?.value ?? "").split(":");
  if (way !== "up" && way !== "down") return;
  event.preventDefault();
  turn = turn.then(() => move(way, id, event.submitter));
});

body.addEventListener("keydown", (event) => {
  const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  const row = event.target.closest("tr");
  if (!event.altKey || way === undefined || row === null) return;
  event.preventDefault();
  const focused = event.target;
  turn = turn.then(() => move(way, row.id.slice("lot-".length), focused));
});

async function move(way, id, focused) {
  const row = document.getElementById(`lot-${id}`);
  const other = way === "up" ? row.previousElementSibling : row.nextElementSibling;
  if (other === null) return;
  const fields = new URLSearchParams({ version: form.elements.version.value, do: `${way}:${id}` });
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
    const now = await answer.json();
    if (!answer.ok) {
      showToast(now.detail || now.title, { kind: "error", link: window.location.pathname, linkText: "Show it as it is now", urgent: true });
      return;
    }
    for (const input of document.querySelectorAll("input[name=version]")) input.value = String(now.version);
  } catch {
    showToast("The order was not changed: the server was not reached.", { kind: "error", urgent: true });
    return;
  }
  swap(row, other, way);
  focused.focus();
  const place = [...body.rows].indexOf(row) + 1;
  said.textContent = `Lot ${row.dataset.number} is at place ${place} of ${body.rows.length}.`;
}

function swap(row, other, way) {
  const [ends, others] = [row, other].map((one) => one.querySelector(".ends"));
  [ends.textContent, others.textContent] = [others.textContent, ends.textContent];
  if (way === "up") other.before(row);
  else other.after(row);
  const last = body.rows.length - 1;
  for (const [place, one] of [...body.rows].entries()) {
    const [up, down] = one.querySelectorAll(".order-buttons button");
    up.setAttribute("aria-disabled", String(place === 0));
    down.setAttribute("aria-disabled", String(place === last));
  }
}
