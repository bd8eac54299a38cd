"""A simulator, settlement's calls to it, an inbox for its webhooks, and a worker: in one place."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from accounts.http.guard import Door
from foundation.database import AnyConnection, Pool, open_pool
from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.routes import Mount
from settlement.operations import Handler
from settlement.payment_objects import Event
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import Running, simulator
from settlement.webhook_inbox import PATH, Inbox, MissedEvents, Readers, WebhookHandler
from settlement.worker import Worker
from tests.stripe_places import KEY

OTHER_SECRET = "whsec_of_before"
Json = dict[str, Any]


class HouseClock:
    """One time for the house and for Stripe; a test moves it."""

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def seconds(self) -> float:
        return self.now_us / 1_000_000


@dataclass
class Noted:
    """A reader that notes what it was given; ``answer``: whether it is about a row of its own."""

    answer: Callable[[object], bool] = lambda _: True
    seen: list[tuple[Event, object]] = field(default_factory=list)

    async def settle(
        self, connection: AnyConnection, event: Event, found: Any, now_us: int
    ) -> bool:
        self.seen.append((event, found))
        return self.answer(found)


@dataclass
class StripeHouse:
    """What runs."""

    pool: Pool
    clock: HouseClock
    running: Running
    stripe: StripeGateway
    inbox: Inbox
    worker: Worker
    url: str  # where its webhooks go
    secret: str

    async def move(self, **spans: int) -> None:
        """Time passes, here and there."""
        await self.running.control.move(**spans)
        self.clock.now_us = await self.running.control.now() * 1_000_000

    async def drain(self) -> None:
        """Do all that is due, and all that follows from what Stripe says of it."""
        await self.running.control.deliver()
        while await self.worker.drain():
            await self.running.control.deliver()

    async def settled(self, rounds: int = 50) -> None:
        """Let pauses pass until nothing is left that is due within ten minutes."""
        for _ in range(rounds):
            await self.running.control.deliver()
            if not await self.worker.drain():
                due = await self.pool.fetchval(
                    "select min(due_at_us) from settlement_op where state = 'WAITING'"
                    " and operation <> 'missed_events'"
                )
                if due is None or due > self.clock.now_us + 600_000_000:
                    return
                await self.move(seconds=max(1, -(-(due - self.clock.now_us) // 1_000_000)))
        raise AssertionError("it never comes to rest")

    async def rows(self, statement: str, *arguments: object) -> list[Json]:
        return [dict(row) for row in await self.pool.fetch(statement, *arguments)]


Parts = Callable[[Pool, StripeGateway, HouseClock], tuple[Mapping[str, Handler], Readers]]


def no_parts(
    _pool: Pool, _stripe: StripeGateway, _clock: HouseClock
) -> tuple[Mapping[str, Handler], Readers]:
    """Nobody reads anything."""
    return {}, {}


@asynccontextmanager
async def stripe_house(
    database_url: str, parts: Parts = no_parts, *, webhooks: bool = True, **options: Any
) -> AsyncIterator[StripeHouse]:
    """Put it up for the block. ``parts``: the handlers and readers that are tested."""
    async with AsyncExitStack() as layers:
        pool = await open_pool(database_url, name="test", max_connections=8)
        layers.callback(pool.terminate)
        clock = HouseClock(1_790_000_000_000_000)
        running = await layers.enter_async_context(simulator(clock=lambda: 1_790_000_000.0))
        stripe = StripeGateway(KEY, running.url, retries=0)
        layers.push_async_callback(stripe.close)
        listener = layers.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        made = await stripe.v1.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
        secret = str(made.secret)
        if not webhooks:
            await stripe.v1.webhook_endpoints.delete_async(made.id)
        handlers, readers = parts(pool, stripe, clock)
        worker = Worker(
            pool,
            {
                **handlers,
                "webhook": WebhookHandler(pool, stripe, readers),
                "missed_events": MissedEvents(pool, stripe, clock),
            },
            clock,
        )
        inbox = Inbox(pool, [OTHER_SECRET, secret], now_us=clock, ring=worker.ring, **options)
        app = application([Mount("payments", [inbox.route()])], guard=Door(pool, clock).guard)
        await layers.enter_async_context(answering(listener, app))
        yield StripeHouse(pool, clock, running, stripe, inbox, worker, url, secret)
