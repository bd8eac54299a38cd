"""The process is killed at each await of a deposit's life: one promise, taken or given up once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
import structlog

from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.buyer_operations import buyer_operations
from settlement.buyers import Buyers
from settlement.deposit_life import Deposit, DepositState
from settlement.deposit_operations import deposit_operations, deposit_readers
from settlement.deposit_rules import AskFor
from settlement.deposits import Deposits
from settlement.ids import StripeId
from settlement.ledger_reading import read_stripe_balances
from settlement.operations import LEASE_US, SECOND_US
from settlement.payment_objects import MethodKind
from settlement.saved_methods import buyer_readers
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.stripe_simulator.work import Work
from settlement.webhook_inbox import WebhookHandler, keep_event
from settlement.worker import Worker
from tests.crashing import Life
from tests.integration.settlement.test_buyers import contact
from tests.stripe_places import KEY

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(600),
]

SALE, AMOUNT, BEGIN_S = SaleId("S1"), 50_000, 1_790_000_000
_D = DepositState


@dataclass
class Book:
    """What registration counts, by transactions that were committed: a table of the test's own."""

    async def __call__(self, connection: AnyConnection, **told: Any) -> None:
        await connection.execute(
            "insert into counted values ($1, $2) on conflict do nothing",
            told["entry_id"],
            told["amount_minor"],
        )


@dataclass
class World:
    """Tables and a provider that live on; processes that die."""

    dsn: str
    pool: Pool
    engine: Engine
    numbers: Any = field(default_factory=count)

    def now_us(self) -> int:
        return self.engine.now * SECOND_US

    def parts(self, pool: Pool, gateway: StripeGateway) -> tuple[Buyers, Deposits, Worker]:
        buyers = Buyers(pool, gateway, self.now_us, contact)
        deposits = Deposits(pool, gateway, self.now_us, Book())
        readers = {**buyer_readers(), **deposit_readers(deposits)}
        handlers = {
            "webhook": WebhookHandler(pool, gateway, readers),
            **buyer_operations(buyers, gateway),
            **deposit_operations(deposits, gateway, pool),
        }
        return buyers, deposits, Worker(pool, handlers, self.now_us)

    async def process(self, life: Life, act: Callable[[Deposits], Awaitable[None]] | None) -> None:
        """It does what it was asked to, if it gets that far, and then all that is due."""
        pool = await open_pool(self.dsn, name="dies", max_connections=4)
        life.shuts(pool.terminate)

        async def turn() -> None:
            life.check()
            await asyncio.sleep(0)
            life.check()

        gateway = StripeGateway(KEY, http_client=InProcess(self.engine, turn), retries=0)
        _, deposits, worker = self.parts(pool, gateway)
        if act is not None:
            await act(deposits)
        while await worker.drain():
            life.check()
        pool.terminate()

    async def lives(
        self, life: Life, act: Callable[[Deposits], Awaitable[None]] | None = None
    ) -> bool:
        return await life.lived(lambda: self.process(life, act))

    async def heals(self) -> None:
        """The leases run out; the events of the last hour come, also those that were heard; the
        next process does what is left."""
        for _ in range(8):
            self.engine.move(LEASE_US // SECOND_US + 1)
            await self.hears()
            assert await self.lives(Life())
            if not await self.left():
                return

    async def hears(self) -> None:
        gateway = StripeGateway(KEY, http_client=InProcess(self.engine), retries=0)
        after: StripeId | None = None
        while True:
            since_us = self.now_us() - 3_600 * SECOND_US
            page = await gateway.events(since_us=since_us, after=after)
            async with transaction(self.pool) as connection:
                for event in page.rows:
                    await keep_event(connection, event, None, self.now_us())
            if (after := page.next_after) is None:
                return

    async def buyer(self) -> tuple[BidderId, StripeId]:
        """Another one, with a card."""
        buyer_id = BidderId(f"buyer{next(self.numbers)}")
        gateway = StripeGateway(KEY, http_client=InProcess(self.engine), retries=0)
        buyers, _, worker = self.parts(self.pool, gateway)
        begun = await buyers.begin(buyer_id, MethodKind.CARD)
        done = await buyers.confirm(
            buyer_id, begun.setup_id, StripeId("pm_card_visa"), return_url="https://x.test",
            address="192.0.2.1", user_agent="tests",
        )  # fmt: skip
        await worker.drain()
        assert done.method_id is not None
        return buyer_id, done.method_id

    async def deposit(self, buyer_id: BidderId) -> Deposit | None:
        deposits = Deposits(self.pool, None, self.now_us)  # type: ignore[arg-type]
        return await deposits.of(SALE, buyer_id)

    async def payments(self, buyer_id: BidderId) -> Counter[str]:
        """What became of all that was ever asked of the buyer's card."""
        customer = await self.pool.fetchval(
            "select customer_id from buyer_customer where buyer_id = $1", buyer_id
        )
        rows = self.engine.store.oldest_first("payment_intent")
        return Counter(row["status"] for row in rows if row["customer"] == customer)

    async def left(self) -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            "select idempotency_key, state, note from settlement_op"
            " where state <> 'DONE' and operation not in ('deposit_watch', 'deposit_renew')"
        )
        return [dict(row) for row in rows]

    async def counted(self) -> int:
        return int(await self.pool.fetchval("select coalesce(sum(amount_minor), 0) from counted"))

    async def difference(self) -> int:
        """Our balance at Stripe by our books, less all that Stripe's say."""
        theirs = sum(row["net"] for row in self.engine.store.oldest_first("balance_transaction"))
        async with acquire(self.pool) as connection:
            ours = (await read_stripe_balances(connection)).get("USD", 0)
        return ours - int(theirs)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    pool = await open_pool(database_url, name="people", max_connections=4)
    await pool.execute("create table counted (entry_id text primary key, amount_minor bigint)")
    yield World(database_url, pool, Engine(Store(), lambda: float(BEGIN_S)))
    pool.terminate()


