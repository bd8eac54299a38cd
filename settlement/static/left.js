// The time that is left for an answer, counted down each second.

import { leftInWords, urgency } from "../../foundation/static/countdown.js";

const places = [...document.querySelectorAll("[data-until]")];

function draw() {
  for (const place of places) {
    const left = Number(place.dataset.until) - Date.now() * 1_000;
    place.textContent = left > 0 ? `${leftInWords(left)} left` : "The time is over";
    const urgent = urgency(left, 3_600_000_000);
    place.parentElement.className = `countdown ${urgent}`;
  }
}

if (places.length) {
  draw();
  setInterval(draw, 1_000);
}
