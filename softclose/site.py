"""The site: which rooms' pages and APIs one process serves, and what they are made of.

To add a room: build its services from the `Resources` in `mounts`, and append its `Mount`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from accounts.http.guard import Door
from accounts.http.mount import mount as accounts_mount
from accounts.permissions import Access, Action
from accounts.room import Room
from auction.clock import EngineClock
from auction.desk.mount import mount as desk_mount
from auction.desk.pages.mount import mount as desk_pages_mount
from auction.desk.pages.room import DeskPagesRoom
from auction.desk.room import Desk
from auction.ports import Bus, Clock, Engine, EventLog
from bidder_gateway.gateway import Gateway
from bidder_gateway.live import LiveEndpoint
from bidder_gateway.notices.api import NoticesRoom
from bidder_gateway.notices.routes import notice_routes
from bidder_gateway.pages.mount import mount as pages_mount
from bidder_gateway.pages.room import PagesRoom
from bidder_gateway.resellers import Resellers
from foundation.database import Pool, close_pool, open_pool
from foundation.http.application import application
from foundation.http.metrics import Metrics
from foundation.http.openapi import openapi_json
from foundation.http.problems import UNAVAILABLE
from foundation.http.routes import Mount
from foundation.mail import Mailer, mailer_of
from settlement.mount import mount as settlement_mount
from settlement.room import Settlement
from softclose.accounts_room import running_room
from softclose.api_description import about
from softclose.health import add_health
from softclose.host import Host
from softclose.settings import Settings
from softclose.shell import shell_of

ReasonsNotReady = Callable[[], list[str]]

# A start takes a second or two; after a crash some more.
START_RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Resources:
    """What the rooms' services are made of; the host owns all of it."""

    settings: Settings
    public_url: str  # without a slash at the end; links in mail begin with it
    pool: Pool
    log: EventLog
    clock: Clock
    engine: Engine
    bus: Bus
    mailer: Mailer
    metrics: Metrics
    accounts: Room


@asynccontextmanager
async def site_resources(
    settings: Settings, host: Host, dsn: str, address: str
) -> AsyncIterator[Resources]:
    """The resources of a running host that is reached at ``address``, for the block."""
    mail = settings.mail.get_secret_value()
    mailer = mailer_of(mail, settings.mail_from, settings.data / "mail")
    public_url = settings.public_url or address
    pool = await open_pool(dsn, name="site")
    try:
        async with running_room(pool, mailer, public_url) as accounts:
            yield Resources(
                settings=settings,
                public_url=public_url,
                pool=pool,
                log=host.log,
                clock=host.clock,
                engine=host.engine,
                bus=host.bus,
                mailer=mailer,
                metrics=Metrics(),
                accounts=accounts,
            )
    finally:
        await close_pool(pool)


def mounts(
    resources: Resources,
    gateway: Gateway,
    resellers: Resellers,
    notices: NoticesRoom,
    desk: Desk,
    settlement: Settlement,
) -> Sequence[Mount]:
    """The rooms that are served, in the order of their navigation."""
    pages = PagesRoom(resources.pool, resources.engine, gateway, resellers, notices)
    at_desk = DeskPagesRoom.of(desk, resources.pool, resources.clock.now_us)
    return [
        desk_pages_mount(at_desk),
        pages_mount(
            pages,
            LiveEndpoint(gateway).route(),
            *resellers.routes(),
            *notice_routes(notices),
        ),
        settlement_mount(settlement),
        desk_mount(desk),
        accounts_mount(resources.accounts),
    ]


def site(
    resources: Resources,
    gateway: Gateway,
    resellers: Resellers,
    notices: NoticesRoom,
    desk: Desk,
    settlement: Settlement,
    reasons_not_ready: ReasonsNotReady,
) -> web.Application:
    """Everything that a running host answers."""
    settings = resources.settings
    app = application(
        mounts(resources, gateway, resellers, notices, desk, settlement),
        guard=Door(resources.pool, resources.accounts.clock).guard,
        context_of=shell_of,
        public_origin=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
        metrics_clients=settings.metrics_clients,
        metrics=resources.metrics,
        about=about(),
        lost=Access(Action.VIEW_SALES),
    )
    add_health(app, reasons_not_ready)
    return app


def starting_site(settings: Settings, reasons_not_ready: ReasonsNotReady) -> web.Application:
    """What a host answers that has no database yet: how it is, and to come back."""
    app = application(
        public_origin=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
        metrics_clients=settings.metrics_clients,
    )
    add_health(app, reasons_not_ready)
    app.router.add_route("*", "/{anything:.*}", _come_back)
    return app


async def _come_back(_request: web.Request) -> web.StreamResponse:
    raise UNAVAILABLE("Softclose is starting.", headers={"Retry-After": str(START_RETRY_AFTER_S)})


def description(settings: Settings) -> bytes:
    """docs/openapi.json: what a host with these settings would answer.

    The rooms are put together over nothing at all: to name their routes they need no more, and
    would say so at once if they did.
    """
    nothing: Any = None
    resources = Resources(
        settings=settings,
        public_url="",
        pool=nothing,
        log=nothing,
        clock=EngineClock(),
        engine=nothing,
        bus=nothing,
        mailer=nothing,
        metrics=Metrics(),
        accounts=nothing,
    )
    resellers = Resellers.over(nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    notices = NoticesRoom(nothing, nothing, nothing, nothing, nothing)
    desk = Desk.over(nothing, nothing, nothing, nothing, nothing, nothing)
    settlement = Settlement.over(nothing, nothing, nothing, nothing)
    return openapi_json(mounts(resources, nothing, resellers, notices, desk, settlement), about())
