// The stock as a grid that is edited in place. The table is made on the server and is whole without
// this. A cell is saved by itself, on the version of its row that was seen; saves of one row go one
// after the other. What the server refuses stays in the cell with the reason beside it.

import { showToast } from "../../foundation/static/notices.js";
import { after, begins, moved } from "./grid_moves.js";

const table = document.getElementById("stock");
const said = document.getElementById("grid-said");
const undoButton = document.getElementById("grid-undo");
const rows = [...table.tBodies[0].rows];
const cells = rows.map((row) => [...row.querySelectorAll("[data-field]")]);
const size = { rows: rows.length, columns: cells[0]?.length ?? 0 };
const saving = new Map(); // row -> the last of its saves
const undone = []; // rows that were changed, the latest last
let at = { row: 0, column: 0 };
let editor = null;

start();

function start() {
  document.getElementById("grid-help").hidden = false;
  table.setAttribute("role", "grid");
  for (const cell of table.querySelectorAll("tbody td")) cell.setAttribute("role", "gridcell");
  for (const line of cells) for (const cell of line) cell.tabIndex = -1;
  for (const link of table.querySelectorAll("a.shown")) link.tabIndex = -1;
  if (cells[0]?.[0]) cells[0][0].tabIndex = 0;
  table.addEventListener("keydown", onKey);
  table.addEventListener("click", onClick);
  table.addEventListener("focusin", onFocus);
  table.addEventListener("change", showChosen);
  undoButton.addEventListener("click", undo);
  showChosen();
}

function placeOf(cell) {
  const row = rows.indexOf(cell.closest("tr"));
  return { row, column: cells[row].indexOf(cell) };
}

function focus(place) {
  cells[at.row][at.column].tabIndex = -1;
  at = place;
  const cell = cells[at.row][at.column];
  cell.tabIndex = 0;
  cell.focus();
}

function onFocus(event) {
  const cell = event.target.closest("[data-field]");
  if (cell === null || editor !== null) return;
  cells[at.row][at.column].tabIndex = -1;
  at = placeOf(cell);
  cell.tabIndex = 0;
}

function onClick(event) {
  if (event.target.closest("a, .editor")) return;
  const cell = event.target.closest("[data-field]");
  if (cell !== null && editor?.cell !== cell) edit(cell);
}

function onKey(event) {
  if (editor !== null) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    undo();
    return;
  }
  const cell = event.target.closest("[data-field]");
  if (cell === null || event.target !== cell) return;
  const place = moved(event.key, at, size, { ctrl: event.ctrlKey || event.metaKey });
  if (place !== null) {
    event.preventDefault();
    focus(place);
  } else if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    edit(cell);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    edit(cell, "");
  } else if (begins(event)) {
    event.preventDefault();
    edit(cell, event.key);
  }
}

// --- Editing -----------------------------------------------------------------------------------

function edit(cell, typed = null) {
  if (editor !== null) finish(editor, null);
  const field = cell.dataset.field;
  const list = document.getElementById(`options-${field}`);
  const input = list?.dataset.closed === "yes" ? choice(list) : document.createElement("input");
  input.className = "editor-input";
  input.value = cell.dataset.typed;
  if (input.tagName === "INPUT") {
    input.autocomplete = "off";
    if (list) input.setAttribute("list", list.id);
    if (typed !== null) input.value = typed;
  }
  input.setAttribute("aria-label", nameOf(cell));
  const shown = cell.querySelector(".shown");
  shown.hidden = true;
  const box = document.createElement("div");
  box.className = "editor";
  box.append(input);
  cell.append(box);
  editor = { cell, input, box, shown, place: placeOf(cell), busy: false };
  const mine = editor;
  input.addEventListener("keydown", (event) => onEditorKey(mine, event));
  input.addEventListener("blur", () => {
    if (editor === mine && !mine.busy) save(mine, null);
  });
  input.focus();
  if (typed === null && input.select) input.select();
}

function choice(list) {
  const select = document.createElement("select");
  select.append(new Option("–", ""));
  for (const option of list.options) select.append(new Option(option.textContent, option.value));
  return select;
}

