"""Questions of resellers over the desk's API: listed, answered in public, hidden."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web
from msgspec import Struct

from accounts.http.common import word_of
from accounts.http.guard import require, signed_in
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from auction.catalog.questions import (
    Answer,
    AnswerText,
    HideReason,
    Question,
    QuestionKey,
    QuestionState,
)
from auction.desk.access import RUN, VIEW, seller_of, visible
from auction.desk.api_common import DeskPaging, row, wanted_desk
from auction.desk.questions import Questions
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.ids import ActorId, ALotId, ASaleId, LotId, SaleId
from foundation.http.answers import answer
from foundation.http.cursors import Listing, key_of_cursor, listing
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen

HIDE: Final = Access(Action.HIDE_QUESTION)


class QuestionsQuery(DeskPaging):
    """Which questions: those that wait for an answer, unless another state is named."""

    state: QuestionState = QuestionState.OPEN
    sale_id: ASaleId | None = None
    lot_id: ALotId | None = None


class QuestionAnswered(Input):
    """The answer, for everybody who sees the sale; in place of the one before, which stays to be
    read."""

    answer: AnswerText


class QuestionHidden(Input):
    """Why nobody but its asker sees it; the asker is told."""

    reason: HideReason


class DeskQuestion(Struct, frozen=True, kw_only=True):
    """A question, without a word of who asked. ``answers``: the last one counts."""

    question_id: str
    sale_id: SaleId
    lot_id: LotId
    version: int
    state: QuestionState
    question: str
    asked_at_us: int
    answers: Sequence[Answer]
    hidden_reason: HideReason | None
    hidden_at_us: int | None


def question_shown(question: Question) -> DeskQuestion:
    """As the seller sees it."""
    return DeskQuestion(**{n: getattr(question, n) for n in DeskQuestion.__struct_fields__})


def key_of(question: Question) -> QuestionKey:
    """Its place in a list."""
    return QuestionKey(question.asked_at_us, question.question_id)


class QuestionsApi:
    """Handlers."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def routes(self) -> Sequence[Route]:
        """Their rows."""
        one = "/questions/{question_id}"
        return [
            row(
                "GET",
                "/questions",
                self.list,
                "What resellers ask about your lots, the oldest first",
                VIEW,
                query=QuestionsQuery,
                answer=Listing[DeskQuestion],
                problems=(INVALID, NOT_FOUND),
            ),
            row("GET", one, self.read, "A question about a lot", VIEW, answer=DeskQuestion),
            row(
                "PUT",
                f"{one}/answer",
                self.answer,
                "Answer a question in public, or correct the answer",
                RUN,
                Refusal.NOT_NOW,
                Refusal.TOO_MANY,
                seen=True,
                body=QuestionAnswered,
                answer=DeskQuestion,
            ),
            row(
                "PUT",
                f"{one}/hiding",
                self.hide,
                "Hide a question from everybody but its asker",
                HIDE,
                seen=True,
                body=QuestionHidden,
                answer=DeskQuestion,
            ),
            row(
                "DELETE",
                f"{one}/hiding",
                self.show,
                "Show a hidden question again",
                HIDE,
                seen=True,
                answer=DeskQuestion,
            ),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/questions."""
        asked = query_of(request, QuestionsQuery)
        found = await self._questions.list(
            wanted_desk(request, asked),
            asked.state,
            asked.limit + 1,
            sale_id=asked.sale_id,
            lot_id=asked.lot_id,
            after=key_of_cursor(asked.cursor, QuestionKey),
        )
        return answer(request, listing(found, asked.limit, question_shown, key_of))

    async def read(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/questions/{question_id}."""
        question_id = question_of(request)
        owner = visible(request, await self._questions.owner_of(question_id))
        return _told(request, await self._questions.read(owner, question_id))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/questions/{question_id}/answer."""
        version, asked = version_seen(request), await body_of(request, QuestionAnswered)
        question_id = question_of(request)
        by = seller_of(request, await self._questions.owner_of(question_id))
        found = await self._questions.answer(by, question_id, version, asked.answer)
        return _told(request, found)

    async def hide(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/questions/{question_id}/hiding."""
        version, asked = version_seen(request), await body_of(request, QuestionHidden)
        by, question_id = await hider_of(request, self._questions), question_of(request)
        found = await self._questions.hide(by, question_id, version, asked.reason)
        return _told(request, found)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/questions/{question_id}/hiding."""
        version, by = version_seen(request), await hider_of(request, self._questions)
        return _told(request, await self._questions.show(by, question_of(request), version))


def question_of(request: web.Request) -> str:
    """The question that the path names. Raises NOT_FOUND for what can be no id."""
    return word_of(request, "question_id")


async def hider_of(request: web.Request, questions: Questions) -> Seller:
    """Who hides a question: its seller's people, or the house's. Raises NOT_FOUND."""
    owner = await questions.owner_of(question_of(request))
    if owner is None:
        raise NOT_FOUND()
    require(request, Action.HIDE_QUESTION, OrganisationId(owner))
    return Seller(owner, ActorId(signed_in(request).person_id))


def _told(request: web.Request, question: Question) -> web.StreamResponse:
    return answer(request, question_shown(question), version=question.version)
