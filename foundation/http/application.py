"""The host's one application: the layers around every request, and the rooms' mounts in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from foundation.http import manifest
from foundation.http.client_address import TRUSTED_PROXIES, Network
from foundation.http.errors import LOST, answer_errors
from foundation.http.metrics import METRICS, METRICS_CLIENTS, Metrics, answer_metrics
from foundation.http.openapi import UNNAMED, About, route_to
from foundation.http.pages import PAGES, ContextOf, PageContext, Pages
from foundation.http.problem_pages import route_to_problems
from foundation.http.problems import NOT_FOUND
from foundation.http.request_id import with_request_id
from foundation.http.routes import Guard, Mount, Route, add_routes
from foundation.http.security import PUBLIC_ORIGIN, add_headers, refuse_foreign
from foundation.http.static import PATH, STATIC, StaticFiles

FOUNDATION: Final = Path(__file__).parents[1]


async def let_everybody(_request: web.Request, _route: Route) -> None:
    """The guard of an application that has no accounts."""


def nobody_special(_request: web.Request) -> PageContext:
    """The shell of an application that has no accounts."""
    return PageContext()


def application(
    mounts: Sequence[Mount] = (),
    *,
    guard: Guard = let_everybody,
    context_of: ContextOf = nobody_special,
    public_origin: str | None = None,
    trusted_proxies: Sequence[Network] = (),
    metrics: Metrics | None = None,
    metrics_clients: Sequence[Network] = (),
    about: About = UNNAMED,
    lost: object = None,
) -> web.Application:
    """The application with these rooms.

    ``public_origin`` is where people reach it (scheme://host, without a path); without it each
    request's own Host is taken for that. ``metrics_clients`` may read /metrics.
    ``about`` heads the API's description. ``lost`` is the access that the guard is asked about
    when somebody comes to an address that leads nowhere: the page that says so shows who it is.
    """
    app = web.Application(middlewares=[with_request_id, answer_errors, refuse_foreign])
    app.on_response_prepare.append(add_headers)
    static = StaticFiles(_static_folders(mounts))
    app[METRICS] = metrics or Metrics()
    app[METRICS_CLIENTS] = tuple(metrics_clients)
    if public_origin is not None:
        app[PUBLIC_ORIGIN] = public_origin
    app[TRUSTED_PROXIES] = tuple(trusted_proxies)
    app[STATIC] = static
    app[LOST] = _asking(guard, lost)
    app[PAGES] = Pages(mounts, static, context_of)
    app.router.add_get("/metrics", answer_metrics)
    app.router.add_get(PATH, static.answer, allow_head=True)
    app.router.add_get(manifest.PATH, manifest.manifest)
    app.router.add_routes([route_to(mounts, about), route_to_problems(mounts)])
    for mount in mounts:
        add_routes(app.router, mount.routes, guard)
    app.cleanup_ctx.append(_watching_loop)
    return app


def _asking(guard: Guard, access: object) -> Callable[[web.Request], Awaitable[None]]:
    async def nowhere(_request: web.Request) -> web.StreamResponse:
        raise NOT_FOUND()

    row = Route("GET", "/", nowhere, "An address that leads nowhere", access=access)

    async def ask(request: web.Request) -> None:
        await guard(request, row)

    return ask


def _static_folders(mounts: Sequence[Mount]) -> list[tuple[str, Path]]:
    folders = [(f"foundation/{name}", FOUNDATION / name) for name in ("static", "vendor")]
    folders += [(f"{mount.room}/static", mount.static) for mount in mounts if mount.static]
    return folders


async def _watching_loop(app: web.Application) -> AsyncIterator[None]:
    watching = asyncio.create_task(app[METRICS].watch_loop(), name="event loop lag")
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
