"""Charges of the dock are paid by a saved card: once, whatever is lost on the way."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from foundation.database import acquire, transaction
from settlement.payment_objects import Charge as ProvidersCharge
from settlement.payment_objects import Payment
from settlement.pickups.charge_cards import charge_handlers, charge_readers
from settlement.pickups.charge_table import Charge
from settlement.pickups.charges import Charges
from settlement.pickups.words import ChargeState, Refused
from settlement.stripe_simulator import Trouble
from settlement.stripe_simulator.faults import Fault
from tests.paid_lots import CLERK, DRIVER
from tests.settling import BUYER, Settling, card_cap, settling


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url, lambda _, provider: charge_handlers(provider)) as room:
        async with acquire(room.pool) as connection:
            await card_cap(connection, 99_999_999)
        yield room


async def a_charge(room: Settling, card: str = "pm_card_visa") -> tuple[Charges, Charge]:
    """A paid lot of one pallet that stood for 16 days beyond the free ones."""
    customer = await room.buyer("pm_card_visa")
    await room.invoice()
    await room.drain()
    if card != "pm_card_visa":
        await room.moves(seconds=60)
        await room.saves(customer, card)
    await room.moves(days=23)
    charges = Charges(room.pool, room.now_us)
    async with acquire(room.pool) as connection:
        award_id = await connection.fetchval("select award_id from award")
    (charge,) = await charges.count_up(award_id, CLERK)
    return charges, charge


async def agrees(room: Settling) -> dict[str, int]:
    balances = await room.balances()
    assert balances["stripe_balance"] == room.at_stripe_minor()
    return balances


async def code_of(asked: object) -> str:
    with pytest.raises(Refused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal.value


async def test_a_charge_is_paid_by_the_saved_card_and_booked_with_its_fee(room: Settling) -> None:
    charges, charge = await a_charge(room)
    before = await agrees(room)
    asked = await charges.pay_by_card(charge.charge_id, DRIVER, BUYER)
    assert asked.card_is_asked
    assert await code_of(charges.pay_by_card(charge.charge_id, DRIVER, BUYER)) == "CARD_IS_ASKED"
    waived = charges.waive(charge.charge_id, charge.version, "a mistake", CLERK)
    assert await code_of(waived) == "CARD_IS_ASKED"
    await room.drain()
    paid = await charges.charge(charge.charge_id)
    assert (paid.state, paid.open_minor, paid.card_is_asked) == (ChargeState.PAID, 0, False)
    after = await agrees(room)
    assert after["storage_income"] == charge.amount_minor
    fee = after["stripe_fees"] - before["stripe_fees"]
    assert fee == (charge.amount_minor * 29 + 500) // 1_000 + 30
    assert await code_of(charges.pay_by_card(charge.charge_id, DRIVER, BUYER)) == "NOT_OPEN"
    assert not await room.waiting()


@pytest.mark.parametrize(
    ("call", "trouble"),
    [
        ("", Trouble.LOST_ANSWER),
        ("/*/confirm", Trouble.LOST_ANSWER),
        ("/*/capture", Trouble.LOST_ANSWER),
        ("", Trouble.SERVER_ERROR_AFTER_EFFECT),
        ("/*/confirm", Trouble.SERVER_ERROR_AFTER_EFFECT),
        ("/*/capture", Trouble.SERVER_ERROR),
    ],
)
async def test_it_is_paid_once_whatever_is_lost(
    room: Settling, call: str, trouble: Trouble
) -> None:
    charges, charge = await a_charge(room)
    room.engine.faults.add(Fault(trouble, f"POST /v1/payment_intents{call}", times=3))
    await charges.pay_by_card(charge.charge_id, DRIVER, BUYER)
    await room.patiently(8)
    assert (await charges.charge(charge.charge_id)).state is ChargeState.PAID
    assert (await agrees(room))["storage_income"] == charge.amount_minor
    payments = [row for row in room.rows("payment_intent") if row["amount"] == charge.amount_minor]
    assert len(payments) == 1


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
async def test_a_card_that_says_no_leaves_the_charge_open(room: Settling, card: str) -> None:
    charges, charge = await a_charge(room, card)
    await charges.pay_by_card(charge.charge_id, DRIVER, BUYER)
    await room.drain()
    left = await charges.charge(charge.charge_id)
    assert (left.state, left.open_minor, left.card_is_asked) == (
        ChargeState.OPEN,
        charge.amount_minor,
        False,
    )
    (payment,) = [r for r in room.rows("payment_intent") if r["amount"] == charge.amount_minor]
    assert payment["status"] == "canceled"
    waived = await charges.waive(charge.charge_id, left.version, "the card is lost", CLERK)
    assert waived.state is ChargeState.WAIVED
    await agrees(room)


async def test_a_buyer_without_a_card_is_told_so(room: Settling) -> None:
    charges, charge = await a_charge(room)
    async with transaction(room.pool) as connection:
        await connection.execute("update saved_method set removed_at_us = 1")
    assert await code_of(charges.pay_by_card(charge.charge_id, DRIVER, BUYER)) == "NO_CARD"


async def test_what_the_provider_tells_of_it_is_known_and_changes_nothing_more(
    room: Settling,
) -> None:
    charges, charge = await a_charge(room)
    await charges.pay_by_card(charge.charge_id, DRIVER, BUYER)
    await room.drain()
    before = await room.balances()
    readers = charge_readers()
    async with transaction(room.pool) as connection:
        payment_id = await connection.fetchval("select payment_id from charge_try")
        payment = await room.gateway.payment(payment_id)
        assert payment.charge_id is not None
        found: dict[str, Payment | ProvidersCharge] = {
            "payment_intent": payment,
            "charge": await room.gateway.charge(payment.charge_id),
        }
        event = (await room.gateway.events()).rows[0]
        for kind, (reader,) in readers.items():
            assert await reader.settle(connection, event, found[kind], room.now_us())
            plain = replace(found[kind], metadata={})
            assert await reader.settle(connection, event, plain, room.now_us())
        other = await connection.fetchval("select payment_id from payment_try")
        theirs = await room.gateway.payment(other)
        (reader,) = readers["payment_intent"]
        assert not await reader.settle(connection, event, theirs, room.now_us())
    assert await room.balances() == before
