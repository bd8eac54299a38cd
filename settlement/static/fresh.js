// A page whose matter goes on by itself: it is asked whether it is current, and what is new is put
// in its place, so that nobody has to load it again. Nothing is replaced under somebody's hands.

const SOON_MS = 2_000;
const LATER_MS = 15_000;

let place = document.getElementById("fresh");
if (place) next();

function next() {
  setTimeout(look, place.dataset.waiting === "yes" ? SOON_MS : LATER_MS);
}

async function look() {
  try {
    if (!document.hidden && !busy()) await ask();
  } catch {
    // the network is away for a moment, or the page is
  }
  next();
}

/** Whether somebody has begun to do something here. */
function busy() {
  const active = document.activeElement;
  const typing = active !== null && place.contains(active) && active.matches("input:not([type=radio]), select, textarea");
  return typing || place.querySelector("form[data-sent], details[open], input:checked:not([checked])") !== null;
}

async function ask() {
  const answer = await fetch(place.dataset.address, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) return;
  const { stamp } = await answer.json();
  if (stamp === place.dataset.stamp) return;
  const page = await fetch(window.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!page.ok) return;
  const found = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("fresh");
  if (found === null || busy()) return;
  const held = document.activeElement?.id;
  place.replaceWith(document.adoptNode(found));
  place = found;
  if (held) document.getElementById(held)?.focus();
}
