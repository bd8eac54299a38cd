"""Money: integer minor units of a currency. No float ever holds an amount."""

from typing import Annotated, Final

from msgspec import Meta

# The largest amount: every client, JavaScript among them, holds integers up to 2**53 exactly.
MAX_MINOR: Final = 2**53

Minor = Annotated[int, Meta(ge=0, le=MAX_MINOR)]
PositiveMinor = Annotated[int, Meta(ge=1, le=MAX_MINOR)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]  # hundredths of a per cent

# ISO 4217 minor units of the currencies that a sale may be held in.
EXPONENTS: Final[dict[str, int]] = {
    "AUD": 2,
    "BHD": 3,
    "CAD": 2,
    "CHF": 2,
    "EUR": 2,
    "GBP": 2,
    "JPY": 0,
    "KWD": 3,
    "MXN": 2,
    "NZD": 2,
    "USD": 2,
}


def parse_minor(text: str, currency: str) -> int:
    """Read a decimal such as ``177.50`` as minor units: 17750 for USD.

    ``ValueError`` for anything that is not a plain decimal, that is negative, finer than the
    currency's minor unit, or beyond ``MAX_MINOR``; the message says which.
    """
    plain, named = text.strip(), text[:40]
    if not plain.isascii() or not plain.replace(".", "", 1).isdigit():
        raise ValueError(f"{named!r} is not an amount such as 177.50")
    whole, _, fraction = plain.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    exponent = EXPONENTS[currency]
    if len(fraction) > exponent:
        raise ValueError(f"{named} is finer than the smallest unit of {currency}")
    # The length first: turning thousands of digits into a number is slow.
    minor = int(whole + fraction.ljust(exponent, "0") or 0) if len(whole) < 20 else MAX_MINOR + 1
    if minor > MAX_MINOR:
        raise ValueError(f"{named} is larger than any amount that can be bid")
    return minor


def format_minor(amount_minor: int, currency: str) -> str:
    """Minor units as a plain decimal without separators: ``177.50``."""
    exponent = EXPONENTS[currency]
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else sign + digits


def share_minor(amount_minor: int, rate_bps: int) -> int:
    """A share of a non-negative amount, rounded half up to the minor unit."""
    return (amount_minor * rate_bps + 5_000) // 10_000
