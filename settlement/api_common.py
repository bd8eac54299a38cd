"""What the handlers of settlement's API share."""

from typing import Any, Final

from accounts.permissions import Access
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.routes import Handler, Route

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
