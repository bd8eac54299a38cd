// A signature drawn with a finger, a pen or a mouse: lines in a box of 600 x 200.

const pad = document.getElementById("pad");
const field = document.querySelector("#signing input[name=path]");
const clear = document.getElementById("clear");
const MOST = 38_000; // characters; the server takes a little more
const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
pad.append(path);
let drawing = false;
let drawn = "";

function place(event) {
  const box = pad.getBoundingClientRect();
  const x = Math.min(600, Math.max(0, ((event.clientX - box.left) / box.width) * 600));
  const y = Math.min(200, Math.max(0, ((event.clientY - box.top) / box.height) * 200));
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function show() {
  path.setAttribute("d", drawn);
  field.value = drawn;
  clear.hidden = drawn === "";
}

pad.addEventListener("pointerdown", (event) => {
  drawing = true;
  pad.setPointerCapture(event.pointerId);
  drawn += `${drawn ? " " : ""}M${place(event)}`;
});
pad.addEventListener("pointermove", (event) => {
  if (!drawing || drawn.length > MOST) return;
  drawn += ` L${place(event)}`;
  show();
});
for (const name of ["pointerup", "pointercancel"]) {
  pad.addEventListener(name, () => {
    drawing = false;
  });
}
clear.addEventListener("click", () => {
  drawn = "";
  show();
});
