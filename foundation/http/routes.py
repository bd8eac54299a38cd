"""One table of routes: what the server answers, and what its description says.

A room lists its routes as rows, with bound methods of the objects that hold what they need. The
rows become aiohttp's routes here, and the OpenAPI document in `foundation.http.openapi`. A path
under ``/api/`` is for programs and described; any other is a page.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from aiohttp import web

from foundation.http.problems import ProblemKind
from foundation.http.reading import BODY_LIMIT, MAX_BODY, assert_strict

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Media:
    """A body or an answer that is not JSON: its media type, such as ``text/csv``."""

    media_type: str


@dataclass(frozen=True)
class Header:
    """A header that a route asks for; the handler reads it."""

    name: str
    description: str
    pattern: str = ""  # what the value has to match, whole


@dataclass(frozen=True)
class Route:
    """One row: a method and a path, who may use them, what goes in and what comes out."""

    method: str
    path: str  # as aiohttp has them: /api/v1/lots/{lot_id}
    handler: Handler
    summary: str  # one line for people who read the API's description
    access: object  # who may: given to the host's guard, without meaning here
    body: type[msgspec.Struct] | None = None
    takes: Media | None = None  # a body that is a file, in place of `body`
    query: type[msgspec.Struct] | None = None
    answer: object = None  # a type that msgspec describes, a `Media`, or None for no content
    status: int = 200
    problems: tuple[ProblemKind, ...] = ()
    headers: tuple[Header, ...] = ()
    max_body: int = MAX_BODY
    described: bool = True  # false for what OpenAPI cannot describe, such as a WebSocket

    def __post_init__(self) -> None:
        assert self.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}, self.method
        assert self.path.startswith("/"), self.path
        assert self.body is None or self.takes is None, "one body"
        for taken in filter(None, (self.body, self.query)):
            assert_strict(taken)

    @property
    def for_programs(self) -> bool:
        return self.path.startswith("/api/")


# Lets a request pass, or raises a Problem (for pages perhaps a redirect to the login).
Guard: TypeAlias = Callable[[web.Request, Route], Awaitable[None]]

# The row that a request came in by; absent when no route fits.
ROUTE: Final = web.RequestKey("route", Route)


@dataclass(frozen=True)
class Mount:
    """What a room gives to the host's application."""

    room: str  # the room's name; its templates are "<room>/name.html"
    routes: Sequence[Route]
    templates: Path | None = None
    static: Path | None = None
    filters: Mapping[str, Callable[..., object]] = field(default_factory=dict)


def add_routes(router: web.UrlDispatcher, routes: Sequence[Route], guard: Guard) -> None:
    """Put the rows into aiohttp's router; each asks the guard first."""
    for route in routes:
        handler = _guarded(route, guard)
        if route.method == "GET":
            router.add_get(route.path, handler, allow_head=True)
        else:
            router.add_route(route.method, route.path, handler)


def _guarded(route: Route, guard: Guard) -> Handler:
    @wraps(route.handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        request[ROUTE], request[BODY_LIMIT] = route, route.max_body
        await guard(request, route)
        return await route.handler(request)

    return handle
