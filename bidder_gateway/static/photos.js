// Photos of a lot: a thumbnail puts its photo into the page, the large one opens over it. Without
// scripts they are links to the photos.

const photos = document.getElementById("photos");
const dialog = document.getElementById("photo-dialog");

if (photos) {
  const main = photos.querySelector(".main-photo");
  const picture = main.querySelector("img");
  const thumbs = [...photos.querySelectorAll(".thumbs a")];
  let shown = 0;

  const show = (place) => {
    shown = (place + thumbs.length) % thumbs.length;
    const thumb = thumbs[shown];
    thumbs.forEach((one) => one.removeAttribute("aria-current"));
    thumb.setAttribute("aria-current", "true");
    picture.src = thumb.dataset.page;
    picture.width = Number(thumb.dataset.width);
    picture.height = Number(thumb.dataset.height);
    picture.alt = thumb.querySelector("img").alt;
    main.href = thumb.href;
  };

  const fill = () => {
    const large = dialog.querySelector("img");
    large.src = main.href;
    large.alt = picture.alt;
    dialog.querySelector("[data-count]").textContent = thumbs.length ? `${shown + 1} of ${thumbs.length}` : "";
    for (const step of dialog.querySelectorAll("[data-step]")) step.hidden = thumbs.length < 2;
  };

  const step = (by) => {
    if (thumbs.length < 2) return;
    show(shown + by);
    fill();
  };

  thumbs.forEach((thumb, place) => thumb.addEventListener("click", (event) => {
    event.preventDefault();
    show(place);
  }));
  main.addEventListener("click", (event) => {
    event.preventDefault();
    fill();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button) step(Number(button.dataset.step));
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
}
