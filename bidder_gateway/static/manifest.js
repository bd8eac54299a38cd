// The manifest in the lot's page: its links and its form fetch the section anew and put it in place,
// so that the page, and the bidding on it, stays as it is. Without scripts they lead to a page.

const NAME = "manifest";
let asked = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(`#${NAME} a[href]`);
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  replaceBy(link.href, focusAfter(link));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.closest(`#${NAME}`)) return;
  event.preventDefault();
  const query = new URLSearchParams(new FormData(form));
  replaceBy(`${form.action}?${query}`, "#line-q");
});

document.addEventListener("change", (event) => {
  const select = event.target.closest?.(`#${NAME} select`);
  if (select) select.form.requestSubmit();
});

/** What has the focus afterwards: the head that was pressed, else the section. */
function focusAfter(link) {
  const head = link.closest("th");
  return head ? `th:nth-child(${[...head.parentElement.children].indexOf(head) + 1}) a` : null;
}

async function replaceBy(address, focus) {
  asked += 1;
  const mine = asked;
  const section = document.getElementById(NAME);
  section.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return; // something else was asked for meanwhile
    const fresh = document.importNode(page.getElementById(NAME), true);
    section.replaceWith(fresh);
    (focus ? fresh.querySelector(focus) : fresh)?.focus({ preventScroll: Boolean(focus) });
  } catch {
    location.assign(address); // as without scripts
  }
}
