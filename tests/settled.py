"""Awards and invoices as they stand in the tables, for tests of what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from auction.catalog.goods import Condition, FreightTerms
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import Pool, transaction
from settlement.entries import About, Entry
from settlement.ids import AwardId, InvoiceId, StripeId, award_id_of, invoice_id_of
from settlement.invoices import Award, Invoice, Line, line_of
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.postings import capture, processing_fee, release, transfer_out
from settlement.rows import Goods
from settlement.steps import Wanted, want
from settlement.story import Told, tell
from tests.settlement_rules import CHICAGO, CLOSED, DALLAS, premium_of, tax_at

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

_INVOICE = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, changed_at_us, paid_minor,
    paid_at_us)
values ($1, $2, $3, $4, 'USD', $5::jsonb, $6, $7, 'US', 1, $8, $9, $10, $8, $11, $12)
"""

_AWARD = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, invoice_id,
    currency, hammer_minor, body, goods, state, awarded_at_us, changed_at_us, funded_at_us,
    handed_over_at_us, accepted_at_us, released_at_us, paid_out_at_us)
values ($1, $2, $3, 1, $4, $5, $6, 'USD', $7, $8::jsonb, $9::jsonb, $10, $11, $11, $12, $13, $14,
    $15, $16)
"""

_WAY = (
    AwardState.FUNDED,
    AwardState.HANDED_OVER,
    AwardState.ACCEPTED,
    AwardState.RELEASED,
    AwardState.PAID_OUT,
)


@dataclass(frozen=True)
class Settled:
    """An invoice with its awards."""

    invoice_id: InvoiceId
    award_ids: Sequence[AwardId]
    lines: Sequence[Line]


def some_goods(lot: str, title: str = "Kitchen appliances") -> Goods:
    return Goods(
        number=lot,
        title=title,
        condition=Condition.USED_GOOD,
        freight_terms=FreightTerms.BUYER_ARRANGED,
        pallets=2,
        units=120,
        retail_minor=8_000_00,
        weight_g=500_000,
        manifest_sha256="ab" * 32,
    )


async def settled(
    pool: Pool,
    buyer_id: str = "acme",
    liquidator_id: str = "north",
    *,
    sale_id: str = "S1",
    lots: Sequence[str] = ("1", "2", "3"),
    payment: PaymentState = PaymentState.PAID,
    state: AwardState = AwardState.FUNDED,
    hammer_minor: int = 1_237_50,
    closed_at_us: int = CLOSED,
) -> Settled:
    """An invoice of these lots in that state, with entries, a story and operations."""
    sale, buyer, seller = SaleId(sale_id), BidderId(buyer_id), LiquidatorId(liquidator_id)
    awards = [_award(sale, lot, buyer, hammer_minor, closed_at_us) for lot in lots]
    lines = tuple(line_of(award, premium_of(), tax_at()) for award in awards)
    place = msgspec.structs.astuple(DALLAS)
    invoice = Invoice(
        invoice_id=invoice_id_of(sale, buyer, place, "USD"),
        sale_id=sale,
        buyer_id=buyer,
        ship_from=DALLAS,
        currency="USD",
        due_at_us=closed_at_us + 2 * DAY_US,
        lines=lines,
    )
    paid_at_us = closed_at_us + 3 * HOUR_US if payment is PaymentState.PAID else None
    reached = _WAY.index(state) + 1 if state in _WAY else 0
    times = [
        closed_at_us + (place + 3) * HOUR_US if place < reached else None for place in range(5)
    ]
    async with transaction(pool) as connection:
        await connection.execute(
            _INVOICE,
            invoice.invoice_id,
            sale,
            buyer,
            seller,
            msgspec.json.encode(invoice).decode(),
            invoice.total_minor,
            CHICAGO,
            closed_at_us,
            invoice.due_at_us,
            payment,
            invoice.total_minor if paid_at_us else 0,
            paid_at_us,
        )
        for award, lot in zip(awards, lots, strict=True):
            await connection.execute(
                _AWARD,
                award.award_id,
                sale,
                LotId(lot),
                buyer,
                seller,
                invoice.invoice_id,
                award.hammer_minor,
                msgspec.json.encode(award).decode(),
                msgspec.json.encode(some_goods(lot)).decode(),
                state,
                closed_at_us,
                *times,
            )
        await tell(connection, _told(invoice, awards, paid_at_us), closed_at_us)
        await want(connection, [_wanted(invoice, closed_at_us)], closed_at_us)
        if paid_at_us is not None:
            await post(connection, _entries(invoice, lines, seller, paid_at_us, reached))
    return Settled(invoice.invoice_id, [award.award_id for award in awards], lines)


def _award(sale: SaleId, lot: str, buyer: BidderId, hammer_minor: int, at_us: int) -> Award:
    return Award(
        award_id=award_id_of(sale, LotId(lot)),
        lot_id=LotId(lot),
        buyer_id=buyer,
        ship_from=DALLAS,
        closed_at_us=at_us,
        hammer_minor=hammer_minor,
    )


def _told(invoice: Invoice, awards: Sequence[Award], paid_at_us: int | None) -> list[Told]:
    facts = {"total_minor": invoice.total_minor, "due_at_us": invoice.due_at_us}
    lines = [Told(kind="invoiced", invoice_id=invoice.invoice_id, facts=facts)]
    lines += [
        Told(kind="awarded", award_id=award.award_id, facts={"hammer_minor": award.hammer_minor})
        for award in awards
    ]
    if paid_at_us is not None:
        paid = {"payment_id": "pi_3Abc", "amount_minor": invoice.total_minor}
        lines.append(Told(kind="paid", invoice_id=invoice.invoice_id, at_us=paid_at_us, facts=paid))
    return lines


def _wanted(invoice: Invoice, at_us: int) -> Wanted:
    return Wanted(operation="overdue", subject=invoice.invoice_id, due_at_us=at_us + 90 * DAY_US)


def _entries(
    invoice: Invoice, lines: Sequence[Line], seller: LiquidatorId, at_us: int, reached: int
) -> list[Entry]:
    about = About(
        subject=invoice.invoice_id,
        at_us=at_us,
        currency="USD",
        sale_id=invoice.sale_id,
        invoice_id=invoice.invoice_id,
        buyer_id=invoice.buyer_id,
        stripe_ids=(StripeId("pi_3Abc"), StripeId("ch_3Abc"), StripeId("txn_1")),
    )
    entries = [
        capture(about, [line.money for line in lines]),
        processing_fee(about, invoice.total_minor * 29 // 1000 + 30),
    ]
    for line in lines:
        of = msgspec.structs.replace(
            about, subject=line.award_id, at_us=at_us + 3 * HOUR_US, stripe_ids=()
        )
        if reached >= 4:
            entries.append(release(of, seller, line.money, line.hammer_minor // 10))
        if reached >= 5:
            sent = line.hammer_minor - line.hammer_minor // 10
            entries.append(transfer_out(of, seller, sent))
    return entries


async def held_operation(pool: Pool, subject: str, words: str, due_at_us: int) -> int:
    """An operation that waits for a person; its number."""
    async with transaction(pool) as connection:
        await want(
            connection,
            [Wanted(operation="capture", subject=subject, due_at_us=due_at_us)],
            due_at_us,
        )
        number: int = await connection.fetchval(
            "update settlement_op set state = 'HELD', note = $2 where subject = $1 "
            "and operation = 'capture' returning op_id",
            subject,
            words,
        )
    return number
