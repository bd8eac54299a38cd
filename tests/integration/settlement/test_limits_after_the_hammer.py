"""What was won weighs on a reseller's whole limit until it is paid, or need not be any more."""

from collections.abc import AsyncIterator

import pytest

from accounts.audit import OPERATOR
from auction.ids import LotId, SaleId
from settlement.ids import award_id_of
from tests.builders import HOUSE, SALE
from tests.hammered import CENTS, Settling, settling
from tests.market import Reseller, lot_of

ONE, TWO = (award_id_of(SaleId(SALE), LotId(lot)) for lot in ("1", "2"))


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as running:
        yield running


async def won(room: Settling) -> Reseller:
    """Hart, who may owe 10,000 in all, has won two lots of 1,000 and 2,000."""
    market = room.market
    await market.is_untaxed()
    lots = [lot_of("1", opening_minor=1_000_00), lot_of("2", opening_minor=2_000_00)]
    await market.opens(*lots, terms=CENTS)
    hart = await market.reseller("Hart", limit_minor=10_000_00)
    await hart.registers()
    await market.settled()
    for lot in lots:
        await market.bid(hart, lot.opening_minor, lot.lot_id)
    await market.closes()
    await room.settle()
    await market.settled()
    return hart


async def held_minor(room: Settling) -> int:
    """What the sale takes of the whole limit."""
    await room.settle()
    await room.market.settled()
    (row,) = await room.fetch("select held_minor from registration")
    return int(row["held_minor"])


async def test_what_was_taken_back_takes_nothing_of_the_whole_limit(room: Settling) -> None:
    await won(room)
    assert await held_minor(room) == 3_450_00  # with 15 % premium
    await room.after.cancelling.by_seller(HOUSE, ONE, "By mistake.", OPERATOR)
    assert await held_minor(room) == 2_300_00
    await room.again("free")
    assert await held_minor(room) == 2_300_00
    await room.after.cancelling.by_house(TWO, "A recall.", OPERATOR)
    assert await held_minor(room) == 0


async def test_what_is_void_takes_nothing_of_it_when_its_buyer_may_bid_again(
    room: Settling,
) -> None:
    await won(room)
    (invoice,) = await room.invoices()
    await room.gives_up(invoice.invoice_id)
    assert await held_minor(room) == 0
