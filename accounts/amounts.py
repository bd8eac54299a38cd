"""Limits and ceilings as people write and read them; kept as whole cents.

The house keeps them in currencies of two decimals.
"""

import re
from typing import Final

from accounts.refusals import Refusal, Refused

# More than any sale; and far below what a column holds.
MOST_MINOR: Final = 10**12

_AMOUNT = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{2})?", re.ASCII)


def amount_of(text: str, *, field: str) -> int | None:
    """The cents of "2,500" or "2,500.00"; ``None`` for nothing. Raises `Refused` BAD_AMOUNT."""
    plain = text.strip().removeprefix("$").strip()
    if not plain:
        return None
    if not _AMOUNT.fullmatch(plain):
        raise Refused(Refusal.BAD_AMOUNT, field=field)
    whole, _, cents = plain.replace(",", "").partition(".")
    minor = int(whole) * 100 + int(cents or 0)
    if minor > MOST_MINOR:
        raise Refused(Refusal.BAD_AMOUNT, field=field)
    return minor


def amount_text(minor: int, currency: str = "USD") -> str:
    """As pages show it: $2,500.00; other currencies by their letters."""
    text = f"{minor // 100:,}.{minor % 100:02}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"


def amount_typed(minor: int | None) -> str:
    """As it stands in a field."""
    return "" if minor is None else f"{minor // 100:,}.{minor % 100:02}"
