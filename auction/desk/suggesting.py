"""A title and a description from a manifest, for a seller to begin with. Pure.

They say what a buyer looks for first: what it is, by whom, how much of it, in which state, at what
MSRP. Nothing is promised that the lines do not say.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from auction.catalog.goods import Condition, ManifestLine, lowest
from auction.catalog.manifests import main_brands
from auction.money import EXPONENTS

MAX_TITLE: Final = 200
MAX_ARTICLE: Final = 120  # so that units, state and MSRP still stand in the title
# A category or a grade with less than this part of the MSRP is not named.
LEAST_SHARE: Final = 0.1
_BRANDS_IN_TITLE, _BRANDS_IN_TEXT = 2, 8
_NAMED: Final = 3


class Suggestion(Struct, frozen=True, kw_only=True):
    """What could stand in a draft; empty: the lines do not tell."""

    title: str
    description: str
    category: str
    source: str


def suggestion(lines: Sequence[ManifestLine], currency: str) -> Suggestion:
    """Words for a lot of these lines; all empty without lines."""
    if not lines:
        return Suggestion(title="", description="", category="", source="")
    category = _mostly(lines, lambda line: line.category)
    return Suggestion(
        title=_title(lines, category, currency)[:MAX_TITLE],
        description=_description(lines, currency),
        category=category,
        source=_mostly(lines, lambda line: line.source),
    )


def _title(lines: Sequence[ManifestLine], category: str, currency: str) -> str:
    """Kitchen: Brindle, Kestone and more, 120 units, used, good, MSRP $4,310.

    A lot of one article is called by it: Brindle Toaster, 12 units, new, MSRP $480.
    """
    brands = main_brands(lines, _BRANDS_IN_TITLE + 1)
    named = ", ".join(brands[:_BRANDS_IN_TITLE])
    more = " and more" if len(brands) > _BRANDS_IN_TITLE else ""
    kinds = ": ".join(filter(None, (category, named + more)))
    goods = _article(lines) or kinds or "Mixed goods"
    condition = lowest(line.condition for line in lines).on_pages.lower()
    return f"{goods}, {_units(lines)}, {condition}, MSRP {_msrp(lines, currency)}"


def _article(lines: Sequence[ManifestLine]) -> str:
    """The one article that all lines are of; "": there are several."""
    articles = {(line.brand, line.description) for line in lines}
    if len(articles) > 1:
        return ""
    ((brand, description),) = articles
    named = description.casefold().startswith(brand.casefold())
    return (description if named else f"{brand} {description}")[:MAX_ARTICLE].strip()


def _description(lines: Sequence[ManifestLine], currency: str) -> str:
    told = [
        f"{_units(lines)[0].upper()}{_units(lines)[1:]} in {len(lines):,} "
        f"{'line' if len(lines) == 1 else 'lines'}, MSRP {_msrp(lines, currency)}.",
        _shares("Categories", lines, lambda line: line.category),
        _shares("Conditions", lines, lambda line: line.condition.on_pages),
        _brands(lines),
    ]
    if any(line.condition is Condition.UNINSPECTED for line in lines):
        told.append("Goods that are graded uninspected were not tested.")
    return "\n".join(filter(None, told))


def _shares(name: str, lines: Sequence[ManifestLine], key: Callable[[ManifestLine], str]) -> str:
    """Categories: Kitchen 72 %, Garden 28 % - of the MSRP, or of the pieces where there is none."""
    worth = _worth(lines, key)
    whole = sum(worth.values())
    parts = [
        f"{value} {round(100 * part / whole)} %"
        for value, part in worth.most_common(_NAMED)
        if value and part >= LEAST_SHARE * whole
    ]
    return f"{name}: {', '.join(parts)}." if parts else ""


def _brands(lines: Sequence[ManifestLine]) -> str:
    brands = main_brands(lines, _BRANDS_IN_TEXT)
    return f"Brands: {', '.join(brands)}." if brands else ""


def _mostly(lines: Sequence[ManifestLine], key: Callable[[ManifestLine], str]) -> str:
    """What most of the MSRP is of; "": most of it does not say."""
    return _worth(lines, key).most_common(1)[0][0]


def _worth(lines: Sequence[ManifestLine], key: Callable[[ManifestLine], str]) -> Counter[str]:
    priced = any(line.unit_msrp_minor for line in lines)
    worth: Counter[str] = Counter()
    for line in lines:
        worth[key(line)] += line.extended_msrp_minor if priced else line.quantity
    return worth


def _units(lines: Sequence[ManifestLine]) -> str:
    count = sum(line.quantity for line in lines)
    return f"{count:,} {'unit' if count == 1 else 'units'}"


def _msrp(lines: Sequence[ManifestLine], currency: str) -> str:
    """$4,310: in whole units, since an MSRP is a round figure at best."""
    whole = sum(line.extended_msrp_minor for line in lines) // 10 ** EXPONENTS.get(currency, 2)
    return f"${whole:,}" if currency == "USD" else f"{whole:,} {currency}"
