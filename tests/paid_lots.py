"""Invoices whose lots are paid, written straight into the tables and the books: what comes before
the goods leave is tested elsewhere."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from accounts.audit import Actor
from accounts.ids import PersonId
from auction.catalog.goods import Condition, FreightTerms
from auction.catalog.taxes import BidderTax
from auction.ids import BidderId, LiquidatorId, LotId
from foundation.database import AnyConnection, Pool, open_pool, transaction
from settlement.entries import About
from settlement.ids import AwardId, InvoiceId
from settlement.invoices import Award, Invoice, invoices_of
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.postings import bank_funding, capture
from settlement.rows import AwardRow, Goods, read_award
from tests.settlement_rules import (
    BUYER,
    CALENDAR,
    CHICAGO,
    CLOSED,
    SALE,
    at_us,
    award,
    policy,
    premium_of,
    tax_at,
)

SELLER = LiquidatorId("prairie")
CLERK = Actor(PersonId("person-clerk"), "192.0.2.7")
CHIEF = Actor(PersonId("person-chief"), "192.0.2.8")
DRIVER = Actor(PersonId("person-buyer"), "198.51.100.4")
# A Monday: what is paid now is free until the Monday after.
PAID = at_us("2026-03-09 09:00")

_INVOICE = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, paid_minor, paid_at_us,
    changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'US', 1, $9, $10, $11, $12, $13, $13)
"""
_AWARD = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, invoice_id,
    currency, hammer_minor, body, goods, state, awarded_at_us, funded_at_us, changed_at_us)
values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
"""


class Clock:
    """Stands until a test moves it."""

    def __init__(self, now_us: int = PAID) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def is_now(self, text: str) -> None:
        self.now_us = at_us(text)


def goods(number: str = "1", **changes: Any) -> Goods:
    """Four pallets of kitchen appliances that the buyer fetches."""
    facts: dict[str, Any] = {
        "number": number,
        "title": "Kitchen appliances",
        "condition": Condition.USED_GOOD,
        "freight_terms": FreightTerms.BUYER_ARRANGED,
        "pallets": 4,
        "units": 100,
        "retail_minor": 20_000_00,
        "weight_g": 800_000,
        "manifest_sha256": "00" * 32,
    }
    return Goods(**(facts | changes))


async def pay_for(
    connection: AnyConnection,
    *lots: Award,
    what: Sequence[Goods] = (),
    tax: BidderTax | None = None,
    premium_bps: int = 1_500,
    paid_at_us: int = PAID,
    state: AwardState = AwardState.FUNDED,
    payment: PaymentState = PaymentState.PAID,
) -> list[AwardId]:
    """These lots, invoiced, paid by card and in the books; the ids of their awards."""
    bear = tax or tax_at()
    (invoice,) = invoices_of(
        SALE, premium_of(premium_bps), [(lot, bear) for lot in lots], policy(), CALENDAR
    )
    total = invoice.total_minor
    async with connection.transaction():
        await connection.execute(
            *(_INVOICE, invoice.invoice_id, SALE, invoice.buyer_id, SELLER, invoice.currency),
            *(
                _json(invoice),
                total,
                CHICAGO,
                CLOSED,
                invoice.due_at_us,
                payment,
                total,
                paid_at_us,
            ),
        )
        for place, lot in enumerate(lots):
            is_of = what[place] if what else goods(lot.lot_id)
            await connection.execute(
                *(_AWARD, lot.award_id, SALE, lot.lot_id, lot.buyer_id, SELLER),
                *(invoice.invoice_id, invoice.currency, lot.hammer_minor, _json(lot)),
                *(_json(is_of), state, CLOSED, paid_at_us),
            )
        about = About(
            subject=invoice.invoice_id,
            at_us=paid_at_us,
            currency=invoice.currency,
            invoice_id=invoice.invoice_id,
        )
        await post(connection, [capture(about, [line.money for line in invoice.lines])])
    return [lot.award_id for lot in lots]


async def give_credit(pool: Pool, amount_minor: int, buyer_id: BidderId = BUYER) -> None:
    """A buyer has sent too much."""
    about = About(subject=f"wire-{buyer_id}-{amount_minor}", at_us=PAID, currency="USD")
    async with transaction(pool) as connection:
        await post(connection, [bank_funding(about, buyer_id, amount_minor)])


async def row_of(pool: Pool, award_id: AwardId) -> AwardRow:
    async with transaction(pool) as connection:
        return (await read_award(connection, award_id)).awards[award_id]


async def waiting(pool: Pool, operation: str) -> list[dict[str, Any]]:
    """Operations of a kind that wait, the earliest due first."""
    async with transaction(pool) as connection:
        rows = await connection.fetch(
            "select subject, generation, due_at_us, arguments from settlement_op "
            "where operation = $1 and state = 'WAITING' order by due_at_us, op_id",
            operation,
        )
    return [{**row, "arguments": msgspec.json.decode(row["arguments"])} for row in rows]


async def told(pool: Pool, award_id: AwardId) -> list[str]:
    """The kinds of an award's lines, in order."""
    async with transaction(pool) as connection:
        rows = await connection.fetch(
            "select kind from story_line where award_id = $1 order by story_id", award_id
        )
    return [row["kind"] for row in rows]


def lots(*numbers: str, **changes: Any) -> list[Award]:
    """Awards of a Friday, of 1,000.00 each."""
    return [award(number, 1_000_00, **changes) for number in numbers]


def other_buyer(name: str) -> dict[str, Any]:
    return {"buyer_id": BidderId(name)}


@asynccontextmanager
async def a_pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test", max_connections=10)
    try:
        yield pool
    finally:
        pool.terminate()


def ids_of(awards: Iterable[Award]) -> list[AwardId]:
    return [each.award_id for each in awards]


def invoice_of(row: AwardRow) -> InvoiceId:
    assert row.invoice_id is not None
    return row.invoice_id


def lot_id(number: str) -> LotId:
    return LotId(number)


def _json(value: Award | Invoice | Goods) -> str:
    return msgspec.json.encode(value).decode()
