"""What a buyer pays for a sale: one invoice for each place that goods ship from. Pure.

Each line is a lot's award: hammer price, premium, freight, and the tax on them, each rounded half
up for itself, by the arithmetic that priced the lot while it was bid on (`catalog.door_price`). An
invoice is never changed; what of it need not be paid, or was paid and goes back, is credited, and
no line is ever credited more than it is.

Hammer 1,237.50, premium 15 % 185.63, tax 8.25 % of 1,423.13 is 117.41: 1,540.54.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct, structs

from auction.catalog.taxes import BidderTax, Place, TaxRate
from auction.costs import premium_minor
from auction.ids import BidderId, LotId, SaleId
from auction.terms import Terms
from settlement.chart import sales_tax
from settlement.due import Calendar, payment_due_us
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, TaxPlace, invoice_id_of
from settlement.policy import Policy


class ShipFrom(Struct, frozen=True, order=True):
    """Where goods lie, as the catalogue says it."""

    company: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str

    @property
    def place(self) -> Place:
        """Whose tax is due on what is collected here."""
        return Place(self.country, self.region)


class Certificate(Struct, frozen=True):
    """A resale certificate that staff accepted: where it exempts, and its last day."""

    place: Place
    expires_on: date


class Award(Struct, frozen=True, kw_only=True):
    """A lot that was sold, as it is invoiced. ``ships_to`` None: the buyer collects it.

    ``closed_at_us``: the lot's end; of a runner-up's award, when it took the lot.
    """

    award_id: AwardId
    lot_id: LotId
    buyer_id: BidderId
    ship_from: ShipFrom
    closed_at_us: int
    hammer_minor: int
    freight_minor: int = 0
    ships_to: Place | None = None

    @property
    def taxed_at(self) -> Place:
        """What is collected is taxed where it lies, what is sent where it goes."""
        return self.ship_from.place if self.ships_to is None else self.ships_to


class LineTax(Struct, frozen=True):
    """How a line is taxed; an exempt one at 0, in the place whose tax it would be."""

    place: Place
    rate_ppm: int
    premium_taxed: bool
    freight_taxed: bool

    def on_minor(self, hammer_minor: int, premium_minor: int, freight_minor: int) -> int:
        """The tax on these, rounded half up."""
        base = hammer_minor
        base += premium_minor if self.premium_taxed else 0
        base += freight_minor if self.freight_taxed else 0
        return (base * self.rate_ppm + 500_000) // 1_000_000

    @property
    def tax_place(self) -> TaxPlace:
        return TaxPlace(f"{self.place.country}-{self.place.region}")


class Line(Struct, frozen=True, kw_only=True):
    """An award on its invoice."""

    award_id: AwardId
    lot_id: LotId
    closed_at_us: int
    hammer_minor: int
    premium_minor: int
    freight_minor: int
    tax_minor: int
    tax: LineTax

    @property
    def total_minor(self) -> int:
        return self.hammer_minor + self.premium_minor + self.freight_minor + self.tax_minor

    @property
    def money(self) -> AwardMoney:
        """As the ledger books it."""
        return AwardMoney(
            award_id=self.award_id,
            hammer_minor=self.hammer_minor,
            premium_minor=self.premium_minor,
            tax_minor=self.tax_minor,
            freight_minor=self.freight_minor,
            tax_place=sales_tax(self.tax.tax_place),
        )


class Invoice(Struct, frozen=True, kw_only=True):
    """What one buyer pays for the awards of a sale from one place; the earliest closed first."""

    invoice_id: InvoiceId
    sale_id: SaleId
    buyer_id: BidderId
    ship_from: ShipFrom
    currency: str
    due_at_us: int
    lines: tuple[Line, ...]

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)


class CreditReason(StrEnum):
    """Why a part of an invoice need not be paid, or goes back."""

    CERTIFICATE = "CERTIFICATE"  # it came after the invoice, and was valid at the close
    CLAIM = "CLAIM"
    CANCELLED = "CANCELLED"
    VOID = "VOID"  # not paid


class CreditNote(Struct, frozen=True, kw_only=True):
    """What is credited of an invoice: a part of some of its lines."""

    invoice_id: InvoiceId
    reason: CreditReason
    lines: tuple[AwardMoney, ...]

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)


def tax_of(
    award: Award,
    rates: Mapping[Place, TaxRate],
    certificates: Iterable[Certificate],
    calendar: Calendar,
) -> BidderTax:
    """What an award bears: its place's rate; nothing by a certificate valid there at the close."""
    place, closed_on = award.taxed_at, calendar.day_of(award.closed_at_us)
    exempt = any(held.place == place and held.expires_on >= closed_on for held in certificates)
    return BidderTax(place, rates.get(place), exempt)


def line_of(award: Award, terms: Terms, tax: BidderTax) -> Line:
    """The award's line. Nothing is taxed that the terms do not tax."""
    rate = tax.rate
    how = LineTax(
        place=tax.place,
        rate_ppm=0 if rate is None or tax.exempt else rate.rate_ppm,
        premium_taxed=rate is not None and rate.premium_taxable and terms.premium.taxable,
        freight_taxed=rate is not None and rate.freight_taxable and terms.freight_taxable,
    )
    premium = premium_minor(terms.premium, award.hammer_minor)
    return Line(
        award_id=award.award_id,
        lot_id=award.lot_id,
        closed_at_us=award.closed_at_us,
        hammer_minor=award.hammer_minor,
        premium_minor=premium,
        freight_minor=award.freight_minor,
        tax_minor=how.on_minor(award.hammer_minor, premium, award.freight_minor),
        tax=how,
    )


