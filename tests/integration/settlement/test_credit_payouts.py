"""A buyer's credit is paid back: by two people, to where it came from, the rest by the bank."""

from collections.abc import AsyncIterator

import pytest

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import transaction
from settlement.chart import BANK
from settlement.entries import About
from settlement.ledger import post
from settlement.payments.payers import TablePayers
from settlement.payments.readers import readers_of
from settlement.payouts.credit_payouts import CREDITS, CreditPayouts
from settlement.payouts.credit_refunds import credit_handlers, credit_readers
from settlement.payouts.words import PayoutRefused
from settlement.postings import bank_funding
from settlement.queue import Queue, Waiting
from settlement.stripe_simulator import Trouble, cash_balances
from settlement.stripe_simulator.faults import Fault
from settlement.webhook_inbox import WebhookHandler
from settlement.worker import Worker
from tests.settling import BUYER, Settling, settling

ANN, BOB = Actor(PersonId("ann"), "192.0.2.1"), Actor(PersonId("bob"), "192.0.2.2")
OVER = 310_25


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url, lambda _, provider: credit_handlers(provider)) as room:
        yield room


async def sent_too_much(room: Settling) -> CreditPayouts:
    """A buyer sends 2,800.00 for an invoice of 2,489.75."""
    customer_id = await room.buyer()
    await room.invoice(2_000_00)
    await room.drain()
    sent = 2_489_75 + OVER
    room.engine.run(lambda work: cash_balances.fund(work, customer_id, sent, "usd", None))
    await room.hears()
    assert (await room.balances())["buyer_credit:buyer"] == OVER
    return CreditPayouts(room.pool, room.now_us)


async def code_of(asked: object) -> str:
    with pytest.raises(PayoutRefused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal.value


async def test_it_goes_back_by_two_people_and_nothing_else_spends_it_meanwhile(
    room: Settling,
) -> None:
    credit = await sent_too_much(room)
    queue = Queue(room.pool, room.now_us, more=CREDITS)
    assert await code_of(credit.ask(ANN, BUYER, "USD", OVER + 1, "they asked")) == "TOO_MUCH"
    asked = await credit.ask(ANN, BUYER, "USD", OVER, "they asked for it")
    assert (await queue.page()).counts == {Waiting.CREDIT: 1}
    assert await code_of(credit.decide(ANN, asked.number, agrees=True)) == "SAME_PERSON"
    agreed = await credit.decide(BOB, asked.number, agrees=True)
    balances = await room.balances()
    assert "buyer_credit:buyer" not in balances
    assert balances["buyer_credit:credit-payout~1"] == OVER
    assert [part.amount_minor for part in agreed.parts] == [OVER]
    assert await code_of(credit.ask(ANN, BUYER, "USD", 1, "more")) == "TOO_MUCH"
    assert await code_of(credit.decide(BOB, asked.number, agrees=False)) == "NOT_WAITING"
    await room.drain()
    await room.hears()
    (over,) = await credit.payouts()
    assert (over.state, over.parts[0].state) == ("SENT", "SENT")
    balances = await room.balances()
    assert not [name for name in balances if name.startswith("buyer_credit")]
    assert balances["stripe_balance"] == room.at_stripe_minor()
    # A transfer's refund is in its cash balance first, and goes on to its bank.
    assert len(room.rows("refund")) == 2
    assert await room.waiting() == []
    assert Waiting.CREDIT not in (await queue.page()).counts


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.TRUNCATED])
async def test_it_goes_back_once_whatever_is_lost_on_the_way(
    room: Settling, trouble: Trouble
) -> None:
    credit = await sent_too_much(room)
    asked = await credit.ask(ANN, BUYER, "USD", 100_00, "they asked for it")
    room.engine.faults.add(Fault(trouble, "POST /v1/refunds", times=3))
    await credit.decide(BOB, asked.number, agrees=True)
    await room.patiently(30)
    (over,) = await credit.payouts()
    assert over.state == "SENT"
    refunds = [row for row in room.rows("refund") if row.get("charge")]
    assert [row["amount"] for row in refunds] == [100_00]
    assert (await room.balances())["buyer_credit:buyer"] == OVER - 100_00


async def test_what_no_charge_takes_the_bank_sends(room: Settling) -> None:
    await room.buyer()
    about = About(subject="adjustment", at_us=room.now_us(), currency="USD")
    async with transaction(room.pool) as connection:
        await post(connection, [bank_funding(about, BUYER, 500_00, into=BANK)])
    credit = CreditPayouts(room.pool, room.now_us)
    asked = await credit.ask(ANN, BUYER, "USD", 500_00, "their wire came twice")
    agreed = await credit.decide(BOB, asked.number, agrees=True)
    assert agreed.by_bank is not None
    queue = Queue(room.pool, room.now_us, more=CREDITS)
    assert (await queue.page()).counts == {Waiting.CREDIT: 1}
    assert await code_of(credit.sent_by_bank(ANN, asked.number, " ")) == "BAD_DETAILS"
    sent = await credit.sent_by_bank(ANN, asked.number, "wire 2026-11")
    assert sent.state == "SENT"
    assert await room.balances() == {}
    assert await code_of(credit.sent_by_bank(ANN, asked.number, "again")) == "NOT_WAITING"


async def test_somebody_who_says_no_leaves_the_credit_where_it_was(room: Settling) -> None:
    credit = await sent_too_much(room)
    asked = await credit.ask(ANN, BUYER, "USD", OVER, "they asked for it")
    refused = await credit.decide(ANN, asked.number, agrees=False)
    assert refused.state == "REFUSED"
    assert (await room.balances())["buyer_credit:buyer"] == OVER


async def test_what_comes_back_is_the_buyers_credit_again(database_url: str) -> None:
    async with settling(database_url, lambda _, provider: credit_handlers(provider)) as room:
        room.operations["webhook"] = WebhookHandler(
            room.pool,
            room.gateway,
            {
                kind: [*readers_of(TablePayers()).get(kind, ()), *credit_readers().get(kind, ())]
                for kind in {*readers_of(TablePayers()), *credit_readers()}
            },
        )
        room.worker = Worker(room.pool, room.operations, room.now_us)
        await room.buyer("pm_card_refundFail")
        await room.invoice(500_00)
        await room.drain()
        about = About(subject="adjustment", at_us=room.now_us(), currency="USD")
        async with transaction(room.pool) as connection:
            await post(connection, [bank_funding(about, BUYER, 40_00, into=BANK)])
        credit = CreditPayouts(room.pool, room.now_us)
        asked = await credit.ask(ANN, BUYER, "USD", 40_00, "they asked for it")
        await credit.decide(BOB, asked.number, agrees=True)
        await room.drain()
        await room.hears()
        await room.moves(days=2)
        await room.hears()
        (over,) = await credit.payouts()
        assert [part.state for part in over.parts] == ["RETURNED"]
        balances = await room.balances()
        assert balances["buyer_credit:buyer"] == 40_00
        assert balances["stripe_balance"] == room.at_stripe_minor()
        assert await room.waiting() == []
