// A live part as rooms make them: templates without a build, hooks, icons, toasts, the banner.

import { Icon } from "../../foundation/static/icons.js";
import { html, render, useEffect, useState } from "../../foundation/static/html.js";
import { showConnection, showToast } from "../../foundation/static/notices.js";

function Price() {
  const [minor, setMinor] = useState(61_500);
  useEffect(() => {
    document.title = `${minor / 100} · Live`;
  }, [minor]);
  return html`
    <section class="card">
      <p class="label">Current bid</p>
      <p class="price big" id="price">$${minor / 100}</p>
      <button type="button" id="raise" onClick=${() => setMinor(minor + 2_500)}>
        <${Icon} name="plus" /> Raise
      </button>
      <p id="escaped">${"<b>text stays text</b>"}</p>
    </section>
  `;
}

render(html`<${Price} />`, document.getElementById("live"));

const on = (id, act) => document.getElementById(id).addEventListener("click", act);
on("lose", () => showConnection("lost"));
on("heal", () => showConnection("up"));
on("outbid", () =>
  showToast("You are outbid on lot 13.", { kind: "warning", link: "/lot", linkText: "Bid again" }),
);
