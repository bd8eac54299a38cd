"""What is on each document: facts, and nothing that depends on when it is printed. Pure.

What has no field here cannot be printed: a consignor's statement has none for a buyer or a reserve,
and no document has one for what others would have bid.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.catalog.goods import ManifestLine
from foundation.papers.sizes import Paper
from settlement.papers.letterhead import Bank, Fact, House, Party

# Beyond what a document can sensibly have: an invoice of one buyer's thousand lots, the statement
# of the largest sale, what happened to an award in a year of disputes.
MAX_ROWS: Final = 5_000
MAX_BIDS: Final = 2_000
MAX_PHOTOS: Final = 24
MAX_PHOTO_BYTES: Final = 1 * 2**20


class LotLine(Struct, frozen=True, kw_only=True):
    """A lot on an invoice or a credit note, in minor units."""

    lot: str
    title: str
    detail: str = ""
    hammer_minor: int
    premium_minor: int
    freight_minor: int
    tax_minor: int
    manifest_sha256: str = ""

    @property
    def total_minor(self) -> int:
        return self.hammer_minor + self.premium_minor + self.freight_minor + self.tax_minor


class TaxLine(Struct, frozen=True, kw_only=True):
    """What of a document is taxed in a place, by which rate or why it is not."""

    place: str
    rate_ppm: int
    base_minor: int
    tax_minor: int
    note: str = ""


class InvoiceContent(Struct, frozen=True, kw_only=True, tag=True):
    """An invoice, with what was paid and credited of it until ``as_of_us``."""

    paper: Paper
    house: House
    number: str
    sale: str
    seller: str
    buyer: Party
    goods_at: str
    currency: str
    zone: str
    issued_at_us: int
    due_at_us: int
    lines: Sequence[LotLine]
    taxes: Sequence[TaxLine]
    as_of_us: int
    paid_minor: int
    credited_minor: int
    bank: Bank | None
    takes_card: bool
    terms: str

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)

    @property
    def open_minor(self) -> int:
        return max(0, self.total_minor - self.credited_minor - self.paid_minor)


class CreditNoteContent(Struct, frozen=True, kw_only=True, tag=True):
    """What is credited of an invoice. ``settled``: how the buyer gets it."""

    paper: Paper
    house: House
    number: str
    invoice: str
    sale: str
    buyer: Party
    currency: str
    zone: str
    issued_at_us: int
    reason: str
    settled: str
    lines: Sequence[LotLine]
    taxes: Sequence[TaxLine]

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)


class ManifestContent(Struct, frozen=True, kw_only=True, tag=True):
    """The winner's manifest: every line with what tells single pieces apart, and where it lies."""

    paper: Paper
    house: House
    sale: str
    lot: str
    title: str
    buyer: Party
    pickup: Party
    invoice: str
    currency: str
    zone: str
    funded_at_us: int
    condition: str
    pallets: int
    sha256: str
    lines: Sequence[ManifestLine]


class LoadedLot(Struct, frozen=True, kw_only=True):
    """A lot of a truck, with the pallets that are meant, or that were loaded."""

    lot: str
    title: str
    pallets: Sequence[str]
    of_pallets: int
    units: int
    weight_g: int | None
    freight_class: str
    condition: str
    manifest_sha256: str


class Signed(Struct, frozen=True):
    """A signature as it was given; ``path``: an SVG path in a box of 600 x 200, or none."""

    name: str
    at_us: int
    path: str = ""


class LoadingContent(Struct, frozen=True, kw_only=True, tag=True):
    """A pickup release, which becomes the bill of lading once the goods were signed for."""

    paper: Paper
    house: House
    number: str
    shipper: Party
    consignee: Party
    zone: str
    door: str
    slot_at_us: int
    slot_ends_at_us: int
    carrier: str
    driver: str
    trailer: str
    seal: str
    lots: Sequence[LoadedLot]
    note: str
    released_by: str
    signed: Signed | None
    made_at_us: int


class Label(Struct, frozen=True, kw_only=True):
    """One pallet's label. ``sscc``: 18 digits, where the house has a GS1 prefix."""

    pallet_id: str
    number: int
    of: int
    sscc: str = ""


class LabelsContent(Struct, frozen=True, kw_only=True, tag=True):
    """The labels of an award's pallets. They do not say whose the goods are."""

    house: House
    sale: str
    lot: str
    title: str
    seller: str
    place: str
    facts: Sequence[Fact]
    labels: Sequence[Label]
    made_at_us: int


