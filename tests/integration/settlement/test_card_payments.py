"""An invoice is paid by card: asked, promised, taken, booked, once."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import transaction
from settlement.ids import StripeId
from settlement.lives import AwardState, PaymentState
from settlement.operations import Operation
from settlement.payments.handlers_card import ConfirmPayment
from settlement.stripe_simulator import Trouble
from settlement.stripe_simulator.confirming import authenticated
from settlement.stripe_simulator.faults import Fault
from settlement.stripe_simulator.work import Work
from tests.settling import Settling, an_invoice, asks_seller, card_cap, settling

_P, _A = PaymentState, AwardState


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def capped(room: Settling, cap_minor: int = 99_999_999) -> None:
    async with transaction(room.pool) as connection:
        await card_cap(connection, cap_minor)


def decline(work: Work, method_id: str, times: int, code: str = "insufficient_funds") -> None:
    row = {"id": method_id, "code": code, "times": times}
    work.changes.put("decline", method_id, row)


async def test_the_worked_example_is_captured_to_the_cent(room: Settling) -> None:
    await capped(room)
    await room.buyer()
    invoice_id = await room.invoice(1_000_000, rate_bps=1_000)
    await room.drain()
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PAID
    assert (held.invoiced.paid_minor, held.invoiced.open_minor) == (1_190_750, 0)
    assert [award.state for award in held.awards.values()] == [_A.FUNDED]
    assert await room.balances() == {
        "deferred_fees:S1~1": 100_000,
        "held:S1~1": 1_000_000,
        "sales_tax:US-TX": 90_750,
        "stripe_balance": 1_190_750 - 34_562,
        "stripe_fees": 34_562,
    }
    assert room.at_stripe_minor() == 1_190_750 - 34_562
    assert room.funding.told == ["S1~1"]
    assert await room.waiting() == []
    assert await room.story(invoice_id) == ["card_asked", "card_promised", "money_came", "paid"]


async def test_an_invoice_above_the_cap_is_not_asked_of_a_card(room: Settling) -> None:
    await room.buyer()
    invoice_id = await room.invoice(1_000_00)
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.AWAITING_FUNDS
    assert room.rows("payment_intent") == []


async def test_a_buyer_without_a_card_is_waited_for(room: Settling) -> None:
    await room.buyer(card=None)
    invoice_id = await room.invoice(500_00)
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.DUE
    assert await room.story(invoice_id) == ["waits_for_buyer"]


CALLS = [
    "POST /v1/payment_intents",
    "POST /v1/payment_intents/*/confirm",
    "POST /v1/payment_intents/*/capture",
    "GET /v1/charges/*",
    "GET /v1/payment_intents*",
]


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("call", CALLS)
async def test_whatever_is_lost_there_is_one_capture_and_the_books_are_stripes(
    room: Settling, call: str, trouble: Trouble
) -> None:
    await room.buyer()
    invoice_id = await room.invoice(700_00)
    # Three times: the SDK asks again by itself, and so do we.
    room.engine.faults.add(Fault(trouble, call, times=3))
    await room.drain()
    await room.patiently(20)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PAID
    assert sum(charge["captured"] for charge in room.rows("charge")) == 1
    assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()
    assert await room.waiting() == []


async def test_a_soft_decline_is_tried_again_after_a_pause_and_the_first_try_cancelled(
    room: Settling,
) -> None:
    await room.buyer("pm_card_visa")
    room.engine.run(lambda work: decline(work, room.rows("payment_method")[-1]["id"], 2))
    invoice_id = await room.invoice(700_00)
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.DUE
    assert [row["status"] for row in room.rows("payment_intent")] == ["canceled"]
    await room.collects(invoice_id)
    assert (await room.held(invoice_id)).invoiced.tries == 1, "the pause is not over"
    await room.moves(hours=1)
    assert (await room.held(invoice_id)).invoiced.tries == 2
    await room.moves(hours=6)
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.tries) == (_P.PAID, 3)
    assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()


async def test_a_hard_decline_waits_for_another_card(room: Settling) -> None:
    customer_id = await room.buyer("pm_card_visa")
    room.engine.run(
        lambda work: decline(work, room.rows("payment_method")[-1]["id"], 9, "stolen_card")
    )
    invoice_id = await room.invoice(700_00)
    await room.moves(hours=30)
    assert (await room.held(invoice_id)).invoiced.tries == 1
    await room.saves(customer_id, "pm_card_mastercard")
    await room.collects(invoice_id)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID


async def test_a_buyer_whose_bank_asks_confirms_and_has_paid(room: Settling) -> None:
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await room.invoice(700_00)
    await room.drain()
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.tries) == (_P.ACTION_REQUIRED, 1)
    (intent,) = room.rows("payment_intent")
    room.engine.run(lambda work: authenticated(work, intent["id"], succeeded=True))
    await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()


async def test_a_no_that_was_heard_before_its_answer_came_asks_the_buyer_once(
    room: Settling,
) -> None:
    confirming = room.operations["confirm_payment"]

    async def answered_late(op: Operation) -> object:
        answer = await ConfirmPayment.call(confirming, op)  # type: ignore[arg-type]
        elsewhere = Settling(room.pool, room.engine, room.gateway)
        await elsewhere.hears()  # the event was faster, and the buyer is asked meanwhile
        assert (await room.held(invoice_id)).invoiced.payment is _P.ACTION_REQUIRED
        return answer

    confirming.call = answered_late  # type: ignore[method-assign]
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await room.invoice(700_00)
    await room.drain()
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.tries) == (_P.ACTION_REQUIRED, 1)


async def test_a_buyer_that_fails_before_its_bank_is_waited_for(room: Settling) -> None:
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await room.invoice(700_00)
    await room.drain()
    (intent,) = room.rows("payment_intent")
    room.engine.run(lambda work: authenticated(work, intent["id"], succeeded=False))
    await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is _P.DUE
    assert room.rows("payment_intent")[0]["status"] == "canceled"


async def test_a_buyer_that_does_not_confirm_in_time_is_overdue(room: Settling) -> None:
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await room.invoice(700_00)
    await room.drain()
    await room.moves(days=4)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert room.rows("payment_intent")[0]["status"] == "canceled"


async def test_a_try_that_failed_and_is_promised_after_all_is_given_up(room: Settling) -> None:
    customer_id = await room.buyer()
    room.engine.run(
        lambda work: decline(work, room.rows("payment_method")[-1]["id"], 9, "stolen_card")
    )
    room.engine.faults.add(Fault(Trouble.NO_EFFECT, "POST /v1/payment_intents/*/cancel", times=9))
    invoice_id = await room.invoice(700_00)
    await room.drain()
    room.engine.move(1)
    other = await room.saves(customer_id, "pm_card_mastercard")
    # On a page that was open since then, the buyer confirms with another card.
    payment_id = StripeId(room.rows("payment_intent")[0]["id"])
    await room.gateway.confirm_payment("page:1", payment_id, method_id=other, off_session=False)
    await room.hears()
    await room.patiently(3)
    assert room.rows("payment_intent")[0]["status"] == "canceled"
    await room.collects(invoice_id)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await room.waiting() == []


async def test_a_promise_that_ended_before_it_was_taken_is_asked_for_again(
    room: Settling,
) -> None:
    await room.buyer()
    async with transaction(room.pool) as connection:
        invoice_id = await an_invoice(connection, 700_00)
        await asks_seller(connection, invoice_id, room.now_us())
    await room.drain()
    room.engine.move(5 * 86_400)  # nobody works, and the hold of 4 days 18 hours ends
    await room.drain()
    await room.moves(days=1)
    held = await room.held(invoice_id)
    assert (held.invoiced.payment, held.invoiced.tries) == (_P.PAID, 2)
    assert sum(charge["captured"] for charge in room.rows("charge")) == 1
    assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()