async def killed_at_each(
    world: World,
    prepare: Callable[[World], Awaitable[tuple[BidderId, Callable[[Deposits], Awaitable[None]]]]],
    expect: Callable[[World, BidderId], Awaitable[None]],
    least: int,
) -> None:
    """``prepare`` a buyer and what is done in the process that dies; what is to be in the end."""
    last, lived = 0, False
    while not lived:
        last += 1
        buyer_id, act = await prepare(world)
        lived = await world.lives(Life(last), act)
        if not lived:
            world.engine.move(1)
            assert await world.lives(Life(), act)  # whoever asked for it asks again
        await world.heals()
        assert await world.left() == [], f"killed at await {last}"
        await expect(world, buyer_id)
        assert await world.difference() == 0, f"killed at await {last}"
        await retire(world)
    assert last > least


async def asking(world: World) -> tuple[BidderId, Callable[[Deposits], Awaitable[None]]]:
    buyer_id, method_id = await world.buyer()

    async def act(deposits: Deposits) -> None:
        wanted = AskFor(
            sale_id=SALE, buyer_id=buyer_id, amount_minor=AMOUNT, currency="USD",
            method_id=method_id, return_url="https://x.test",
        )  # fmt: skip
        await deposits.ask(wanted)

    return buyer_id, act


async def held(world: World) -> BidderId:
    """A deposit that stands, of another buyer."""
    buyer_id, act = await asking(world)
    assert await world.lives(Life(), act)
    return buyer_id


