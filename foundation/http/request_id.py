"""Each request has an id: in every log line about it, and in the answer as X-Request-Id.

The id is always ours, so that nobody can write into our logs with it. One line tells about each
request: method, route, status, time; never what was in the query or the body.
"""

import secrets
import time
from typing import Final

import structlog
from aiohttp import web

from foundation.http.client_address import client_address
from foundation.http.metrics import METRICS
from foundation.http.routes import Handler

HEADER: Final = "X-Request-Id"
REQUEST_ID: Final = web.RequestKey("request_id", str)

# Asked every few seconds by machines; a line each would bury the others.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static/{tree}/{name}"})

_logger = structlog.get_logger("softclose.http")


@web.middleware
async def with_request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost layer: names the request, and tells how it went."""
    request[REQUEST_ID] = secrets.token_hex(8)
    began_s = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        status = 499  # the client has gone before an answer
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            _tell(request, status, time.perf_counter() - began_s)


def route_of(request: web.Request) -> str:
    """The pattern that the path fits, so that logs and metrics hold no ids; "-" for none."""
    resource = request.match_info.route.resource
    return "-" if resource is None else resource.canonical


def _tell(request: web.Request, status: int, took_s: float) -> None:
    route = route_of(request)
    request.config_dict[METRICS].observe(request.method, route, status, took_s)
    say = _logger.debug if route in _QUIET and status < 500 else _logger.info
    say(
        "request",
        method=request.method,
        route=route,
        status=status,
        ms=round(took_s * 1000, 1),
        address=client_address(request),
    )
