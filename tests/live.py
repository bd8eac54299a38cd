"""A live gateway over a real socket on loopback, with the engine on a log in memory.

Who says hello with the token ``a`` is the bidder ``a``: logins are the accounts' part.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp

from auction.clock import EngineClock
from auction.commands import Command, ScheduleSale
from auction.ids import BidderId, LotId, PersonId
from auction.log_memory import MemoryLog
from auction.ports import EventLog
from auction.terms import LotListing, SaleAudience, SoftClose, Terms
from auction.verdicts import Verdict
from bidder_gateway.client import LiveClient
from bidder_gateway.encodings import AS_MSGPACK
from bidder_gateway.gateway import Gateway
from bidder_gateway.limits import Limits, Rate
from bidder_gateway.live import PATH, LiveEndpoint
from bidder_gateway.ports import NoFreight, Participant, SalesInSight
from bidder_gateway.protocol import JSON
from bidder_gateway.sight import Onlooker
from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.routes import Mount
from softclose.host import Host
from softclose.listener import listen
from tests.builders import HOUR_US, SALE, a_lot, admit, bid, register, schedule

# Tests send more than people do.
_MANY = Rate(10_000, 10_000)
WIDE = Limits(frames=_MANY, account_frames=_MANY, address_frames=_MANY, subscribes=_MANY)


class Tokens:
    """An `Authenticator`: a token is the name of its bidder; tickets are given out here."""

    def __init__(self) -> None:
        self.tickets: dict[str, Participant] = {}
        self.over: set[str] = set()

    async def redeem(self, ticket: str) -> Participant | None:
        return self.tickets.pop(ticket, None)

    async def bearer(self, token: str) -> Participant | None:
        return None if token == "bad" else participant(token)

    async def ended(self, logins: set[str]) -> set[str]:
        return logins & self.over


def participant(name: str) -> Participant:
    """The bidder of this name."""
    return Participant(
        BidderId(name),
        PersonId(f"person-{name}"),
        name,
        f"login-{name}",
        may_bid=True,
        sees_as=Onlooker(name),
    )


class LiveRoom:
    """The engine with one sale that is open, and the gateway in front of it."""

    def __init__(self, host: Host, gateway: Gateway, tokens: Tokens, port: int) -> None:
        self.host, self.gateway, self.tokens = host, gateway, tokens
        self.url = f"http://127.0.0.1:{port}{PATH}"
        self.port = port

    async def submit(self, command: Command) -> Verdict:
        """The engine's verdict, which must be an acceptance."""
        verdict = await self.host.engine.submit(command)
        assert verdict.accepted, verdict
        return verdict

    async def bid(self, bidder: str, amount_minor: int, lot: str = "1") -> Verdict:
        """A bid that does not come through the gateway."""
        return await self.submit(bid(bidder, amount_minor, lot))

    @asynccontextmanager
    async def socket(
        self, subprotocol: str = JSON, **options: Any
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A bare WebSocket, which has said nothing yet."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self.url, protocols=[subprotocol], **options) as socket,
        ):
            yield socket

    @asynccontextmanager
    async def client(
        self, bidder: str | None = None, subprotocol: str = AS_MSGPACK.name
    ) -> AsyncIterator[LiveClient]:
        """A client that has been welcomed; without a bidder a guest."""

        async def login() -> dict[str, Any]:
            return {} if bidder is None else {"token": bidder}

        async with aiohttp.ClientSession() as http:
            client = LiveClient(self.url, login, http=http, subprotocol=subprotocol)
            async with client.running():
                await client.welcomed()
                yield client


def now_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


def open_sale(
    lots: int = 1,
    terms: Terms | None = None,
    audience: SaleAudience = SaleAudience.PUBLIC,
    **changes: Any,
) -> ScheduleSale:
    """A sale whose lots are open for an hour from now."""
    now = now_us()
    settings: dict[str, Any] = {"opens_at_us": now - HOUR_US, "closes_at_us": now + HOUR_US}
    listings: list[LotListing] = [
        a_lot(str(number), **(settings | changes)) for number in range(1, lots + 1)
    ]
    return schedule(*listings, terms=terms or Terms(soft_close=None), audience=audience)


SHORT = Terms(soft_close=SoftClose(2_000_000, 2_000_000))


@asynccontextmanager
async def live_room(
    *,
    lots: int = 1,
    bidders: str = "ab",
    limits: Limits = WIDE,
    log: EventLog | None = None,
    sale: ScheduleSale | None = None,
    sight: SalesInSight | None = None,
) -> AsyncIterator[LiveRoom]:
    """The rooms of one process, with its socket on any free port."""
    async with AsyncExitStack() as layers:
        host = Host(log or MemoryLog(now_us), EngineClock())
        tokens = Tokens()
        gateway = Gateway(host.log, host.engine, host.clock, tokens, NoFreight(), limits, sight)
        host.bus.listen(gateway.hear)
        await layers.enter_async_context(host.running(gateway.watch()))
        await host.writer.serving()
        port = await layers.enter_async_context(on_loopback(gateway))
        room = LiveRoom(host, gateway, tokens, port)
        await room.submit(sale or open_sale(lots))
        if sale is not None and sale.audience is not SaleAudience.PUBLIC and bidders:
            await room.submit(admit(*bidders))
        for bidder in bidders:
            await room.submit(register(bidder))
        yield room


@asynccontextmanager
async def on_loopback(gateway: Gateway) -> AsyncIterator[int]:
    """The gateway's endpoint on a free port, and at the end everybody sent home."""
    app = application([Mount("live", [LiveEndpoint(gateway).route()])])
    with listen("127.0.0.1", 0) as listener:
        async with answering(listener, app):
            try:
                yield listener.getsockname()[1]
            finally:
                await gateway.stop()


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next frame of this type; others before it are passed over."""
    async with asyncio.timeout(10):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind:
                return frame


async def hello(socket: aiohttp.ClientWebSocketResponse, bidder: str | None = None) -> None:
    """Say it, and be welcomed."""
    frame = {"type": "hello"} | ({} if bidder is None else {"token": bidder})
    await socket.send_json(frame)
    await receive(socket, "welcome")


async def follow(
    socket: aiohttp.ClientWebSocketResponse, since: int | None = None, **more: Any
) -> dict[str, Any]:
    """Follow the sale; what ``subscribed`` says."""
    frame = {"type": "subscribe", "request": 1, "sale_id": SALE} | more
    await socket.send_json(frame | ({} if since is None else {"since": since}))
    return await receive(socket, "subscribed")


LOT = LotId("1")
