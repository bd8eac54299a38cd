"""How well a column goes with a field: what its header says, times what its values allow.

The values can also speak alone: a column of valid GTINs is one, whatever it is called. What the
values contradict loses most of what its header says.
"""

from collections.abc import Callable, Sequence
from math import log2
from typing import Final

from auction.catalog.importing.profiles import Profile
from auction.catalog.importing.relations import Product
from auction.catalog.importing.vocabulary import (
    FIELDS,
    Field,
    header_score,
    speaks_of_something_else,
)
from auction.catalog.importing.words import concepts

# Below it a column is not taken for a field.
LEAST: Final = 0.38
# Values that agree with the header add to it, and values alone are worth less than both.
_AGREEMENT: Final = 0.1
_PRODUCT_FOUND: Final = 0.3
_AGAINST_PRODUCT: Final = 0.25
# A column that says the same on every line tells less than another that could be meant.
_CONSTANT: Final = 0.85
_INFORMATION: Final = 0.05
_NOTHING_KNOWN: Final = 0.45
_GTIN_ELSEWHERE: Final = 0.35
_MANY: Final = 5
_SAYS_CONDITION: Final = 0.7
# What whole numbers below such a header count is no piece.
_NUMBERS_OF_THINGS: Final = frozenset({"number", "code", "id", "pallet", "container", "department"})


def scores(
    headers: Sequence[str], profiles: Sequence[Profile], product: Product | None
) -> list[list[float]]:
    """A row for each field of `FIELDS`, with the score of each column in [0, about 1.4]."""
    longest = _longest_text(profiles)
    return [
        [
            _score(field, header, profile, longest=column == longest)
            + _by_product(field, column, header, profile, product)
            for column, (header, profile) in enumerate(zip(headers, profiles, strict=True))
        ]
        for field in FIELDS
    ]


def _score(field: Field, header: str, profile: Profile, *, longest: bool) -> float:
    said = header_score(header, field)
    if profile.count == 0:
        return 0.0 if field is Field.QUANTITY else said * _NOTHING_KNOWN
    allowed = said * _ALLOWED[field](profile)
    if field is not Field.GTIN and profile.long_gtin >= 0.8 and profile.count >= 2:
        allowed *= _GTIN_ELSEWHERE
    shown = _shown(field, profile, longest=longest)
    if speaks_of_something_else(header) and field not in (Field.GTIN, Field.LPN):
        shown = 0.0
    if field is Field.QUANTITY and concepts(header) & _NUMBERS_OF_THINGS:
        shown = 0.0
    if field is Field.SOURCE and header_score(header, Field.CONDITION) >= _SAYS_CONDITION:
        shown = 0.0  # "Condition: Customer Returns" is both, and is read as both
    score = max(allowed, shown) + _AGREEMENT * min(allowed, shown)
    if field in (Field.CATEGORY, Field.CONDITION, Field.SUBCATEGORY, Field.PALLET):
        score *= _information(profile)
    return score


def _information(profile: Profile) -> float:
    if profile.distinct == 1:
        return _CONSTANT if profile.count >= _MANY else 0.95
    return 1.0 + _INFORMATION * min(1.0, log2(profile.distinct) / 6)


def _by_product(
    field: Field, column: int, header: str, profile: Profile, product: Product | None
) -> float:
    """What the relation of quantity and prices adds or takes away."""
    if product is None:
        return 0.0
    shown = {
        product.quantity: Field.QUANTITY,
        product.unit: Field.UNIT_MSRP,
        product.extended: Field.EXTENDED_MSRP,
    }
    if field not in shown.values() or column not in shown:
        return 0.0
    if shown[column] is field:
        vetoed = speaks_of_something_else(header)
        return 0.0 if vetoed else max(_PRODUCT_FOUND, 0.75 - header_score(header, field))
    if profile.count == 0:
        return 0.0
    return -header_score(header, field) * (1 - _AGAINST_PRODUCT)


def _longest_text(profiles: Sequence[Profile]) -> int | None:
    """The column with the longest texts of several words."""
    texts = [
        column
        for column, profile in enumerate(profiles)
        if profile.number < 0.3
        and profile.link < 0.3
        and profile.words >= 2
        and profile.length >= 10
    ]
    return max(texts, key=lambda column: profiles[column].length, default=None)


