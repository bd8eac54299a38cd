// A file is dropped onto the form, or chosen; while it is read a bar says so. The file is kept in
// this browser until the next one, so that correcting its columns needs no second choice.

const form = document.getElementById("upload") ?? document.getElementById("correct");
const input = form?.elements.file;
const area = document.getElementById("drop");
const said = document.getElementById("dropped");

if (area) {
  for (const name of ["dragenter", "dragover"]) area.addEventListener(name, over);
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) take(event.dataTransfer.files[0]);
  });
}
form?.addEventListener("submit", () => {
  const bar = document.getElementById("reading");
  if (bar) bar.hidden = false;
});
input?.addEventListener("change", () => keep(input.files[0]));
if (form?.dataset.kept) kept().then((file) => file && take(file));

function over(event) {
  event.preventDefault();
  area.classList.add("over");
}

function take(file) {
  const carrier = new DataTransfer();
  carrier.items.add(file);
  input.files = carrier.files;
  if (said) said.textContent = `${file.name}, ${Math.ceil(file.size / 1024).toLocaleString("en-US")} KiB.`;
  keep(file);
}

// --- The last file, in this browser only -------------------------------------------------------

function store(mode) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("softclose-import", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("files");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result.transaction("files", mode).objectStore("files"));
  });
}

async function keep(file) {
  if (!file) return;
  try {
    (await store("readwrite")).put(file, "last");
  } catch {
    // A private window keeps nothing: the file is chosen again.
  }
}

async function kept() {
  try {
    const asking = (await store("readonly")).get("last");
    return await new Promise((resolve) => {
      asking.onsuccess = () => resolve(asking.result ?? null);
      asking.onerror = () => resolve(null);
    });
  } catch {
    return null;
  }
}
