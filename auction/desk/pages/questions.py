"""/desk/questions: what resellers ask about a seller's lots, and what it answers in public."""

from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from msgspec import Meta

from accounts.http.guard import can
from accounts.permissions import Access, Action
from auction.catalog.questions import (
    MAX_ANSWER,
    REASONS,
    AnswerText,
    HideReason,
    Question,
    QuestionKey,
    QuestionState,
    tidy,
)
from auction.desk.access import VIEW, may_run, own_desk, seller_of, visible
from auction.desk.api_common import REFUSALS
from auction.desk.api_questions import hider_of, key_of, question_of
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import QUESTIONS, DeskPagesRoom, question_path, show, status_of
from auction.desk.questions import Place
from auction.desk.refusals import Refused
from auction.ids import ALotId, ASaleId, LiquidatorId, LotId, SaleId
from auction.terms import STORABLE
from foundation.http.cursors import cursor_of, key_of_cursor
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, query_of
from foundation.http.routes import Route

# Each with a form of its own.
SHOWN: Final = 20
STATES: Final = (
    (QuestionState.OPEN, "To answer"),
    (QuestionState.ANSWERED, "Answered"),
    (QuestionState.HIDDEN, "Hidden"),
)
_SAID: Final = {
    "answer": "The answer stands in public.",
    "hide": "The question is hidden. Its asker is told why.",
    "show": "The question is shown again.",
}


class Chosen(Input):
    """Which questions."""

    state: QuestionState = QuestionState.OPEN
    sale: ASaleId | None = None
    lot: ALotId | None = None
    cursor: Annotated[str, Meta(max_length=1_000)] | None = None


class Doing(Input):
    """What is done about a question."""

    what: Annotated[str, Meta(pattern=r"\A(answer|hide|show)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    answer: Annotated[str, Meta(max_length=2 * MAX_ANSWER, pattern=STORABLE)] = ""
    reason: HideReason | None = None


class QuestionPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{QUESTIONS}/{{question_id}}", REFUSALS.told
        act = Access(Action.HIDE_QUESTION)
        return [
            Route("GET", QUESTIONS, told(self.list), "Questions of resellers", VIEW),
            Route("GET", one, told(self.one), "A question of a reseller", VIEW),
            Route("POST", one, told(self.act), "Answer a question, or hide it", act),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/questions."""
        owner, chosen = own_desk(request), query_of(request, Chosen)
        found = await self._room.questions.list(
            owner,
            chosen.state,
            SHOWN + 1,
            sale_id=None if chosen.sale is None else SaleId(chosen.sale),
            lot_id=None if chosen.lot is None else LotId(chosen.lot),
            after=key_of_cursor(chosen.cursor, QuestionKey),
        )
        shown = found[:SHOWN]
        next_cursor = cursor_of(key_of(shown[-1])) if len(found) > SHOWN else None
        waiting = sum((await self._room.questions.open(owner)).values())
        return show(
            request,
            "questions.html",
            tabs=TABS,
            runs=may_run(request, owner),
            waiting=waiting,
            questions=shown,
            places=await self._room.questions.places(shown),
            chosen=chosen,
            states=[(state, words, _href(chosen, state)) for state, words in STATES],
            everywhere=_href(Chosen(state=chosen.state), chosen.state),
            next_href=_href(chosen, chosen.state, next_cursor) if next_cursor else "",
            first_href=_href(chosen, chosen.state) if chosen.cursor else "",
            max_answer=MAX_ANSWER,
        )

    async def one(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/questions/{question_id}."""
        owner, question = await self._named(request)
        said = question.answers[-1].answer if question.answers else ""
        return await self._page(request, owner, question, blank(answer=said))

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/questions/{question_id}: by its seller, or to hide it by the house."""
        form = await form_of(request, Doing)
        owner, question = await self._named(request)
        given = form.valid
        if given is None:
            return await self._page(request, owner, question, form, status=422)
        try:
            await self._done(request, owner, given)
        except msgspec.ValidationError:
            fault = f"Write an answer of at most {MAX_ANSWER} characters."
            return await self._page(request, owner, question, form.refused("answer", fault), 422)
        except Refused as refused:
            form = form.refused("", refused.message)
            return await self._page(request, owner, question, form, status_of(refused))
        stays = given.what != "answer" or bool(question.answers)
        path = question_path(question.question_id) if stays else QUESTIONS
        return see_other(path, _SAID[given.what])

    async def _done(self, request: web.Request, owner: LiquidatorId, given: Doing) -> None:
        questions, question_id = self._room.questions, question_of(request)
        if given.what == "answer":
            seller = seller_of(request, owner)
            text = msgspec.convert(tidy(given.answer), AnswerText)
            await questions.answer(seller, question_id, given.version, text)
            return
        by = await hider_of(request, questions)
        if given.what == "hide":
            reason = given.reason or HideReason.OTHER
            await questions.hide(by, question_id, given.version, reason)
        else:
            await questions.show(by, question_id, given.version)

    async def _named(self, request: web.Request) -> tuple[LiquidatorId, Question]:
        question_id = question_of(request)
        owner = visible(request, await self._room.questions.owner_of(question_id))
        return owner, await self._room.questions.read(owner, question_id)

    async def _page(
        self,
        request: web.Request,
        owner: LiquidatorId,
        question: Question,
        form: Form[Doing],
        status: int = 200,
    ) -> web.Response:
        return show(
            request,
            "question.html",
            status=status,
            question=question,
            place=await self._place(question),
            form=form,
            runs=may_run(request, owner),
            hides=can(request, Action.HIDE_QUESTION, owner),
            reasons=list(REASONS.items()),
        )

    async def _place(self, question: Question) -> Place:
        places = await self._room.questions.places([question])
        found = places.get((question.sale_id, question.lot_id))
        if found is None:
            raise NOT_FOUND()
        return found


def _href(chosen: Chosen, state: QuestionState, cursor: str | None = None) -> str:
    names: Sequence[tuple[str, str | None]] = (
        ("state", None if state is QuestionState.OPEN else state),
        ("sale", chosen.sale),
        ("lot", chosen.lot),
        ("cursor", cursor),
    )
    query = urlencode({name: value for name, value in names if value})
    return f"{QUESTIONS}?{query}" if query else QUESTIONS
