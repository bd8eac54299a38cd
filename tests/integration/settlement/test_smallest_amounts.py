"""What is too little for one payment, and what is a cent too much: nobody is punished for it."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire, transaction
from settlement.entries import About
from settlement.ledger import post
from settlement.lives import PaymentState
from settlement.operations import release
from settlement.payment_objects import MAX_AMOUNT_MINOR, least_charge_minor
from settlement.payments.asking import PayRefusal, PayRefused, choose_way
from settlement.payments.payers import TablePayers
from settlement.payments.words import Way
from settlement.postings import bank_funding
from settlement.queue import Queue, Waiting
from settlement.queue_sources import PART_SOURCES
from settlement.stripe_simulator import cash_balances
from settlement.stripe_simulator.currencies import smallest
from tests.settling import BUYER, Settling, settling

_P = PaymentState
TWO_THOUSAND = 2_489_75


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def sends(room: Settling, customer_id: str, amount_minor: int) -> None:
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, amount_minor, "usd", None))
    await room.hears()


async def is_given(room: Settling, amount_minor: int) -> None:
    """Two people book it as the buyer's credit."""
    about = About(subject="adjustment", at_us=room.now_us(), currency="USD")
    async with transaction(room.pool) as connection:
        await post(connection, [bank_funding(about, BUYER, amount_minor)])


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "GBP", "MXN", "EUR", "BHD"])
def test_the_least_is_what_the_provider_says(currency: str) -> None:
    assert least_charge_minor(currency) == smallest(currency.lower())


async def test_a_transfer_of_a_cent_more_than_a_payment_takes_is_taken_in_whole(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, MAX_AMOUNT_MINOR + 1)
    assert await room.waiting() == []
    credit_minor = (await room.balances())["buyer_credit:buyer"]
    assert credit_minor == MAX_AMOUNT_MINOR + 1 - TWO_THOUSAND


async def test_who_sends_a_cent_does_not_keep_an_invoice_open_for_ever(room: Settling) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, 1)
    await room.moves(days=8)
    await room.patiently(5)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert await room.waiting() == []


async def test_what_is_too_little_alone_is_taken_in_with_the_next_transfer(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, 20)
    assert "buyer_credit:buyer" not in await room.balances()
    await sends(room, customer_id, TWO_THOUSAND - 20)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await room.waiting() == []
    assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()
    payments = [row["amount"] for row in room.rows("payment_intent")]
    assert payments == [TWO_THOUSAND]


async def test_transfers_that_are_each_too_little_are_taken_in_once_they_are_enough(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    await room.invoice(2_000_00)
    await room.drain()
    for _ in range(2):
        await sends(room, customer_id, 20)
    assert room.rows("payment_intent") == []
    await sends(room, customer_id, 20)
    assert [row["amount"] for row in room.rows("payment_intent")] == [60]
    await sends(room, customer_id, 20)
    assert len(room.rows("payment_intent")) == 1
    balances = await room.balances()
    assert balances["buyer_credit:buyer"] == 60
    assert balances["stripe_balance"] == room.at_stripe_minor()


async def test_very_little_that_has_waited_for_a_month_is_in_the_queue(room: Settling) -> None:
    customer_id = await room.buyer()
    await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, 20)
    queue = Queue(room.pool, room.now_us, more=PART_SOURCES)
    await room.moves(days=29)
    assert Waiting.SMALL not in (await queue.page()).counts
    await room.moves(days=2)
    (item,) = (await queue.page(Waiting.SMALL)).items
    assert (item.amount_minor, item.party) == (20, "buyer")


async def test_what_is_a_few_cents_short_is_not_void_but_waits_for_a_person(
    room: Settling,
) -> None:
    customer_id = await room.buyer()
    invoice_id = await room.invoice(2_000_00)
    await room.drain()
    await sends(room, customer_id, TWO_THOUSAND - 20)
    await room.moves(days=8)
    await room.patiently(5)
    assert (await room.held(invoice_id)).invoiced.payment is _P.OVERDUE
    ((operation, words),) = await room.waiting()
    assert operation == "void" and "0.20 USD" in words
    await is_given(room, 20)
    async with acquire(room.pool) as connection:
        held = await connection.fetchval("select op_id from settlement_op where state = 'HELD'")
        assert await release(connection, held, room.now_us())
    await room.drain()
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert room.defaulting.told == []


async def test_no_card_is_asked_for_less_than_it_can_be_charged(room: Settling) -> None:
    await room.buyer()
    await is_given(room, 248_98 - 49)
    invoice_id = await room.invoice(200_00)
    await room.drain()
    assert room.rows("payment_intent") == []
    assert await room.story(invoice_id) == ["waits_for_buyer"]
    async with transaction(room.pool) as connection:
        with pytest.raises(PayRefused) as refused:
            await choose_way(connection, invoice_id, Way.CARD, TablePayers(), room.now_us())
    assert refused.value.refusal is PayRefusal.TOO_SMALL
