"""Disputes of money that is on no invoice: booked at once, and a person says whose it was."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire, transaction
from settlement.ids import StripeId
from settlement.lives import AwardState, PaymentState
from settlement.payments.backs import _CHARGE
from settlement.payments.dispute_words import Bearer, DisputeState
from settlement.payments.handlers_dispute import DisputeRefusal, DisputeRefused
from settlement.payments.tables import _KEPT, _SAID, free_credit_minor
from tests.disputing import agrees, bears, ends, kept, moves, opens, sends, states
from tests.settling import BUYER, Settling, card_cap, settling

SENT, FEE = 2_489_75, 1_500


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def credit(room: Settling) -> StripeId:
    """A buyer has sent money for nothing."""
    customer_id = await room.buyer(card=None)
    await sends(room, customer_id, SENT)
    assert (await agrees(room))["buyer_credit:buyer"] == SENT
    return customer_id


async def free_minor(room: Settling) -> int:
    async with acquire(room.pool) as connection:
        return await free_credit_minor(connection, BUYER, "USD")


async def strange(room: Settling) -> str:
    """Somebody has charged a card beside our programs; returns the payment's id."""
    made = await room.gateway.v1.payment_intents.create_async(
        {
            "amount": SENT,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "confirm": True,
        }
    )
    return made.id


async def test_it_is_booked_at_once_and_the_credit_pays_nothing_meanwhile(room: Settling) -> None:
    await credit(room)
    dispute_id = await opens(room)
    balances = await agrees(room)
    assert (balances["disputes_pending"], balances["dispute_fees"]) == (SENT, FEE)
    assert await free_minor(room) == 0
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    assert await states(room, invoice_id) == [AwardState.INVOICED]
    await ends(room, dispute_id, won=True)
    assert await free_minor(room) == SENT
    await room.collects(invoice_id)
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.PAID
    assert "disputes_pending" not in await agrees(room)


async def test_the_buyer_bears_it_by_its_credit(room: Settling) -> None:
    await credit(room)
    dispute_id = await opens(room)
    with pytest.raises(DisputeRefused) as refused:
        await bears(room, dispute_id, Bearer.BUYER)
    assert refused.value.refusal is DisputeRefusal.NOTHING_TO_BEAR
    await ends(room, dispute_id, won=False)
    assert (await kept(room, dispute_id)).waits_for_bearer
    assert await free_minor(room) == 0
    with pytest.raises(DisputeRefused) as refused:
        await bears(room, dispute_id, Bearer.BUYER, version=1)
    assert refused.value.refusal is DisputeRefusal.CHANGED_MEANWHILE
    await bears(room, dispute_id, Bearer.BUYER)
    assert {"disputes_pending", "buyer_credit:buyer", "bad_debt"}.isdisjoint(await agrees(room))
    with pytest.raises(DisputeRefused):
        await bears(room, dispute_id, Bearer.HOUSE)


async def test_what_its_credit_does_not_cover_the_house_bears(room: Settling) -> None:
    await credit(room)
    await room.invoice(1_000_00)
    await room.drain()
    left_minor = (await agrees(room))["buyer_credit:buyer"]
    dispute_id = await opens(room)
    await ends(room, dispute_id, won=False)
    await bears(room, dispute_id, Bearer.BUYER)
    assert (await kept(room, dispute_id)).unsettled_minor == SENT - left_minor
    with pytest.raises(DisputeRefused) as refused:
        await bears(room, dispute_id, Bearer.BUYER)
    assert refused.value.refusal is DisputeRefusal.NO_CREDIT
    await bears(room, dispute_id, Bearer.HOUSE)
    balances = await agrees(room)
    assert balances["bad_debt"] == SENT - left_minor
    assert "disputes_pending" not in balances


async def test_what_came_back_too_much_is_the_buyers_if_a_person_says_so(room: Settling) -> None:
    await credit(room)
    dispute_id = await opens(room)
    await ends(room, dispute_id, won=True)
    await moves(room, dispute_id, 700)
    await bears(room, dispute_id, Bearer.BUYER)
    balances = await agrees(room)
    assert balances["buyer_credit:buyer"] == SENT + 700
    assert "disputes_pending" not in balances


async def test_what_a_bank_gave_up_and_does_not_send_ends_by_a_persons_word(
    room: Settling,
) -> None:
    await room.buyer()
    async with transaction(room.pool) as connection:
        await card_cap(connection, 99_999_999)
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    dispute_id = await opens(room)
    await moves(room, dispute_id, SENT - 100, "won")
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.DISPUTED
    await bears(room, dispute_id, Bearer.HOUSE)
    assert (await kept(room, dispute_id)).state is DisputeState.WON
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.PAID
    balances = await agrees(room)
    assert (balances["bad_debt"], "disputes_pending" in balances) == (100, False)


async def test_of_a_charge_that_nobody_knows_it_is_booked_after_an_hour(room: Settling) -> None:
    await strange(room)
    at_stripe_minor = room.at_stripe_minor()
    dispute_id = await opens(room)
    assert "disputes_pending" not in await room.balances()
    for _ in range(8):
        await room.moves(seconds=1_200)
    row = await kept(room, dispute_id)
    assert (row.invoice_id, row.buyer_id, row.state) == (None, None, DisputeState.OPEN)
    balances = await room.balances()
    assert balances["stripe_balance"] == room.at_stripe_minor() - at_stripe_minor
    await ends(room, dispute_id, won=False)
    with pytest.raises(DisputeRefused):
        await bears(room, dispute_id, Bearer.BUYER)
    await bears(room, dispute_id, Bearer.HOUSE)
    assert (await room.balances())["bad_debt"] == SENT


async def test_of_a_charge_of_the_dock_the_buyer_is_known(room: Settling) -> None:
    await room.invoice(500_00)
    payment_id = await strange(room)
    async with transaction(room.pool) as connection:
        await connection.execute(
            "insert into buyer_charge (charge_id, kind, buyer_id, liquidator_id, award_id, "
            "currency, amount_minor, state, facts, made_at_us) values ('c1', 'STORAGE', 'buyer', "
            "'north', 'S1~1', 'USD', $1, 'OPEN', '{}', 1)",
            SENT,
        )
        await connection.execute(
            "insert into charge_try (charge_id, number, state, customer_id, method_id, "
            "amount_minor, payment_id, made_at_us, changed_at_us) values ('c1', 1, 'PAID', 'cus', "
            "'pm', $1, $2, 1, 1)",
            SENT,
            payment_id,
        )
    row = await kept(room, await opens(room))
    assert (row.invoice_id, row.buyer_id) == (None, BUYER)


async def test_disputes_that_are_over_long_since_cost_nothing(room: Settling) -> None:
    async with acquire(room.pool) as connection:
        await connection.execute(
            "insert into payment_dispute (dispute_id, charge_id, buyer_id, amount_minor, currency, "
            "reason, status, state, opened_at_us, ended_at_us, taken_minor, given_minor) "
            "select 'du_' || n, 'ch_' || n, 'b' || n % 500, 1, 'USD', '', 'won', 'WON', 1, 1, 1, 1 "
            "from generate_series(1, 5000) as n"
        )
        await connection.execute("analyze payment_dispute")
        for sql, given in ((_KEPT, ("b1", "USD", None)), (_SAID, ("b1", "USD", "I1"))):
            plan = await connection.fetch(f"explain {sql}", *given)
            assert "payment_dispute_pending" in str(plan)
        plan = await connection.fetch(f"explain {_CHARGE}", "ch_1")
        assert "payment_dispute_of_charge" in str(plan)
