// The navigation scrolls sideways on phones: bring the entry of this page into view.

const current = document.querySelector(".main-nav [aria-current]");
const strip = current?.closest(".main-nav");
if (strip && strip.scrollWidth > strip.clientWidth) {
  strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
}
