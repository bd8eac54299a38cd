"""What a seller will not pay is given up by two people, and never more than it owes."""

from collections.abc import AsyncIterator

import pytest

from settlement import postings as p
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.payouts.write_offs import WriteOffs
from tests.payouts import CHIEF, CLERK, NORTH, PayoutHouse, part, payout_house


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    """A seller that owes 1,000.00."""
    async with payout_house(database_url) as house:
        award_id = await house.paid()
        await house.books(
            p.chargeback(house.about("dp_9"), 100_000, 0),
            p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, 100_000, 0, 0), 0),
        )
        yield house


async def refusal(doing: object) -> PayoutRefusal:
    with pytest.raises(PayoutRefused) as said:
        await doing  # type: ignore[misc]
    return said.value.refusal


async def test_no_more_is_given_up_than_is_owed_when_it_is_decided(house: PayoutHouse) -> None:
    write_offs = WriteOffs(house.pool, house.clock)
    for minor in (0, 100_001):
        asking = write_offs.ask(CLERK, NORTH, "USD", minor, "gone")
        assert await refusal(asking) is PayoutRefusal.TOO_MUCH
    first = await write_offs.ask(CLERK, NORTH, "USD", 60_000, "gone")
    second = await write_offs.ask(CLERK, NORTH, "USD", 60_000, "gone")
    await write_offs.decide(CHIEF, first, agrees=True)
    late = write_offs.decide(CHIEF, second, agrees=True)
    assert await refusal(late) is PayoutRefusal.TOO_MUCH
    assert (await house.balances())["seller_receivable:north"] == 40_000


async def test_what_was_decided_is_not_decided_again(house: PayoutHouse) -> None:
    write_offs = WriteOffs(house.pool, house.clock)
    asked = await write_offs.ask(CLERK, NORTH, "USD", 40_000, "gone")
    await write_offs.decide(CLERK, asked, agrees=False)
    again = write_offs.decide(CHIEF, asked, agrees=True)
    assert await refusal(again) is PayoutRefusal.NOT_WAITING
    assert (await house.balances())["seller_receivable:north"] == 100_000
