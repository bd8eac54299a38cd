"""What a buyer owes for lots that it did not pay: by card, by credit, or not at all."""

from collections.abc import AsyncIterator

import pytest

from accounts.approval_states import ApprovalState
from accounts.audit import OPERATOR, Actor
from accounts.ids import PersonId
from auction.ids import SaleId
from bidder_gateway.deposits import end_recorded
from foundation.database import acquire, transaction
from settlement.after_default.fee_desk import FEES
from settlement.after_default.hand_deposits import Fate, HandDeposits
from settlement.after_default.words import AfterRefusal
from settlement.after_default.words import Refused as DefaultRefused
from settlement.ids import StripeId
from settlement.pickups.charge_cards import CANCEL, CAPTURE, CONFIRM, CREATE
from settlement.pickups.charge_table import Charge
from settlement.pickups.charges import Charges
from settlement.pickups.words import ChargeKind, ChargeState, PickupRefusal, Refused
from settlement.queue import Queue, Waiting
from settlement.queue_sources import PART_SOURCES
from settlement.steps import Wanted, want
from tests.books import balances_of
from tests.builders import SALE
from tests.hammered import CORE, Settling, settling
from tests.integration.settlement.test_after_default import (
    DAY_US,
    credit,
    default,
    standing,
    three,
)
from tests.market import Reseller

ANN, BOB = Actor(PersonId("ann"), "192.0.2.1"), Actor(PersonId("bob"), "192.0.2.2")
FEE = 405_00  # a tenth of the 4,050 for which W had won


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    kinds = (*CORE, CREATE, CONFIRM, CAPTURE, CANCEL)
    async with settling(database_url, kinds) as running:
        yield running


async def saves(room: Settling, who: Reseller, card: str) -> None:
    """A buyer saves a test card."""
    rows = await room.fetch(
        "select customer_id from buyer_customer where buyer_id = $1", who.bidder_id
    )
    customer_id = rows[0]["customer_id"]
    method = await room.provider.v1.payment_methods.attach_async(card, {"customer": customer_id})
    async with acquire(room.market.pool) as connection:
        await connection.execute(
            "insert into saved_method (method_id, buyer_id, kind, brand, last4, expires,"
            " is_default, saved_at_us) values ($1, $2, 'card', 'visa', '4242', '2034-12', true, 1)",
            StripeId(method.id),
            who.bidder_id,
        )


async def fee(room: Settling) -> Charge:
    charges = Charges(room.market.pool, room.now_us)
    (row,) = await room.fetch("select charge_id from buyer_charge")
    return await charges.charge(row[0])


async def books(room: Settling) -> dict[str, int]:
    async with acquire(room.market.pool) as connection:
        return await balances_of(connection)


async def tries(room: Settling) -> int:
    (row,) = await room.fetch("select count(*) from charge_try")
    return int(row[0])


