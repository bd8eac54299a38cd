"""A buyer comes back from its bank, once or often: what came of the payment is read."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire
from settlement.purchases import MAX_LOOKS, Purchases
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
