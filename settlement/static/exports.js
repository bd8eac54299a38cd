// Xero's account codes: kept by this browser, and sent as code=kind=200 for each that is filled in.
// A form that downloads stays usable: the page is not left by it.

const KEPT = "softclose-xero-codes";

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {}; // a browser that keeps nothing
  }
}

const form = document.getElementById("xero");
const codes = [...form.querySelectorAll("[data-kind]")];
const before = kept();
for (const input of codes) input.value = before[input.dataset.kind] ?? "";

// Before the form is sent: named fields only are.
form.addEventListener("submit", () => {
  for (const old of form.querySelectorAll("input[name=code]")) old.remove();
  const filled = Object.fromEntries(codes.filter((one) => one.value.trim()).map((one) => [one.dataset.kind, one.value.trim()]));
  try {
    localStorage.setItem(KEPT, JSON.stringify(filled));
  } catch {
    // they are typed again the next time
  }
  for (const [kind, code] of Object.entries(filled)) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "code";
    field.value = `${kind}=${code}`;
    form.append(field);
  }
  document.getElementById("xero-said").textContent = Object.keys(filled).length ? "" : "No code was given.";
});

for (const download of document.querySelectorAll("form[data-download]")) {
  download.addEventListener("submit", () => {
    setTimeout(() => {
      delete download.dataset.sent;
      for (const button of download.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }, 1_000);
  });
}
