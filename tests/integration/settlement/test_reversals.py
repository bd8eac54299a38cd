"""What a seller owes is taken back of its transfers, as far as its balance goes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from settlement import postings as p
from settlement.operations import Refused
from settlement.payment_objects import Balance, Reversal
from settlement.payouts.reversals import less_than, reversal_wanted
from tests.payouts import DRIVER, NORTH, PayoutHouse, part, payout_house
from tests.settlement_rules import BUYER


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


@pytest.mark.parametrize(
    ("asked", "available", "pending", "less"),
    [
        (900, 200, 300, 500),  # all that there is
        (500, 200, 300, 200),  # it was refused: what is available
        (200, 200, 300, 0),  # refused too: nothing more is tried
        (900, 200, -150, 200),
        (900, -10, 10, 0),
        (900, 0, 0, 0),
        (900, 900, 0, 0),
    ],
)
def test_after_a_refusal_less_is_asked_for_and_never_a_cent_less(
    asked: int, available: int, pending: int, less: int
) -> None:
    balance = Balance({"USD": available}, {"USD": pending})
    assert less_than(asked, balance, "USD") == less


async def test_a_reversal_takes_what_the_seller_has_and_the_rest_is_netted_later(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    first = await house.paid("12")
    await house.acceptances.accept(BUYER, DRIVER, first)
    await house.drain()
    # Stripe pays the seller out once the money is available: nothing is left to take back.
    await house.passes(days=8)
    await house.books(
        p.chargeback(house.about("dp_9"), 900_000, 0),
        p.dispute_lost_by_seller(
            house.about("fee", liquidator_id=NORTH), NORTH, part(first, 900_000, 0, 0), 0
        ),
    )
    second = await house.paid("13", 300_000)
    await house.wants(reversal_wanted(first, 1, 900_000, "claim"))
    await house.drain()
    assert (await house.balances())["seller_receivable:north"] == 900_000
    assert (await house.told(first))[-1] == "reversal_refused"
    await house.acceptances.accept(BUYER, DRIVER, second)
    await house.drain()
    assert (await house.balances())["seller_receivable:north"] == 630_000
    assert await house.transferred() == [(account, 900_000, 0)]


async def test_no_more_is_taken_back_than_the_seller_owes(house: PayoutHouse) -> None:
    account = await house.connected()
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await house.books(
        p.chargeback(house.about("dp_9"), 100_000, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, 100_000, 0, 0), 0),
    )
    wanted = [reversal_wanted(award_id, number, 70_000, "claim") for number in (1, 2)]
    await house.wants(*wanted)
    await house.drain()
    assert await house.transferred() == [(account, 900_000, 100_000)]
    assert "seller_receivable:north" not in await house.balances()
    assert "seller_payable:north" not in await house.balances()


async def test_a_seller_whose_money_is_not_available_yet_costs_a_few_calls(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await house.books(
        p.chargeback(house.about("dp_9"), 900_000, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, 900_000, 0, 0), 0),
    )
    true, asked = house.stripe.reverse, []

    async def poor(key: str, transfer_id: Any, *, amount_minor: int, **more: Any) -> Reversal:
        asked.append(amount_minor)
        if amount_minor > 200_000:
            raise Refused("balance_insufficient", "no")
        return await true(key, transfer_id, amount_minor=amount_minor, **more)

    async def balance(account_id: Any = None) -> Balance:
        return Balance({"USD": 200_000}, {"USD": 300_000})

    house.stripe.reverse = poor  # type: ignore[method-assign]
    house.stripe.balance = balance  # type: ignore[method-assign]
    await house.wants(reversal_wanted(award_id, 1, 900_000, "claim"))
    await house.drain()
    assert asked == [900_000, 500_000, 200_000]
    assert await house.transferred() == [(account, 900_000, 200_000)]
    assert (await house.balances())["seller_receivable:north"] == 700_000
