"""A room's refusals as problems: its closed enum, and which problem each of them becomes.

A service raises its room's ``Refused`` in the middle of a transaction, which that undoes; the
handlers are wrapped once, where the rows of routes are made::

    REFUSALS = Refusals(Refused, kinds_of(MEANINGS, {Refusal.TOO_MANY: 409, ...}))
    Route("POST", path, REFUSALS.told(self.add), ..., problems=REFUSALS.kinds(Refusal.TOO_MANY))

NOT_FOUND is the kit's, and says nothing more: a foreign object is answered as a missing one.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import wraps
from typing import Final, Generic, TypeVar

from aiohttp import web

from foundation.http.problems import NOT_FOUND, Problem, ProblemKind
from foundation.http.routes import Handler
from foundation.refusals import RefusedBecause

R = TypeVar("R", bound=StrEnum)

MISSING: Final = "NOT_FOUND"


def kinds_of(
    meanings: Mapping[R, str], statuses: Mapping[R, int], usual: int = 409
) -> dict[R, ProblemKind]:
    """Problems with the refusals' own codes and words, and the statuses that are not the usual."""
    return {
        refusal: NOT_FOUND
        if refusal == MISSING
        else ProblemKind(refusal.value, statuses.get(refusal, usual), meaning)
        for refusal, meaning in meanings.items()
    }


class Refusals(Generic[R]):
    """Refusals of one room."""

    def __init__(self, raised: type[RefusedBecause[R]], kinds: Mapping[R, ProblemKind]) -> None:
        self._raised, self._kinds = raised, kinds

    def kinds(self, *refusals: R) -> tuple[ProblemKind, ...]:
        """The problems that these refusals become, for the rows of routes."""
        return tuple(dict.fromkeys(self._kinds[refusal] for refusal in refusals))

    def problem_of(
        self, refused: RefusedBecause[R], headers: Mapping[str, str] | None = None
    ) -> Problem:
        """The refusal for a program, or as a page of its own."""
        kind = self._kinds[refused.refusal]
        if kind is NOT_FOUND:
            return NOT_FOUND()
        detail = "" if refused.message == kind.title else refused.message
        return kind(detail, place=f"/{refused.field}" if refused.field else None, headers=headers)

    def told(self, handler: Handler) -> Handler:
        """The handler, its refusals answered."""

        @wraps(handler)
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except self._raised as refused:
                raise self.problem_of(refused) from None

        return handle
