"""Goods are accepted by their buyer, or by the time; what a claim or a dispute is about is not."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import transaction
from settlement.accepting import accepted, uncollected_wanted
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.rows import hold_award
from settlement.steps import Wanted, write
from tests.payouts import DAY_US, DRIVER, PayoutHouse, payout_house
from tests.settlement_rules import BUYER, CALENDAR, policy

_A = AwardState


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


async def test_a_buyer_accepts_once_and_not_while_a_claim_is_under_way(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.award_is(award_id, _A.CLAIMED)
    with pytest.raises(PayoutRefused) as refused:
        await house.acceptances.accept(BUYER, DRIVER, award_id)
    assert refused.value.refusal is PayoutRefusal.CLAIMED
    await house.award_is(award_id, _A.HANDED_OVER)
    with pytest.raises(PayoutRefused) as refused:
        await house.acceptances.accept("somebody", DRIVER, award_id)  # type: ignore[arg-type]
    assert refused.value.refusal is PayoutRefusal.NOT_FOUND
    for _ in range(2):
        await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    assert (await house.award(award_id)).state is _A.RELEASED
    assert await house.acceptances.accept(BUYER, DRIVER, award_id) is _A.RELEASED


async def test_goods_that_nobody_fetches_are_accepted_two_days_after_the_deadline(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.pool.execute("update award set state = 'FUNDED', handed_over_at_us = null")
    row = await house.award(award_id)
    assert row.funded_at_us is not None
    wanted = uncollected_wanted(row, policy(), CALENDAR, row.funded_at_us)
    # From Monday 21 September: five business days to fetch them, and two more.
    assert wanted.due_at_us == row.funded_at_us + 9 * DAY_US
    await house.wants(wanted)
    await house.passes(days=8)
    assert (await house.award(award_id)).state is _A.FUNDED
    await house.passes(days=1)
    assert (await house.award(award_id)).state is _A.RELEASED


async def test_goods_that_the_house_sends_are_never_accepted_before_they_arrive(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.pool.execute(
        "update award set state = 'FUNDED', handed_over_at_us = null,"
        """ body = jsonb_set(body, '{ships_to}', '{"country": "US", "region": "OR"}')""",
    )
    row = await house.award(award_id)
    assert row.award.ships_to is not None and row.funded_at_us is not None
    await house.wants(uncollected_wanted(row, policy(), CALENDAR, row.funded_at_us))
    await house.passes(days=60)
    assert (await house.award(award_id)).state is _A.FUNDED
    with pytest.raises(PayoutRefused, match="NOT_HANDED_OVER"):
        await house.acceptances.accept(BUYER, DRIVER, award_id)


async def test_the_claims_window_accepts_by_itself_and_a_week_later_the_award_is_closed(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await house.paid()
    await house.wants(Wanted(operation="accept", subject=award_id, generation=2))
    await house.drain()
    assert (await house.award(award_id)).state is _A.HANDED_OVER
    await house.passes(days=1)
    assert (await house.award(award_id)).state is _A.HANDED_OVER
    await house.passes(days=4)
    assert (await house.award(award_id)).state is _A.PAID_OUT
    await house.passes(days=9)
    assert (await house.award(award_id)).state is _A.CLOSED
    assert await house.told(award_id) == ["accepted", "released", "transferred", "closed"]


async def uncollected(house: PayoutHouse) -> AwardId:
    """Goods that their buyer was to fetch, two days after the last day for it."""
    award_id = await house.paid()
    await house.pool.execute("update award set state = 'FUNDED', handed_over_at_us = null")
    row = await house.award(award_id)
    assert row.funded_at_us is not None
    await house.wants(uncollected_wanted(row, policy(), CALENDAR, row.funded_at_us))
    return award_id


async def test_what_a_bank_may_take_back_is_not_accepted_by_the_time_before_it_is_fetched(
    house: PayoutHouse,
) -> None:
    award_id = await uncollected(house)
    await house.payment_is(award_id, PaymentState.DISPUTED)
    await house.passes(days=20)
    assert (await house.award(award_id)).state is _A.FUNDED
    await house.payment_is(award_id, PaymentState.PAID)
    await house.passes(hours=1)
    assert (await house.award(award_id)).state is _A.RELEASED


async def test_what_was_refunded_before_it_was_fetched_is_never_accepted(
    house: PayoutHouse,
) -> None:
    award_id = await uncollected(house)
    await house.payment_is(award_id, PaymentState.REFUNDED)
    await house.passes(days=20)
    assert (await house.award(award_id)).state is _A.FUNDED
    assert not await house.fetch("select from settlement_op where state <> 'DONE'")


async def test_what_is_accepted_again_after_a_late_claim_is_released_then(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.award_is(award_id, _A.CLAIMED)
    await house.drain()
    assert (await house.award(award_id)).state is _A.CLAIMED
    async with transaction(house.pool) as connection:
        held = await hold_award(connection, award_id)
        await write(connection, held, accepted(held.awards[award_id]), house.clock())
    await house.drain()
    assert (await house.award(award_id)).state is _A.RELEASED
