"""The process that is measured: the whole gateway on the whole engine, run as a program.

``python -m load_tests.gateway.serve LOTS [DSN [REDIS]]``: the engine with its log in PostgreSQL, or
in memory without a DSN; the bus, the gateway and the HTTP application as ``softclose serve`` has
them. With a REDIS only the gateway, and the engine is another process there (``rooms``). Prints its
port, and takes commands on stdin:

* ``send COUNT BYTES``: place so many bids from inside, all at once; ``sent SEQUENCE``.
* ``sequence``: ``sequence SEQUENCE``, the last one of the sale's events.

Who connects is taken for the bidder that the token names: accounts are not what is measured.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Final

import uvloop
from aiohttp import web

from auction.ids import BidderId, PersonId, shard_of
from auction.log_memory import MemoryLog
from auction.log_postgres import PostgresLog
from auction.ports import EventLog
from bidder_gateway.gateway import Gateway
from bidder_gateway.limits import Limits, Rate
from bidder_gateway.live import LiveEndpoint
from bidder_gateway.ports import NoFreight, Participant
from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.routes import Mount
from foundation.logs import LogFormat, LogLevel, configure_logs
from load_tests.gateway.rooms import Rooms, engine_elsewhere, engine_here, going_on
from load_tests.gateway.sale import SALE, LoadSale
from softclose.host import calm_collector
from softclose.listener import listen

# A closed loop bids as fast as verdicts come; people do not.
UNLIMITED: Final = Rate(1e9, 1e9)


class NamedBidders:
    """An ``Authenticator`` that believes whom the token names."""

    async def redeem(self, ticket: str) -> Participant | None:
        """See ``Authenticator``."""
        return None

    async def bearer(self, token: str) -> Participant | None:
        """See ``Authenticator``."""
        return Participant(BidderId(token), PersonId(token), token, login=token, may_bid=True)

    async def ended(self, logins: set[str]) -> set[str]:
        """See ``Authenticator``."""
        return set()


def _application(gateway: Gateway) -> web.Application:
    """With everything around requests that ``softclose serve`` has, but without accounts."""
    mount = Mount(room="bidder_gateway", routes=[LiveEndpoint(gateway).route()])
    return application([mount])


async def serve(lots: int, dsn: str | None, redis_url: str | None) -> None:
    """Until stdin ends."""
    configure_logs(LogLevel.WARNING, LogFormat.CONSOLE)
    async with AsyncExitStack() as layers:
        log: EventLog = MemoryLog()
        if dsn is not None:
            log = postgres = PostgresLog(dsn)
            layers.push_async_callback(postgres.close)
        limits = Limits(
            frames=UNLIMITED,
            account_frames=UNLIMITED,
            address_frames=UNLIMITED,
            bids_at_once=1_000_000,  # what is beyond its speed waits, and is seen in the latency
        )
        here = engine_here(log) if redis_url is None else engine_elsewhere(log, redis_url)
        rooms = await layers.enter_async_context(here)
        gateway = Gateway(log, rooms.engine, rooms.clock, NamedBidders(), NoFreight(), limits)
        rooms.bus.listen(gateway.hear)
        await layers.enter_async_context(going_on(gateway.watch()))
        listener = layers.enter_context(listen("127.0.0.1", 0))
        await layers.enter_async_context(answering(listener, _application(gateway)))
        await rooms.serving()
        sale = LoadSale(rooms.engine, rooms.clock, lots)
        await sale.set_up()
        calm_collector()
        print(listener.getsockname()[1], flush=True)
        await _obey(sale, gateway, rooms)


async def _obey(sale: LoadSale, gateway: Gateway, rooms: Rooms) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        match line.decode().split():
            case ["send", count, _]:
                print(f"sent {await sale.bid(int(count))}", flush=True)
            case ["sequence"]:
                await rooms.caught_up(shard_of(SALE))
                feed = await gateway.hub.feed(SALE)
                print(f"sequence {feed.sequence if feed else 0}", flush=True)
            case words:
                raise SystemExit(f"no such command: {words}")


if __name__ == "__main__":
    asked_lots, asked_dsn, asked_redis, *_ = [*sys.argv[1:], None, None]
    uvloop.run(serve(int(asked_lots or 0), asked_dsn, asked_redis))
