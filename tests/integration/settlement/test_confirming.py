"""A seller is asked to confirm what it sold: by card, by bank and by credit, and by its silence."""

from collections.abc import AsyncIterator

import pytest

from accounts.audit import Actor
from auction.ids import BidderId
from auction.terms import Confirmation
from foundation.database import acquire, transaction
from settlement.after_default.words import AfterRefusal, Refused
from settlement.confirming import Confirming
from settlement.entries import About
from settlement.ids import AwardId, InvoiceId
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.payments.payers import TablePayers
from settlement.postings import bank_funding
from settlement.stripe_simulator import Trouble, cash_balances
from settlement.stripe_simulator.faults import Fault
from tests.settling import BUYER, DAY_US, NORTH, Settling, an_invoice, asks_seller, settling

_P, _A = PaymentState, AwardState
NOBODY = Actor(None, "192.0.2.1")
FIRST, SECOND = AwardId("S1~1"), AwardId("S1~2")
# A lot of 400.00 and one of 300.00, each with premium 15 % and tax 8.25 % of both.
FOUR_HUNDRED, THREE_HUNDRED = 497_95, 373_46
TWO_THOUSAND = 2_489_75


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url, lambda *_: {"free": Nothing(), "mail": Nothing()}) as room:
        yield room


class Nothing:
    """Stands for what others do."""

    async def call(self, op: object) -> None:
        return None

    async def settle(self, *_: object) -> None:
        return None


async def asked(
    room: Settling, *hammers_minor: int, rule: Confirmation = Confirmation.ELSE_SOLD
) -> InvoiceId:
    """An invoice of which the seller is asked, and what follows from it."""
    async with transaction(room.pool) as connection:
        invoice_id = await an_invoice(connection, *hammers_minor)
        await asks_seller(connection, invoice_id, room.now_us(), rule)
    await room.drain()
    return invoice_id


async def says(room: Settling, award_id: AwardId, *, confirms: bool) -> None:
    """The seller answers for a lot."""
    confirming = Confirming(room.pool, TablePayers(), room.now_us, lambda: None)
    await confirming.answer(NORTH, award_id, confirms=confirms, actor=NOBODY)
    await room.drain()


async def payment(room: Settling, invoice_id: InvoiceId) -> PaymentState:
    return (await room.held(invoice_id)).invoiced.payment


async def states(room: Settling, invoice_id: InvoiceId) -> list[AwardState]:
    return [award.state for award in (await room.held(invoice_id)).awards.values()]


async def agrees(room: Settling) -> dict[str, int]:
    """The balances, which agree with the simulator's."""
    balances = await room.balances()
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    assert await room.waiting() == []
    return balances


async def credit_of(room: Settling, amount_minor: int) -> None:
    about = About(subject="gift", at_us=room.now_us(), currency="USD")
    async with transaction(room.pool) as connection:
        await post(connection, [bank_funding(about, BUYER, amount_minor)])


def captured(room: Settling) -> list[int]:
    return [row["amount_captured"] for row in room.rows("charge") if row["captured"]]


async def test_capture_waits_until_the_seller_has_confirmed_every_lot(room: Settling) -> None:
    await room.buyer()
    invoice_id = await asked(room, 400_00, 300_00)
    await room.moves(hours=20)
    assert await payment(room, invoice_id) is _P.AUTHORISED
    await says(room, FIRST, confirms=True)
    assert await payment(room, invoice_id) is _P.AUTHORISED
    await says(room, SECOND, confirms=True)
    assert await payment(room, invoice_id) is _P.PAID
    assert captured(room) == [FOUR_HUNDRED + THREE_HUNDRED]
    await agrees(room)


async def test_of_what_was_promised_only_the_lots_are_taken_that_were_confirmed(
    room: Settling,
) -> None:
    await room.buyer()
    invoice_id = await asked(room, 400_00, 300_00)
    await says(room, FIRST, confirms=False)
    assert await states(room, invoice_id) == [_A.CANCELLED, _A.INVOICED]
    await says(room, SECOND, confirms=True)
    assert await states(room, invoice_id) == [_A.CANCELLED, _A.FUNDED]
    assert await payment(room, invoice_id) is _P.PAID
    assert captured(room) == [THREE_HUNDRED]
    balances = await agrees(room)
    assert balances["held:S1~2"] == 300_00
    assert not [name for name in balances if name.startswith(("cancellation_fees", "seller_"))]


async def test_where_nothing_is_confirmed_the_promise_is_given_back_and_nobody_pays(
    room: Settling,
) -> None:
    await room.buyer()
    invoice_id = await asked(room, 400_00)
    await says(room, FIRST, confirms=False)
    assert await states(room, invoice_id) == [_A.CANCELLED]
    assert room.rows("payment_intent")[0]["status"] == "canceled"
    assert await payment(room, invoice_id) is _P.PAID  # nothing is left to pay
    assert captured(room) == []
    assert await agrees(room) == {}
    await room.moves(days=10)
    assert room.defaulting.told == []


@pytest.mark.parametrize(
    ("rule", "award", "taken"),
    [
        (Confirmation.ELSE_SOLD, _A.FUNDED, [FOUR_HUNDRED]),
        (Confirmation.ELSE_CANCELLED, _A.CANCELLED, []),
    ],
)
async def test_after_24_hours_silence_means_what_the_terms_say(
    room: Settling, rule: Confirmation, award: AwardState, taken: list[int]
) -> None:
    await room.buyer()
    invoice_id = await asked(room, 400_00, rule=rule)
    await room.moves(hours=23.9)
    assert await states(room, invoice_id) == [_A.INVOICED]
    await room.moves(hours=0.1)
    assert await states(room, invoice_id) == [award]
    assert captured(room) == taken
    assert await payment(room, invoice_id) is _P.PAID
    await agrees(room)


