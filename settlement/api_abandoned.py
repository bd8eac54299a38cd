"""The API of goods that nobody fetched: which, and what becomes of them."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.answers import answer, no_content
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, award_of
from settlement.api_common import row
from settlement.pickups.abandoned import Abandoned, AbandonedGoods, GoodsFate
from settlement.pickups.words import PickupRefusal as R


class DecidedGoods(Input):
    """What was done, and why."""

    fate: GoodsFate
    why: Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]


class AbandonedSeen(Struct, frozen=True):
    """Lots that somebody has to decide about, the longest told first."""

    items: Sequence[Abandoned]


class AbandonedApi:
    """Handlers."""

    def __init__(self, goods: AbandonedGoods) -> None:
        self._goods = goods

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row("GET", "/abandoned-goods", self.abandoned_goods, "Goods that nobody fetched",
                STAFF, answer=AbandonedSeen),
            row("POST", "/abandoned-goods/{award_id}/decision", self.decide_abandoned_goods,
                "Say what was done with them", ACT, R.WHY_NEEDED, R.NOT_NOW, R.NOT_FUNDED,
                body=DecidedGoods, status=204),
        ]  # fmt: skip

    async def abandoned_goods(self, request: web.Request) -> web.StreamResponse:
        """GET .../abandoned-goods."""
        return answer(request, AbandonedSeen(await self._goods.waiting()))

    async def decide_abandoned_goods(self, request: web.Request) -> web.StreamResponse:
        """POST .../abandoned-goods/{award_id}/decision."""
        given, by = await body_of(request, DecidedGoods), actor_of(request)
        await self._goods.decide(by, award_of(request), given.fate, given.why)
        return no_content()