def _shown(field: Field, profile: Profile, *, longest: bool) -> float:
    """How strongly the values alone speak for a field."""
    sure = profile.count >= (2 if field is Field.GTIN else 3)  # two check digits are no accident
    few = 1.0 if sure else 0.6
    if field is Field.DESCRIPTION:
        return 0.56 * few if longest and profile.varied > 0.2 else 0.0
    rule = _SHOWN.get(field)
    return few * rule(profile) if rule is not None else 0.0


def _gtin_shown(profile: Profile) -> float:
    return 0.93 * profile.gtin if profile.gtin >= 0.7 and profile.long_gtin >= 0.5 else 0.0


def _grade_shown(profile: Profile) -> float:
    told = profile.grade_word >= 0.5 and profile.grade_word + profile.source >= 0.9
    if (profile.grade_word >= 0.8 or told) and profile.distinct <= 20:
        return 0.72
    letters = profile.grade >= 0.95 and profile.length <= 2 and profile.count >= _MANY
    return 0.3 if letters else 0.0


def _quantity_shown(profile: Profile) -> float:
    plausible = profile.whole >= 0.97 and profile.few >= 0.8 and not profile.counting
    return 0.4 if plausible and profile.filled > 0.9 else 0.0


_SHOWN: Final[dict[Field, Callable[[Profile], float]]] = {
    Field.GTIN: _gtin_shown,
    Field.LPN: lambda p: 0.9 if p.lpn >= 0.8 else 0.0,
    Field.ITEM_NUMBER: lambda p: 0.72 if p.asin >= 0.8 else 0.0,
    Field.CONDITION: _grade_shown,
    Field.SOURCE: lambda p: 0.66 if p.source >= 0.8 else 0.0,
    Field.CURRENCY: lambda p: 0.85 if p.currency >= 0.9 and p.distinct <= 3 else 0.0,
    Field.QUANTITY: _quantity_shown,
    Field.UNIT_MSRP: lambda p: 0.42 if p.number >= 0.9 and p.priced >= 0.5 else 0.0,
    Field.PALLET: lambda p: 0.62 if p.pallet >= 0.8 else 0.0,
    Field.WEIGHT: lambda p: 0.6 if p.weight >= 0.8 else 0.0,
}


def _allowed_quantity(profile: Profile) -> float:
    return 0.6 if profile.counting and profile.count > 3 else 0.15 + 0.85 * profile.number


def _allowed_description(profile: Profile) -> float:
    if profile.number > 0.7 or profile.link > 0.5:
        return 0.12
    if profile.single > 0.9 and profile.length < 14:
        return 0.5 if profile.number == 0 else 0.3
    return 1.0


def _allowed_word(profile: Profile) -> float:
    if profile.number > 0.8:
        return 0.35
    return 0.4 if profile.words > 6 else 1.0


def _allowed_code(profile: Profile) -> float:
    return 0.3 if profile.words > 3.5 else 1.0


_ALLOWED: Final[dict[Field, Callable[[Profile], float]]] = {
    Field.DESCRIPTION: _allowed_description,
    Field.BRAND: _allowed_word,
    Field.MODEL: lambda p: 0.4 if p.words > 5 else 1.0,
    Field.CATEGORY: _allowed_word,
    Field.SUBCATEGORY: _allowed_word,
    Field.CONDITION: lambda p: 0.4 + 0.6 * min(1.0, p.grade + 0.5 * p.source),
    Field.SOURCE: lambda p: 0.2 + 0.8 * p.source,
    Field.ITEM_NUMBER: lambda p: (
        _allowed_code(p) * (0.4 if p.priced > 0.5 and p.number > 0.8 else 1)
    ),
    Field.GTIN: lambda p: 0.45 + 0.55 * max(p.gtin, p.gtin_like),
    Field.LPN: lambda p: _allowed_code(p) * (0.5 + 0.5 * p.varied),
    Field.SERIAL: lambda p: _allowed_code(p) * (0.6 + 0.4 * p.varied),
    Field.QUANTITY: _allowed_quantity,
    Field.UNIT_MSRP: lambda p: 0.15 + 0.85 * p.number,
    Field.EXTENDED_MSRP: lambda p: 0.15 + 0.85 * p.number,
    Field.PALLET: lambda p: 0.5 if (p.priced > 0.5 and p.number > 0.8) or p.words > 4 else 1.0,
    Field.WEIGHT: lambda p: 0.15 + 0.85 * max(p.number, p.weight),
    Field.WEIGHT_UNIT: lambda p: p.weight_unit,
    Field.CURRENCY: lambda p: p.currency,
}
