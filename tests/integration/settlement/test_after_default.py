"""What follows when a buyer does not pay: penalty, suspension, the runner-up, the stock again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from accounts.applications import application_of
from accounts.approval_states import ApprovalState
from accounts.audit import OPERATOR
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import acquire, transaction
from foundation.http.cursors import Paging
from settlement.after_default.words import AfterRefusal, Refused
from settlement.entries import About
from settlement.ids import AwardId, InvoiceId, award_id_of
from settlement.ledger import post
from settlement.lives import AwardState
from settlement.operations import HOUR_US
from settlement.postings import bank_funding
from tests.books import balances_of
from tests.builders import HOUSE, SALE, new_bid_id
from tests.hammered import Settling, settling, terms_with
from tests.market import Reseller, lot_of

RIVAL = LiquidatorId("rival")
DAY_US = 24 * HOUR_US
LOT = "1"
VOID_PLACE = (SaleId(SALE), LotId(LOT))
VOID = award_id_of(*VOID_PLACE)
DALLAS: dict[str, Any] = {"region": "TX", "city": "Dallas", "postal_code": "75201"}


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as running:
        yield running


async def three(room: Settling, *lots: str) -> tuple[Reseller, Reseller, Reseller]:
    """A bids 3,000, B 4,000 and W 5,000 on each lot; the opening bid is 1,000. W wins all."""
    increments = terms_with().increments
    listed = [lot_of(lot, opening_minor=1_000_00) for lot in lots or (LOT,)]
    await room.market.opens(*listed, terms=terms_with(increments=increments), **DALLAS)
    made = []
    for name, maximum_minor in (("Ames", 3_000_00), ("Bell", 4_000_00), ("Ward", 5_000_00)):
        reseller = await room.market.reseller(name)
        await reseller.registers()
        for lot in listed:
            await room.market.bid(reseller, maximum_minor, lot.lot_id)
        made.append(reseller)
    await room.market.closes()
    await room.settle()
    a, b, w = made
    return a, b, w


async def default(room: Settling, *award_ids: AwardId) -> InvoiceId:
    """The winner does not pay."""
    (invoice,) = await room.invoices()
    await room.gives_up(invoice.invoice_id, *award_ids)
    return invoice.invoice_id


async def asked(room: Settling) -> list[tuple[int, int]]:
    """What the seller is asked and has not answered: turn and price."""
    found = await room.after.answering.consents(HOUSE, Paging(), waiting=True)
    return [(page.turn, page.price_minor) for page in found.items]


async def offered(room: Settling, to: Reseller) -> list[tuple[int, int]]:
    """What somebody is offered and has not answered: turn and price."""
    found = await room.after.answering.offers(to.bidder_id, Paging(), waiting=True)
    return [(page.turn, page.price_minor) for page in found.items]


async def consents(room: Settling, turn: int = 1, *, to: bool = True) -> None:
    await room.after.answering.answer_consent(HOUSE, VOID, turn, consents=to, actor=OPERATOR)
    await room.settle()


async def answers(room: Settling, who: Reseller, turn: int = 1, *, takes: bool) -> None:
    answering = room.after.answering
    await answering.answer_offer(who.bidder_id, VOID, turn, accepted=takes, actor=OPERATOR)
    await room.settle()


async def state_of(room: Settling, award_id: AwardId = VOID) -> str:
    (row,) = await room.fetch("select state from unsold_again where award_id = $1", award_id)
    return str(row["state"])


async def test_the_runner_up_gets_the_lot_at_the_price_without_the_defaulter(
    room: Settling,
) -> None:
    _, bell, _ = await three(room)
    await default(room)
    assert await asked(room) == [(1, 3_050_00)]
    assert await offered(room, bell) == []
    await consents(room)
    assert await offered(room, bell) == [(1, 3_050_00)]
    assert "$3,050.00" in room.mailbox.to("Bell")[-1].subject
    await answers(room, bell, takes=True)
    awards = await room.awards()
    second = awards[award_id_of(*VOID_PLACE, 2)]
    assert (second.buyer_id, second.award.hammer_minor) == (bell.bidder_id, 3_050_00)
    assert (second.generation, second.state) == (2, AwardState.INVOICED)
    first, invoice = await room.invoices()
    assert invoice.invoice.buyer_id == bell.bidder_id
    (line,) = invoice.invoice.lines
    assert (line.hammer_minor, line.premium_minor) == (3_050_00, 457_50)
    # As long to pay as anybody, from when the lot was taken.
    assert invoice.invoice.due_at_us - invoice.issued_at_us >= 47 * HOUR_US
    assert invoice.number > first.number
    assert await state_of(room) == "AWARDED"


async def test_the_runner_up_may_have_to_pay_the_own_last_bid_by_the_policy(
    room: Settling,
) -> None:
    await new_policy(room, runner_up_price="LAST_BID")
    _, bell, _ = await three(room)
    await default(room)
    assert await asked(room) == [(1, 4_000_00)]
    await consents(room)
    assert await offered(room, bell) == [(1, 4_000_00)]


async def test_a_runner_up_that_declines_is_passed_over_and_then_the_lot_is_in_stock_again(
    room: Settling,
) -> None:
    ames, bell, _ = await three(room)
    await default(room)
    await consents(room)
    await answers(room, bell, takes=False)
    assert await offered(room, bell) == []
    assert await asked(room) == [(2, 1_000_00)]  # A alone, at the opening bid
    await consents(room, 2)
    assert await offered(room, ames) == [(2, 1_000_00)]
    await answers(room, ames, 2, takes=False)
    assert await state_of(room) == "RELISTED"
    assert len(await room.awards()) == 1


async def test_an_offer_that_runs_out_goes_to_the_next_and_can_be_taken_no_more(
    room: Settling,
) -> None:
    _, bell, _ = await three(room)
    await default(room)
    await consents(room)
    room.market.clock.shift_us += DAY_US
    with pytest.raises(Refused) as late:
        await answers(room, bell, takes=True)
    assert late.value.refusal is AfterRefusal.TOO_LATE
    await room.settle()
    assert await offered(room, bell) == []
    assert await asked(room) == [(2, 1_000_00)]
    with pytest.raises(Refused) as passed:
        await answers(room, bell, takes=True)
    assert passed.value.refusal is AfterRefusal.ANSWERED_OTHERWISE


async def test_one_offer_is_open_at_a_time_however_often_the_step_is_taken(
    room: Settling,
) -> None:
    ames, bell, _ = await three(room)
    await default(room)
    await consents(room)
    for _ in range(3):
        await room.again("next_buyer")
    assert (await offered(room, bell), await offered(room, ames)) == ([(1, 3_050_00)], [])
    (count,) = await room.fetch("select count(*) from runner_up_offer")
    assert count[0] == 1
    (consents_asked,) = await room.fetch("select count(*) from seller_consent")
    assert consents_asked[0] == 1


@pytest.mark.parametrize("silent", [False, True])
async def test_a_seller_that_does_not_consent_gets_the_lot_back(
    room: Settling, silent: bool
) -> None:
    _, bell, _ = await three(room)
    await default(room)
    if silent:
        await room.passes(DAY_US)
    else:
        await consents(room, to=False)
    assert await offered(room, bell) == []
    assert await state_of(room) == "RELISTED"
    with pytest.raises(Refused) as late:
        await consents(room)
    assert late.value.refusal is AfterRefusal.ANSWERED_OTHERWISE


async def test_a_no_of_the_seller_ends_it_also_for_those_who_come_next(room: Settling) -> None:
    _, bell, _ = await three(room)
    await default(room)
    await room.market.stands(bell, state="SUSPENDED")
    await consents(room, to=False)
    assert await asked(room) == []
    assert await state_of(room) == "RELISTED"


async def test_an_answer_is_given_once_and_by_whom_it_was_asked_of(room: Settling) -> None:
    ames, bell, _ = await three(room)
    await default(room)
    answering = room.after.answering
    with pytest.raises(Refused) as foreign:
        await answering.answer_consent(RIVAL, VOID, 1, consents=True, actor=OPERATOR)
    assert foreign.value.refusal is AfterRefusal.NOT_FOUND
    for turn in (0, 2):
        with pytest.raises(Refused) as missing:
            await answering.answer_consent(HOUSE, VOID, turn, consents=True, actor=OPERATOR)
        assert missing.value.refusal is AfterRefusal.NOT_FOUND
    await consents(room)
    await consents(room)  # again, the same: nothing happens
    with pytest.raises(Refused) as other:
        await consents(room, to=False)
    assert other.value.refusal is AfterRefusal.ANSWERED_OTHERWISE
    with pytest.raises(Refused) as stolen:
        await answers(room, ames, takes=True)
    assert stolen.value.refusal is AfterRefusal.NOT_FOUND
    await answers(room, bell, takes=True)
    await answers(room, bell, takes=True)
    assert len(await room.awards()) == 2


async def test_a_runner_up_that_defaults_too_is_not_asked_again(room: Settling) -> None:
    ames, bell, _ = await three(room)
    await default(room)
    await consents(room)
    await answers(room, bell, takes=True)
    _, second = await room.invoices()
    await room.gives_up(second.invoice_id)
    again = award_id_of(*VOID_PLACE, 2)
    (question,) = (await room.after.answering.consents(HOUSE, Paging(), waiting=True)).items
    assert (question.award_id, question.price_minor) == (again, 1_000_00)
    await room.after.answering.answer_consent(HOUSE, again, 1, consents=True, actor=OPERATOR)
    await room.settle()
    assert await offered(room, ames) == [(1, 1_000_00)]
    await room.after.answering.answer_offer(ames.bidder_id, again, 1, accepted=True, actor=OPERATOR)
    await room.settle()
    third = (await room.awards())[award_id_of(*VOID_PLACE, 3)]
    assert (third.buyer_id, third.award.hammer_minor) == (ames.bidder_id, 1_000_00)


async def test_who_is_suspended_is_not_offered_the_lot(room: Settling) -> None:
    _, bell, _ = await three(room)
    await room.market.stands(bell, state="SUSPENDED")
    await default(room)
    assert await asked(room) == [(1, 1_000_00)]


@pytest.mark.parametrize(
    ("its", "theirs"),
    [
        ({"legal_name": "Ward Trading, LLC"}, {"legal_name": "WARD TRADING LLC"}),
        ({"phone": "+1 (312) 555-0177"}, {"phone": "312 555 0177"}),
    ],
)
async def test_a_second_account_of_who_did_not_pay_is_not_offered_the_lot(
    room: Settling, its: dict[str, str], theirs: dict[str, str]
) -> None:
    _, bell, ward = await three(room)
    await room.market.stands(ward, **its)
    await room.market.stands(bell, **theirs)
    await default(room)
    assert await asked(room) == [(1, 1_000_00)]  # A alone


async def test_who_shows_the_resale_certificate_of_who_did_not_pay_is_not_offered_the_lot(
    room: Settling,
) -> None:
    _, bell, ward = await three(room)
    await room.market.certify(ward)
    await room.market.certify(bell)
    await default(room)
    assert await asked(room) == [(1, 1_000_00)]


async def test_what_follows_an_invoice_goes_by_the_policy_that_it_was_issued_by(
    room: Settling,
) -> None:
    await three(room)
    # In force when the invoice was issued, which is after the close, by which it was counted.
    issued_at_us = (await room.invoices())[0].issued_at_us
    await new_policy(room, valid_from_us=issued_at_us - 1, relist_fee_bps=5000)
    await default(room)
    (row,) = await room.fetch("select relist_fees_minor from buyer_default")
    assert row["relist_fees_minor"] == 405_00


async def test_the_buyer_is_suspended_for_a_time_and_pays_a_fee_for_each_lot_from_its_credit(
    room: Settling,
) -> None:
    _, _, ward = await three(room, "1", "2")
    await credit(room, ward.bidder_id, 500_00)
    invoice_id = await default(room)
    (row,) = await room.fetch("select * from buyer_default")
    # Two lots at 4,050: a tenth of each.
    assert (row["relist_fees_minor"], row["paid_minor"]) == (810_00, 500_00)
    async with acquire(room.market.pool) as connection:
        balances = await balances_of(connection)
    assert balances == {"forfeits": 500_00, "stripe_balance": 500_00}
    approval = await application_of(room.market.pool, ward.organisation_id)
    assert approval is not None
    assert (approval.state, approval.reasons) == (ApprovalState.SUSPENDED, row["reason"])
    assert "not paid" in room.mailbox.to("Ward")[-1].subject
    story = await room.story(invoice_id=invoice_id)
    assert story == ["invoiced", "penalised", "suspended"]
    assert "$310.00 for offering" in row["reason"]
    await room.passes(31 * DAY_US)
    assert await standing(room, ward) is ApprovalState.SUSPENDED
    await credit(room, ward.bidder_id, 310_00, "another")
    await room.passes(DAY_US)
    assert await standing(room, ward) is ApprovalState.APPROVED


async def test_who_is_suspended_cannot_bid_and_can_again_when_the_time_is_over(
    room: Settling,
) -> None:
    _, _, ward = await three(room)
    await default(room)
    opens_at_us = room.now_us() - HOUR_US
    lot = lot_of(LOT, opens_at_us=opens_at_us, closes_at_us=room.now_us() + 40 * DAY_US)
    await room.market.opens(lot, sale_id="S-2", terms=terms_with())
    path, body = f"/sales/S-2/lots/{LOT}/bids", {"amount_minor": 100_00, "currency": "USD"}
    refused = await ward.does("POST", path, body, status=409, Idempotency_Key=new_bid_id())
    assert refused["code"] == "NOT_APPROVED"
    await credit(room, ward.bidder_id, 405_00)
    await room.passes(DAY_US)
    await room.passes(30 * DAY_US)
    await ward.registers("S-2")
    assert (await ward.bids(100_00, sale_id="S-2"))["accepted"]


async def test_who_was_suspended_by_staff_stays_so(room: Settling) -> None:
    _, _, ward = await three(room)
    await default(room)
    await room.market.stands(ward, reasons="Goods were resold as new.")
    await room.passes(31 * DAY_US)
    approval = await application_of(room.market.pool, ward.organisation_id)
    assert approval is not None
    assert approval.state is ApprovalState.SUSPENDED


async def test_a_default_that_is_told_twice_is_one(room: Settling) -> None:
    _, _, ward = await three(room)
    invoice_id = await default(room)
    before = await room.operations()
    await room.again("defaulted", "suspend", "next_buyer")
    assert (await room.operations()).keys() == before.keys()
    (row,) = await room.fetch("select * from buyer_default")
    assert (row["invoice_id"], row["buyer_id"]) == (invoice_id, ward.bidder_id)


async def test_of_lots_that_are_paid_nothing_is_looked_for(room: Settling) -> None:
    await three(room, "1", "2")
    await default(room, VOID)
    rows = await room.fetch("select award_id from unsold_again")
    assert [row["award_id"] for row in rows] == [VOID]


async def standing(room: Settling, who: Reseller) -> ApprovalState:
    """Whether somebody may bid."""
    approval = await application_of(room.market.pool, who.organisation_id)
    assert approval is not None
    return approval.state


async def credit(
    room: Settling, buyer_id: BidderId, amount_minor: int, subject: str = "transfer"
) -> None:
    """The buyer has so much credit in the books."""
    about = About(subject=subject, at_us=room.now_us(), currency="USD", buyer_id=buyer_id)
    async with transaction(room.market.pool) as connection:
        await post(connection, [bank_funding(about, buyer_id, amount_minor)])


async def new_policy(room: Settling, **changes: object) -> None:
    """Another version of the policy, in force for long."""
    async with acquire(room.market.pool) as connection:
        rows = await connection.fetch(
            "select column_name from information_schema.columns"
            " where table_name = 'settlement_policy'"
        )
        columns = [row["column_name"] for row in rows]
        figures = {"version": "2", "valid_from_us": "1"} | {
            name: f"'{value}'" for name, value in changes.items()
        }
        await connection.execute(
            f"insert into settlement_policy ({', '.join(columns)})"  # noqa: S608
            f" select {', '.join(figures.get(name, name) for name in columns)}"
            " from settlement_policy where currency = 'USD' and version = 1"
        )
