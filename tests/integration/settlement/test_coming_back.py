"""What a buyer's own page asks for, once or often: its payment at the bank, its deadlines."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import AnyConnection, acquire
from settlement.due import Calendar
from settlement.ids import InvoiceId
from settlement.purchases import MAX_LOOKS, Purchases
from settlement.rows import InvoiceRow, calendar_of
from tests.settling import Settling, settling


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        yield room


async def test_a_buyer_that_comes_back_often_has_its_payment_read_once_in_a_while(
    room: Settling,
) -> None:
    await room.buyer("pm_card_authenticationRequired")
    invoice_id = await room.invoice(700_00)
    await room.drain()
    purchases = Purchases(room.pool, room.gateway, room.now_us, lambda: None)
    version = (await room.held(invoice_id)).invoiced.version

    async def looks() -> int:
        for _ in range(5):
            await purchases.looked_at(invoice_id)
        await room.drain()
        async with acquire(room.pool) as connection:
            counted: int = await connection.fetchval(
                "select count(*) from settlement_op where operation = 'read_payment'"
            )
        return counted

    assert await looks() == 1
    assert (await room.held(invoice_id)).invoiced.version == version + 1
    for _ in range(MAX_LOOKS + 5):
        await room.moves(seconds=11)
        most = await looks()
    assert most == MAX_LOOKS


async def test_an_invoice_of_many_lots_has_its_deadlines_by_one_look_at_the_calendar(
    room: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[InvoiceId] = []

    async def counted(connection: AnyConnection, row: InvoiceRow) -> Calendar:
        looks.append(row.invoice_id)
        return await calendar_of(connection, row)

    monkeypatch.setattr("settlement.purchases.calendar_of", counted)
    await room.buyer()
    invoice_id = await room.invoice(100_00, 100_00, 100_00)
    await room.drain()
    purchases = Purchases(room.pool, room.gateway, room.now_us, lambda: None)
    purchase = await purchases.read(invoice_id)
    deadlines = await purchases.deadlines(purchase)
    assert len(deadlines) == 3 and all(one.fetch_by_us for one in deadlines.values())
    assert looks == [invoice_id]
