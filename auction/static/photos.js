// Photos of a lot: dropped, chosen or taken, sent to the API one after the other with a bar for each;
// moved by buttons or by Alt with an arrow, described, removed and brought back. The part of the page
// is taken from its own page after each change; what somebody is typing in it stays. Without this the
// forms of the part do the same.

const LATER_NEEDS_A_CLICK = "yes";
// A camera's picture is made smaller before it is sent over a dock's bad line; the longest edge is that
// of the largest size that the server makes.
const HEAVY_BYTES = 2 * 2 ** 20;
const LONGEST_EDGE = 2000;

let turn = Promise.resolve();
const uploads = document.createElement("ul");
const said = document.createElement("p");
uploads.className = "uploads stack tight";
uploads.setAttribute("aria-label", "Pictures that are sent");
said.className = "small";
said.setAttribute("role", "status");
part().append(uploads, said);
prepare();

document.addEventListener("submit", onSubmit);
document.addEventListener("change", onChange);
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(name, onDrag);

function part() {
  return document.getElementById("lot-photos");
}

function api(...more) {
  return ["/api/v1/desk/lots", encodeURIComponent(part().dataset.lot), "photos", ...more].join("/");
}

function say(text) {
  said.textContent = text;
}

// What only scripts offer.
function prepare() {
  part().classList.add("scripted");
  const form = document.getElementById("photo-add");
  if (form === null) return;
  document.getElementById("photo-camera").hidden = false;
  form.elements.photo.required = false;
  if (part().dataset.later !== LATER_NEEDS_A_CLICK) document.getElementById("photo-send").hidden = true;
}

function onSubmit(event) {
  const form = event.target;
  if (form.id === "photo-add") {
    event.preventDefault();
    const files = [...form.elements.photo.files];
    if (files.length > 0) send(files, form.elements.alt?.value ?? "");
    else say("Choose pictures first.");
    return;
  }
  if (!form.classList.contains("photo-form")) return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.getAttribute("aria-disabled") === "true") return;
  act(button?.value ?? "describe", Number(form.dataset.photo), button?.id ?? "");
}

function onChange(event) {
  const field = event.target;
  if (field.id === "field-photo") {
    if (part().dataset.later !== LATER_NEEDS_A_CLICK) send([...field.files], "");
  } else if (field.name === "alt" && field.form?.classList.contains("photo-form")) {
    act("describe", Number(field.form.dataset.photo), "");
  }
}

function onKey(event) {
  const way = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  const form = event.target.closest?.("li")?.querySelector(".photo-form");
  if (!event.altKey || way === undefined || !form || !part().contains(form)) return;
  event.preventDefault();
  act(way, Number(form.dataset.photo), event.target.id);
}

function onClick(event) {
  if (event.target.closest("#photo-camera") === null) return;
  const camera = document.createElement("input");
  Object.assign(camera, { type: "file", accept: "image/jpeg" });
  camera.setAttribute("capture", "environment");
  camera.addEventListener("change", () => take([...camera.files]));
  camera.click();
}

function onDrag(event) {
  const form = document.getElementById("photo-add");
  if (form === null || !part().contains(event.target)) return;
  if (![...event.dataTransfer.types].includes("Files")) return;
  const over = event.type === "dragenter" || event.type === "dragover";
  form.classList.toggle("over", over);
  if (event.type === "dragleave") return;
  event.preventDefault();
  if (event.type === "drop") take([...event.dataTransfer.files]);
}

// What is added for good waits for a click.
function take(files) {
  const form = document.getElementById("photo-add");
  if (part().dataset.later !== LATER_NEEDS_A_CLICK) {
    send(files, "");
    return;
  }
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  form.elements.photo.files = carrier.files;
  form.elements.alt.focus();
  say(`${files.length === 1 ? "One picture is" : `${files.length} pictures are`} chosen, not yet added.`);
}

// --- Sending -----------------------------------------------------------------------------------

function send(files, alt) {
  for (const failed of uploads.querySelectorAll(".failed")) failed.remove();
  const waiting = files.map((file) => [file, entry(file)]);
  turn = turn.then(async () => {
    let added = 0;
    for (const [file, item] of waiting) {
      const fault = await sent(await lighter(file), alt, item.querySelector("progress"));
      if (fault === "") {
        added += 1;
        item.remove();
        await redraw();
      } else {
        fail(item, file, fault);
      }
    }
    const form = document.getElementById("photo-add");
    if (form !== null && added > 0) form.reset();
    const missed = files.length - added;
    say(`${added} of ${files.length} added.${missed ? ` ${missed} not taken: see why below.` : ""}`);
  });
}

