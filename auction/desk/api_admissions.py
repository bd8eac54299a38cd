"""Who may enter a sale that is published, over HTTP: the engine keeps it."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from auction.commands import MAX_BIDDERS_PER_COMMAND
from auction.desk.access import VIEW, sale_of, seller_of, visible
from auction.desk.api_common import row
from auction.desk.api_running import engine_row, told
from auction.desk.live_board import LiveBoards
from auction.desk.running import Admissions, Running
from auction.desk.seller import Seller
from auction.ids import ABidderId
from auction.rejections import Rejection
from foundation.http.answers import answer
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route

# A thousand ids of 64 characters, quoted.
MAX_BIDDERS_BODY = 96 * 1_024


class Bidders(Input):
    """Resellers, by the ids that a search tells."""

    bidder_ids: Annotated[list[ABidderId], Meta(min_length=1, max_length=MAX_BIDDERS_PER_COMMAND)]


class AdmissionsApi:
    """Handlers."""

    def __init__(self, running: Running, boards: LiveBoards) -> None:
        self._running, self._boards = running, boards

    def routes(self) -> list[Route]:
        """Their rows."""
        sale = "/sales/{sale_id}"
        return [
            row(
                "GET",
                f"{sale}/admissions",
                told(self.admissions),
                "Who may enter a sale that is not for everybody",
                VIEW,
                answer=Admissions,
            ),
            engine_row(
                "POST",
                f"{sale}/admissions",
                self.admit,
                "Let resellers into a sale, at once",
                Rejection.SALE_CLOSED,
                body=Bidders,
                max_body=MAX_BIDDERS_BODY,
                answer=Admissions,
            ),
            engine_row(
                "POST",
                f"{sale}/dismissals",
                self.dismiss,
                "Resellers may not enter any more; their bids that stand, stand",
                Rejection.SALE_CLOSED,
                body=Bidders,
                max_body=MAX_BIDDERS_BODY,
                answer=Admissions,
            ),
        ]

    async def admissions(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/admissions."""
        sale_id = sale_of(request)
        owner = visible(request, await self._boards.owner_of(sale_id))
        return answer(request, await self._running.admissions(owner, sale_id))

    async def admit(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/admissions."""
        asked, by = await body_of(request, Bidders), await self._seller(request)
        await self._running.admit(by, sale_of(request), asked.bidder_ids)
        return answer(request, await self._running.admissions(by.liquidator_id, sale_of(request)))

    async def dismiss(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/dismissals."""
        asked, by = await body_of(request, Bidders), await self._seller(request)
        await self._running.dismiss(by, sale_of(request), asked.bidder_ids)
        return answer(request, await self._running.admissions(by.liquidator_id, sale_of(request)))

    async def _seller(self, request: web.Request) -> Seller:
        return seller_of(request, await self._boards.owner_of(sale_of(request)))
