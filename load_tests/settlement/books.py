"""Entries a second into the ledger: lives of awards, booked in batches and one by one."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Final

from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import Pool, transaction
from settlement.chart import sales_tax
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import InvoiceId, TaxPlace, award_id_of
from settlement.ledger import post
from settlement.postings import capture, processing_fee, release, transfer_out

# 2026-03-10 12:00 UTC, and each life a second later.
BEGUN_US: Final = 1_773_144_000_000_000
# As many as the busiest sale settles at a time: a batch is one transaction.
LIVES_A_BATCH: Final = 50
ENTRIES_A_LIFE: Final = 4
LIQUIDATORS: Final = 20


class Lives:
    """Awards that are captured, released and sent: 1,190.75 each, as the books' rules have it."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def take(self, lives: int) -> list[Entry]:
        """The entries of so many awards."""
        return [
            each for number in (next(self._numbers) for _ in range(lives)) for each in _life(number)
        ]


def _life(number: int) -> Iterator[Entry]:
    sale_id, liquidator_id = SaleId(f"S{number % 1_000}"), LiquidatorId(f"L{number % LIQUIDATORS}")
    award_id = award_id_of(sale_id, LotId(str(number)))
    money = AwardMoney(
        award_id=award_id,
        hammer_minor=100_000,
        premium_minor=10_000,
        tax_minor=9_075,
        tax_place=sales_tax(TaxPlace("US-TX")),
    )
    about = About(
        subject=award_id,
        at_us=BEGUN_US + number * 1_000,
        currency="USD",
        sale_id=sale_id,
        award_id=award_id,
        invoice_id=InvoiceId(f"{award_id}-i"),
        liquidator_id=liquidator_id,
    )
    yield capture(about, [money])
    yield processing_fee(about, 3_483)
    yield release(about, liquidator_id, money, 5_000)
    yield transfer_out(about, liquidator_id, 95_000)


async def entries_per_s(pool: Pool, lives: Lives, seconds: float, batch: int) -> float:
    """Book batches of so many lives for so long, one after the other."""
    began, booked = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        async with transaction(pool) as connection:
            booked += len(await post(connection, lives.take(batch)))
    return booked / took
