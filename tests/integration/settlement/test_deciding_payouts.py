"""Whether and how what is owed to a payee is sent is decided once, by the facts of that moment."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from settlement import postings as p
from settlement.ids import AwardId, StripeId
from settlement.operations import HOUR_US, Refused, Unknown
from settlement.payment_objects import Transfer
from tests.payouts import BANK, DRIVER, NORTH, OWNER, PayoutHouse, part, payout_house
from tests.settlement_rules import BUYER

WAITING = """
select operation, generation from settlement_op where operation = $1 and state = 'WAITING'
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


class Asked:
    """What Stripe is asked for: it answers as it is told to, or as it would."""

    def __init__(self, house: PayoutHouse, *answers: Exception | None) -> None:
        self._true, self._answers = house.stripe.transfer, list(answers)
        self.amounts: list[int] = []
        self.charges: list[StripeId | None] = []
        house.stripe.transfer = self  # type: ignore[method-assign]

    async def __call__(self, key: str, **asked: Any) -> Transfer:
        self.amounts.append(asked["amount_minor"])
        self.charges.append(asked["source_charge_id"])
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer
        return await self._true(key, **asked)


async def accepted(house: PayoutHouse, lot: str = "12") -> AwardId:
    award_id = await house.paid(lot)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    return award_id


async def test_nothing_is_asked_of_stripe_for_an_account_that_takes_no_transfers_yet(
    house: PayoutHouse,
) -> None:
    await house.payees.connect(OWNER, NORTH, email="pay@example.com")
    await house.drain()
    await house.passes(days=3)
    asked = Asked(house)
    await accepted(house)
    (owed,) = await house.fetch("select state, note from payable")
    assert asked.amounts == []
    assert owed["note"] == "the account at Stripe takes no transfers yet"


async def test_only_the_last_decision_about_a_payable_goes_on(house: PayoutHouse) -> None:
    await accepted(house)
    for _ in range(2):  # each change is decided about, and frozen for two days
        await house.payees.set_bank(OWNER, NORTH, BANK)
        await house.passes(days=1)
    await house.passes(hours=1)
    assert len(await house.fetch(WAITING, "pay_out")) == 1


async def test_money_of_one_charge_is_passed_on_from_it_and_of_two_from_the_balance(
    house: PayoutHouse,
) -> None:
    await house.connected()
    asked = Asked(house)
    first, second = await house.paid("12"), await house.paid("13")
    about = house.about("part-2", stripe_ids=("ch_another",))
    await house.books(p.capture(about, [part(second, 100, 0, 0)]))
    for award_id in (first, second):
        await house.acceptances.accept(BUYER, DRIVER, award_id)
        await house.drain()
    assert [charge is not None for charge in asked.charges] == [True, False]


async def test_what_stripe_refuses_from_a_charge_is_sent_from_the_balance_a_day_later(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    asked = Asked(house, Refused("invalid_request", "not from this charge"))
    await accepted(house)
    await house.passes(hours=23)
    assert len(asked.charges) == 1
    await house.passes(hours=1)
    assert [charge is not None for charge in asked.charges] == [True, False]
    await house.passes(days=8)  # the balance has it by then
    assert await house.transferred() == [(account, 900_000, 0)]


async def test_what_stripe_does_not_have_available_is_asked_for_an_hour_later(
    house: PayoutHouse,
) -> None:
    await house.connected()
    asked = Asked(house, Refused("balance_insufficient", "not yet"))
    await accepted(house)
    await house.passes(seconds=HOUR_US // 1_000_000 - 1)
    assert len(asked.amounts) == 1
    await house.passes(seconds=1)
    assert len(asked.amounts) == 2


async def test_of_several_parts_the_next_decision_comes_when_the_last_has_its_answer(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await house.paid("12", 250_000_000, charge=False)
    asked = Asked(house, Refused("invalid_request", "no"), Unknown("no answer"))
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    assert await house.fetch(WAITING, "pay_out") == []
    assert sorted(asked.amounts) == [25_000_002, 99_999_999, 99_999_999]
    await house.passes(seconds=2)
    (again,) = await house.fetch(WAITING, "pay_out")
    assert again["generation"] == 2