def invoices_of(
    sale_id: SaleId,
    terms: Terms,
    awards: Sequence[tuple[Award, BidderTax]],
    policy: Policy,
    calendar: Calendar,
    number: int = 1,
) -> list[Invoice]:
    """A sale's awards as invoices: one for each buyer and place. All are in the sale's currency."""
    assert policy.currency == terms.currency, "each currency has its own policy"
    grouped: dict[tuple[BidderId, ShipFrom], list[Line]] = {}
    for award, tax in awards:
        line = line_of(award, terms, tax)
        grouped.setdefault((award.buyer_id, award.ship_from), []).append(line)
    invoices = []
    for (buyer_id, ship_from), lines in sorted(grouped.items()):
        place = structs.astuple(ship_from)
        last_us = max(line.closed_at_us for line in lines)
        invoices.append(
            Invoice(
                invoice_id=invoice_id_of(sale_id, buyer_id, place, terms.currency, number),
                sale_id=sale_id,
                buyer_id=buyer_id,
                ship_from=ship_from,
                currency=terms.currency,
                due_at_us=payment_due_us(policy, calendar, last_us),
                lines=tuple(sorted(lines, key=_by_close)),
            )
        )
    return invoices


def left_of(line: Line, credited: Iterable[AwardMoney]) -> AwardMoney:
    """What remains of a line after its credits; those of other lines do not count."""
    notes = [note for note in credited if note.award_id == line.award_id]
    return AwardMoney(  # which refuses what is below nothing
        award_id=line.award_id,
        hammer_minor=line.hammer_minor - sum(note.hammer_minor for note in notes),
        premium_minor=line.premium_minor - sum(note.premium_minor for note in notes),
        tax_minor=line.tax_minor - sum(note.tax_minor for note in notes),
        freight_minor=line.freight_minor - sum(note.freight_minor for note in notes),
        tax_place=sales_tax(line.tax.tax_place),
    )


def late_certificate(
    invoice: Invoice,
    certificates: Iterable[Certificate],
    calendar: Calendar,
    credited: Sequence[AwardMoney] = (),
) -> CreditNote | None:
    """The tax that was taken although the buyer was exempt at the close; ``None``: there is none.

    It does not matter when the certificate was shown, only that it was valid when the lot closed.
    """
    held = list(certificates)
    back = []
    for line in invoice.lines:
        closed_on, left = calendar.day_of(line.closed_at_us), left_of(line, credited)
        valid = any(c.place == line.tax.place and c.expires_on >= closed_on for c in held)
        if valid and left.tax_minor:
            back.append(structs.replace(left, hammer_minor=0, premium_minor=0, freight_minor=0))
    if not back:
        return None
    return CreditNote(
        invoice_id=invoice.invoice_id, reason=CreditReason.CERTIFICATE, lines=tuple(back)
    )


class Funding(Struct, frozen=True, kw_only=True):
    """What a sum pays of an invoice. Sums to it: ``funded``, ``towards_minor`` and ``over_minor``.

    ``towards``: the lot for which the rest of the sum waits, since it does not fill it;
    ``over_minor``: what is more than the invoice, and stays the buyer's.
    """

    funded: tuple[AwardId, ...]
    towards: AwardId | None
    towards_minor: int
    over_minor: int


def funding_of(
    lines: Iterable[Line],
    available_minor: int,
    *,
    named: Sequence[AwardId] = (),
    already: Iterable[AwardId] = (),
    credited: Sequence[AwardMoney] = (),
) -> Funding:
    """Which lots a sum pays for: the named ones in their order, then the earliest closed.

    ``available_minor``: what came in and is in no lot yet. ``already``: lots that are paid.
    A lot is paid when all that remains of it is there, so that it can be handed over; one that is
    not filled is not passed over for a cheaper one. ``ValueError`` for a named lot that is not on
    the invoice.
    """
    assert available_minor >= 0
    every = {line.award_id: line for line in lines}
    for award_id in named:
        if award_id not in every:
            raise ValueError(f"{award_id} is not on this invoice")
    paid = set(already)
    by_close = [line.award_id for line in sorted(every.values(), key=_by_close)]
    wanted = [award_id for award_id in dict.fromkeys((*named, *by_close)) if award_id not in paid]
    funded: list[AwardId] = []
    for award_id in wanted:
        due_minor = left_of(every[award_id], credited).total_minor
        if not due_minor:
            continue  # it was cancelled or is void: there is nothing to pay
        if due_minor > available_minor:
            towards = award_id if available_minor else None
            return Funding(
                funded=tuple(funded), towards=towards, towards_minor=available_minor, over_minor=0
            )
        funded.append(award_id)
        available_minor -= due_minor
    return Funding(funded=tuple(funded), towards=None, towards_minor=0, over_minor=available_minor)


def _by_close(line: Line) -> tuple[int, LotId]:
    return line.closed_at_us, line.lot_id
