// How far publishing has come, while it goes on: a bar and a sentence. The form is sent as any
// other; its answer takes the place of this page. On the page of a sale that is being published
// already, the page is loaded again once something else is so.

const EVERY_MS = 400;
const form = document.getElementById("publish");
const waiting = document.getElementById("publishing");

if (form) form.addEventListener("submit", () => follow(form, null));
if (waiting) follow(waiting, "PUBLISHING");

async function follow(place, until) {
  document.getElementById("publish-progress").hidden = false;
  const bar = document.querySelector("#publish-progress progress");
  const said = document.getElementById("publish-said");
  const lots = Number(place.dataset.lots);
  if (until === null) said.textContent = "The catalogue is being written.";
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    const now = await look(place.dataset.progress);
    if (now === null) continue;
    if (until !== null && now.state !== until) {
      window.location.reload();
      return;
    }
    if (now.state === "DRAFT") continue;
    bar.max = lots;
    bar.value = now.scheduled;
    said.textContent = `${now.scheduled.toLocaleString("en-US")} of ${lots.toLocaleString("en-US")} lots scheduled.`;
  }
}

async function look(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the page is going away, or the network for a moment
  }
}
