// Stripe's own form for a card, in Stripe's frame: the number never comes to this site.

const form = document.getElementById("card-form");
const said = document.getElementById("card-said");
const stripe = window.Stripe(form.dataset.key);
const elements = stripe.elements({ clientSecret: form.dataset.secret });
elements.create("payment").mount("#card-element");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.setAttribute("aria-busy", "true");
  const { error } = await stripe.confirmSetup({ elements, confirmParams: { return_url: form.dataset.return } });
  // Without an error the browser is on its way to the page to come back to.
  button.removeAttribute("aria-busy");
  said.textContent = error.message ?? "The card was not saved. Try again.";
  said.hidden = false;
});
