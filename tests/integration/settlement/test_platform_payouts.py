"""A payout to the bank takes the house's own money, and nothing else, whoever books beside it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from foundation.database import Pool, acquire, open_pool, transaction
from settlement import postings as p
from settlement.ledger import MEANINGS, LedgerRefusal, LedgerRefused, post
from settlement.platform_payouts import book_payout
from tests.books import INVOICE, LOT, NORTH, about, balances_of, money


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Books in which 1,000.00 are owed to a seller, 90.00 are tax, and 150.00 are earned."""
    pool = await open_pool(database_url, name="test", max_connections=6)
    async with transaction(pool) as connection:
        await post(
            connection,
            [
                p.capture(about(INVOICE), [money(105_000, 10_000, 9_000)]),
                p.release(about(), NORTH, money(105_000, 10_000), 5_000),
            ],
        )
    yield pool
    await pool.close()


async def pays_out(pool: Pool, name: str, amount_minor: int, covers_minor: int = 0) -> str:
    try:
        async with transaction(pool) as connection:
            new = await book_payout(connection, about(name), amount_minor, covers_minor)
            return "booked" if new else "known"
    except LedgerRefused as refused:
        assert refused.refusal is LedgerRefusal.OWED_TO_OTHERS
        return refused.message


async def test_what_was_earned_is_paid_out_and_no_more(pool: Pool) -> None:
    assert await pays_out(pool, "po_1", 15_001) == "150.00 USD is free, 150.01 USD asked"
    assert await pays_out(pool, "po_1", 15_000) == "booked"
    assert await pays_out(pool, "po_1", 15_000) == "known"
    assert await pays_out(pool, "po_2", 1) == "0.00 USD is free, 0.01 USD asked"
    async with acquire(pool) as connection:
        assert (await balances_of(connection))["bank"] == 15_000


async def test_what_is_owed_goes_along_when_it_is_paid_from_the_bank_next(pool: Pool) -> None:
    assert await pays_out(pool, "file-1", 100_000, 100_000) == "booked"
    async with transaction(pool) as connection:
        await post(connection, [p.bank_file_paid(about(LOT), NORTH, 100_000)])
    assert "more than what is owed" in await pays_out(pool, "file-2", 9_001, 9_001)
    assert await pays_out(pool, "tax-1", 9_000, 9_000) == "booked"


async def test_of_many_payouts_at_once_those_that_fit_are_booked(pool: Pool) -> None:
    answers = await asyncio.gather(*(pays_out(pool, f"po_{n}", 4_000) for n in range(8)))
    assert answers.count("booked") == 3


def test_every_refusal_says_what_it_means() -> None:
    assert set(MEANINGS) == set(LedgerRefusal)
