"""Questions about a lot over HTTP: read by whoever sees the sale, asked by resellers."""

from typing import Final

from aiohttp import web

from accounts.http.guard import identity_of, signed_in
from accounts.permissions import Access, Action
from auction.catalog.questions import QuestionText
from bidder_gateway.api_common import LOT, REFUSALS, kinds, lot_of
from bidder_gateway.questions import LotQuestion, Questions
from bidder_gateway.refusals import Refusal
from bidder_gateway.sight import onlooker_of
from foundation.http.answers import answer
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route

ASK: Final = Access(Action.ASK_SELLER)


class QuestionAsked(Input):
    """What everybody who sees the sale may read; who asked they are not told."""

    question: QuestionText


class QuestionsApi:
    """Handlers."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def routes(self) -> list[Route]:
        """Their rows."""
        path = f"{LOT}/questions"
        return [
            Route(
                "GET",
                path,
                self.of_lot,
                "What was asked about a lot and what its seller answered, the latest first",
                Access(Action.VIEW_SALES),
                query=Paging,
                answer=Listing[LotQuestion],
                problems=(INVALID, NOT_FOUND),
            ),
            Route(
                "POST",
                path,
                REFUSALS.told(self.ask),
                "Ask the seller of a lot in public; the same question again is asked once",
                ASK,
                body=QuestionAsked,
                answer=LotQuestion,
                status=201,
                problems=kinds(
                    Refusal.NOT_FOUND,
                    Refusal.NOT_APPROVED,
                    Refusal.QUESTIONS_CLOSED,
                    Refusal.TOO_MANY_QUESTIONS,
                ),
            ),
        ]

    async def of_lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/sales/{sale_id}/lots/{lot_id}/questions."""
        lot, paging = lot_of(request), query_of(request, Paging)
        who = onlooker_of(identity_of(request))
        found = await self._questions.of_lot(*lot, paging, who)
        if found is None:
            raise NOT_FOUND()
        return answer(request, found)

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/sales/{sale_id}/lots/{lot_id}/questions."""
        lot, asked = lot_of(request), await body_of(request, QuestionAsked)
        made = await self._questions.ask(signed_in(request), *lot, asked.question)
        return answer(request, made, status=201)
