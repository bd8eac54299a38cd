"""What the handlers of the resellers' API share: names in paths, who acts, refusals as problems."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from accounts.http.common import word_of
from auction.ids import LotId, SaleId
from bidder_gateway.refusals import MEANINGS, Refusal, Refused
from foundation.http.problems import NOT_FOUND, Problem, ProblemKind

V1: Final = "/api/v1"
SALE: Final = f"{V1}/sales/{{sale_id}}"
LOT: Final = f"{SALE}/lots/{{lot_id}}"

# What is refused because of what was sent; the others, because of how things stand.
_UNFIT: Final = frozenset(
    {
        Refusal.BAD_DEVICE,
        Refusal.BAD_PHONE,
        Refusal.BUDGETS_UNUSABLE,
        Refusal.OTHER_CURRENCY,
        Refusal.RESTRICTION_UNKNOWN,
        Refusal.WRONG_CODE,
    }
)

KINDS: Final[Mapping[Refusal, ProblemKind]] = {
    refusal: NOT_FOUND
    if refusal is Refusal.NOT_FOUND
    else ProblemKind(refusal.value, 422 if refusal in _UNFIT else 409, MEANINGS[refusal])
    for refusal in Refusal
}


def kinds(*refusals: Refusal) -> tuple[ProblemKind, ...]:
    """The problems that these refusals become, for the rows of routes."""
    return tuple(KINDS[refusal] for refusal in refusals)


def problem_of(refused: Refused) -> Problem:
    """The refusal for a program."""
    kind = KINDS[refused.refusal]
    if kind is NOT_FOUND:
        return NOT_FOUND()
    detail = "" if refused.message == kind.title else refused.message
    return kind(detail, place=f"/{refused.field}" if refused.field else None)


def sale_of(request: web.Request) -> SaleId:
    """The sale that the path names. Raises NOT_FOUND for what can be no id."""
    return SaleId(word_of(request, "sale_id"))


def lot_of(request: web.Request) -> tuple[SaleId, LotId]:
    """The lot that the path names. Raises NOT_FOUND for what can be no id."""
    return sale_of(request), LotId(word_of(request, "lot_id"))
