// The form of a claim: as many rows as are needed, and a line is chosen from the manifest by a click.

const MOST = 60;
const rows = document.getElementById("claim-rows");

const more = document.createElement("button");
more.type = "button";
more.textContent = "Another line";
more.addEventListener("click", () => add()?.querySelector("input").focus());
rows.after(more);

function add() {
  const count = rows.children.length;
  if (count >= MOST) return null;
  const row = rows.lastElementChild.cloneNode(true);
  for (const field of row.querySelectorAll("input, select")) {
    field.value = "";
    const id = field.id.replace(/\d+$/, String(count + 1));
    row.querySelector(`label[for="${field.id}"]`).htmlFor = id;
    field.id = id;
  }
  rows.append(row);
  more.hidden = rows.children.length >= MOST;
  return row;
}

function blank() {
  return [...rows.children].find((row) => [...row.querySelectorAll("input, select")].every((field) => field.value === ""));
}

for (const line of document.querySelectorAll("[data-line]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Claim";
  button.setAttribute("aria-label", `Claim line ${line.dataset.line}`);
  button.addEventListener("click", () => {
    const row = blank() ?? add();
    if (row === null) return;
    row.querySelector("[name=line]").value = line.dataset.line;
    row.querySelector("[name=quantity]").value = line.dataset.pieces === "1" ? "1" : "";
    row.querySelector("[name=loss]").value = "10000";
    row.querySelector("[name=reason]").focus();
    row.scrollIntoView({ block: "center" });
  });
  line.lastElementChild.append(" ", button);
}
