"""Whole lives of awards through the worker, at the simulator: from the invoice to the transfer.

The simulator is a process of its own, spoken to over HTTP by the official SDK, as Stripe would be;
the worker and PostgreSQL share the other core with it. A buyer pays three lots at once by card:
three calls to charge it and one to read the charge; then the goods are handed over and accepted,
and each lot's seller gets a transfer. Buyers, cards and the sellers' accounts are made before.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.errors import OperatorError
from foundation.mail import Mail
from load_tests.children import child
from load_tests.settlement.filling import BATCH, LOTS, SELLERS, write_due
from settlement.accepting import accepted
from settlement.ids import StripeId
from settlement.lives import AwardState
from settlement.operations import Handler, Operation
from settlement.payments.payers import TablePayers
from settlement.payments.room import payment_operations
from settlement.payouts.handlers import payout_handlers
from settlement.rows import hold_award
from settlement.steps import Step, after, write
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.control import Control
from settlement.worker import Worker

KEY: Final = "sk_test_simulator"
AT_ONCE: Final = 16
SECOND_US: Final = 1_000_000


class LivesLost(OperatorError):
    """Awards did not come to the end of their lives: the figures would mean nothing."""


class NoMail:
    """Letters to people who were made up."""

    async def send(self, mail: Mail) -> None:
        """See ``Mailer``."""


@asynccontextmanager
async def simulator(core: int | None = None) -> AsyncIterator[str]:
    """A simulator in a process of its own; where it is."""
    command = [sys.executable, "-m", "settlement.stripe_simulator"]
    async with child("the simulator", command, core=core) as running:
        yield await running.line()


class Lives:
    """Invoices and what is needed to pay them."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool, self._url = pool, url
        self._gateway = StripeGateway(KEY, url)
        self._began_us = int(time.time()) * SECOND_US
        handlers: dict[str, Handler] = {
            **payment_operations(self._gateway, TablePayers(), lambda subject: subject),
            **payout_handlers(pool, self._gateway, NoMail(), "http://127.0.0.1", self._now_us),
            "fund": Told(),
        }
        self._worker = Worker(pool, handlers, self._now_us)

    def _now_us(self) -> int:
        return time.time_ns() // 1_000

    async def close(self) -> None:
        """Close its connections."""
        await self._gateway.close()

    async def furnish(self, invoices: int) -> None:
        """Buyers with cards, and sellers with accounts that take transfers."""
        async with Control(self._url) as world:
            for number in range(SELLERS):
                await self._seller(world, f"seller-{number}")
            turns = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._buyer(turns, number) for number in range(invoices)))

    async def per_s(self, invoices: int) -> float:
        """Awards a second from the first collection to the last transfer."""
        now_us, numbers = self._now_us(), range(invoices)
        for first in range(0, invoices, BATCH):
            await write_due(self._pool, numbers[first : first + BATCH], now_us)
        began = time.perf_counter()
        await self._worker.drain()
        await self._accept_all()
        await self._worker.drain()
        took_s = time.perf_counter() - began
        await self._must_be_sent(invoices * LOTS)
        return invoices * LOTS / took_s

    async def _accept_all(self) -> None:
        """All goods are with their buyers, who are content."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch("select award_id from award where state = 'FUNDED'")
        for row in rows:
            async with transaction(self._pool) as connection:
                held = await hold_award(connection, row["award_id"])
                over = Step(awards={row["award_id"]: AwardState.HANDED_OVER})
                await write(connection, held, over, self._now_us())
                held = after(held, over)
                step = accepted(held.awards[row["award_id"]])
                await write(connection, held, step, self._now_us())

    async def _must_be_sent(self, awards: int) -> None:
        async with acquire(self._pool) as connection:
            sent = await connection.fetchval(
                "select count(*) from award where state in ('PAID_OUT', 'CLOSED')"
            )
            notes = await connection.fetch(
                "select distinct operation, note from settlement_op"
                " where state = 'HELD' or note <> '' limit 3"
            )
        if sent != awards:
            said = "; ".join(f"{row['operation']}: {row['note']}" for row in notes)
            raise LivesLost(f"{sent} of {awards} awards were paid out ({said})")

    async def _buyer(self, turns: asyncio.Semaphore, number: int) -> None:
        buyer_id = f"buyer-{number}"
        async with turns:
            made = await self._gateway.create_customer(
                f"customer:{buyer_id}:1", email=f"{buyer_id}@example.com", name=buyer_id
            )
            method = await self._gateway.v1.payment_methods.attach_async(
                "pm_card_visa", {"customer": made.customer_id}
            )
            async with transaction(self._pool) as connection:
                await connection.execute(
                    "insert into buyer_customer values ($1, $2, $3, $1, $4, $4)",
                    *(buyer_id, made.customer_id, made.email, self._began_us),
                )
                await connection.execute(
                    "insert into saved_method values"
                    " ($1, $2, 'card', 'visa', '4242', '2034-12', true, $3, null)",
                    *(StripeId(method.id), buyer_id, self._began_us),
                )

    async def _seller(self, world: Control, seller_id: str) -> None:
        account = await self._gateway.create_account(
            f"account:{seller_id}:1", email=f"{seller_id}@example.com"
        )
        await world.onboard(account.account_id)
        long_ago_us = self._began_us - 90 * 86_400 * SECOND_US
        async with transaction(self._pool) as connection:
            await connection.execute(
                "insert into payee (payee_id, kind, way, changed_at_us, made_at_us)"
                " values ($1, 'LIQUIDATOR', 'CONNECT', $2, $2)",
                *(seller_id, long_ago_us),
            )
            await connection.execute(
                "insert into payee_connected (payee_id, country, email, account_id,"
                " details_submitted, takes_transfers, payouts_enabled, asked_at_us, asked_by)"
                " values ($1, 'US', $2, $3, true, true, true, $4, 'load test')",
                *(seller_id, f"{seller_id}@example.com", account.account_id, long_ago_us),
            )


class Told:
    """Stands where the engine would be told that a lot is paid: there is none here."""

    async def call(self, op: Operation) -> None:
        """See `Handler`."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
