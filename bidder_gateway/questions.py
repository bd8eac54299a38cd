"""What resellers ask about a lot and what its seller answers, for whoever may see the sale."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from accounts.directory import approved_among
from accounts.identity import Identity
from accounts.ids import PersonId
from auction.board import BoardRow
from auction.catalog.questions import (
    Answer,
    HideReason,
    NewQuestion,
    Question,
    QuestionKey,
    TooManyQuestions,
    ask,
    questions_of_lot,
    tidy,
)
from auction.ids import BidderId, LotId, SaleId
from auction.sale import LotStatus
from bidder_gateway.lots import lot_in_sight
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.sight import Onlooker, onlooker_of
from foundation.database import Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing


class LotQuestion(Struct, frozen=True, kw_only=True):
    """A question about a lot. ``answer``: null until it is answered; ``earlier``: what was answered
    before it was corrected, the first answer first.

    ``yours``: your organisation asked; nobody else is told who did. ``hidden``: why nobody else
    sees it.
    """

    question_id: str
    question: str
    asked_at_us: int
    answer: str | None
    answered_at_us: int | None
    earlier: Sequence[Answer]
    yours: bool
    hidden: HideReason | None


class Questions:
    """Reads and asks. ``now_us`` is the engine's time, by which lots end."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def of_lot(
        self, sale_id: SaleId, lot_id: LotId, paging: Paging, who: Onlooker
    ) -> Listing[LotQuestion] | None:
        """A page, the latest first; ``None``: no lot that they may see. Raises `Problem` 422."""
        after = key_of_cursor(paging.cursor, QuestionKey)
        async with acquire(self._pool) as connection:
            if await lot_in_sight(connection, sale_id, lot_id, who) is None:
                return None
            found = await questions_of_lot(
                connection, sale_id, lot_id, who, after, paging.limit + 1
            )
        return listing(found, paging.limit, lambda one: _shown(one, who), _key)

    async def ask(
        self, identity: Identity, sale_id: SaleId, lot_id: LotId, text: str
    ) -> LotQuestion:
        """Ask its seller, in public. That the person may ask was looked at at the door.

        Raises `Refused`: NOT_FOUND, NOT_APPROVED, QUESTIONS_CLOSED, TOO_MANY_QUESTIONS.
        """
        who, organisation_id = onlooker_of(identity), identity.organisation_id
        approved = await approved_among(self._pool, [organisation_id])
        async with transaction(self._pool) as connection:
            lot = await lot_in_sight(connection, sale_id, lot_id, who)
            if lot is None:
                raise Refused(Refusal.NOT_FOUND)
            if not approved:
                raise Refused(Refusal.NOT_APPROVED)
            now_us = self._now_us()
            if not takes_questions(lot.board, now_us):
                raise Refused(Refusal.QUESTIONS_CLOSED)
            new = NewQuestion(
                sale_id=sale_id,
                lot_id=lot_id,
                question=tidy(text),
                asker_id=BidderId(organisation_id),
                asked_by=PersonId(identity.person_id),
            )
            try:
                return _shown(await ask(connection, new, now_us), who)
            except TooManyQuestions:
                raise Refused(Refusal.TOO_MANY_QUESTIONS) from None


def takes_questions(board: BoardRow, now_us: int) -> bool:
    """Until the end of the lot: afterwards nobody's bid depends on the answer."""
    return board.status == LotStatus.LIVE and now_us < board.closes_at_us


def _key(question: Question) -> QuestionKey:
    return QuestionKey(question.asked_at_us, question.question_id)


def _shown(question: Question, who: Onlooker) -> LotQuestion:
    last = question.answers[-1] if question.answers else None
    return LotQuestion(
        question_id=question.question_id,
        question=question.question,
        asked_at_us=question.asked_at_us,
        answer=None if last is None else last.answer,
        answered_at_us=None if last is None else last.answered_at_us,
        earlier=question.answers[:-1],
        yours=Onlooker(question.asker_id) == who,
        hidden=question.hidden_reason,
    )