async def code_of(asked: object) -> PickupRefusal:
    with pytest.raises(Refused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal


async def test_the_saved_card_pays_the_fee_by_itself_and_the_suspension_ends_with_its_time(
    room: Settling,
) -> None:
    _, _, ward = await three(room)
    await saves(room, ward, "pm_card_visa")
    await default(room)
    paid = await fee(room)
    assert (paid.kind, paid.state, paid.amount_minor) == (
        ChargeKind.RELIST_FEE,
        ChargeState.PAID,
        FEE,
    )
    balances = await books(room)
    assert balances["forfeits"] == FEE
    assert balances["stripe_balance"] == FEE - balances["stripe_fees"]
    await room.passes(31 * DAY_US)
    assert await standing(room, ward) is ApprovalState.APPROVED
    assert await tries(room) == 1


async def test_a_card_that_declines_is_asked_four_times_in_eleven_days_and_no_more(
    room: Settling,
) -> None:
    _, _, ward = await three(room)
    await saves(room, ward, "pm_card_chargeCustomerFail")
    await default(room)
    assert await tries(room) == 1
    seen = []
    for _ in range(30):
        await room.passes(DAY_US)
        seen.append(await tries(room))
    assert (seen[0], seen[4], seen[12], seen[-1]) == (2, 3, 4, 4)
    assert (await fee(room)).open_minor == FEE
    await room.passes(5 * DAY_US)
    assert await standing(room, ward) is ApprovalState.SUSPENDED


async def test_the_buyer_pays_it_later_and_may_bid_again_at_once(room: Settling) -> None:
    _, _, ward = await three(room)
    await default(room)
    await room.passes(40 * DAY_US)
    assert await standing(room, ward) is ApprovalState.SUSPENDED
    await saves(room, ward, "pm_card_visa")
    charges = Charges(room.market.pool, room.now_us)
    owed = await fee(room)
    await charges.pay_by_card(owed.charge_id, OPERATOR, ward.bidder_id)
    await room.settle()
    assert (await fee(room)).state is ChargeState.PAID
    assert await standing(room, ward) is ApprovalState.APPROVED


async def test_money_that_no_invoice_needs_pays_the_fee(room: Settling) -> None:
    _, _, ward = await three(room)
    await default(room)
    await credit(room, ward.bidder_id, 100_00)
    arguments = {"buyer_id": ward.bidder_id, "currency": "USD"}
    wanted = Wanted(operation="fees_from_credit", subject="txn_1", arguments=arguments)
    async with transaction(room.market.pool) as connection:
        await want(connection, [wanted], room.now_us())
    await room.settle()
    owed = await fee(room)
    assert (owed.paid_minor, owed.open_minor) == (100_00, FEE - 100_00)
    assert (await books(room))["forfeits"] == 100_00


async def test_it_takes_two_people_to_give_a_fee_up_and_then_the_suspension_ends(
    room: Settling,
) -> None:
    _, _, ward = await three(room)
    await default(room)
    await room.passes(40 * DAY_US)
    desk, charges = room.after.fees, Charges(room.market.pool, room.now_us)
    owed = await fee(room)
    alone = charges.waive(owed.charge_id, owed.version, "their warehouse burned", ANN)
    assert await code_of(alone) is PickupRefusal.SECOND_PERSON
    assert (
        await code_of(desk.decide(ANN, owed.charge_id, agrees=True))
        is PickupRefusal.NO_WRITE_OFF_ASKED
    )
    await desk.ask_write_off(ANN, owed.charge_id, owed.version, "their warehouse burned")
    again = desk.ask_write_off(BOB, owed.charge_id, owed.version, "me too")
    assert await code_of(again) is PickupRefusal.WRITE_OFF_IS_ASKED
    assert await code_of(desk.decide(ANN, owed.charge_id, agrees=True)) is PickupRefusal.SAME_PERSON
    await desk.decide(BOB, owed.charge_id, agrees=False)
    assert await standing(room, ward) is ApprovalState.SUSPENDED
    await desk.ask_write_off(ANN, owed.charge_id, owed.version, "their warehouse burned")
    given_up = await desk.decide(BOB, owed.charge_id, agrees=True)
    assert (given_up.state, given_up.why) == (ChargeState.WAIVED, "their warehouse burned")
    await room.settle()
    assert await standing(room, ward) is ApprovalState.APPROVED
    assert "forfeits" not in await books(room)


async def test_an_open_fee_is_in_the_queue_with_its_age_until_it_is_paid(room: Settling) -> None:
    await three(room)
    await default(room)
    queue = Queue(room.market.pool, room.now_us, more=(*PART_SOURCES, *FEES))
    assert Waiting.FEE not in (await queue.page()).counts
    await room.passes(2 * DAY_US)
    (item,) = (await queue.page(Waiting.FEE)).items
    assert (item.amount_minor, item.party) == (FEE, "Ward")
    (owed,) = await room.after.fees.owed()
    assert owed.charge.made_at_us < room.now_us() - 2 * DAY_US
    charges = Charges(room.market.pool, room.now_us)
    await charges.record_payment(
        owed.charge.charge_id, owed.charge.version, FEE, "cheque 1207", ANN
    )
    assert Waiting.FEE not in (await queue.page()).counts
    assert (await books(room)) == {"bank": FEE, "forfeits": FEE}
    assert await room.after.fees.owed() == []


async def deposits_of(room: Settling, who: Reseller) -> int:
    """What the registration counts of somebody's deposit."""
    deposits = room.market.resellers.deposits
    return (await deposits.of(who.organisation_id, SaleId(SALE))).deposit_minor


async def pays_deposit(room: Settling, who: Reseller, amount_minor: int) -> None:
    """Staff write down that a deposit came by cheque."""
    staff = await room.market.staff()
    by = Actor(staff.person_id, "192.0.2.1")
    deposits = room.market.resellers.deposits
    await deposits.record(who.organisation_id, SaleId(SALE), amount_minor, "USD", "cheque 7", by)


@pytest.mark.parametrize(
    ("fate", "books_are"),
    [
        (Fate.KEPT_AT_BANK, {"bank": 300_00, "forfeits": 300_00}),
        (Fate.KEPT_OF_CREDIT, {"forfeits": 300_00, "stripe_balance": 300_00}),
        (Fate.NOT_KEPT, {}),
    ],
)
async def test_staff_say_once_what_becomes_of_a_deposit_that_they_had_recorded(
    room: Settling, fate: Fate, books_are: dict[str, int]
) -> None:
    _, _, ward = await three(room)
    await pays_deposit(room, ward, 300_00)
    await default(room)
    desk = HandDeposits(room.market.pool, room.now_us, end_recorded)
    (asked,) = await desk.waiting()
    assert (asked.amount_minor, asked.buyer) == (300_00, "Ward")
    place = (asked.sale_id, asked.buyer_id)
    if fate is Fate.KEPT_OF_CREDIT:
        with pytest.raises(DefaultRefused) as less:
            await desk.decide(ANN, *place, fate, "wire of May")
        assert less.value.refusal is AfterRefusal.TOO_LITTLE_CREDIT
        await credit(room, ward.bidder_id, 300_00)
    await desk.decide(ANN, *place, fate, "cheque 7 of May")
    assert await books(room) == books_are
    assert await deposits_of(room, ward) == 0
    assert await desk.waiting() == []
    with pytest.raises(DefaultRefused) as twice:
        await desk.decide(BOB, *place, Fate.NOT_KEPT, "cheque 7 of May")
    assert twice.value.refusal is AfterRefusal.ANSWERED_OTHERWISE
