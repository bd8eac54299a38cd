"""Recalls over HTTP."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from auction.commands import Reason
from auction.desk.access import RUN, VIEW, own_seller
from auction.desk.api_common import DeskPaging, row, wanted_desk
from auction.desk.recalls import (
    Named,
    PastRecall,
    Recall,
    RecalledLot,
    Recalls,
    Withdrawn,
)
from auction.desk.refusals import Refusal
from foundation.http.answers import answer
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route


class RecallAsked(Input):
    """What is recalled, as a manufacturer's notice names it."""

    gtins: Named = ()
    lpns: Named = ()
    brands: Named = ()

    def recall(self) -> Recall:
        """As the service takes it."""
        return Recall(gtins=self.gtins, lpns=self.lpns, brands=self.brands)


class WithdrawalAsked(Input):
    """What is recalled, and why, as bidders are told."""

    recall: RecallAsked
    reason: Reason


class RecalledLots(Struct, frozen=True):
    """Lots that hold it."""

    items: Sequence[RecalledLot]


class WithdrawnLots(Struct, frozen=True):
    """What became of the open ones."""

    items: Sequence[Withdrawn]


class PastRecalls(Struct, frozen=True):
    """What was recalled before, the latest first."""

    items: Sequence[PastRecall]


class RecallsApi:
    """Handlers."""

    def __init__(self, recalls: Recalls) -> None:
        self._recalls = recalls

    def routes(self) -> list[Route]:
        """Their rows."""
        refusals = (Refusal.NOT_FOUND, Refusal.NOTHING_NAMED, Refusal.BAD_GTIN)
        return [
            row(
                "GET",
                "/recalls",
                self.past,
                "What was recalled before, and what became of the lots that were open",
                VIEW,
                Refusal.NOT_FOUND,
                answer=PastRecalls,
            ),
            row(
                "POST",
                "/recalls/search",
                self.search,
                "Every lot that holds recalled goods, and who bought it",
                VIEW,
                *refusals,
                body=RecallAsked,
                answer=RecalledLots,
            ),
            row(
                "POST",
                "/recalls/withdraw",
                self.withdraw,
                "Take every open lot that holds recalled goods out of its sale",
                RUN,
                *refusals,
                body=WithdrawalAsked,
                answer=WithdrawnLots,
            ),
        ]

    async def past(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/recalls: of one's own desk."""
        liquidator_id = wanted_desk(request, DeskPaging())
        return answer(request, PastRecalls(await self._recalls.past(liquidator_id)))

    async def search(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/recalls/search: of one's own desk."""
        asked = await body_of(request, RecallAsked)
        liquidator_id = wanted_desk(request, DeskPaging())
        return answer(
            request, RecalledLots(await self._recalls.find(liquidator_id, asked.recall()))
        )

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/recalls/withdraw."""
        asked = await body_of(request, WithdrawalAsked)
        withdrawn = await self._recalls.withdraw(
            own_seller(request), asked.recall.recall(), asked.reason
        )
        return answer(request, WithdrawnLots(withdrawn))
