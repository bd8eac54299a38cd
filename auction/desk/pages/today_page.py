"""/desk: what goes on, what comes next, and what waits for a person."""

from typing import Final

from aiohttp import web
from msgspec import Struct

from auction.desk.access import VIEW, may_run, own_desk
from auction.desk.checks import Level
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import DESK, DeskPagesRoom, show
from auction.desk.sale_drafts import DraftedSale, DraftState
from auction.desk.today import PublishedSale, SaleBoard
from auction.ids import LiquidatorId
from foundation.http.routes import Route

# Checking a draft reads all its lots: the latest few are what somebody works on.
CHECKED_DRAFTS: Final = 8
ENDED_SHOWN: Final = 5


class Unfinished(Struct, frozen=True):
    """The draft of a sale with what the checks find."""

    sale: DraftedSale
    errors: int
    warnings: int


class TodayPage:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [Route("GET", DESK, self.show, "What a liquidator's day looks like", VIEW)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk."""
        owner = own_desk(request)
        overview, now_us = await self._room.today.overview(owner), self._room.now_us()
        live: list[tuple[PublishedSale, SaleBoard]] = []
        coming: list[tuple[PublishedSale, SaleBoard]] = []
        ended: list[tuple[PublishedSale, SaleBoard]] = []
        for sale, board in overview.published:
            place = ended if board.is_over() else coming if board.opens_at_us > now_us else live
            place.append((sale, board))
        return show(
            request,
            "today.html",
            tabs=TABS,
            runs=may_run(request, owner),
            live=sorted(live, key=lambda one: one[1].first_end_us),
            coming=sorted(coming, key=lambda one: one[1].opens_at_us),
            ended=sorted(ended, key=lambda one: -one[1].last_end_us)[:ENDED_SHOWN],
            publishing=_in_state(overview.unpublished, DraftState.PUBLISHING),
            drafts=await self._unfinished(owner, _in_state(overview.unpublished, DraftState.DRAFT)),
            waiting=overview.waiting,
            questions=overview.questions,
            stock=overview.stock,
            titles={sale.sale_id: sale.title for sale, _ in overview.published},
        )

    async def _unfinished(self, owner: LiquidatorId, drafts: list[DraftedSale]) -> list[Unfinished]:
        found = []
        for sale in drafts[:CHECKED_DRAFTS]:
            findings = await self._room.sales.check(owner, sale.sale_id)
            errors = sum(finding.level is Level.ERROR for finding in findings)
            found.append(Unfinished(sale, errors, len(findings) - errors))
        return found


def _in_state(sales: list[DraftedSale], state: DraftState) -> list[DraftedSale]:
    return [sale for sale in sales if sale.state is state]
