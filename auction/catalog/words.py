"""The words and amounts of pages, as filters and globals of their templates."""

from collections.abc import Callable, Mapping
from typing import Final

from auction.amounts import money
from auction.catalog.goods import FreightTerms
from auction.plain_terms import percent, span
from auction.sale import LotStatus
from auction.terms import LotKind

KINDS: Final[Mapping[str, str]] = {
    LotKind.CASE: "Case",
    LotKind.PALLET: "Pallet",
    LotKind.PALLETS: "Several pallets",
    LotKind.TRUCKLOAD: "Truckload",
}

STATUSES: Final[Mapping[str, str]] = {
    LotStatus.SOLD: "Sold",
    LotStatus.PASSED: "Not sold",
    LotStatus.WITHDRAWN: "Withdrawn",
    LotStatus.IF_BID: "Seller decides",
}

FREIGHT: Final[Mapping[str, str]] = {
    FreightTerms.BINDING: "Quoted before you bid; the quote is the price.",
    FreightTerms.FIXED: "One price, wherever it goes.",
    FreightTerms.FREE: "The seller pays the freight.",
    FreightTerms.BUYER_ARRANGED: "You arrange the carrier yourself.",
}


def category_words(category: str) -> str:
    """A category as people read it."""
    return _capital(category)


def source_words(source: str) -> str:
    """Where goods come from: ``customer returns`` as ``Customer returns``."""
    return _capital(source)


def restriction_words(restriction: str) -> str:
    """A restriction as people read it: ``no-marketplaces`` as ``No marketplaces``."""
    known = RESTRICTIONS.get(restriction)
    return known or _capital(restriction.replace("-", " ").replace("_", " "))


RESTRICTIONS: Final[Mapping[str, str]] = {
    "no-marketplaces": "Not to be sold on online marketplaces",
    "export-only": "To be sold outside of the country only",
    "no-export": "Not to be sold abroad",
    "delabel": "Labels and marks have to come off before it is sold",
    "no-advertising-brand": "The brand must not be named in advertising",
}


def share_words(amount_minor: int | None, msrp_minor: int | None) -> str:
    """An amount as a share of the MSRP, as static/costs.js writes it; empty without either."""
    if not msrp_minor or amount_minor is None:
        return ""
    tenths = (amount_minor * 2_000 + msrp_minor) // (2 * msrp_minor)
    if tenths == 0:
        return "under 0.1 %" if amount_minor > 0 else "0 %"
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10} %"
    return f"{(tenths + 5) // 10} %"


def count_words(number: int, one: str, many: str = "") -> str:
    """``1 bid``, ``12 bids``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def weight_words(grams: int | None) -> str:
    """``573 lb (260 kg)``."""
    if not grams:
        return ""
    return f"{round(grams / 453.592):,} lb ({round(grams / 1_000):,} kg)"


def measures_words(length_mm: int, width_mm: int, height_mm: int) -> str:
    """``48 x 40 x 72 in``."""
    inches = (round(mm / 25.4) for mm in (length_mm, width_mm, height_mm))
    return " x ".join(str(inch) for inch in inches) + " in"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "money": money,
    "percent": percent,
    "span": span,
    "share": share_words,
    "counted": count_words,
    "weight": weight_words,
    "restriction": restriction_words,
    "category": category_words,
    "source": source_words,
}
