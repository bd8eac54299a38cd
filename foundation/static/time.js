// Moments in the viewer's own time zone: <time datetime="2026-11-22T04:40:00Z">...</time> comes
// from the server in the sale's zone, is shown in the viewer's, and keeps UTC as its title.

/** How a moment is written: data-style of the element, "full" without one. */
const STYLES = {
  full: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
  time: { hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
};

/** The moment in words. Without a zone or a language: the viewer's. */
export function inWords(moment, { style = "full", zone = undefined, language = undefined } = {}) {
  const options = { ...(STYLES[style] ?? STYLES.full), timeZone: zone };
  return new Intl.DateTimeFormat(language, options).format(moment);
}

/** The moment in UTC, for the title. */
export function inUtc(moment) {
  return `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Turn each <time datetime> below ``root`` that has not been turned yet. */
export function showTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.textContent = inWords(moment, { style: element.dataset.style });
    element.title = inUtc(moment);
  }
}

if (typeof document !== "undefined") showTimes();
