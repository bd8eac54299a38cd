"""The second peer: the rules as a Lua script in Redis, which also adds the event to a stream.

Nothing is made durable: no append-only file and no snapshots. One EVALSHA a bid. Every client has
a connection of its own, or all share one and send what has gathered as one pipeline, while the
answers to the one before are on their way.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis

from load_tests.engine.rules import EXTENSION_US, OPENING_MINOR, WINDOW_US, ProxyLot, wall_us
from load_tests.engine.workload import FAR_END_US, Bid

SCRIPT: Final = (files(__package__) / "bid.lua").read_text("utf-8")
FIELDS: Final = ProxyLot.__slots__
# Bids in one pipeline; more only make the first of them wait.
MAX_PIPELINE: Final = 256


class RedisLua:
    """The peer over some connections; each serves one client at a time."""

    def __init__(self, clients: Sequence[Any]) -> None:
        self._all = clients
        self._idle = list(clients)
        self.now_us = wall_us
        self._sha = ""

    async def prepare(self, lots: int, closes_at_us: int = FAR_END_US) -> None:
        """New lots that nobody has bid on; what was there is gone."""
        client = self._all[0]
        await client.flushall()
        self._sha = await client.script_load(SCRIPT)
        fresh = dict(zip(FIELDS, ProxyLot(closes_at_us).row(), strict=True))
        for lot in range(lots):
            await client.hset(f"lot:{lot}", mapping=fresh)

    async def place(self, bids: Iterator[Bid]) -> bool:
        """Place the next bid; whether it stands."""
        return await self.leader_and_price(next(bids)) is not None

    async def leader_and_price(self, bid: Bid) -> tuple[int, int] | None:
        """Place a bid; the lot's leader and price after it, or None if it is refused."""
        client = self._idle.pop()
        answer = await client.evalsha(self._sha, 2, *_arguments(bid, self.now_us()))
        self._idle.append(client)
        return (answer[1], answer[2]) if answer[0] else None

    async def closes_at_us(self, lot: int) -> int:
        """The end in force of a lot."""
        return int(await self._all[0].hget(f"lot:{lot}", "closes_at_us"))

    async def recorded(self) -> int:
        """How many events the stream of the first lot holds."""
        return int(await self._all[0].xlen("events:0"))


class PipelinedRedisLua(RedisLua):
    """The same over one connection that all clients share."""

    def __init__(self, clients: Sequence[Any]) -> None:
        super().__init__(clients)
        self._waiting: list[tuple[Bid, asyncio.Future[bool]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def place(self, bids: Iterator[Bid]) -> bool:
        """Place the next bid; whether it stands."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((next(bids), future))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            some = self._waiting[:MAX_PIPELINE]
            del self._waiting[:MAX_PIPELINE]
            pipeline = self._all[0].pipeline(transaction=False)
            for bid, _ in some:
                pipeline.evalsha(self._sha, 2, *_arguments(bid, self.now_us()))
            answers = await pipeline.execute()
            for (_, future), answer in zip(some, answers, strict=True):
                future.set_result(bool(answer[0]))
        self._sending = None


def _arguments(bid: Bid, now_us: int) -> tuple[str | int, ...]:
    lot, events = f"lot:{bid.lot}", f"events:{bid.lot}"
    terms = (WINDOW_US, EXTENSION_US, OPENING_MINOR)
    return (lot, events, bid.bidder, bid.amount_minor, bid.bid_id, now_us, *terms)


@asynccontextmanager
async def redis_lua(port: int, connections: int) -> AsyncIterator[RedisLua]:
    """The peer with so many connections, for the block."""
    async with _clients(port, connections) as clients:
        yield RedisLua(clients)


@asynccontextmanager
async def pipelined_redis_lua(port: int) -> AsyncIterator[PipelinedRedisLua]:
    """The peer with shared pipelines, for the block."""
    async with _clients(port, 1) as clients:
        yield PipelinedRedisLua(clients)


@asynccontextmanager
async def _clients(port: int, count: int) -> AsyncIterator[Sequence[Any]]:
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(count):
            client = Redis(host="127.0.0.1", port=port, single_connection_client=True)
            stack.push_async_callback(client.aclose)
            clients.append(client)
        yield clients
