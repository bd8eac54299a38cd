"""Accepted goods are released to the cent, and what is owed is sent once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from settlement import postings as p
from settlement.accepting import uncollected_wanted
from settlement.lives import AwardState, PaymentState
from settlement.payment_objects import Transfer
from settlement.payouts.reversals import reversal_wanted
from settlement.payouts.withheld import Withheld
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.payouts.write_offs import WriteOffs
from settlement.steps import Wanted
from settlement.stripe_simulator.faults import Trouble
from tests.payouts import (
    CHIEF,
    CLERK,
    DAY_US,
    DRIVER,
    NORTH,
    TARGET,
    PayoutHouse,
    part,
    payout_house,
)
from tests.settlement_rules import BUYER, CALENDAR, policy

_A = AwardState
PASSED = """
insert into lot_result (sale_id, lot_id, liquidator_id, currency, kind, title, scheduled_at_us,
    opens_at_us, opening_minor, paddles, paddle_bids, extensions, outcome, winner_ids,
    winner_paddles, closed_at_us)
values ('S1', $1, 'north', 'USD', 'ENGLISH', '', 1, 1, 1, '{}', '{}', 0, 'PASSED', '{}', '{}', 1)
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


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


async def test_consigned_goods_are_split_and_the_consignor_waits_its_net_days(
    house: PayoutHouse,
) -> None:
    await house.commission(500)
    account = await house.connected()
    await house.consigns("12")
    award_id = await house.paid(consignor=TARGET)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    booked = await house.balances()
    assert booked["consignor_payable:target"] == 872_800
    assert booked["commission_income"] == 50_000
    assert await house.transferred() == [(account, 77_200, 0)]
    assert (await house.award(award_id)).state is _A.RELEASED
    (owed,) = await house.fetch("select * from payable where kind = 'CONSIGNOR'")
    accepted_us = (await house.award(award_id)).accepted_at_us
    assert accepted_us is not None
    assert abs(owed["due_at_us"] - (accepted_us + 30 * DAY_US)) <= 3_600_000_000
    theirs = await house.connected(TARGET)
    assert len(await house.transferred()) == 1
    await house.passes(days=29)
    assert (await house.transferred())[1:] == [(theirs, 872_800, 0)]
    assert (await house.award(award_id)).state is _A.PAID_OUT


async def test_what_consigned_goods_cost_beyond_their_price_is_taken_from_later_ones(
    house: PayoutHouse,
) -> None:
    await house.commission(0)
    await house.consigns("12", claims="LIQUIDATOR", fee_per_pallet_minor=100_00)
    await house.consigns("13", claims="LIQUIDATOR")
    cheap = await house.paid("12", 100_00, consignor=TARGET)
    dear = await house.paid("13", 1_000_00, consignor=TARGET)
    for award_id in (cheap, dear):
        await house.acceptances.accept(BUYER, DRIVER, award_id)
        await house.drain()
    # 100.00 less 12.00 and 400.00 is -312.00; 1,000.00 less 120.00 and 72.00 is 808.00.
    booked = await house.balances()
    assert booked["consignor_payable:target"] == 808_00 - 312_00
    assert booked["seller_payable:north"] == 100_00 + 192_00 + 312_00
    rows = await house.fetch("select payable_id, amount_minor from payable order by payable_id")
    assert [tuple(row.values()) for row in rows] == [
        ("S1~12", 100_00),
        ("S1~13", 192_00 + 312_00),
        ("S1~13~c", 496_00),
    ]


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


async def test_fees_of_consigned_lots_that_did_not_sell_are_taken_from_what_comes_later(
    house: PayoutHouse,
) -> None:
    await house.consigns("11", fees_when_unsold=True)
    await house.consigns("12")
    await house.wants(Wanted(operation="unsold_fees", subject="S1"))
    await house.drain()
    assert await house.fetch("select * from consignor_charge") == []
    await house.pool.execute(
        "insert into sale_result values ('S1', 'north', 'USD', 'RESTORE', null, 1)"
    )
    for lot in ("11", "13"):
        await house.pool.execute(PASSED, lot)
    await house.passes(seconds=30)
    await house.wants(Wanted(operation="unsold_fees", subject="S1", generation=2))
    award_id = await house.paid("12", 1_000_00, consignor=TARGET)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    # 1,000.00 less 120.00 and four pallets at 18.00, less 72.00 of the other lot.
    balances = await house.balances()
    assert balances["consignor_payable:target"] == 808_00 - 72_00
    assert balances["seller_payable:north"] == 1_000_00 - 100_00 - 808_00 + 72_00
