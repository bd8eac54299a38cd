"""What the handlers of the resellers' API share: names in paths, who acts, refusals as problems."""

from typing import Final

from aiohttp import web

from accounts.http.common import word_of
from auction.ids import LotId, SaleId
from bidder_gateway.refusals import MEANINGS, Refusal, Refused
from foundation.http.refusals import Refusals, kinds_of

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

REFUSALS: Final = Refusals(Refused, kinds_of(MEANINGS, dict.fromkeys(_UNFIT, 422)))
kinds = REFUSALS.kinds
problem_of = REFUSALS.problem_of


def sale_of(request: web.Request) -> SaleId:
    """The sale that the path names. Raises NOT_FOUND for what can be no id."""
    return SaleId(word_of(request, "sale_id"))


def lot_of(request: web.Request) -> tuple[SaleId, LotId]:
    """The lot that the path names. Raises NOT_FOUND for what can be no id."""
    return sale_of(request), LotId(word_of(request, "lot_id"))
