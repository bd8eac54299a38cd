"""Killed at each await of a payment's life: there is one capture, and the books are Stripe's."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from auction.ids import SaleId
from foundation.database import acquire, open_pool, transaction
from settlement.ids import InvoiceId
from settlement.lives import PaymentState
from settlement.operations import LEASE_US
from settlement.steps import Wanted, want
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import cash_balances
from settlement.stripe_simulator.in_process import InProcess
from tests.crashing import Life
from tests.settling import SECOND_US, Settling, settling

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LEASE_S = LEASE_US // SECOND_US + 1
# More awaits than a life of one invoice has: it has to come to its end.
MOST = 2_000


async def works(room: Settling, url: str, life: Life) -> None:
    """Another process on the same tables and the same Stripe, that may die."""

    async def turn() -> None:
        life.check()
        await asyncio.sleep(0)
        life.check()

    pool = await open_pool(url, name="dies", max_connections=2)
    life.shuts(pool.terminate)
    gateway = StripeGateway(
        "sk_test_simulator", http_client=InProcess(room.engine, turn), retries=0
    )
    await Settling(pool, room.engine, gateway).drain()
    pool.terminate()


async def killed_everywhere(
    room: Settling,
    url: str,
    begins: Callable[[int], Awaitable[InvoiceId]],
    ended: PaymentState,
    stride: int,
) -> int:
    """For each await of a life, one that dies there and one that goes on; how many died."""
    last = 0
    while last < MOST:
        last += stride
        invoice_id = await begins(last)
        life = Life(last)
        lived = await life.lived(lambda life=life: works(room, url, life))  # type: ignore[misc]
        await _buried(room)
        for _ in range(4):
            await room.moves(seconds=LEASE_S)
        held = await room.held(invoice_id)
        assert held.invoiced.payment is ended, f"killed at await {last}"
        assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()
        if lived:
            return last
    raise AssertionError("this life does not end")


async def _buried(room: Settling) -> None:
    """PostgreSQL has noticed: what the dead have locked is free."""
    async with acquire(room.pool) as connection:
        while await connection.fetchval(
            "select count(*) from pg_stat_activity "
            "where application_name = 'softclose dies' and datname = current_database()"
        ):
            pass


async def _captured_once(room: Settling) -> None:
    captured = [row["payment_intent"] for row in room.rows("charge") if row["captured"]]
    assert len(captured) == len(set(captured))
    async with acquire(room.pool) as connection:
        kept = await connection.fetchval("select count(*) from payment_charge")
        left = await connection.fetch(
            "select operation, note from settlement_op where state = 'HELD'"
        )
    assert (kept, left) == (len(captured), [])


async def test_by_card(database_url: str) -> None:
    async with settling(database_url) as room:
        await room.buyer()

        async def begins(number: int) -> InvoiceId:
            return await room.invoice(500_00, sale_id=SaleId(f"S{number}"), at_us=room.now_us())

        awaits = await killed_everywhere(room, database_url, begins, PaymentState.PAID, 1)
        assert awaits > 50
        await _captured_once(room)
        assert len(room.rows("charge")) == len(room.rows("payment_intent")) == awaits


async def test_by_transfer(database_url: str) -> None:
    async with settling(database_url) as room:
        customer_id = await room.buyer(card=None)

        async def begins(number: int) -> InvoiceId:
            invoice_id = await room.invoice(
                2_000_00, sale_id=SaleId(f"S{number}"), at_us=room.now_us()
            )
            await room.drain()
            room.engine.run(
                lambda work: cash_balances.fund(work, customer_id, 2_489_75, "usd", None)
            )
            look = Wanted(
                operation="look_for_cash",
                subject=customer_id,
                generation=number,
                arguments={"customer_id": customer_id},
            )
            async with transaction(room.pool) as connection:
                await want(connection, [look], room.now_us())
            return invoice_id

        awaits = await killed_everywhere(room, database_url, begins, PaymentState.PAID, 3)
        assert awaits > 30
        await _captured_once(room)


async def test_of_a_refund(database_url: str) -> None:
    async with settling(database_url) as room:
        await room.buyer()

        async def begins(number: int) -> InvoiceId:
            sale_id = SaleId(f"S{number}")
            invoice_id = await room.invoice(500_00, sale_id=sale_id, at_us=room.now_us())
            await room.drain()
            (award_id,) = (await room.held(invoice_id)).awards
            arguments = {
                "invoice_id": invoice_id,
                "award_id": award_id,
                "amount_minor": 622_44,
                "reason": "CANCELLED",
            }
            wanted = Wanted(operation="refund", subject=award_id, arguments=arguments)
            async with transaction(room.pool) as connection:
                await want(connection, [wanted], room.now_us())
            return invoice_id

        awaits = await killed_everywhere(room, database_url, begins, PaymentState.REFUNDED, 2)
        assert awaits > 20
        assert len(room.rows("refund")) == len(room.rows("payment_intent"))
        await _captured_once(room)
