"""Every reading of what is somebody's or something's own has an index to read it by."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

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

# What was read in this transaction: whole tables, and rows by an index.
READ = """
select relname, seq_scan, idx_tup_fetch from pg_stat_xact_user_tables
where relname in ('ledger_transfer', 'ledger_transaction', 'ledger_account')
"""
# Each reading is of one capture or one release of two transfers, and their few accounts; sides and
# entries are looked up one by one. Three hundred times as much is there.
FEW = 20
OWN = [
    Scope(award_id=AwardId("S1~7")),
    Scope(invoice_id=InvoiceId("S1~b7")),
    Scope(sale_id=SaleId("S7")),
    Scope(liquidator_id=LiquidatorId("l7")),
    Scope(buyer_id=BidderId("b7")),
]


def life(n: int) -> list[Entry]:
    """An award of its own sale, seller and buyer."""
    award = money(100 + n, award=AwardId(f"S1~{n}"))
    facts = about(
        f"S1~b{n}",
        NOON_US + n,
        sale_id=SaleId(f"S{n}"),
        invoice_id=InvoiceId(f"S1~b{n}"),
        stripe_ids=(StripeId(f"ch_{n}"),),
    )
    buyer, seller = BidderId(f"b{n}"), LiquidatorId(f"l{n}")
    return [
        p.bank_funding(facts, buyer, 100 + n),
        p.credit_applied(facts, buyer, [award]),
        p.release(facts, seller, award, 5),
    ]


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(dsn, name="test")
    try:
        yield connection
    finally:
        await connection.close()


def readings() -> dict[str, Callable[[Connection], Awaitable[Any]]]:
    def lines(scope: Scope) -> Callable[[Connection], Awaitable[Any]]:
        return lambda books: read_lines(books, scope, "USD", Period())

    def totals(scope: Scope) -> Callable[[Connection], Awaitable[Any]]:
        return lambda books: read_totals(books, scope, "USD", Period())

    return {
        **{f"lines {place}": lines(scope) for place, scope in enumerate(OWN)},
        **{f"totals {place}": totals(scope) for place, scope in enumerate(OWN)},
        "a moment of the book": lambda books: read_lines(
            books, Scope(), "USD", Period(NOON_US + 5, NOON_US + 6)
        ),
        "an entry": lambda books: read_entries(books, [life(7)[0].key]),
        "an object at Stripe": lambda books: keys_of_stripe(books, StripeId("ch_7")),
        "Stripe's balances": read_stripe_balances,
    }


async def test_nothing_is_read_row_by_row(database_url: str) -> None:
    async with opened(database_url) as booking:
        await booked(booking, *(entry for n in range(300) for entry in life(n)))
        await booking.execute("analyze")
    for name, reads in readings().items():
        # A connection of its own, which has read nothing yet.
        async with opened(database_url) as books:
            # So small a table would be read whole; without that, only what has no other way is.
            await books.execute("set enable_seqscan = off")
            async with books.transaction():
                await reads(books)
                read = await books.fetch(READ)
            assert read
            much = [row for row in read if row["seq_scan"] or row["idx_tup_fetch"] > FEW]
            assert not much, (name, much)
