"""Bank files: made by one person, released by another, frozen, booked, and booked back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from settlement import postings as p
from settlement import postings_house as h
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.payouts.batches import BankFiles
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.payee_rows import BankDetails
from settlement.payouts.payments_made import PaymentsMade
from settlement.payouts.return_file import BadReturns
from settlement.payouts.returns import Returns
from settlement.payouts.words import BatchState, PayableState, PayoutRefused, Way
from tests.paging import walked
from tests.payouts import (
    CHIEF,
    CLERK,
    DRIVER,
    NORTH,
    OTHER_BANK,
    OWNER,
    TARGET,
    WORDS,
    PayoutHouse,
    part,
    payout_house,
)
from tests.return_files import a_return_file
from tests.settlement_rules import BUYER
from tests.unit.test_nacha import parsed

_A = AwardState
ABROAD = BankDetails(
    holder="=Ziel GmbH", country="DE", routing="DEUTDEFF", account="DE89 3704 0044 0532 0130 00"
)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        await HouseBank(house.pool, house.clock).set(CHIEF, "USD", WORDS)
        yield house


def files(house: PayoutHouse) -> BankFiles:
    return BankFiles(house.pool, house.clock, lambda: None)


def returns(house: PayoutHouse) -> Returns:
    return Returns(house.pool, house.clock, lambda: None)


async def released(house: PayoutHouse, *lots: str, consignor: str | None = None) -> list[AwardId]:
    """Lots of 10,000.00 that are accepted and released, and the bank has what they need."""
    made = [await house.paid(lot, consignor=consignor) for lot in lots]
    for award_id in made:
        await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    await house.books(h.payout(house.about("P1"), 900_000 * len(lots)))
    return made


async def refused(doing: object) -> str:
    with pytest.raises(PayoutRefused) as said:
        await doing  # type: ignore[misc]
    return said.value.refusal.value


async def test_what_is_due_is_paid_by_a_file_of_two_people(house: PayoutHouse) -> None:
    await house.has_bank()
    first, second = await released(house, "12", "13")
    due = await files(house).due("USD")
    assert [(item.payee_id, item.amount_minor, item.payables) for item in due.items] == [
        (NORTH, 1_800_000, 2)
    ]
    assert (due.total_minor, due.bank_minor, due.missing_minor) == (1_800_000, 1_800_000, 0)
    whole = await files(house).make(CLERK, "USD")
    assert (whole.batch.state, whole.batch.total_minor) == (BatchState.MADE, 1_800_000)
    assert await refused(files(house).make(CLERK, "USD")) == "NOTHING_DUE"
    assert await refused(files(house).release(CLERK, whole.batch.batch_id)) == "SAME_PERSON"
    assert await refused(files(house).content(CHIEF, whole.batch.batch_id, "ACH")) == "NOT_FOUND"
    sent = await files(house).release(CHIEF, whole.batch.batch_id)
    content = await files(house).content(CHIEF, whole.batch.batch_id, "ACH")
    assert sent.batch.ach_sha256 == hashlib.sha256(content).hexdigest()
    (only,) = parsed(content)["entries"]
    assert (only["amount"], only["account"], only["holder"]) == (
        1_800_000,
        "000123456789",
        "NORTH SALVAGE LLC",
    )
    assert sent.items[0].trace == only["trace"]
    balances = await house.balances()
    assert "bank" not in balances and "seller_payable:north" not in balances
    for award_id in (first, second):
        assert (await house.award(award_id)).state is _A.PAID_OUT
        assert (await house.told(award_id))[-1] == "paid_by_bank"
    assert await refused(files(house).release(CHIEF, whole.batch.batch_id)) == "NOT_NOW"
    assert await refused(files(house).cancel(CHIEF, whole.batch.batch_id)) == "NOT_NOW"


async def test_the_database_holds_that_two_people_act_and_that_nothing_released_changes(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    number = whole.batch.batch_id
    with pytest.raises(asyncpg.CheckViolationError, match="two_people"):
        await house.pool.execute(
            "update payout_batch set state = 'RELEASED', released_by = made_by, pays_on = now(),"
            " ach_sha256 = 'x' where batch_id = $1",
            number,
        )
    await files(house).release(CHIEF, number)
    for statement in (
        "update payout_batch set total_minor = 1",
        "delete from payout_batch_payable",
        "update payout_batch_item set amount_minor = 1",
        "update payout_file set content = 'x'",
        "delete from payout_file",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await house.pool.execute(statement)


async def test_the_bank_is_never_overdrawn_and_what_is_missing_is_said(house: PayoutHouse) -> None:
    await house.has_bank()
    await released(house, "12")
    await house.books(h.payout_returned(house.about("P1"), 900_000))
    await house.books(h.payout(house.about("P2"), 899_999))
    due = await files(house).due("USD")
    assert due.missing_minor == 1
    whole = await files(house).make(CLERK, "USD")
    with pytest.raises(PayoutRefused, match="BANK_TOO_LOW") as said:
        await files(house).release(CHIEF, whole.batch.batch_id)
    assert "0.01 USD" in said.value.message


async def test_a_dispute_or_another_account_after_the_making_stops_the_release(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await house.pool.execute("update invoice set open_disputes = 1")
    assert await refused(files(house).release(CHIEF, whole.batch.batch_id)) == "HELD_BACK"
    await house.pool.execute("update invoice set open_disputes = 0")
    await house.payees.set_bank(OWNER, NORTH, OTHER_BANK)
    assert await refused(files(house).release(CHIEF, whole.batch.batch_id)) == "HELD_BACK"
    await house.passes(days=2)
    assert await refused(files(house).release(CHIEF, whole.batch.batch_id)) == "HELD_BACK"
    await files(house).cancel(CLERK, whole.batch.batch_id)
    again = await files(house).make(CLERK, "USD")
    sent = await files(house).release(CHIEF, again.batch.batch_id)
    assert sent.items[0].last4 == "6677"


async def test_what_a_dispute_keeps_back_is_in_no_file_also_of_an_invoice_partly_paid(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    await house.pool.execute("update invoice set payment = 'PARTLY_FUNDED', open_disputes = 1")
    due = await files(house).due("USD")
    assert [item.held_back for item in due.items] == [[(award_id, "DISPUTED")]]
    assert await refused(files(house).make(CLERK, "USD")) == "NOTHING_DUE"


async def test_what_was_changed_two_days_ago_is_not_in_a_file(house: PayoutHouse) -> None:
    await house.payees.set_bank(OWNER, NORTH, OTHER_BANK)
    await released(house, "12")
    due = await files(house).due("USD")
    assert [item.held_back for item in due.items] == [[("S1~12", "ACCOUNT_CHANGED")]]
    assert await refused(files(house).make(CLERK, "USD")) == "NOTHING_DUE"
    await house.passes(days=2)
    assert (await files(house).make(CLERK, "USD")).batch.total_minor == 900_000


async def test_what_the_bank_sends_back_is_owed_again_and_sent_to_another_account(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    number = whole.batch.batch_id
    assert await refused(returns(house).book(CLERK, number, 1, "R03")) == "NOT_NOW"
    await files(house).release(CHIEF, number)
    assert await refused(returns(house).book(CLERK, number, 1, "X03")) == "BAD_DETAILS"
    assert await refused(returns(house).book(CLERK, number, 2, "R03")) == "NOT_FOUND"
    back = await returns(house).book(CLERK, number, 1, "R03", "no account")
    assert (back.items[0].state, back.items[0].return_code) == ("RETURNED", "R03")
    assert await refused(returns(house).book(CLERK, number, 1, "R03")) == "NOT_NOW"
    balances = await house.balances()
    assert (balances["bank"], balances["seller_payable:north"]) == (900_000, 900_000)
    await house.drain()
    assert house.mailbox.mails[-1].subject == "A payout came back from your bank"
    assert await refused(files(house).make(CLERK, "USD")) == "NOTHING_DUE"
    await house.has_bank(details=OTHER_BANK)
    again = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, again.batch.batch_id)
    every = await files(house).all()
    assert len(every) == 2 and await walked(files(house).page) == every
    assert "bank" not in await house.balances()
    # Nothing is closed by the first payout, which came back.
    closes = await house.fetch("select due_at_us from settlement_op where operation = 'close'")
    first_us, second_us = sorted(row["due_at_us"] for row in closes)
    for due_us, state in ((first_us, _A.PAID_OUT), (second_us, _A.CLOSED)):
        await house.passes(seconds=(due_us - house.clock()) // 1_000_000 + 1)
        assert (await house.award(award_id)).state is state


async def test_an_award_whose_payout_came_back_is_closed_when_what_its_seller_owes_takes_it(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    await returns(house).book(CLERK, whole.batch.batch_id, 1, "R03")
    await house.passes(days=9)
    assert (await house.award(award_id)).state is _A.PAID_OUT
    await house.books(
        p.chargeback(house.about("dp_9"), 900_000, 0),
        p.dispute_lost_by_seller(house.about("fee"), NORTH, part(award_id, 900_000, 0, 0), 0),
    )
    await house.has_bank(details=OTHER_BANK)
    await house.passes(days=2)
    assert (await house.told(award_id))[-1] == "netted"
    await house.passes(days=9)
    assert (await house.award(award_id)).state is _A.CLOSED


async def test_a_payout_that_came_back_goes_by_transfer_when_its_seller_has_an_account_by_then(
    house: PayoutHouse,
) -> None:
    await house.has_bank()
    (award_id,) = await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    await returns(house).book(CLERK, whole.batch.batch_id, 1, "R02")
    account = await house.connected()
    assert await house.transferred() == [(account, 900_000, 0)]
    assert (await house.award(award_id)).state is _A.PAID_OUT
    assert (await house.balances())["bank"] == 900_000


async def test_consignors_are_paid_after_their_days_and_abroad_by_wire(house: PayoutHouse) -> None:
    await house.commission(500)
    await house.has_bank()
    await house.consigns("12")
    (award_id,) = await released(house, "12", consignor=TARGET)
    await house.has_bank(TARGET, ABROAD)
    whole = await files(house).make(CLERK, "USD")
    assert [(item.payee_id, item.amount_minor) for item in whole.items] == [(NORTH, 77_200)]
    await files(house).release(CHIEF, whole.batch.batch_id)
    assert (await house.award(award_id)).state is _A.RELEASED
    await house.books(h.payout(house.about("P2"), 50_000))
    await house.passes(days=30)
    whole = await files(house).make(CLERK, "USD")
    sent = await files(house).release(CHIEF, whole.batch.batch_id)
    assert (sent.batch.ach_sha256, sent.items[0].method) == (None, "WIRE")
    rows = (await files(house).content(CHIEF, sent.batch.batch_id, "WIRE")).decode().splitlines()
    assert rows[1] == (
        f"SC{sent.batch.batch_id}-1,Target Stores,'=Ziel GmbH,DE,DEUTDEFF,DE89370400440532013000,"
        "USD,8728.00"
    )
    assert (await house.award(award_id)).state is _A.PAID_OUT
    await returns(house).book(CLERK, sent.batch.batch_id, 1, "WIRE", "no such name")
    assert (await house.balances())["consignor_payable:target"] == 872_800


async def test_two_who_make_a_file_at_once_do_not_pay_twice(house: PayoutHouse) -> None:
    await house.has_bank()
    await released(house, "12", "13", "14")
    made = await asyncio.gather(
        *(files(house).make(CLERK, "USD") for _ in range(4)), return_exceptions=True
    )
    whole = [each for each in made if not isinstance(each, BaseException)]
    assert [each.batch.total_minor for each in whole] == [2_700_000]
    sent = await asyncio.gather(
        *(files(house).release(CHIEF, whole[0].batch.batch_id) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, BaseException) for each in sent) == 1
    assert "bank" not in await house.balances()


async def test_account_numbers_are_shown_nowhere_but_in_the_file(house: PayoutHouse) -> None:
    await house.has_bank()
    await released(house, "12")
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    shown = repr(await house.payees.read(NORTH)) + repr(await files(house).read(1))
    assert "000123456789" not in shown
    tables = await house.fetch(
        "select table_name from information_schema.tables where table_schema = 'public'"
        " and table_type = 'BASE TABLE' and table_name not in ('payee_account_number')"
    )
    for table in tables:
        found = await house.pool.fetchval(
            f"select count(*) from {table['table_name']} t where t::text like '%000123456789%'"  # noqa: S608
        )
        assert not found, table["table_name"]


async def test_payees_see_what_is_owed_and_what_was_sent(house: PayoutHouse) -> None:
    made = PaymentsMade(house.pool)
    await house.has_bank()
    await released(house, "12", "13")
    (first, second) = await made.owed([NORTH])
    assert await walked(lambda paging: made.page_owed(paging, [NORTH])) == [first, second]
    assert (first.lot, first.left_minor, first.state) == ("12", 900_000, PayableState.OWED)
    assert await made.owed([TARGET]) == [] and await made.made() == []
    whole = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, whole.batch.batch_id)
    assert await made.owed() == []
    (sent,) = await made.made([NORTH])
    assert (sent.amount_minor, sent.last4, list(sent.award_ids)) == (
        1_800_000,
        "6789",
        ["S1~12", "S1~13"],
    )
    await returns(house).book(CLERK, whole.batch.batch_id, 1, "R02")
    await house.connected()
    *latest, back = await made.made()
    assert await walked(made.page_made) == [*latest, back]
    assert (back.return_code, [each.way for each in latest]) == ("R02", [Way.CONNECT, Way.CONNECT])


async def test_a_currency_without_a_policy_says_so(house: PayoutHouse) -> None:
    with pytest.raises(PayoutRefused, match="NOT_NOW") as said:
        await files(house).due("EUR")
    assert said.value.message == "There is no policy for EUR."
    assert await refused(files(house).make(CLERK, "EUR")) == "NOT_NOW"
    assert await refused(files(house).due("XXX")) == "NOT_FOUND"


async def test_a_banks_file_of_returns_is_booked_once_and_whole(house: PayoutHouse) -> None:
    await house.has_bank()
    await released(house, "12")
    first = await files(house).make(CLERK, "USD")
    await files(house).release(CHIEF, first.batch.batch_id)
    trace = (await files(house).read(first.batch.batch_id)).items[0].trace
    strange, sent = "121000249999999", (trace, 900_000, "R01")

    async def faults(*lines: tuple[str, int, str]) -> list[str]:
        with pytest.raises(BadReturns) as bad:
            await returns(house).take_in(CLERK, a_return_file(*lines))
        assert "bank" not in await house.balances()
        return [str(fault) for fault in bad.value.faults]

    said = f"Line 8: no payment of ours has the trace number {strange}"
    assert await faults(sent, (strange, 5, "R01")) == [said]
    short = "Line 4: 899999 cents came back of 900000 that were sent"
    assert await faults((trace, 899_999, "R01")) == [short]
    took = await returns(house).take_in(CLERK, a_return_file(sent, (strange, 5, "C01")))
    assert (took.booked, took.known, [one.code for one in took.notices]) == (1, 0, ["C01"])
    balances = await house.balances()
    assert (balances["bank"], balances["seller_payable:north"]) == (900_000, 900_000)
    (item,) = (await files(house).read(first.batch.batch_id)).items
    assert (item.state, item.return_code, item.return_note) == ("RETURNED", "R01", "NO ACCOUNT")
    again = await returns(house).take_in(CLERK, a_return_file(sent))
    assert (again.booked, again.known) == (0, 1)
    assert await house.balances() == balances
    with pytest.raises(BadReturns, match="Line 4: it is written down as RETURNED R01"):
        await returns(house).take_in(CLERK, a_return_file((trace, 900_000, "R02")))
