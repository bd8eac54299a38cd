"""Amounts as people write and type them: the rules of foundation/static/money.js.

tests/pages/typed_money.json holds both to the same cases.
"""

import re
from typing import Final

from auction.money import EXPONENTS

# What JavaScript holds exactly: nobody can bid more by script either.
_MOST: Final = 2**53 - 1
# What stands before an amount; other currencies stand by their letters.
_SIGNS: Final = {
    "AUD": "A$",
    "CAD": "CA$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "MXN": "MX$",
    "NZD": "NZ$",
    "USD": "$",
}
_GROUPED: Final = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:(?P<mark>[, ])[0-9]{3}(?:(?P=mark)[0-9]{3})*)?|[0-9]+)"
    r"(?:\.(?P<part>[0-9]+))?"
)
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009]+")
MAX_TYPED: Final = 100


class NotMoney(ValueError):
    """What was typed is not exactly one amount; the message says so to who typed it."""


def money(minor: int, currency: str) -> str:
    """As pages show it: $1,250, or $1,250.50 where there are cents."""
    exponent = EXPONENTS.get(currency, 0)
    whole, part = divmod(abs(minor), 10**exponent)
    cents = f".{part:0{exponent}}" if part else ""
    return f"{'-' if minor < 0 else ''}{sign(currency)}{whole:,}{cents}"


def parse_typed(typed: str, currency: str) -> int:
    """Minor units of what somebody typed: ``1,250``, ``1250.00`` and ``$1 250`` are the same.

    Raises `NotMoney`, also for ``1.250``, which might mean a thousand.
    """
    text = _bare(typed[:MAX_TYPED], currency)
    if not text:
        raise NotMoney("Enter an amount.")
    if text.startswith("-"):
        raise NotMoney("Enter an amount above zero.")
    found = _GROUPED.fullmatch(text)
    exponent = EXPONENTS[currency]
    if found is None:
        example = "1250 or 1250.50" if exponent == 2 else "1250"
        raise NotMoney(f"Write the amount in digits, such as {example}.")
    part = found["part"] or ""
    if len(part) > exponent:
        raise NotMoney(_too_fine(exponent, currency))
    minor = int(re.sub("[, ]", "", found["whole"]) + part.ljust(exponent, "0"))
    if minor > _MOST:
        raise NotMoney("This is more than anybody can bid.")
    if minor == 0:
        raise NotMoney("Enter an amount above zero.")
    return minor


def plain(minor: int, currency: str) -> str:
    """An amount for an input field: ``1250``, ``1250.50``."""
    return money(minor, currency).removeprefix(sign(currency)).replace(",", "")


def sign(currency: str) -> str:
    """What stands before an amount of this currency: ``$``, ``CHF ``."""
    return _SIGNS.get(currency, f"{currency} ")


def _bare(typed: str, currency: str) -> str:
    """Without the currency's sign or code, and with one kind of space."""
    text = _SPACES.sub(" ", typed).strip()
    sign_of = sign(currency).strip()
    for word in (currency, f"{currency[:2]}$", sign_of, "$"):
        if "$" in word and "$" not in sign_of:
            continue
        if text.upper().startswith(word):
            text = text[len(word) :].strip()
        if text.upper().endswith(word):
            text = text[: -len(word)].strip()
    return text


def _too_fine(exponent: int, currency: str) -> str:
    if exponent == 0:
        return f"Write whole {currency}, without a point."
    return f"Write at most {exponent} digits after the point, and no point between thousands."