function nameOf(cell) {
  const title = cells[placeOf(cell).row][0].querySelector(".shown").textContent;
  const label = cell.dataset.label ?? "Title";
  return `${label} of ${title}`;
}

function onEditorKey(mine, event) {
  event.stopPropagation();
  if (event.key === "Escape") {
    event.preventDefault();
    finish(mine, mine.place);
  } else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    save(mine, after(event.key, mine.place, size, { shift: event.shiftKey }));
  }
}

/** Take the input away; `place`: where the focus goes, null: it has gone elsewhere. */
function finish(mine, place) {
  // Before the input goes: its blur must not save it once more.
  if (editor === mine) editor = null;
  mine.box.remove();
  mine.shown.hidden = false;
  mine.cell.removeAttribute("aria-invalid");
  if (place !== null) focus(place);
}

async function save(mine, place) {
  const { cell, input } = mine;
  if (mine.busy) return;
  if (input.value.trim() === cell.dataset.typed) {
    finish(mine, place);
    return;
  }
  mine.busy = true;
  input.setAttribute("aria-busy", "true");
  const row = rows[mine.place.row];
  const fields = { field: cell.dataset.field, value: input.value };
  const answer = await inTurn(row, () => send(row, "cell", fields));
  mine.busy = false;
  input.removeAttribute("aria-busy");
  if (answer.ok) {
    finish(mine, place);
    show(row, answer.body);
    undone.push(row);
    undoButton.disabled = false;
    said.textContent = "Saved.";
  } else {
    refuse(mine, answer);
  }
}

/** The reason beside the cell; what was typed stays. */
function refuse(mine, answer) {
  mine.box.querySelector(".error")?.remove();
  const reason = document.createElement("p");
  reason.className = "error small";
  reason.id = "cell-error";
  reason.setAttribute("role", "alert");
  reason.textContent = answer.body.message;
  if (answer.body.code === "CHANGED_MEANWHILE") {
    const again = document.createElement("a");
    again.href = window.location.href;
    again.textContent = "Show it as it is now";
    reason.append(" ", again);
  }
  mine.box.append(reason);
  mine.input.setAttribute("aria-invalid", "true");
  mine.input.setAttribute("aria-describedby", "cell-error");
  mine.cell.setAttribute("aria-invalid", "true");
  editor = mine;
  mine.input.focus();
}

async function undo() {
  const row = undone.pop();
  undoButton.disabled = undone.length === 0;
  if (row === undefined) return;
  const answer = await inTurn(row, () => send(row, "undo", {}));
  if (answer.ok) {
    show(row, answer.body);
    said.textContent = "Undone.";
  } else {
    showToast(answer.body.message, { kind: "error", urgent: true });
  }
}

// --- With the server ---------------------------------------------------------------------------

function inTurn(row, task) {
  const turn = (saving.get(row) ?? Promise.resolve()).then(task);
  saving.set(row, turn);
  return turn;
}

async function send(row, what, fields) {
  const body = new URLSearchParams({ ...fields, version: row.dataset.version });
  const address = `/desk/lots/${encodeURIComponent(row.dataset.lot)}/${what}`;
  try {
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    const read = await answer.json();
    if (!answer.ok) read.message ??= read.detail || read.title;
    return { ok: answer.ok, body: read };
  } catch {
    return { ok: false, body: { message: "It was not saved: the server was not reached. Try again." } };
  }
}

function show(row, now) {
  row.dataset.version = String(now.version);
  const box = row.querySelector("input[type=checkbox]");
  if (box) box.value = `${row.dataset.lot}:${now.version}`;
  for (const cell of row.querySelectorAll("[data-field]")) {
    const { typed, shown } = now.cells[cell.dataset.field];
    cell.dataset.typed = typed;
    const nothing = cell.dataset.field === "title" ? "Without a title" : "";
    cell.querySelector(".shown").textContent = shown || nothing;
  }
}

function showChosen() {
  const count = table.querySelectorAll("input[type=checkbox]:checked").length;
  const badge = document.getElementById("chosen");
  badge.hidden = count === 0;
  badge.textContent = String(count);
}
