"""Which currency a manifest is in: signs and codes beside amounts, words in headers, a column."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from auction.catalog.importing.sheets import Cell
from auction.money import EXPONENTS

# Known, so that they are named when they are refused.
_NAMED: Final = ("PLN", "SEK", "NOK", "DKK", "CZK", "HUF", "INR", "CNY", "BRL", "AED", "SAR")
_CODES: Final = "|".join((*EXPONENTS, *_NAMED))
_CODE: Final = re.compile(rf"(?<![A-Z])({_CODES})(?![A-Z])", re.IGNORECASE)
# The longest first. "$" alone is the dollar of the United States unless a code says otherwise.
_SIGNS: Final = {
    "US$": "USD",
    "US $": "USD",
    "U$S": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "CDN$": "CAD",
    "AU$": "AUD",
    "A$": "AUD",
    "NZ$": "NZD",
    "MX$": "MXN",
    "SFr.": "CHF",
    "Fr.": "CHF",
    "zł": "PLN",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "$": "USD",
}
_SIGN: Final = re.compile("|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))))
_WORDS: Final = {"EURO": "EUR", "EUROS": "EUR", "POUNDS": "GBP", "DOLLARS": "USD"}
_WORD: Final = re.compile(r"\b(EUROS?|POUNDS STERLING|US DOLLARS?)\b", re.IGNORECASE)


def without_currency(text: str) -> str:
    """An amount's text without codes and signs."""
    if text.isascii() and not any(map(str.isalpha, text)) and "$" not in text:
        return text
    return _SIGN.sub("", _CODE.sub("", _WORD.sub("", text)))


@lru_cache(maxsize=20_000)
def _currency_in(text: str) -> str | None:
    code = _CODE.search(text)
    if code is not None:
        return code[1].upper()
    sign = _SIGN.search(text)
    if sign is not None:
        return _SIGNS[sign[0]]
    word = _WORD.search(text)
    return None if word is None else _WORDS.get(word[0].upper().split()[-1], "EUR")


def currency_in(cell: Cell) -> str | None:
    """The currency that a cell or a header names by code or sign; it may be one that we lack."""
    return _currency_in(cell) if isinstance(cell, str) and len(cell) <= 120 else None


def currencies_named(texts: Iterable[str]) -> tuple[set[str], set[str]]:
    """The currencies that texts name by codes in capitals or words, and those by signs."""
    codes: set[str] = set()
    signs: set[str] = set()
    for text in texts:
        codes |= {found[1] for found in _CODE.finditer(text) if found[1].isupper()}
        codes |= {_WORDS.get(found[1].upper().split()[-1], "EUR") for found in _WORD.finditer(text)}
        signs |= {_SIGNS[found[0]] for found in _SIGN.finditer(text)}
    return codes, signs


def is_code(text: str) -> bool:
    """Whether the text is a currency's code, sign or name and nothing else."""
    text = text.strip()
    return any(form.fullmatch(text) for form in (_CODE, _SIGN, _WORD))
