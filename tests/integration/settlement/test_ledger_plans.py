"""Every reading of what is somebody's or something's own has an index to read it by."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import Connection, connect
from settlement import postings as p
from settlement.entries import Entry
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.ledger_reading import (
    keys_of_stripe,
    read_entries,
    read_lines,
    read_stripe_balances,
    read_totals,
)
from settlement.statements import Period, Scope
from tests.books import NOON_US, about, booked, money

# Rows that were read one after the other, in this transaction.
SCANNED = """
select relname from pg_stat_xact_user_tables
where relname in ('ledger_transfer', 'ledger_transaction', 'ledger_account') and seq_scan > 0
"""
OWN = [
    Scope(award_id=AwardId("S1~7")),
    Scope(invoice_id=InvoiceId("S1~b7")),
    Scope(sale_id=SaleId("S1")),
    Scope(liquidator_id=LiquidatorId("north")),
    Scope(buyer_id=BidderId("b7")),
]


def capture(n: int) -> Entry:
    facts = about(
        f"S1~b{n}",
        NOON_US + n,
        sale_id=SaleId("S1"),
        invoice_id=InvoiceId(f"S1~b{n}"),
        stripe_ids=(StripeId(f"ch_{n}"),),
    )
    return p.capture(facts, [money(100 + n, award=AwardId(f"S1~{n}"))])


def readings() -> dict[str, Callable[[Connection], Awaitable[Any]]]:
    def lines(scope: Scope) -> Callable[[Connection], Awaitable[Any]]:
        return lambda books: read_lines(books, scope, "USD", Period())

    def totals(scope: Scope) -> Callable[[Connection], Awaitable[Any]]:
        return lambda books: read_totals(books, scope, "USD", Period())

    return {
        **{f"lines {place}": lines(scope) for place, scope in enumerate(OWN)},
        **{f"totals {place}": totals(scope) for place, scope in enumerate(OWN)},
        "a page of the book": lambda books: read_lines(
            books, Scope(), "USD", Period(NOON_US + 5, NOON_US + 9)
        ),
        "an entry": lambda books: read_entries(books, [capture(7).key]),
        "an object at Stripe": lambda books: keys_of_stripe(books, StripeId("ch_7")),
        "Stripe's balances": read_stripe_balances,
    }


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Connection]:
    """A connection that has read nothing yet, to books of forty captures."""
    booking = await connect(database_url, name="test")
    await booked(booking, *(capture(n) for n in range(40)))
    await booking.close()
    reading = await connect(database_url, name="test")
    yield reading
    await reading.close()


@pytest.mark.parametrize("name", readings())
async def test_nothing_is_read_row_by_row(name: str, books: Connection) -> None:
    # So small a table would be read whole; without that, only what has no other way is.
    await books.execute("set enable_seqscan = off")
    async with books.transaction():
        await readings()[name](books)
        assert await books.fetch(SCANNED) == []
