"""Who holds an operation, an invoice and the books at the same time as others waits for nobody in a
circle."""

from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest

import settlement.steps
from foundation.database import AnyConnection, transaction
from settlement.entries import About, Entry
from settlement.ledger import post
from settlement.lives import PaymentState
from settlement.operations import claim, still_ours
from settlement.payments.asking import collect_now
from settlement.payments.handlers_end import Overdue
from settlement.payments.payers import TablePayers
from settlement.postings import bank_funding
from settlement.stripe_simulator import disputes
from tests.settling import BUYER, Settling, settling

PLENTY_MINOR = 10_000_00


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as running:
        yield running


async def test_who_pays_does_not_wait_for_the_deadline_that_is_just_being_looked_at(
    room: Settling,
) -> None:
    invoice_id = await room.invoice(100_00)
    await room.drain()
    about = About(subject="wire", at_us=room.now_us(), currency="USD", buyer_id=BUYER)
    async with transaction(room.pool) as connection:
        await post(connection, [bank_funding(about, BUYER, PLENTY_MINOR)])
    room.engine.move(10 * 86_400)
    async with transaction(room.pool) as worker:
        (op,) = await claim(worker, room.now_us(), 1, [], ["overdue"])
    async with transaction(room.pool) as worker:
        assert await still_ours(worker, op)
        async with transaction(room.pool) as payer:
            await payer.execute("set local lock_timeout = '2s'")
            await collect_now(payer, invoice_id, TablePayers(), room.now_us())
        again = await Overdue(TablePayers()).settle(worker, op, None, room.now_us())
        assert again is None
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.PAID


async def test_what_an_invoice_comes_to_in_several_steps_is_booked_in_one_call(
    room: Settling,
) -> None:
    calls: list[int] = []

    async def counted(connection: AnyConnection, entries: list[Entry]) -> object:
        calls.append(len(entries))
        return await post(connection, entries)

    await room.buyer()
    invoice_id = await room.invoice(100_00, 200_00)
    await room.drain()
    charge_id = room.rows("charge")[0]["id"]
    dispute = room.engine.run(
        lambda work: disputes.opened(work, charge_id, "fraudulent", None, inquiry=False)
    )
    room.engine.run(lambda work: disputes.decided(work, dispute["id"], won=False))
    with patch.object(settlement.steps, "post", counted):
        await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is PaymentState.REFUNDED
    # What the bank took with its fee, and what each of two lots lost by it.
    assert [count for count in calls if count] == [3]
