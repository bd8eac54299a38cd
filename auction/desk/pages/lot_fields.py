"""The fields of a lot as people type and read them: one table for the lot's own page, for a cell
of the grid and for many lots at once. Pure.

A field is read into the values of `LotChanges`, checked by their own types, so that what passes
here passes the service.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from auction.amounts import NotMoney, money, parse_typed, plain
from auction.catalog.goods import FREIGHT_CLASSES, SOURCES, FreightTerms
from auction.catalog.words import KINDS, RESTRICTIONS, restriction_words
from auction.desk.lot_changes import LotChanges
from auction.desk.lot_drafts import LotDraft
from auction.desk.pages.measures import NotAMeasure, inches, length_mm, pounds, weight_g

FREIGHT_TERMS: Final[Mapping[str, str]] = {
    FreightTerms.BINDING: "Quoted to each buyer",
    FreightTerms.FIXED: "One fixed price",
    FreightTerms.FREE: "Free: you pay it",
    FreightTerms.BUYER_ARRANGED: "The buyer arranges it",
}


# Options that a message names.
MOST_NAMED: Final = 20


class BadField(ValueError):
    """What was typed into a field will not do; the message says so to who typed it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Way(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    PROSE = "prose"
    MONEY = "money"
    NUMBER = "number"
    LENGTH = "length"
    WEIGHT = "weight"
    CHOICE = "choice"
    LIST = "list"


class LotField(Struct, frozen=True, kw_only=True):
    """A field: its name in forms, and the attribute of the draft where that is another.

    ``options``: for a CHOICE all that there are, for a TEXT those that are proposed.
    """

    name: str
    title: str
    way: Way = Way.TEXT
    attribute: str = ""
    unit: str = ""
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()

    @property
    def attr(self) -> str:
        return self.attribute or self.name

    def typed(self, draft: LotDraft) -> str:
        """As it stands in its input."""
        value = getattr(draft, self.attr)
        if value is None:
            return ""
        match self.way:
            case Way.MONEY:
                return plain(value, draft.currency)
            case Way.LENGTH:
                return inches(value)
            case Way.WEIGHT:
                return pounds(value)
            case Way.LIST:
                return ", ".join(value)
        return str(value)

    def shown(self, draft: LotDraft) -> str:
        """As it is read; empty: nothing is said of it."""
        typed = self.typed(draft)
        if not typed:
            return ""
        match self.way:
            case Way.MONEY:
                return money(getattr(draft, self.attr), draft.currency)
            case Way.CHOICE:
                return dict(self.options).get(typed, typed)
            case Way.LIST:
                return ", ".join(map(restriction_words, getattr(draft, self.attr)))
            case Way.LENGTH | Way.WEIGHT:
                return f"{rounded(float(typed))} {self.unit}"
        return typed

    def in_grid(self, draft: LotDraft) -> str:
        """As it is read below its column's name, which has the unit."""
        return self.shown(draft).removesuffix(f" {self.unit}") if self.unit else self.shown(draft)

    def read(self, typed: str, currency: str) -> object:
        """The value of the draft's attribute. Raises `BadField`."""
        text = typed.strip()
        try:
            value = _READERS[self.way](self, text, currency) if text else _nothing(self)
        except (NotMoney, NotAMeasure, ValueError) as fault:
            raise BadField(self.name, str(fault)) from None
        try:
            msgspec.convert(value, _TYPES[self.attr], strict=False)
        except msgspec.ValidationError as error:
            raise BadField(self.name, _in_words(self, str(error))) from None
        return value


def rounded(value: float) -> str:
    """As people say it: ``573``, ``47.2``; what is typed keeps all digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")


def _choice(one: LotField, text: str, _currency: str) -> str:
    """An option by its value or by its words, in any case."""
    for value, words in one.options:
        if text.casefold() in (value.casefold(), words.casefold()):
            return value
    known = [words for _, words in one.options[:MOST_NAMED]]
    more = ", …" if len(one.options) > MOST_NAMED else ""
    raise ValueError(f"Choose one of: {', '.join(known)}{more}." if known else "There is none yet.")


def _restrictions(_one: LotField, text: str, _currency: str) -> tuple[str, ...]:
    words = {restriction_words(key).casefold(): key for key in RESTRICTIONS}
    parts = [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(words.get(part.casefold(), part) for part in parts if part))


def _whole(_one: LotField, text: str, _currency: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("Enter a whole number.")
    return int(text)


_READERS: Final[Mapping[Way, Callable[[LotField, str, str], object]]] = {
    Way.TEXT: lambda _one, text, _currency: text,
    Way.PROSE: lambda _one, text, _currency: text,
    Way.MONEY: lambda _one, text, currency: parse_typed(text, currency),
    Way.NUMBER: _whole,
    Way.LENGTH: lambda _one, text, _currency: length_mm(text),
    Way.WEIGHT: lambda _one, text, _currency: weight_g(text),
    Way.CHOICE: _choice,
    Way.LIST: _restrictions,
}

_TYPES: Final[Mapping[str, Any]] = {field.name: field.type for field in structs.fields(LotDraft)}
_NOTHING: Final = LotDraft()


def _nothing(one: LotField) -> object:
    """What an empty field means."""
    return getattr(_NOTHING, one.attr)


def _in_words(one: LotField, error: str) -> str:
    if "length <=" in error:
        return f"At most {error.partition('<= ')[2].split()[0]} characters."
    return _SHAPES.get(one.name, "This is not as it must be.")


_SHAPES: Final = {
    "region": "Two capital letters, such as IL.",
    "postal_code": "Five digits.",
    "pallets": "From 0 to 100.",
    "length": "At most 100 m.",
    "width": "At most 100 m.",
    "height": "At most 100 m.",
}

_KINDS: Final = tuple((str(kind), words) for kind, words in KINDS.items())
_CLASSES: Final = tuple((name, f"Class {name}") for name in FREIGHT_CLASSES)
_SOURCES: Final = tuple((name, name) for name in SOURCES)

_ALL: Final = (
    LotField(name="title", title="Title"),
    LotField(name="description", title="Description", way=Way.PROSE),
    LotField(name="kind", title="Kind", way=Way.CHOICE, options=_KINDS),
    LotField(name="category", title="Category"),
    LotField(name="source", title="Source", options=_SOURCES),
    LotField(
        name="alias",
        title="Retailer as buyers read it",
        hint="For instance “a large home store”. The name itself is not shown.",
    ),
    LotField(name="restrictions", title="Restrictions", way=Way.LIST),
    # Its options are the liquidator's own: `with_consignors`.
    LotField(name="consignor", title="Consignor", way=Way.CHOICE, attribute="consignor_id"),
    LotField(name="load", title="Load"),
    LotField(name="purchase_order", title="Purchase order"),
    LotField(name="rma", title="RMA"),
    LotField(name="company", title="Company at the pickup address"),
    LotField(name="street", title="Street"),
    LotField(name="city", title="Town"),
    LotField(name="region", title="State", hint="Two letters: IL."),
    LotField(name="postal_code", title="ZIP code"),
    LotField(name="pallets", title="Pallets", way=Way.NUMBER),
    LotField(name="length", title="Length", way=Way.LENGTH, attribute="length_mm", unit="in"),
    LotField(name="width", title="Width", way=Way.LENGTH, attribute="width_mm", unit="in"),
    LotField(name="height", title="Height", way=Way.LENGTH, attribute="height_mm", unit="in"),
    LotField(name="weight", title="Weight", way=Way.WEIGHT, attribute="weight_g", unit="lb"),
    LotField(name="freight_class", title="Freight class", way=Way.CHOICE, options=_CLASSES),
    LotField(
        name="freight_terms",
        title="Freight",
        way=Way.CHOICE,
        options=tuple((str(terms), words) for terms, words in FREIGHT_TERMS.items()),
    ),
    LotField(
        name="freight_fixed",
        title="Fixed freight",
        way=Way.MONEY,
        attribute="freight_fixed_minor",
    ),
    LotField(name="opening", title="Opening bid", way=Way.MONEY, attribute="opening_minor"),
    LotField(name="reserve", title="Reserve", way=Way.MONEY, attribute="reserve_minor"),
    LotField(name="group", title="Lots that close together"),
)
FIELDS: Final[Mapping[str, LotField]] = {one.name: one for one in _ALL}

# The columns of the grid that are typed into.
GRID: Final = tuple(
    FIELDS[name]
    for name in (
        *("title", "category", "source", "kind", "pallets", "length", "width", "height"),
        *("weight", "freight_class", "opening", "reserve", "consignor"),
    )
)
# What many lots are given at once: nobody gives the same title to all.
BULK: Final = tuple(
    one for one in _ALL if one.name not in ("title", "description", "restrictions", "group")
)


def with_consignors(consignors: Sequence[tuple[str, str]]) -> Mapping[str, LotField]:
    """All fields, for a liquidator with these consignors: ids and names."""
    return {**FIELDS, "consignor": structs.replace(FIELDS["consignor"], options=consignors)}


def field_of(attribute: str) -> str:
    """The name in forms of a draft's attribute."""
    return next((one.name for one in _ALL if one.attr == attribute), attribute)


def changes_of(
    typed: Mapping[str, str], currency: str, fields: Mapping[str, LotField] = FIELDS
) -> LotChanges:
    """What somebody typed into some fields. Raises `BadField` for the first bad one."""
    read = {fields[name].attr: fields[name].read(text, currency) for name, text in typed.items()}
    return msgspec.convert(read, LotChanges, strict=False)


def faults_of(
    typed: Mapping[str, str], currency: str, fields: Mapping[str, LotField] = FIELDS
) -> dict[str, str]:
    """The message for each bad field."""
    faults: dict[str, str] = {}
    for name, text in typed.items():
        try:
            fields[name].read(text, currency)
        except BadField as fault:
            faults[name] = str(fault)
    return faults
