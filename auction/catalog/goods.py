"""What the catalogue says of goods: grades, sources, classes, and the lines of a manifest."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from auction.codec import pack
from auction.money import MAX_MINOR, Minor
from auction.terms import STORABLE

# The longest manifest that one lot may have: a truckload by the piece.
MAX_LINES: Final = 20_000
MAX_QUANTITY: Final = 1_000_000


class Condition(StrEnum):
    """The grade of goods, best first. Of uninspected goods nothing is promised: they come last."""

    NEW = "NEW"
    LIKE_NEW = "LIKE_NEW"
    OPEN_BOX = "OPEN_BOX"
    REFURBISHED = "REFURBISHED"
    USED_GOOD = "USED_GOOD"
    USED_FAIR = "USED_FAIR"
    SALVAGE = "SALVAGE"
    UNINSPECTED = "UNINSPECTED"

    @property
    def on_pages(self) -> str:
        """As buyers read it."""
        return _CONDITION_NAMES[self]


_CONDITION_NAMES: Final[dict[str, str]] = {
    Condition.NEW: "New",
    Condition.LIKE_NEW: "Like new",
    Condition.OPEN_BOX: "Open box",
    Condition.REFURBISHED: "Refurbished",
    Condition.USED_GOOD: "Used, good",
    Condition.USED_FAIR: "Used, fair",
    Condition.SALVAGE: "Salvage",
    Condition.UNINSPECTED: "Uninspected",
}

_RANK: Final = {condition: rank for rank, condition in enumerate(Condition)}


def lowest(conditions: Iterable[Condition]) -> Condition:
    """The grade that labels goods of several: the lowest. ``ValueError`` for no goods."""
    return max(conditions, key=_RANK.__getitem__)


# Where goods come from is not what they are: a customer's return may be like new.
SOURCES: Final = ("customer returns", "overstock", "shelf pulls", "closeout", "store damage")

# Of the National Motor Freight Classification, as carriers ask for them: dense goods first.
FREIGHT_CLASSES: Final = (
    *("50", "55", "60", "65", "70", "77.5", "85", "92.5", "100"),
    *("110", "125", "150", "175", "200", "250", "300", "400", "500"),
)


FreightClass = Annotated[
    str, Meta(pattern=rf"\A({'|'.join(name.replace('.', '[.]') for name in FREIGHT_CLASSES)})\Z")
]


class FreightTerms(StrEnum):
    """Who carries the goods, and what that costs."""

    BINDING = "BINDING"  # quoted before bidding, and that is the price
    FIXED = "FIXED"  # one price wherever it goes
    FREE = "FREE"
    BUYER_ARRANGED = "BUYER_ARRANGED"


Word = Annotated[str, Meta(max_length=80, pattern=STORABLE)]
Gtin = Annotated[str, Meta(pattern=r"\A([0-9]{8}|[0-9]{12}|[0-9]{13}|[0-9]{14})?\Z")]


class ManifestLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One line of a manifest: so many pieces of one article. Empty text: not known.

    ``unit_msrp_minor`` is the seller's word, and advisory. ``lpn`` and ``serial`` tell single
    pieces apart and are shown to who has paid for them. ``weight_g`` is that of one piece.
    """

    line: Annotated[int, Meta(ge=1, le=MAX_LINES)]
    description: Annotated[str, Meta(min_length=1, max_length=300, pattern=STORABLE)]
    brand: Word = ""
    model: Word = ""
    category: Word = ""
    subcategory: Word = ""
    condition: Condition
    source: Word = ""
    item_number: Word = ""
    gtin: Gtin = ""
    lpn: Word = ""
    serial: Word = ""
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)] = 1
    unit_msrp_minor: Minor
    pallet: Word = ""
    weight_g: Annotated[int, Meta(ge=1, le=10**9)] | None = None

    @property
    def extended_msrp_minor(self) -> int:
        """The MSRP of all its pieces."""
        return self.quantity * self.unit_msrp_minor


def gtin_check_digit(digits: str) -> str:
    """The last digit of a GTIN of any length, from those before it: weights 3 and 1 from the right.

    GS1 General Specifications, 7.9.1.
    """
    weighed = sum(
        int(digit) * (1 if number % 2 else 3) for number, digit in enumerate(reversed(digits))
    )
    return str(-weighed % 10)


def is_gtin(text: str) -> bool:
    """Whether these are the digits of a GTIN-8, -12, -13 or -14 with its right check digit."""
    plain = text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)
    return plain and gtin_check_digit(text[:-1]) == text[-1]


def manifest_fault(lines: Sequence[ManifestLine]) -> str | None:
    """What keeps these lines from being a manifest, naming the line; ``None``: nothing."""
    if not 1 <= len(lines) <= MAX_LINES:
        return f"a manifest has from 1 to {MAX_LINES} lines"
    for number, line in enumerate(lines, start=1):
        if line.line != number:
            return f"line {number}: it is numbered {line.line}"
        if line.gtin and not is_gtin(line.gtin):
            return f"line {number}: {line.gtin} is no GTIN"
    if sum(line.extended_msrp_minor for line in lines) > MAX_MINOR:
        return "the MSRPs come to more than any amount"
    return None


_FIELDS: Final = ManifestLine.__struct_fields__


def manifest_sha256(currency: str, lines: Sequence[ManifestLine]) -> bytes:
    """The digest under which a manifest is published (``LotScheduled.manifest_sha256``).

    SHA-256 of the MessagePack array [1, currency, names of the fields, lines], each line an array
    of its fields in that order. Every field counts, also those that only the buyer is shown.
    """
    rows = [structs.astuple(line) for line in lines]
    return sha256(pack([1, currency, _FIELDS, rows])).digest()
