"""Bank files: what is netted of them, by which way they go, on which day, and what comes of it."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from settlement import postings as p
from settlement import postings_house as h
from settlement.lives import AwardState, PaymentState
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.withheld import Withheld
from settlement.payouts.words import Way
from tests.integration.settlement.test_bank_files import files, refused, released, returns
from tests.payouts import CHIEF, CLERK, DRIVER, NORTH, WORDS, PayoutHouse, part, payout_house
from tests.settlement_rules import BUYER

_A = AwardState


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        await HouseBank(house.pool, house.clock).set(CHIEF, "USD", WORDS)
        yield house


async def test_what_a_seller_owes_is_netted_once_of_all_that_a_file_pays_it(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    first, _ = await released(house, "12", "13")
    await house.books(
        p.chargeback(house.about("dp_9"), 100_000, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(first, 100_000, 0, 0), 0),
    )
    assert (await files(house).make(CLERK, "USD")).batch.total_minor == 2 * 900_000 - 100_000
    assert "seller_receivable:north" not in await house.balances()


@pytest.mark.parametrize(
    ("hammer_minor", "method"), [(11_111_111_110, "ACH"), (11_111_111_111, "WIRE")]
)
async def test_what_does_not_fit_into_an_entry_of_ach_goes_by_wire(
    house: PayoutHouse, hammer_minor: int, method: str
) -> None:
    await house.has_bank()
    award_id = await house.paid("12", hammer_minor, charge=False)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    (item,) = (await files(house).make(CLERK, "USD")).items
    assert (item.amount_minor, item.method) == (-(-hammer_minor * 9 // 10), method)


@pytest.mark.parametrize(
    ("days", "pays"),
    [(0, False), (1, True), (4, True), (5, False), (6, False), (7, False), (8, True), (9, False)],
)
async def test_a_file_is_paid_on_a_business_day_of_the_next_eight(
    house: PayoutHouse, days: int, pays: bool
) -> None:
    await house.has_bank()
    await released(house, "12")
    await monday(house)
    whole = await files(house).make(CLERK, "USD")
    on = date.fromordinal(MONDAY.toordinal() + days)
    releasing = files(house).release(CHIEF, whole.batch.batch_id, on)
    if pays:
        assert (await releasing).batch.pays_on == on
    else:
        assert await refused(releasing) == "BAD_DETAILS"


async def test_a_bank_that_says_no_for_another_reason_leaves_the_account(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    await returns(house).book(CLERK, whole.batch.batch_id, 1, "R01")
    shown = await house.payees.read(NORTH)
    assert shown.way is Way.BANK and shown.bank is not None
    assert (await files(house).make(CLERK, "USD")).batch.total_minor == 900_000


async def test_what_a_cancelled_file_would_have_paid_goes_by_the_way_of_now(
    house: PayoutHouse,
) -> None:
    account = await house.connected()
    await house.has_bank()
    await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    shown = await house.payees.read(NORTH)
    await house.payees.choose(CLERK, NORTH, Way.CONNECT, shown.version)
    await house.passes(days=2)
    assert await house.transferred() == []
    await files(house).cancel(CLERK, whole.batch.batch_id)
    await house.drain()
    assert [sent[0] for sent in await house.transferred()] == [account]


async def test_what_comes_back_after_its_award_was_closed_is_sent_again(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    await house.passes(days=9)
    assert (await house.award(award_id)).state is _A.CLOSED
    await returns(house).book(CLERK, whole.batch.batch_id, 1, "R01")
    again = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, again.batch.batch_id)
    assert "seller_payable:north" not in await house.balances()
    assert (await house.award(award_id)).state is _A.CLOSED


async def test_what_a_person_let_go_is_kept_again_by_a_dispute(house: PayoutHouse) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    await house.payment_is(award_id, PaymentState.REFUNDED)
    await Withheld(house.pool, house.clock, lambda: None).let_go(CLERK, award_id, "ours to bear")
    await house.payment_is(award_id, PaymentState.DISPUTED)
    assert await refused(files(house).make(CLERK, "USD")) == "NOTHING_DUE"
    await house.payment_is(award_id, PaymentState.REFUNDED)
    await house.books(h.payout_returned(house.about("P1"), 1))
    assert (await files(house).make(CLERK, "USD")).batch.total_minor == 900_000


# The Monday after it is Columbus Day, on which banks do not settle.
MONDAY = date(2026, 10, 5)


async def monday(house: PayoutHouse) -> None:
    """Noon of a Monday where banks settle."""
    noon_us = (MONDAY.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000 + 57_600_000_000
    await house.passes(seconds=(noon_us - house.clock()) // 1_000_000)
