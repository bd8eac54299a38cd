// What scrolls sideways on phones: bring the entry of this page into view.

for (const strip of document.querySelectorAll(".main-nav, .tabs")) {
  const current = strip.querySelector("[aria-current]");
  if (current && strip.scrollWidth > strip.clientWidth) {
    const left = current.getBoundingClientRect().left - strip.getBoundingClientRect().left;
    strip.scrollLeft += left - (strip.clientWidth - current.offsetWidth) / 2;
  }
}
