"""An error that Stripe keeps under a transfer's key: the seller waits for hours, not for days, and
gets its money once."""

from collections.abc import AsyncIterator

import pytest

from settlement.ids import AwardId, StripeId
from settlement.lives import AwardState
from settlement.operations import Kept, Unknown
from settlement.stripe_simulator.faults import Trouble
from tests.payouts import DRIVER, PayoutHouse, payout_house
from tests.settlement_rules import BUYER

SELLERS_PART = 900_000


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as running:
        yield running


async def test_a_transfer_under_whose_key_an_error_is_kept_is_made_anew_after_two_hours(
    house: PayoutHouse,
) -> None:
    award_id, account = await _accepted(house, Trouble.SERVER_ERROR)
    for _ in range(11):
        await house.passes(seconds=600)
    assert await house.transferred() == []
    await house.passes(seconds=900)
    await house.passes(seconds=1)
    assert await house.transferred() == [(account, SELLERS_PART, 0)]
    assert (await house.award(award_id)).state is AwardState.PAID_OUT
    rows = await house.fetch("select generation, state, note from payout_transfer order by 1")
    assert [(row["generation"], row["state"]) for row in rows] == [(1, "REFUSED"), (2, "SENT")]
    assert rows[0]["note"].startswith("never_made")


async def test_a_transfer_that_was_made_behind_a_kept_error_is_found_at_once(
    house: PayoutHouse,
) -> None:
    award_id, account = await _accepted(house, Trouble.SERVER_ERROR_AFTER_EFFECT)
    await house.passes(seconds=2)
    assert await house.transferred() == [(account, SELLERS_PART, 0)]
    assert (await house.award(award_id)).state is AwardState.PAID_OUT
    for _ in range(3):
        await house.passes(hours=1)
    assert await house.transferred() == [(account, SELLERS_PART, 0)]


async def test_a_transfer_that_stripe_makes_good_within_two_hours_is_found(
    house: PayoutHouse,
) -> None:
    award_id, account = await _accepted(house, Trouble.SERVER_ERROR)
    await house.passes(seconds=3_000)
    (op,) = await house.fetch("select * from settlement_op where operation = 'transfer'")
    group = (await house.award(award_id)).invoice_id
    charges = await house.stripe.v1.charges.list_async({"limit": 1})
    made = await house.stripe.v1.transfers.create_async(
        {
            "amount": SELLERS_PART,
            "currency": "usd",
            "destination": account,
            "source_transaction": charges.data[0].id,
            "transfer_group": str(group),
            "metadata": {"op_id": op["idempotency_key"], "award": award_id},
        }
    )
    for _ in range(3):
        await house.passes(hours=1)
    assert await house.transferred() == [(account, SELLERS_PART, 0)]
    (sent,) = await house.fetch("select transfer_id, state from payout_transfer")
    assert (sent["transfer_id"], sent["state"]) == (made.id, "SENT")


async def test_an_error_is_kept_only_where_stripe_says_that_it_repeats_it(
    house: PayoutHouse,
) -> None:
    await house.house.running.control.fault(Trouble.SERVER_ERROR, "POST /v1/customers")
    with pytest.raises(Unknown) as first:
        await house.stripe.create_customer("customer:kept:1", email="a@example.com", name="A")
    assert not isinstance(first.value, Kept)
    with pytest.raises(Kept, match="kept under the key"):
        await house.stripe.create_customer("customer:kept:1", email="a@example.com", name="A")
    await house.house.running.control.fault(Trouble.RATE_LIMITED, "POST /v1/customers", times=9)
    with pytest.raises(Unknown, match="status 429") as found:
        await house.stripe.create_customer("customer:kept:2", email="a@example.com", name="A")
    assert not isinstance(found.value, Kept)


async def _accepted(house: PayoutHouse, trouble: Trouble) -> tuple[AwardId, StripeId]:
    account = await house.connected()
    award_id = await house.paid()
    await house.house.running.control.fault(trouble, "POST /v1/transfers")
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    return award_id, account
