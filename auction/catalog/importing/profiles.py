"""What the values of a column look like: how many are numbers, GTINs, plate numbers, grades."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from auction.catalog.importing.amounts import bare_number, is_number
from auction.catalog.importing.currencies import currency_in, is_code
from auction.catalog.importing.grades import graded, is_grade_word, source_in
from auction.catalog.importing.gtins import gtin_in
from auction.catalog.importing.sheets import Cell
from auction.catalog.importing.texts import ascii_digits, is_nothing, text_in
from auction.catalog.importing.weights import split_weight, weight_unit

# A warehouse's plate number of a single piece, as Amazon prints them.
_LPN: Final = re.compile(r"LPN[A-Z0-9]{9,12}\Z", re.IGNORECASE)
_ASIN: Final = re.compile(r"B0[A-Z0-9]{8}\Z")
_PALLET: Final = re.compile(r"(PALLET|PALETTE|PLT|PAL|SKID)[\s#_:.-]*\w*\d\w*\Z", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?\Z")
_LINK: Final = re.compile(r"(https?://|www\.)", re.IGNORECASE)
_PIECES: Final = 100_000
_FEW: Final = 12


class Profile(Struct, frozen=True):
    """Shares in [0, 1] of the values that are not blank."""

    count: int
    filled: float  # of all rows
    distinct: int
    number: float = 0.0
    whole: float = 0.0  # whole numbers that could be pieces
    few: float = 0.0  # of them, such as lines of returns have
    priced: float = 0.0  # with a fraction or a currency
    gtin: float = 0.0
    long_gtin: float = 0.0  # of them, of 11 digits and more in the file
    gtin_like: float = 0.0
    lpn: float = 0.0
    asin: float = 0.0
    grade: float = 0.0
    grade_word: float = 0.0
    source: float = 0.0
    currency: float = 0.0
    weight_unit: float = 0.0
    weight: float = 0.0
    pallet: float = 0.0
    date: float = 0.0
    link: float = 0.0
    single: float = 0.0  # one word
    length: float = 0.0  # mean characters
    words: float = 0.0  # mean words
    counting: bool = False  # 1, 2, 3, ...

    @property
    def varied(self) -> float:
        """Different values in relation to all."""
        return self.distinct / self.count if self.count else 0.0


def profile_of(cells: Sequence[Cell]) -> Profile:
    """The profile of a column's values."""
    texts = [(cell, text_in(cell)) for cell in cells]
    known = [(cell, text) for cell, text in texts if not is_nothing(text)]
    if not known:
        return Profile(count=0, filled=0.0, distinct=0)
    values = {text: cell for cell, text in known}
    marks = {text: _marks(cell, text) for text, cell in values.items()}
    shares = dict.fromkeys(_MARKS, 0)
    for _, text in known:
        for mark in marks[text]:
            shares[mark] += 1
    count = len(known)
    return Profile(
        count=count,
        filled=count / len(cells),
        distinct=len(values),
        length=sum(len(text) for _, text in known) / count,
        words=sum(text.count(" ") + 1 for _, text in known) / count,
        counting=_is_counting([text for _, text in known]),
        **{mark: share / count for mark, share in shares.items()},
    )


_MARKS: Final = (
    *("number", "whole", "few", "priced", "gtin", "long_gtin", "gtin_like", "lpn", "asin", "grade"),
    *("grade_word", "source", "currency", "weight_unit", "weight", "pallet", "date", "link"),
    "single",
)


def _marks(cell: Cell, text: str) -> list[str]:
    marks = ["single"] if " " not in text else []
    marks += _of_numbers(cell, text)
    marks += _of_codes(text)
    if len(text) <= 80:
        found = graded(text)
        if found.condition is not None and not (found.weak and found.source):
            marks.append("grade")
            if is_grade_word(text):
                marks.append("grade_word")
        if source_in(text):
            marks.append("source")
    return marks


def _of_numbers(cell: Cell, text: str) -> list[str]:
    marks: list[str] = []
    if is_number(cell):
        marks.append("number")
        bare = bare_number(text)
        whole = bare.split(".")[0] if bare.rstrip("0").endswith(".") else bare
        if whole.isdigit() and len(whole) <= 6 and int(whole) <= _PIECES:
            marks += ["whole", "few"] if int(whole) <= _FEW else ["whole"]
        if not whole.removeprefix("-").isdigit() or currency_in(text):
            marks.append("priced")
    if len(text) <= 40:
        found = gtin_in(cell)
        digits = "".join(filter(str.isdigit, text.removesuffix(".0")))
        if found.gtin:
            marks.append("gtin")
            if len(digits) >= 11 or (len(found.gtin) >= 12 and len(digits) >= 10):
                marks.append("long_gtin")
        if found.gtin or found.code in ("gtin_rounded", "gtin_check_digit"):
            marks.append("gtin_like")
        amount, unit = split_weight(text)
        if unit is not None and is_number(amount):
            marks.append("weight")
    return marks


def _of_codes(text: str) -> list[str]:
    plain = ascii_digits(text)
    tests = (
        ("lpn", _LPN.match(plain)),
        ("asin", _ASIN.match(plain)),
        ("pallet", _PALLET.match(plain)),
        ("date", _DATE.match(plain)),
        ("link", _LINK.match(plain)),
        ("currency", is_code(plain)),
        ("weight_unit", weight_unit(plain)),
    )
    return [mark for mark, found in tests if found]


def _is_counting(texts: list[str]) -> bool:
    """Whether the values number the rows."""
    if len(texts) < 3 or not all(text.isdigit() and len(text) < 7 for text in texts):
        return False
    numbers = [int(text) for text in texts]
    steps = sum(after - before == 1 for before, after in pairwise(numbers))
    return numbers[0] in (0, 1) and steps >= 0.9 * (len(numbers) - 1)
