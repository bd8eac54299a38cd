"""Consigned goods are divided as was agreed, and what they cost beyond that is taken later."""

from collections.abc import AsyncIterator

import pytest

from settlement.lives import AwardState, PaymentState
from settlement.steps import Wanted
from tests.payouts import DAY_US, DRIVER, TARGET, PayoutHouse, payout_house
from tests.settlement_rules import BUYER

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


async def test_a_consignors_days_begin_with_the_acceptance_though_a_dispute_froze_the_release(
    house: PayoutHouse,
) -> None:
    await house.consigns("12")
    award_id = await house.paid(consignor=TARGET)
    await house.payment_is(award_id, PaymentState.DISPUTED)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    accepted_us = (await house.award(award_id)).accepted_at_us
    await house.passes(days=10)
    await house.payment_is(award_id, PaymentState.PAID)
    await house.passes(hours=1)
    (owed,) = await house.fetch("select due_at_us from payable where kind = 'CONSIGNOR'")
    assert accepted_us is not None
    assert abs(owed["due_at_us"] - (accepted_us + 30 * DAY_US)) <= 3_600_000_000


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


async def test_the_oldest_of_earlier_costs_is_taken_first_and_what_the_lot_bears_of_it(
    house: PayoutHouse,
) -> None:
    await house.commission(0)
    await house.consigns("12", claims="LIQUIDATOR")
    for charge_id, at_us, minor in (("A2", 2, 900_00), ("A9", 1, 500_00)):
        await house.pool.execute(
            "insert into consignor_charge (charge_id, consignor_id, liquidator_id, currency,"
            " amount_minor, made_at_us) values ($1, 'target', 'north', 'USD', $2, $3)",
            *(charge_id, minor, at_us),
        )
    award_id = await house.paid("12", 1_000_00, consignor=TARGET)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    # 1,000.00 less 120.00 and 72.00 is 808.00: all of the older 500.00, and 308.00 of the other.
    rows = await house.fetch("select charge_id, charged_minor from consignor_charge order by 1")
    assert [tuple(row.values()) for row in rows] == [("A2", 308_00), ("A9", 500_00)]
    rows = await house.fetch("select payable_id, amount_minor from payable")
    assert [tuple(row.values()) for row in rows] == [("S1~12", 1_000_00)]
    assert "consignor_payable:target" not in await house.balances()


async def test_a_guarantee_above_what_the_lot_brought_is_owed_by_the_seller(
    house: PayoutHouse,
) -> None:
    await house.commission(0)
    await house.consigns("12", claims="LIQUIDATOR", guarantee_minor=1_500_00)
    award_id = await house.paid("12", 1_000_00, consignor=TARGET)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    balances = await house.balances()
    owed_minor = balances["consignor_payable:target"]
    assert owed_minor > 1_000_00
    assert balances["seller_receivable:north"] == owed_minor - 1_000_00
    (only,) = await house.fetch("select kind, amount_minor from payable")
    assert tuple(only.values()) == ("CONSIGNOR", owed_minor)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("delete from consigned_lot", "consigned by target, agreed with None"),
        ("update award set currency = 'EUR'", "the agreement is in USD"),
    ],
)
async def test_a_consigned_lot_whose_agreement_does_not_fit_waits_for_a_person(
    house: PayoutHouse, change: str, words: str
) -> None:
    await house.consigns("12")
    award_id = await house.paid("12", consignor=TARGET)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.pool.execute(change)
    await house.drain()
    (held,) = await house.fetch("select note from settlement_op where state = 'HELD'")
    assert words in held["note"]
    assert "held:S1~12" in await house.balances()


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
