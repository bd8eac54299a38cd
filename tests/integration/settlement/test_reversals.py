"""What a seller owes is taken back of its transfers, as far as its balance goes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from settlement import postings as p
from settlement.ids import AwardId
from settlement.operations import Refused
from settlement.payment_objects import Balance, Reversal
from settlement.payouts.reversals import less_than, reversal_wanted
from settlement.stripe_simulator.faults import Trouble
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


async def owing(house: PayoutHouse, award_id: AwardId, minor: int) -> None:
    """The seller is to blame for a dispute that was lost, of so much."""
    await house.books(
        p.chargeback(house.about("dp_9"), minor, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, minor, 0, 0), 0),
    )


async def accepted(house: PayoutHouse) -> AwardId:
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    return award_id


async def test_what_is_being_sent_is_taken_back_once_it_is_known_what_was_sent(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    await house.house.running.control.fault(Trouble.NO_EFFECT, "POST /v1/transfers", times=3)
    award_id = await accepted(house)
    assert await house.transferred() == []
    await owing(house, award_id, 100_000)
    await house.wants(reversal_wanted(award_id, 1, 100_000, "claim"))
    await house.drain()
    for _ in range(5):
        await house.passes(seconds=10)
    assert await house.transferred() == [(account, 900_000, 0)]
    await house.passes(seconds=10)
    assert await house.transferred() == [(account, 900_000, 100_000)]


async def test_of_an_award_that_was_never_the_sellers_nothing_is_taken_back(
    house: PayoutHouse,
) -> None:
    award_id = await house.paid()
    await house.wants(reversal_wanted(award_id, 1, 100_000, "claim"))
    await house.drain()
    (done,) = await house.fetch("select state from settlement_op")
    assert done["state"] == "DONE"


@pytest.mark.parametrize(
    "trouble",
    [Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.SERVER_ERROR_AFTER_EFFECT, Trouble.TRUNCATED],
)
async def test_a_reversal_whose_answer_is_lost_is_made_once(
    house: PayoutHouse, trouble: Trouble
) -> None:
    account = await house.connected()
    award_id = await accepted(house)
    await owing(house, award_id, 100_000)
    operation = "POST /v1/transfers/*/reversals"
    await house.house.running.control.fault(trouble, operation, times=3)
    await house.wants(reversal_wanted(award_id, 1, 100_000, "claim"))
    await house.drain()
    for _ in range(6):
        await house.passes(seconds=10)
    assert await house.transferred() == [(account, 900_000, 100_000)]
    assert "seller_receivable:north" not in await house.balances()


async def test_what_was_taken_back_of_a_debt_that_was_given_up_meanwhile_is_sent_again(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    award_id = await accepted(house)
    await owing(house, award_id, 100_000)
    operation = "POST /v1/transfers/*/reversals"
    await house.house.running.control.fault(Trouble.NO_EFFECT, operation, times=3)
    await house.wants(reversal_wanted(award_id, 1, 100_000, "claim"))
    await house.drain()
    await house.books(p.write_off(house.about("w-1"), NORTH, 40_000))
    for _ in range(6):
        await house.passes(seconds=10)
    await house.passes(days=8)  # the balance has it by then
    assert await house.transferred() == [(account, 900_000, 100_000), (account, 40_000, 0)]
    assert "seller_payable:north" not in await house.balances()


async def test_a_reversal_of_another_amount_is_parked_and_books_nothing(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await accepted(house)
    await owing(house, award_id, 100_000)
    true = house.stripe.reverse

    async def other(key: str, transfer_id: Any, **asked: Any) -> Reversal:
        made = await true(key, transfer_id, **asked)
        return structs.replace(made, amount_minor=made.amount_minor - 1)

    house.stripe.reverse = other  # type: ignore[method-assign]
    await house.wants(reversal_wanted(award_id, 1, 100_000, "claim"))
    await house.drain()
    (held,) = await house.fetch("select note from settlement_op where state = 'HELD'")
    assert "not of the amount" in held["note"]
    assert (await house.balances())["seller_receivable:north"] == 100_000
