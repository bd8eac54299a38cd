"""Goods that nobody fetched, as staff see to them."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.forms import form_of
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF
from settlement.ids import AwardId
from settlement.pages.doing import done
from settlement.pages.room import HOME, show
from settlement.pickups.abandoned import GoodsFate
from settlement.room import Settlement

ABANDONED: Final = f"{HOME}/abandoned"


class AtGoods(Input):
    """What was done with a lot."""

    award_id: Annotated[str, Meta(max_length=200)]
    fate: GoodsFate
    words: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""


class AbandonedPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", ABANDONED, self.show, "Goods that nobody fetched", STAFF),
            Route("POST", ABANDONED, self.decide, "Say what was done with them", ACT),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/abandoned."""
        waiting = await self._room.abandoned.waiting()
        return show(request, "abandoned.html", lots=waiting, now_us=self._room.now_us())

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/abandoned."""
        form = await form_of(request, AtGoods)
        if form.valid is None:
            raise INVALID("Choose a lot.")
        given, by = form.valid, actor_of(request)
        work = self._room.abandoned.decide(by, AwardId(given.award_id), given.fate, given.words)
        return await done(work, ABANDONED, "It is written down.")
