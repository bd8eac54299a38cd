"""What the handlers of settlement's API share."""

from functools import wraps
from typing import Any, Final

from aiohttp import web

from accounts.permissions import Access
from foundation.http.problems import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    UNAVAILABLE,
    Problem,
    ProblemKind,
)
from foundation.http.routes import Handler, Route
from foundation.refusals import RefusedBecause
from settlement.operations import Refused as RefusedThere
from settlement.operations import Unknown
from settlement.rows import NotFound

SETTLEMENT: Final = "/api/v1/settlement"

TOO_LONG: Final = ProblemKind(
    "STATEMENT_TOO_LONG", 422, "It has more lines than one answer; ask for a shorter period"
)
NOT_HELD: Final = ProblemKind("NOT_HELD", 409, "It does not wait for a person any more")


def row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *problems: ProblemKind,
    **more: Any,
) -> Route:
    """A row under /settlement."""
    lost = (NOT_FOUND,) if "{" in path else ()
    return Route(
        method,
        f"{SETTLEMENT}{path}",
        handler,
        summary,
        access,
        problems=(*dict.fromkeys((*lost, *problems)),),
        **more,
    )


# What a row may answer that asks a part of settlement for something.
REFUSED: Final = (NOT_FOUND, CONFLICT, INVALID, UNAVAILABLE)

# Refusals that are about what was sent, by how their codes begin; the others are of how things are.
_OF_INPUT: Final = (
    "BAD_",
    "INVALID",
    "UNKNOWN_",
    "NO_SUCH_",
    "WHY_",
    "REASON_",
    "NOTHING_",
    "NO_REASON",
)


def problem_of(refused: RefusedBecause[Any]) -> Problem:
    """A refusal of any part in the kit's own kinds; its code stands before its words."""
    code = str(refused.refusal)
    if code == "NOT_FOUND":
        return NOT_FOUND()
    said = f"{code}: {refused.message}"
    place = f"/{refused.field}" if refused.field else None
    if code == "BUSY":
        return UNAVAILABLE(said)
    kind = INVALID if code.startswith(_OF_INPUT) else CONFLICT
    return kind(said, place=place)


def told(handler: Handler) -> Handler:
    """The handler, with what any part of settlement refuses answered as a problem."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedBecause as refused:
            raise problem_of(refused) from None
        except NotFound:
            raise NOT_FOUND() from None
        except Unknown:
            raise UNAVAILABLE("The payment provider does not answer.") from None
        except RefusedThere as refused_there:
            raise CONFLICT(f"{refused_there.code}: {refused_there.message}") from None

    return handle
