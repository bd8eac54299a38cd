"""What titles say of all lines: the currency, the grade of the goods, the pallet.

They stand above the header, in a row of units below it, or in the name of the sheet, and count
only where no column says it.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from auction.catalog.importing.currencies import currencies_named
from auction.catalog.importing.grades import Graded, graded, is_whole_grade
from auction.catalog.importing.sheets import Row, is_blank
from auction.catalog.importing.texts import text_in
from auction.catalog.importing.vocabulary import Field, header_score

_LABELLED: Final = re.compile(r"\s*([^:=]{3,30}?)\s*[:=]\s*(\S.{0,60})\Z")
_PARTS: Final = re.compile(r"\s[-\u2013\u2014]\s|[|,;:()/]")
_LABEL: Final = 0.8
# A title is short; a sentence speaks of many things.
_TITLE_CHARACTERS: Final = 120
# A unit, a currency or a rule under a header, which is no goods.
_UNIT: Final = re.compile(
    r"\W*(usd|eur|gbp|cad|aud|chf|us ?\$|[$€£]|euros?|dollars?|ea|each|pcs?|pieces?|units?|qty|stk|"
    r"stück|st|szt|uds?|lbs?|pounds?|kgs?|oz|g|text|number|no|per unit|unit|total|ext)?\.?\W*\Z",
    re.IGNORECASE,
)


def is_row_of_units(row: Row) -> bool:
    """Whether a row below a header only says in what the columns are: ``(USD)``, ``pcs``."""
    texts = [cell for cell in row.cells if not is_blank(cell)]
    return bool(texts) and all(
        isinstance(cell, str) and len(cell) <= 12 and _UNIT.match(cell.strip()) for cell in texts
    )


def currency_stated(titles: Sequence[Row]) -> str | None:
    """The one currency that titles name; ``None`` if they name none or several."""
    texts = [text_in(cell) for row in titles for cell in row.cells if isinstance(cell, str)]
    codes, signs = currencies_named(text for text in texts if len(text) <= _TITLE_CHARACTERS)
    for found in (codes, signs):
        if found:
            return next(iter(found)) if len(found) == 1 else None
    return None


def condition_stated(titles: Sequence[Row], sheet: str) -> Graded | None:
    """The grade that titles or the name of the sheet give to all lines."""
    for row in titles:
        texts = [text_in(cell) for cell in row.cells if not is_blank(cell)]
        for label, value in _labelled(texts):
            found = graded(value)
            if header_score(label, Field.CONDITION) >= _LABEL and found.condition is not None:
                return found
    texts = [text_in(cell) for row in titles for cell in row.cells if isinstance(cell, str)]
    for text in (*texts, sheet):
        parts = _PARTS.split(text) if len(text) <= _TITLE_CHARACTERS else []
        for part in map(str.strip, parts):
            if is_whole_grade(part):
                return graded(part)
    return None


def _labelled(texts: Sequence[str]) -> Iterable[tuple[str, str]]:
    """``Condition: New`` in one cell, or ``Condition`` and ``New`` in two."""
    for text in texts:
        found = _LABELLED.match(text)
        if found is not None:
            yield found[1], found[2]
    for label, value in pairwise(texts):
        yield label.rstrip(" :="), value