function entry(file) {
  const item = document.createElement("li");
  const bar = document.createElement("progress");
  const name = document.createElement("span");
  name.textContent = file.name;
  bar.setAttribute("aria-label", `${file.name} is sent`);
  Object.assign(bar, { max: 1, value: 0 });
  item.append(name, bar);
  uploads.append(item);
  return item;
}

function fail(item, file, fault) {
  item.className = "failed error";
  item.textContent = `${file.name}: ${fault}`;
}

// What this browser cannot decode is sent as it is: the server says what it is.
async function lighter(file) {
  if (file.size <= HEAVY_BYTES) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = LONGEST_EDGE / Math.max(picture.width, picture.height);
    if (scale >= 1) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paper = canvas.getContext("2d");
    paper.fillStyle = "white";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.imageSmoothingQuality = "high";
    paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return (await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92))) ?? file;
  } catch {
    return file;
  }
}

// Why it was not taken; "": it was. XMLHttpRequest, because fetch tells nothing of what is under way.
function sent(file, alt, bar) {
  const most = Number(part().dataset.mostMib);
  if (file.size > most * 2 ** 20) return Promise.resolve(`This picture is larger than ${most} MiB.`);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${api()}?${new URLSearchParams({ alt })}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.loaded < event.total) bar.value = event.loaded / event.total;
      else bar.removeAttribute("value"); // it is there, and made smaller
    });
    request.addEventListener("load", () => resolve(request.status === 201 ? "" : reason(request.responseText)));
    request.addEventListener("error", () => resolve("The server was not reached. Choose it again."));
    request.send(file);
  });
}

function reason(text) {
  try {
    const problem = JSON.parse(text);
    return problem.detail || problem.title;
  } catch {
    return "The server could not take it.";
  }
}

// --- Changing ----------------------------------------------------------------------------------

function act(what, number, focusId) {
  turn = turn.then(() => done(what, number, focusId));
}

async function done(what, number, focusId) {
  const asked = request(what, number);
  if (asked === null) return;
  const [method, path, body] = asked;
  const headers = { Accept: "application/json", "If-Match": `"${part().dataset.version}"` };
  if (body !== null) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
    if (!answer.ok) {
      const why = reason(await answer.text());
      await redraw();
      say(why);
      return;
    }
  } catch {
    say("Nothing was changed: the server was not reached.");
    return;
  }
  await redraw(what === "remove" ? `?removed=${number}` : "");
  const place = numbers().indexOf(number) + 1;
  say({ describe: "Saved.", remove: "The photo is removed.", back: "The photo is back." }[what]
    ?? `The photo is at place ${place} of ${numbers().length}.`);
  const wanted = document.getElementById(what === "remove" ? "photo-back" : focusId);
  if (what !== "describe") (wanted ?? document.getElementById("photos")).focus();
}

function request(what, number) {
  if (what === "remove") return ["DELETE", api(number), null];
  if (what === "back") return ["POST", api(number, "bring-back"), null];
  if (what === "describe") {
    const field = document.getElementById(`alt-${number}`);
    if (field === null || field.value.trim() === field.defaultValue) return null;
    return ["PATCH", api(number), { alt: field.value.trim() }];
  }
  const order = numbers();
  const place = order.indexOf(number);
  const other = place + (what === "left" ? -1 : 1);
  if (place < 0 || other < 0 || other >= order.length) return null;
  [order[place], order[other]] = [order[other], order[place]];
  return ["PUT", api(), { numbers: order }];
}

function numbers() {
  return [...part().querySelectorAll("li .photo-form")].map((form) => Number(form.dataset.photo));
}

// The part as it is now. Fields that differ from what was there keep what was typed.
async function redraw(query = "") {
  const answer = await fetch(`${part().dataset.page}${query}`, { headers: { Accept: "text/html" } });
  if (!answer.ok) {
    window.location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = document.adoptNode(page.getElementById("lot-photos"));
  const old = part();
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  for (const field of old.querySelectorAll("input[name=alt]")) {
    const same = fresh.querySelector(`[id="${CSS.escape(field.id)}"]`);
    if (same !== null && (field.value !== field.defaultValue || field.id === focused)) {
      if (field.value !== field.defaultValue) same.value = field.value;
      if (field.id === focused) queueMicrotask(() => same.setSelectionRange(field.selectionStart, field.selectionEnd));
    }
  }
  fresh.append(uploads, said);
  old.replaceWith(fresh);
  prepare();
  if (focused) document.getElementById(focused)?.focus();
}
