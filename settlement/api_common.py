"""What the handlers of settlement's API share: its rows, and refusals as problems."""

from enum import StrEnum
from functools import wraps
from typing import Any, Final

import structlog
from aiohttp import web

from accounts.permissions import Access
from foundation.http.problems import (
    ALWAYS_POSSIBLE,
    INVALID,
    NOT_FOUND,
    UNAVAILABLE,
    Problem,
    ProblemKind,
)
from foundation.http.routes import ROUTE, Handler, Route
from foundation.refusals import RefusedBecause
from settlement.api_refusals import kind_of, problem_of
from settlement.api_requests import REQUEST_ID
from settlement.client_requests import RequestRefusal
from settlement.operations import Refused as RefusedThere
from settlement.operations import Unknown
from settlement.rows import NotFound

SETTLEMENT: Final = "/api/v1/settlement"

STATEMENT_TOO_LONG: Final = ProblemKind(
    "STATEMENT_TOO_LONG", 422, "It has more lines than one answer; ask for a shorter period"
)
NOT_HELD: Final = ProblemKind("NOT_HELD", 409, "It does not wait for a person any more")
PROVIDER_REFUSED: Final = ProblemKind(
    "PROVIDER_REFUSED", 409, "The payment provider does not do this"
)

_logger = structlog.get_logger(__name__)


def row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *refuses: StrEnum | ProblemKind,
    once: bool = False,
    **more: Any,
) -> Route:
    """A row under /settlement: what any part refuses there is told, and has to be named here.

    ``once``: it takes the client's id of the request (`api_requests.Requests.once`).
    """
    kinds = [one if isinstance(one, ProblemKind) else kind_of(one) for one in refuses]
    if once:
        kinds.append(kind_of(RequestRefusal.REQUEST_ID_REUSED))
        more["headers"] = (REQUEST_ID,)
    if "{" in path:
        kinds.append(NOT_FOUND)
    return Route(
        method,
        f"{SETTLEMENT}{path}",
        told(handler),
        summary,
        access,
        problems=tuple(dict.fromkeys(kinds)),
        **more,
    )


def told(handler: Handler) -> Handler:
    """The handler, with what any part of settlement refuses answered as a problem."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedBecause as refused:
            problem = problem_of(refused)
        except NotFound:
            problem = NOT_FOUND()
        except Unknown:
            problem = UNAVAILABLE("The payment provider does not answer.")
        except RefusedThere as refused_there:
            problem = PROVIDER_REFUSED(f"{refused_there.message} ({refused_there.code})")
        if not _describes(request[ROUTE], problem.kind):
            undescribed(request[ROUTE], problem)
        raise problem from None

    return handle


def _describes(route: Route, kind: ProblemKind) -> bool:
    takes_something = any(one is not None for one in (route.body, route.query, route.takes))
    return kind in (*route.problems, *ALWAYS_POSSIBLE) or (kind is INVALID and takes_something)


def undescribed(route: Route, problem: Problem) -> None:
    """A refusal that the API's description does not name: it is answered, and to be added there.

    Pages under addresses of their own are not described.
    """
    if route.for_programs:
        _logger.error("undescribed_refusal", row=f"{route.method} {route.path}", code=problem.kind)