class Outcome(StrEnum):
    """What became of a lot, for whom it belonged to."""

    SOLD = "SOLD"  # and its money is not released yet
    RELEASED = "RELEASED"
    PASSED = "PASSED"
    WITHDRAWN = "WITHDRAWN"
    DEFAULTED = "DEFAULTED"
    CANCELLED = "CANCELLED"


class SoldLot(Struct, frozen=True, kw_only=True):
    """A lot on a seller's statement. Net: what the reader of the statement gets of it.

    ``others_minor``: on a liquidator's, what the consignor gets; on a consignor's, the fees.
    """

    lot: str
    title: str
    outcome: Outcome
    hammer_minor: int = 0
    credited_minor: int = 0
    commission_minor: int = 0
    others_minor: int = 0
    note: str = ""

    @property
    def net_minor(self) -> int:
        return self.hammer_minor - self.credited_minor - self.commission_minor - self.others_minor


class Moved(Struct, frozen=True, kw_only=True):
    """Money that was sent, kept or charged, with the words of the books; what came is positive."""

    at_us: int
    words: str
    reference: str
    amount_minor: int


class LiquidatorStatement(Struct, frozen=True, kw_only=True, tag=True):
    """What a sale brought its liquidator, as the books have it at ``as_of_us``."""

    paper: Paper
    house: House
    number: str
    liquidator: Party
    sale: str
    currency: str
    zone: str
    as_of_us: int
    lots: Sequence[SoldLot]
    moved: Sequence[Moved]


class Load(Struct, frozen=True, kw_only=True):
    """The lots of a load, by the seller's own number of it."""

    load: str
    purchase_order: str
    rma: str
    lots: Sequence[SoldLot]


class ConsignorStatement(Struct, frozen=True, kw_only=True, tag=True):
    """What a consignor's loads brought in a month, load by load."""

    paper: Paper
    house: House
    number: str
    consignor: Party
    liquidator: str
    month: str
    currency: str
    zone: str
    as_of_us: int
    loads: Sequence[Load]
    moved: Sequence[Moved]


class PayoutAdvice(Struct, frozen=True, kw_only=True, tag=True):
    """What a payment to a payee is for. The lines and what was kept sum to it."""

    paper: Paper
    house: House
    number: str
    payee: Party
    currency: str
    zone: str
    paid_at_us: int
    way: str
    references: Sequence[str]
    lots: Sequence[SoldLot]
    moved: Sequence[Moved]
    amount_minor: int


class Acceptance(Struct, frozen=True, kw_only=True):
    """Terms that were accepted: by whom, when, from which address."""

    version: int
    sha256: str
    person: str
    at_us: int
    address: str


class BidLine(Struct, frozen=True, kw_only=True):
    """A bid of the buyer on the lot, as everybody saw it. ``position``: its place in the log.

    A maximum is its owner's alone, so it is not here.
    """

    at_us: int
    paddle: int
    price_minor: int
    leads: bool
    position: int


class Said(Struct, frozen=True, kw_only=True):
    """A message, or something that happened."""

    at_us: int
    actor: str
    words: str


class Photo(Struct, frozen=True, kw_only=True):
    """A photo with its words; a JPEG."""

    title: str
    at_us: int | None
    data: bytes


class EvidenceContent(Struct, frozen=True, kw_only=True, tag=True):
    """What is sent to a bank whose customer disputes a payment: who agreed to what, and got what.

    ``accepted_words``: the very rules and words of the version that was accepted last.
    """

    paper: Paper
    house: House
    number: str
    currency: str
    zone: str
    as_of_us: int
    buyer: Party
    facts: Sequence[Fact]
    acceptances: Sequence[Acceptance]
    accepted_words: Sequence[Fact]
    bids: Sequence[BidLine]
    invoice: InvoiceContent
    loading: Sequence[LoadingContent]
    delivery: Sequence[Fact]
    happened: Sequence[Said]
    messages: Sequence[Said]
    photos: Sequence[Photo]
    manifest_sha256: str


Content = (
    InvoiceContent
    | CreditNoteContent
    | ManifestContent
    | LoadingContent
    | LabelsContent
    | LiquidatorStatement
    | ConsignorStatement
    | PayoutAdvice
    | EvidenceContent
)
