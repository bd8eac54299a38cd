"""The simulator's socket: the API under /v1, the control under /_simulator, webhooks out.

It listens on loopback only. A page of a browser on the same machine cannot use it: what comes
with an ``Origin``, or for a host that is not loopback, is refused.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from settlement.stripe_simulator.control import Control
from settlement.stripe_simulator.control_routes import ControlRoutes
from settlement.stripe_simulator.deliveries import Deliveries, Delivery
from settlement.stripe_simulator.engine import Answer, Asked, Engine, in_use, refusal
from settlement.stripe_simulator.faults import Fault, Trouble
from settlement.stripe_simulator.journal import Journal
from settlement.stripe_simulator.problems import Refused
from settlement.stripe_simulator.store import Store

MAX_BODY: Final = 256 * 1024  # Stripe's largest requests are far below
LOOKS_EVERY_S: Final = 0.2  # for what is due and for webhooks
WEBHOOK_TIMEOUT_S: Final = 10.0
WEBHOOKS_AT_ONCE: Final = 8

_BREAKS: Final = frozenset((Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.TRUNCATED))


@dataclass(frozen=True)
class Running:
    """A simulator that runs; ``engine`` is for those in the same process."""

    url: str
    control: Control
    engine: Engine


@asynccontextmanager
async def simulator(
    folder: Path | None = None,
    *,
    clock: Callable[[], float] = time.time,
    port: int = 0,
    seed: str = "simulator",
) -> AsyncIterator[Running]:
    """Run one until the block ends. With a folder it goes on where it was; without, it is new."""
    store, journal = Store(), None
    if folder is not None:
        journal = Journal(folder)
        journal.load(store)
        store.keep_in(journal)
    try:
        engine = Engine(store, clock, seed)
        async with Server(engine, port) as server, Control(server.url) as control:
            yield Running(server.url, control, engine)
    finally:
        if journal is not None:
            journal.close()


class Server:
    """To be entered; ``url`` is known from then on."""

    def __init__(self, engine: Engine, port: int) -> None:
        self._engine, self._port = engine, port
        self._deliveries = Deliveries(engine)
        self._in_flight: set[str] = set()
        self._wake = asyncio.Event()
        self._sending = asyncio.Lock()
        self.url = ""

    async def __aenter__(self) -> "Server":
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_only_this_machine])
        ControlRoutes(self._engine, self._deliveries, self.deliver).add_to(app)
        app.router.add_route("*", "/{path:.*}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = self._engine.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT_S)
        self._session = aiohttp.ClientSession(
            timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        self._sender = asyncio.create_task(self._run(), name="stripe-simulator")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    async def deliver(self) -> tuple[int, int]:
        """Send all webhooks that are due: how many were taken, and how many refused."""
        taken = refused = 0
        async with self._sending:
            self._engine.catch_up()
            while batch := self._batch():
                results = await asyncio.gather(*(self._send(delivery) for delivery in batch))
                for delivery, result in zip(batch, results, strict=True):
                    self._deliveries.settled(delivery, taken=result)
                    taken, refused = taken + result, refused + (not result)
        return taken, refused

    def _batch(self) -> list[Delivery]:
        """One at a time unless order does not matter: each is decided before the next is taken."""
        delivery = self._deliveries.take()
        return [] if delivery is None else [delivery]

    async def _run(self) -> None:
        """Time passes, and webhooks go out."""
        while True:
            await self.deliver()
            try:
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _send(self, delivery: Delivery) -> bool:
        headers = delivery.headers(int(time.time()))
        try:
            async with self._session.post(
                delivery.url, data=delivery.body, headers=headers, allow_redirects=False
            ) as response:
                return 200 <= response.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def _api(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            request.rel_url.raw_query_string.encode(),
            await request.read(),
            {name.lower(): value for name, value in request.headers.items()},
        )
        given = asked.headers.get("idempotency-key")
        if given is None:
            return await self._answer(request, asked)
        key = f"{asked.headers.get('stripe-account', '')}:{given}"
        if key in self._in_flight:
            return _response(self._engine.refuse(asked, in_use(given)))
        self._in_flight.add(key)
        try:
            return await self._answer(request, asked)
        finally:
            self._in_flight.discard(key)

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        fault = self._engine.faults.take(self._engine.operation(asked))
        trouble = fault.trouble if fault else None
        if fault is not None and trouble in (Trouble.SLOW, Trouble.NO_EFFECT):
            await asyncio.sleep(fault.hold_s)
        if trouble is Trouble.NO_EFFECT:
            return await _broken_off(request, b"")
        answer = self._engine.answer(asked, fault)
        self._wake.set()
        if fault is None or trouble not in _BREAKS:
            return _response(answer)
        await _held(fault)
        if trouble is Trouble.LOST_ANSWER:
            return await _broken_off(request, b"")
        return await _truncated(request, answer)


async def _held(fault: Fault) -> None:
    if fault.hold_s:
        await asyncio.sleep(fault.hold_s)


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": "application/json", **answer.headers}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _broken_off(request: web.Request, _: bytes) -> web.StreamResponse:
    """The connection ends without an answer."""
    assert request.transport is not None, "it is still open"
    request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, answer: Answer) -> web.StreamResponse:
    """The whole length is promised, half of it comes."""
    response = web.StreamResponse(
        status=answer.status,
        headers={"Content-Type": "application/json", "Content-Length": str(len(answer.body))},
    )
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    assert request.transport is not None, "it is still open"
    request.transport.close()
    return response


@web.middleware
async def _only_this_machine(
    request: web.Request, handler: Callable[[web.Request], object]
) -> web.StreamResponse:
    host = (request.url.host or "").strip("[]")
    own_page = request.path.startswith(("/_simulator/authenticate/", "/_simulator/onboard/"))
    origin = request.headers.get("Origin")
    foreign = origin is not None and not (own_page and origin == f"http://{request.host}")
    if host not in ("127.0.0.1", "localhost", "::1") or foreign:
        return _response(refusal(Refused("Only from this machine.", status=403, kept=False)))
    result = await handler(request)  # type: ignore[misc]
    assert isinstance(result, web.StreamResponse), "every handler answers"
    return result
