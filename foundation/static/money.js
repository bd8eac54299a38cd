// Money: integer minor units of a currency, as on the wire. No fraction ever holds an amount.

/** ISO 4217 minor units of the currencies that a sale may be held in, as in auction/money.py. */
export const EXPONENTS = {
  AUD: 2, BHD: 3, CAD: 2, CHF: 2, EUR: 2, GBP: 2, JPY: 0, KWD: 3, MXN: 2, NZD: 2, USD: 2,
};

/** What stands before an amount. A dollar that is not the US one says whose it is. */
const SIGNS = {
  AUD: "A$", BHD: "BHD ", CAD: "CA$", CHF: "CHF ", EUR: "€", GBP: "£", JPY: "¥", KWD: "KWD ",
  MXN: "MX$", NZD: "NZ$", USD: "$",
};

// Above this a JavaScript number is not exact.
const MOST = BigInt(Number.MAX_SAFE_INTEGER);

const GROUPED = /^(?<whole>\d{1,3}(?:(?<mark>[, ])\d{3}(?:\k<mark>\d{3})*)?|\d+)(?:\.(?<part>\d+))?$/;

/** What stands before an amount of this currency: "$", "CHF ". */
export function sign(currency) {
  return SIGNS[currency] ?? `${currency} `;
}

/** 125000 as "$1,250", 125050 as "$1,250.50": cents only where there are any. */
export function money(minor, currency) {
  const exponent = EXPONENTS[currency] ?? 0;
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const cut = digits.length - exponent;
  const part = digits.slice(cut);
  const whole = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${minor < 0 ? "-" : ""}${sign(currency)}${whole}${/[1-9]/.test(part) ? `.${part}` : ""}`;
}

/** The same without the sign, for an input field: "1250", "1250.50". */
export function plain(minor, currency) {
  return money(minor, currency).slice(sign(currency).length).replaceAll(",", "");
}

/**
 * What a person typed, as {minor} or, if it is not exactly one amount, as {fault}: a sentence.
 * "1,250", "1250.00", "$1 250" are the same amount. "1.250" is refused: it might be a thousand.
 */
export function parseMoney(typed, currency) {
  const text = bare(typed, currency);
  if (text === "") return { fault: "Enter an amount." };
  if (text.startsWith("-")) return { fault: "Enter an amount above zero." };
  const found = GROUPED.exec(text)?.groups;
  if (found === undefined) return { fault: `Write the amount in digits, such as ${example(currency)}.` };
  const exponent = EXPONENTS[currency];
  const part = found.part ?? "";
  if (part.length > exponent) return { fault: tooFine(exponent, currency) };
  const minor = BigInt(found.whole.replace(/[, ]/g, "") + part.padEnd(exponent, "0"));
  if (minor > MOST) return { fault: "This is more than anybody can bid." };
  if (minor === 0n) return { fault: "Enter an amount above zero." };
  return { minor: Number(minor) };
}

/** Without the currency's sign or code, and with one kind of space. */
function bare(typed, currency) {
  let text = typed.replace(/[\s\u00a0\u202f\u2009]+/g, " ").trim();
  for (const word of [currency, `${currency.slice(0, 2)}$`, sign(currency).trim(), "$"]) {
    if (word.includes("$") && !sign(currency).includes("$")) continue;
    if (text.toUpperCase().startsWith(word)) text = text.slice(word.length).trim();
    if (text.toUpperCase().endsWith(word)) text = text.slice(0, -word.length).trim();
  }
  return text;
}

function example(currency) {
  return EXPONENTS[currency] === 2 ? "1250 or 1250.50" : "1250";
}

function tooFine(exponent, currency) {
  if (exponent === 0) return `Write whole ${currency}, without a point.`;
  return `Write at most ${exponent} digits after the point, and no point between thousands.`;
}
