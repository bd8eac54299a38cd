"""Accepted goods are released to the cent, and what is owed is sent once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from foundation.database import acquire
from settlement import postings as p
from settlement.lives import AwardState, PaymentState
from settlement.payment_objects import Transfer
from settlement.payouts.reversals import reversal_wanted
from settlement.payouts.withheld import Withheld
from settlement.payouts.words import PayoutRefused
from settlement.payouts.write_offs import WriteOffs
from settlement.stripe_simulator.faults import Trouble
from tests.payouts import (
    CHIEF,
    CLERK,
    DRIVER,
    NORTH,
    PayoutHouse,
    part,
    payout_house,
)
from tests.settlement_rules import BUYER

_A = AwardState


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


_OPENED_BETWEEN = """
create function opened() returns trigger language plpgsql as
    'begin update invoice set open_disputes = 1; return new; end';
create trigger opened after insert on payout_transfer execute function opened();
"""


async def test_a_dispute_that_opens_after_the_decision_stops_the_transfer(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await house.paid()
    async with acquire(house.pool) as connection:
        await connection.execute(_OPENED_BETWEEN)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    assert await house.transferred() == []
    assert (await house.award(award_id)).state is _A.RELEASED
    async with acquire(house.pool) as connection:
        await connection.execute("drop trigger opened on payout_transfer")
        await connection.execute("update invoice set open_disputes = 0")
    await house.passes(hours=2)
    assert len(await house.transferred()) == 1
    assert (await house.award(award_id)).state is _A.PAID_OUT


async def test_the_worked_example_goes_from_acceptance_to_the_write_off(
    house: PayoutHouse,
) -> None:
    await house.commission(500)
    account = await house.connected()
    award_id = await house.paid()
    await house.books(
        p.processing_fee(house.about(award_id), 34_562),
        p.claim_credit(house.about(award_id), part(award_id, 120_000, 12_000, 10_890)),
    )
    assert await house.acceptances.accept(BUYER, DRIVER, award_id) is _A.ACCEPTED
    await house.drain()
    assert (await house.award(award_id)).state is _A.PAID_OUT
    assert await house.transferred() == [(account, 836_000, 0)]
    at_stripe = 1_190_750 - 34_562 - 142_890 - 836_000
    assert await house.balances() == {
        "commission_income": 44_000,
        "premium_income": 88_000,
        "sales_tax:US-TX": 79_860,
        "stripe_balance": at_stripe,
        "stripe_fees": 34_562,
    }
    # The bank takes the rest back, and the seller is to blame.
    lost = part(award_id, 880_000, 88_000, 79_860)
    await house.books(
        p.chargeback(house.about("dp_1"), 1_047_860, 1_500),
        p.dispute_lost_by_seller(house.about(award_id), NORTH, lost, 44_000),
    )
    await house.wants(reversal_wanted(award_id, 1, 500_000, "dispute lost"))
    await house.drain()
    assert await house.transferred() == [(account, 836_000, 500_000)]
    assert (await house.balances())["seller_receivable:north"] == 336_000
    offs = WriteOffs(house.pool, house.clock)
    asked = await offs.ask(CLERK, NORTH, "USD", 336_000, "It has closed its doors.")
    with pytest.raises(PayoutRefused, match="SAME_PERSON"):
        await offs.decide(CLERK, asked, agrees=True)
    assert (await offs.decide(CHIEF, asked, agrees=True)).state == "DONE"
    assert await house.balances() == {
        "bad_debt": 336_000,
        "dispute_fees": 1_500,
        "stripe_balance": at_stripe - 1_049_360 + 500_000,
        "stripe_fees": 34_562,
    }
    assert await house.told(award_id) == ["accepted", "released", "transferred", "reversed"]


async def test_a_dispute_freezes_the_release_and_then_the_transfer(house: PayoutHouse) -> None:
    await house.connected()
    award_id = await house.paid()
    await house.payment_is(award_id, PaymentState.DISPUTED)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.passes(days=3)
    assert (await house.award(award_id)).state is _A.ACCEPTED
    assert "held:S1~12" in await house.balances()
    await house.payment_is(award_id, PaymentState.PAID)
    await house.pool.execute("update payee set changed_at_us = $1", house.clock())
    await house.passes(hours=1)
    assert (await house.award(award_id)).state is _A.RELEASED
    await house.payment_is(award_id, PaymentState.DISPUTED)
    await house.passes(days=3)
    assert await house.transferred() == []
    await house.payment_is(award_id, PaymentState.PAID)
    await house.passes(hours=1)
    assert [amount for _, amount, _ in await house.transferred()] == [900_000]


async def test_nothing_is_sent_to_an_account_that_was_changed_in_the_last_two_days(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await house.paid()
    await house.pool.execute("update payee set changed_at_us = $1", house.clock())
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.passes(seconds=2 * 24 * 3_600 - 1)
    assert await house.transferred() == []
    await house.passes(seconds=1)
    assert len(await house.transferred()) == 1


async def test_what_a_seller_owes_is_netted_before_anything_is_sent(house: PayoutHouse) -> None:
    account = await house.connected()
    first, second = await house.paid("12"), await house.paid("13", 100_000)
    owed = part(first, 0, 0, 0)
    assert owed.total_minor == 0
    fee = house.about("fee", liquidator_id=NORTH)
    await house.books(p.chargeback(house.about("dp_9"), 300_000, 0))
    await house.books(
        p.dispute_lost_by_seller(fee, NORTH, part(first, 300_000, 0, 0), 0),
    )
    for award_id in (second, first):
        await house.acceptances.accept(BUYER, DRIVER, award_id)
        await house.drain()
    # 90,000 of the second are kept whole, and 210,000 of the first one's 900,000.
    assert await house.transferred() == [(account, 690_000, 0)]
    assert (await house.award(second)).state is _A.CLOSED
    assert (await house.award(first)).state is _A.PAID_OUT
    assert "seller_receivable:north" not in await house.balances()


async def test_an_award_of_which_nothing_is_left_for_anybody_is_closed_when_it_is_released(
    house: PayoutHouse,
) -> None:
    await house.commission(10_000)
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    assert (await house.award(award_id)).state is _A.CLOSED
    assert await house.told(award_id) == ["accepted", "released", "closed"]


async def test_more_than_stripe_takes_at_once_is_sent_in_parts(house: PayoutHouse) -> None:
    account = await house.connected()
    award_id = await house.paid("12", 250_000_000, charge=False)
    for _ in range(3):
        await house.charged(99_999_999)
    await house.passes(days=7)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    assert await house.transferred() == [
        (account, 99_999_999, 0),
        (account, 99_999_999, 0),
        (account, 25_000_002, 0),
    ]
    assert (await house.award(award_id)).state is _A.PAID_OUT


@pytest.mark.parametrize(
    "trouble",
    [Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.SERVER_ERROR_AFTER_EFFECT, Trouble.TRUNCATED],
)
async def test_a_transfer_whose_answer_is_lost_is_made_once(
    house: PayoutHouse, trouble: Trouble
) -> None:
    account = await house.connected()
    award_id = await house.paid()
    await house.house.running.control.fault(trouble, "POST /v1/transfers", times=3)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    for _ in range(6):
        await house.passes(seconds=10)
    assert await house.transferred() == [(account, 900_000, 0)]
    assert (await house.award(award_id)).state is _A.PAID_OUT


async def test_after_a_day_without_an_answer_the_transfer_is_looked_up_and_not_sent(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    award_id = await house.paid()
    control = house.house.running.control
    await control.fault(Trouble.LOST_ANSWER, "POST /v1/transfers")
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await control.fault(Trouble.NO_EFFECT, "POST /v1/transfers", times=1_000)
    await house.passes(days=2)
    assert await house.transferred() == [(account, 900_000, 0)]
    assert (await house.award(award_id)).state is _A.PAID_OUT


async def test_a_transfer_that_never_arrived_is_decided_about_anew(house: PayoutHouse) -> None:
    account = await house.connected()
    award_id = await house.paid()
    control = house.house.running.control
    await control.fault(Trouble.NO_EFFECT, "POST /v1/transfers", times=1)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await house.passes(days=2)
    assert await house.transferred() == []
    await house.passes(days=1)
    assert await house.transferred() == [(account, 900_000, 0)]
    tries = await house.fetch("select generation, state from payout_transfer order by 1")
    assert [row["state"] for row in tries] == ["REFUSED", "SENT"]
    assert await house.told(award_id) == [
        "accepted",
        "released",
        "transfer_refused",
        "transferred",
    ]


async def test_a_transfer_of_another_amount_is_parked_and_books_nothing(
    house: PayoutHouse,
) -> None:
    await house.connected()
    award_id = await house.paid()
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    true = house.stripe.transfer

    async def other(key: str, **asked: Any) -> Transfer:
        made = await true(key, **asked)
        return structs.replace(made, amount_minor=made.amount_minor - 1)

    house.stripe.transfer = other  # type: ignore[method-assign]
    await house.drain()
    (held,) = await house.fetch("select note from settlement_op where state = 'HELD'")
    assert "not what was asked for" in held["note"]
    assert (await house.balances())["seller_payable:north"] == 900_000
    house.stripe.transfer = true  # type: ignore[method-assign]
    await house.pool.execute("update settlement_op set state = 'WAITING' where state = 'HELD'")
    await house.passes(seconds=100)
    assert len(await house.transferred()) == 1
    assert "seller_payable:north" not in await house.balances()


async def test_what_is_owed_of_a_refunded_invoice_is_netted_and_the_rest_let_go_by_a_person(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    award_id = await house.paid()
    await house.pool.execute("update payee set changed_at_us = $1", house.clock())
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await house.payment_is(award_id, PaymentState.REFUNDED)
    await house.books(
        p.chargeback(house.about("dp_9"), 1_190_750, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, 100_000, 0, 0), 0),
    )
    await house.passes(days=3)
    balances = await house.balances()
    assert (balances["seller_payable:north"], await house.transferred()) == (800_000, [])
    assert "seller_receivable:north" not in balances
    withheld = Withheld(house.pool, house.clock, lambda: None)
    with pytest.raises(PayoutRefused, match="BAD_DETAILS"):
        await withheld.let_go(CLERK, award_id, " ")
    with pytest.raises(PayoutRefused, match="NOT_FOUND"):
        await withheld.let_go(CLERK, "nothing", "the house bears it")
    await withheld.let_go(CLERK, award_id, "the house bears it")
    await house.drain()
    assert await house.transferred() == [(account, 800_000, 0)]
    with pytest.raises(PayoutRefused, match="NOT_NOW"):
        await withheld.let_go(CLERK, award_id, "again")