async def test_silence_about_one_lot_does_not_touch_the_answer_for_another(
    room: Settling,
) -> None:
    await room.buyer()
    invoice_id = await asked(room, 400_00, 300_00, rule=Confirmation.ELSE_CANCELLED)
    await says(room, SECOND, confirms=True)
    await room.moves(hours=24)
    assert await states(room, invoice_id) == [_A.CANCELLED, _A.FUNDED]
    assert captured(room) == [THREE_HUNDRED]


async def test_what_comes_by_bank_before_the_answer_is_kept_and_funds_no_lot(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await asked(room, 2_000_00)
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, TWO_THOUSAND, "usd", None))
    await room.hears()
    assert await states(room, invoice_id) == [_A.INVOICED]
    assert await payment(room, invoice_id) is _P.PARTLY_FUNDED
    assert (await room.balances())["buyer_credit:buyer"] == TWO_THOUSAND
    await says(room, FIRST, confirms=True)
    assert await states(room, invoice_id) == [_A.FUNDED]
    assert await payment(room, invoice_id) is _P.PAID
    assert (await agrees(room))["held:S1~1"] == 2_000_00


async def test_what_came_by_bank_for_a_lot_that_is_not_confirmed_is_the_buyers_credit(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await asked(room, 2_000_00)
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, TWO_THOUSAND, "usd", None))
    await room.hears()
    await says(room, FIRST, confirms=False)
    assert await payment(room, invoice_id) is _P.PAID
    assert (await agrees(room))["buyer_credit:buyer"] == TWO_THOUSAND
    assert await kept(room) == 0


async def test_credit_that_is_enough_waits_for_the_answer_too(room: Settling) -> None:
    await room.buyer()
    await credit_of(room, 600_00)
    invoice_id = await asked(room, 400_00)
    assert await payment(room, invoice_id) is _P.DUE
    assert (await states(room, invoice_id), await kept(room)) == ([_A.INVOICED], FOUR_HUNDRED)
    assert room.rows("payment_intent") == []
    await room.collects(invoice_id)
    assert (await room.story(invoice_id)).count("waits_for_seller") == 1
    await says(room, FIRST, confirms=True)
    assert await payment(room, invoice_id) is _P.PAID
    assert (await room.balances())["buyer_credit:buyer"] == 600_00 - FOUR_HUNDRED


async def test_an_answer_while_the_card_is_asked_holds_when_the_bank_has_promised(
    room: Settling,
) -> None:
    await room.buyer()
    room.engine.faults.add(Fault(Trouble.NO_EFFECT, "POST /v1/payment_intents/*/confirm", times=3))
    invoice_id = await asked(room, 400_00, 300_00)
    assert await payment(room, invoice_id) is _P.AUTHORISING
    await says(room, FIRST, confirms=False)
    await says(room, SECOND, confirms=True)
    await room.patiently(2)
    assert captured(room) == [THREE_HUNDRED]
    assert await payment(room, invoice_id) is _P.PAID


async def test_where_the_bank_waits_for_the_buyer_too_a_lot_that_is_not_confirmed_ends_the_try(
    room: Settling,
) -> None:
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await asked(room, 400_00)
    assert await payment(room, invoice_id) is _P.ACTION_REQUIRED
    await says(room, FIRST, confirms=False)
    assert room.rows("payment_intent")[0]["status"] == "canceled"
    assert await payment(room, invoice_id) is _P.PAID


async def test_a_promise_that_ends_before_the_sellers_time_ends_it_too(room: Settling) -> None:
    async with transaction(room.pool) as connection:  # of a policy that gives sellers a month
        invoice_id = await an_invoice(connection, 400_00)
        await asks_seller(connection, invoice_id, room.now_us(), Confirmation.ELSE_CANCELLED)
        for statement in (
            "update seller_confirmation set until_us = until_us + $1",
            "update settlement_op set due_at_us = due_at_us + $1 where operation <> 'collect'",
        ):
            await connection.execute(statement, 30 * DAY_US)
    await room.buyer()
    await room.drain()
    await room.moves(days=4)
    assert await states(room, invoice_id) == [_A.INVOICED]
    await room.moves(hours=7)
    assert await states(room, invoice_id) == [_A.CANCELLED]
    assert captured(room) == []


async def refusal(room: Settling, award_id: AwardId, *, confirms: bool) -> AfterRefusal:
    with pytest.raises(Refused) as refused:
        await says(room, award_id, confirms=confirms)
    return refused.value.refusal


async def test_an_answer_stands_and_comes_in_time_or_not_at_all(room: Settling) -> None:
    await room.buyer()
    await asked(room, 400_00, 300_00)
    assert await refusal(room, AwardId("S1~3"), confirms=True) is AfterRefusal.NOT_FOUND
    await says(room, FIRST, confirms=True)
    await says(room, FIRST, confirms=True)
    assert await refusal(room, FIRST, confirms=False) is AfterRefusal.ANSWERED_OTHERWISE
    room.engine.move(24 * 3_600)
    assert await refusal(room, SECOND, confirms=True) is AfterRefusal.TOO_LATE
    await room.drain()
    await says(room, SECOND, confirms=True)
    assert await refusal(room, SECOND, confirms=False) is AfterRefusal.ANSWERED_OTHERWISE


async def kept(room: Settling, buyer_id: BidderId = BUYER) -> int:
    async with acquire(room.pool) as connection:
        statement = "select coalesce(sum(amount_minor), 0) from payment_earmark where buyer_id = $1"
        return int(await connection.fetchval(statement, buyer_id))