async def is_in(
    world: World, buyer_id: BidderId, state: DepositState, payments: dict[str, int]
) -> None:
    deposit = await world.deposit(buyer_id)
    assert deposit is not None
    assert deposit.state is state
    assert await world.payments(buyer_id) == payments


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Who dies logs a lot."""
    with structlog.testing.capture_logs():
        yield


async def test_a_deposit_is_asked_for_once(world: World) -> None:
    async def expect(world: World, buyer_id: BidderId) -> None:
        await is_in(world, buyer_id, _D.HELD, {"requires_capture": 1})
        assert await world.counted() == AMOUNT

    await killed_at_each(world, asking, expect, least=30)


async def test_a_deposit_is_given_back_once(world: World) -> None:
    async def prepare(world: World) -> tuple[BidderId, Callable[[Deposits], Awaitable[None]]]:
        buyer_id = await held(world)

        async def act(deposits: Deposits) -> None:
            async with transaction(deposits._pool) as connection:
                await deposits.release(connection, SALE, buyer_id)

        return buyer_id, act

    async def expect(world: World, buyer_id: BidderId) -> None:
        await is_in(world, buyer_id, _D.RELEASED, {"canceled": 1})
        assert await world.counted() == 0

    await killed_at_each(world, prepare, expect, least=12)


async def test_a_deposit_is_kept_once(world: World) -> None:
    kept = 0

    async def prepare(world: World) -> tuple[BidderId, Callable[[Deposits], Awaitable[None]]]:
        buyer_id = await held(world)

        async def act(deposits: Deposits) -> None:
            async with transaction(deposits._pool) as connection:
                assert await deposits.forfeit(connection, SALE, buyer_id, 30_000) == 30_000

        return buyer_id, act

    async def expect(world: World, buyer_id: BidderId) -> None:
        nonlocal kept
        kept += 30_000
        await is_in(world, buyer_id, _D.FORFEITED, {"succeeded": 1})
        forfeits = await world.pool.fetchval(
            "select credits_minor - debits_minor from ledger_account"
            " join ledger_balance using (account_id) where name = 'forfeits'"
        )
        assert forfeits == kept
        assert await world.counted() == 0

    await killed_at_each(world, prepare, expect, least=12)


async def test_a_deposit_is_renewed_by_one_promise(world: World) -> None:
    async def prepare(world: World) -> tuple[BidderId, Callable[[Deposits], Awaitable[None]]]:
        buyer_id = await held(world)
        world.engine.move(6 * 86_400 + 13 * 3_600)

        async def act(_: Deposits) -> None:
            """Its time has come, that is all."""

        return buyer_id, act

    async def expect(world: World, buyer_id: BidderId) -> None:
        await is_in(world, buyer_id, _D.HELD, {"requires_capture": 1, "canceled": 1})

    await killed_at_each(world, prepare, expect, least=30)


async def test_a_deposit_that_is_not_renewed_is_taken_once(world: World) -> None:
    async def prepare(world: World) -> tuple[BidderId, Callable[[Deposits], Awaitable[None]]]:
        buyer_id = await held(world)
        deposit = await world.deposit(buyer_id)
        assert deposit is not None
        method_id = str(deposit.method_id)

        def decline(work: Work) -> None:
            row = {"id": method_id, "code": "insufficient_funds", "times": 9}
            work.changes.put("decline", method_id, row)

        world.engine.run(decline)
        world.engine.move(6 * 86_400 + 13 * 3_600)

        async def act(_: Deposits) -> None:
            """Its time has come, that is all."""

        return buyer_id, act

    async def expect(world: World, buyer_id: BidderId) -> None:
        await is_in(world, buyer_id, _D.TAKEN, {"succeeded": 1, "canceled": 1})
        assert await world.counted() == AMOUNT

    await killed_at_each(world, prepare, expect, least=30)


async def retire(world: World) -> None:
    """What this buyer's card promised is no part of the next round."""
    async with transaction(world.pool) as connection:
        rows = await connection.fetch(
            "select buyer_id from deposit where state in ('HELD', 'TAKEN')"
        )
        gateway = StripeGateway(KEY, http_client=InProcess(world.engine), retries=0)
        _, deposits, worker = world.parts(world.pool, gateway)
        for row in rows:
            await deposits.release(connection, SALE, BidderId(row["buyer_id"]))
    await worker.drain()
    world.engine.move(3_601)  # its watch sees that it is over, and its events are old
    await worker.drain()
