"""The API of a seller's confirmations: what its sale's terms ask it after the hammer."""

from aiohttp import web

from accounts.http.common import actor_of
from auction.ids import LiquidatorId
from foundation.http.answers import answer
from foundation.http.cursors import Listing, Paging
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import EARNINGS, award_of, own_organisation
from settlement.after_default.words import AfterRefusal
from settlement.api_after_default import ANSWERING, SELL
from settlement.api_common import row
from settlement.confirming import Confirming, Question


class QuestionsQuery(Paging):
    """``waiting``: only what waits for an answer, or only what does not."""

    waiting: bool | None = None


class ConfirmationAnswer(Input):
    """Whether the seller stands by the sale of this lot."""

    confirms: bool


class ConfirmationsApi:
    """Handlers."""

    def __init__(self, confirming: Confirming) -> None:
        self._confirming = confirming

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row(
                "GET",
                "/confirmations",
                self.questions,
                "Lots that their seller is asked to confirm after the hammer, the latest first",
                EARNINGS,
                query=QuestionsQuery,
                answer=Listing[Question],
            ),
            row(
                "POST",
                "/confirmations/{award_id}",
                self.answer,
                "Confirm the sale of a lot, or not; the same again changes nothing",
                SELL,
                *ANSWERING,
                AfterRefusal.ENDED,
                body=ConfirmationAnswer,
                answer=Question,
            ),
        ]

    async def questions(self, request: web.Request) -> web.StreamResponse:
        """GET .../confirmations."""
        query, seller = query_of(request, QuestionsQuery), LiquidatorId(own_organisation(request))
        return answer(request, await self._confirming.questions(seller, query, query.waiting))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST .../confirmations/{award_id}."""
        given = await body_of(request, ConfirmationAnswer)
        seller, award_id = LiquidatorId(own_organisation(request)), award_of(request)
        said = await self._confirming.answer(
            seller, award_id, confirms=given.confirms, actor=actor_of(request)
        )
        return answer(request, said)
