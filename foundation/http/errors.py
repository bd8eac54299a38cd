"""Whatever goes wrong while a request is handled becomes an answer that gives nothing away.

Programs get problem details, browsers that ask for a page get one. What is no refusal of ours is
logged with its traceback and the request's id, and the answer holds neither.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import asyncpg
import structlog
from aiohttp import web

from foundation.database import DatabaseUnreachable
from foundation.http.pages import PAGES, problem_page
from foundation.http.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    FORBIDDEN,
    INTERNAL,
    MEDIA_TYPE,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    Problem,
    ProblemKind,
)
from foundation.http.routes import Handler

# The world is away for a moment: the database, or a free connection to it.
AWAY = (
    DatabaseUnreachable,
    TimeoutError,
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
RETRY_AFTER_S = 2

# Asks the guard who it is that came to an address that leads nowhere.
LOST: Final[web.AppKey[Callable[[web.Request], Awaitable[None]]]] = web.AppKey("lost")

_KIND_OF_STATUS: dict[int, ProblemKind] = {
    403: FORBIDDEN,
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_LARGE,
}

_logger = structlog.get_logger("softclose.http")


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what is raised below into an answer."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem_answer(request, problem)
    except web.HTTPException as raised:
        if raised.status < 400:  # a redirect of a guard's: an answer like others from here on
            return web.Response(status=raised.status, headers=raised.headers)
        await _know_who_is_lost(request)
        return problem_answer(request, _of_aiohttp(raised))
    except AWAY as error:
        _logger.warning("request_unavailable", reason=f"{type(error).__name__}: {error}"[:200])
        return problem_answer(request, UNAVAILABLE(headers={"Retry-After": str(RETRY_AFTER_S)}))
    except Exception:  # the log learns of it, with the request's id; the client does not
        _logger.exception("request_failed")
        return problem_answer(request, INTERNAL())


def problem_answer(request: web.Request, problem: Problem) -> web.Response:
    """The problem for who asked: a page for a browser on a page's address, JSON for the rest."""
    if wants_page(request) and PAGES in request.config_dict:
        return problem_page(request, problem)
    return web.Response(
        body=problem.body(),
        status=problem.kind.status,
        headers={"Content-Type": MEDIA_TYPE, **problem.headers},
    )


def wants_page(request: web.Request) -> bool:
    """Whether a person looks at the answer."""
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


async def _know_who_is_lost(request: web.Request) -> None:
    """No guard was asked about an address that leads nowhere; the page shows who is signed in."""
    if wants_page(request) and LOST in request.config_dict:
        with suppress(Problem, web.HTTPException, *AWAY):
            await request.config_dict[LOST](request)


def _of_aiohttp(raised: web.HTTPException) -> Problem:
    kind = _KIND_OF_STATUS.get(raised.status, INTERNAL if raised.status >= 500 else BAD_REQUEST)
    allow = raised.headers.get("Allow")
    return kind(headers={"Allow": allow} if allow and raised.status == 405 else None)
