"""Killed on the way from the log to what follows from it: in the end all of it is there once.

The market goes on; it is settlement's own process that dies: its follower, its worker, its pool.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from auction.cursors_postgres import PostgresCursors
from auction.ids import SaleId, shard_of
from foundation.database import open_pool
from settlement.following import Following
from settlement.operations import LEASE_US
from settlement.worker import Worker
from softclose.settlement_operations import Means, handlers_of
from tests.builders import SALE
from tests.crashing import Life
from tests.hammered import CENTS, CORE, Settling, settling
from tests.market import Reseller, lot_of
from tests.waiting import LOOK_EVERY_S

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# Above `foundation.database.IDLE_IN_TRANSACTION_TIMEOUT_MS`.
PATIENCE_S = 30.0
SHARD = shard_of(SaleId(SALE))
LOTS = ("1", "2")


class Mortal(Settling):
    """Settlement whose process is another one each time."""

    dsn = ""
    now = 0

    async def lives(self, life: Life) -> None:
        """Follow the log and do all that is due, in a pool of its own."""
        pool = await open_pool(self.dsn, name="dies", max_connections=4)
        life.shuts(pool.terminate)
        means = Means(
            pool=pool,
            log=self.market.log,
            engine=self.market.host.engine,
            mailer=_Post(life),
            public_url="",
            accounts=self.market.people.room,
            now_us=lambda: self.now,
            provider=self.provider,
        )
        every = handlers_of(means)
        follower = Following(lambda: self.now).follower(SHARD, PostgresCursors(pool))
        await follower.step()
        worker = Worker(pool, {kind: every[kind] for kind in KINDS}, lambda: self.now)
        await worker.drain()
        pool.terminate()

    async def at_each_await(self, forget: Sequence[str], done: int) -> list[int]:
        """Kill it at every third await, each time from the start; how much of the tables is there
        in the end. ``done``: operations by then."""
        last = 0
        ends: list[int] = []
        while True:
            last += 3
            for statement in forget:
                await self.fetch(statement)
            life = Life(last)
            lived = await life.lived(lambda life=life: self.lives(life))  # type: ignore[misc]
            began_s = asyncio.get_running_loop().time()
            while not await self.is_done(done):
                # What accounts were at when the life ended keeps its locks until the server ends
                # it: their connections are the market's, which lives.
                waited_s = asyncio.get_running_loop().time() - began_s
                said = f"killed at await {last}, it does not end: {await self.left()}"
                assert waited_s < PATIENCE_S, said
                await asyncio.sleep(LOOK_EVERY_S if waited_s < 1 else 0.5)
                self.now += LEASE_US
                assert await Life().lived(lambda: self.lives(Life()))
            ends.append(await self.count())
            if lived:
                return ends

    async def is_done(self, done: int) -> bool:
        (row,) = await self.fetch(
            "select count(*) filter (where state = 'DONE') as done from settlement_op"
            " where operation = any($1)",
            list(KINDS),
        )
        return bool(row["done"] >= done)

    async def left(self) -> list[str]:
        """What there is to be done, for whoever reads why it is not."""
        rows = await self.fetch(
            "select idempotency_key, state, due_at_us, attempts, note from settlement_op"
            " where operation = any($1) order by op_id",
            list(KINDS),
        )
        return [str(dict(row)) for row in rows]

    async def count(self) -> int:
        """Rows that there may be once."""
        tables = ("award", "invoice", "story_line", "settlement_op", "seller_consent",
            "unsold_again", "buyer_default", "ledger_transaction")  # fmt: skip
        counted = " + ".join(f"(select count(*) from {table})" for table in tables)  # noqa: S608
        (row,) = await self.fetch(f"select {counted} as rows")
        return int(row["rows"])


class _Post:
    """Takes mails while it lives."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def send(self, mail: Any) -> None:
        self._life.check()


KINDS = tuple(kind for kind in CORE if kind != "mail")
TABLES = (
    "award_freight", "runner_up_offer", "seller_consent", "unsold_again", "buyer_default",
    "award_credit", "award", "invoice", "settlement_sale", "story_line", "settlement_op",
)  # fmt: skip
# As before the follower looked for the first time.
ALL_OF_IT = (
    *(f"delete from {table}" for table in TABLES),  # noqa: S608
    "delete from log_cursor where name = 'settlement'",
)


async def sold(room: Settling, *names: str) -> list[Reseller]:
    """Two lots, each bid on by these; the sale is closed."""
    await room.market.opens(*(lot_of(lot) for lot in LOTS), terms=CENTS)
    made = []
    for number, name in enumerate(names, start=1):
        reseller = await room.market.reseller(name)
        await reseller.registers()
        for lot in LOTS:
            await room.market.bid(reseller, number * 1_000_00, lot)
        made.append(reseller)
    await room.market.closes()
    return made


async def test_between_the_hammer_and_the_invoice(database_url: str) -> None:
    async with settling(database_url) as calm:
        await sold(calm, "Hart")
        room = mortal(calm, database_url)
        # Two awards, the invoice, and its beginning.
        ends = await room.at_each_await(ALL_OF_IT, 4)
        assert len(ends) > 15
        assert set(ends) == {ends[-1]}


async def test_between_a_default_and_the_question_to_the_seller(database_url: str) -> None:
    async with settling(database_url) as calm:
        await sold(calm, "Ames", "Bell", "Ward")
        await calm.settle()
        (invoice,) = await calm.invoices()
        await calm.gives_up(invoice.invoice_id)
        room = mortal(calm, database_url)
        room.now += LEASE_US
        forget = (
            *(f"delete from {table}" for table in TABLES[1:5]),  # noqa: S608
            "delete from story_line where kind not in ('awarded', 'invoiced')",
            "delete from settlement_op where operation in"
            " ('suspend', 'reinstate', 'free', 'next_buyer', 'consent_over', 'mail')",
            "update settlement_op set state = 'WAITING', due_at_us = 0, claims = claims + 1"
            " where operation = 'defaulted'",
            "update approval set state = 'APPROVED', reasons = ''",
        )
        # Beside what was done before: the default, the suspension, and for each lot a search and
        # a note that it need not be paid.
        ends = await room.at_each_await(forget, 4 + 6)
        assert len(ends) > 15
        assert set(ends) == {ends[-1]}
        (row,) = await calm.fetch("select count(*) from seller_consent")
        assert row[0] == len(LOTS)


def mortal(calm: Settling, dsn: str) -> Mortal:
    room = Mortal(calm.market, calm.mailbox, calm.handlers, calm.worker, calm.after, calm.provider)
    room.dsn, room.now = dsn, calm.now_us()
    return room
