"""What a seller does about questions: read, answer in public, correct, hide and show again.

Who asked the seller is not told either. Staff hide what must not stand in public; they do not
answer for a seller.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from auction.catalog import questions
from auction.catalog.questions import (
    HideReason,
    Question,
    QuestionKey,
    QuestionState,
    TooManyAnswers,
    open_questions,
    questions_of_liquidator,
    read_question,
    tidy,
)
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection, Pool, acquire, transaction


class Place(Struct, frozen=True):
    """What a question is about, in words, and the zone of the sale."""

    sale_title: str
    lot_title: str
    time_zone: str


class Questions:
    """Questions of all liquidators, each to its own. ``now_us`` is the engine's time."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def owner_of(self, question_id: str) -> LiquidatorId | None:
        """Who is asked; ``None``: there is no such question."""
        async with acquire(self._pool) as connection:
            found = await read_question(connection, question_id)
        return None if found is None else found.liquidator_id

    async def read(self, liquidator_id: LiquidatorId, question_id: str) -> Question:
        """A question. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            found = await read_question(connection, question_id)
        if found is None or found.liquidator_id != liquidator_id:
            raise Refused(Refusal.NOT_FOUND)
        return found

    async def list(
        self,
        liquidator_id: LiquidatorId,
        state: QuestionState,
        limit: int,
        *,
        sale_id: SaleId | None = None,
        lot_id: LotId | None = None,
        after: QuestionKey | None = None,
    ) -> Sequence[Question]:
        """Those in a state, the oldest first."""
        async with acquire(self._pool) as connection:
            return await questions_of_liquidator(
                connection, liquidator_id, state, sale_id, lot_id, after, limit
            )

    async def open(self, liquidator_id: LiquidatorId) -> Mapping[tuple[SaleId, LotId], int]:
        """How many wait for an answer, by lot."""
        async with acquire(self._pool) as connection:
            return await open_questions(connection, liquidator_id)

    async def waiting(
        self, liquidator_id: LiquidatorId, sale_id: SaleId, lot_id: LotId | None = None
    ) -> int:
        """How many wait for an answer in a sale, or about one of its lots."""
        counts = await self.open(liquidator_id)
        return sum(n for key, n in counts.items() if key[0] == sale_id and lot_id in {None, key[1]})

    async def places(self, of: Sequence[Question]) -> Mapping[tuple[SaleId, LotId], Place]:
        """What these questions are about, by sale and lot."""
        async with acquire(self._pool) as connection:
            return await _places(connection, sorted({(one.sale_id, one.lot_id) for one in of}))

    # Each raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, and returns the question as it is then.

    async def answer(self, seller: Seller, question_id: str, version: int, text: str) -> Question:
        """Answer it, or correct the answer. Raises `Refused` NOT_NOW if hidden, TOO_MANY."""
        async with self._changing(seller, question_id, version) as (connection, question):
            if question.state is QuestionState.HIDDEN:
                raise Refused(Refusal.NOT_NOW, detail="A hidden question is not answered.")
            said = (tidy(text), seller.actor_id, self._now_us())
            try:
                await questions.answer_question(connection, question, *said)
            except TooManyAnswers:
                most = f"An answer is corrected at most {questions.MAX_ANSWERS - 1} times."
                raise Refused(Refusal.TOO_MANY, detail=most) from None
        return await self.read(seller.liquidator_id, question_id)

    async def hide(
        self, seller: Seller, question_id: str, version: int, reason: HideReason
    ) -> Question:
        """Show it to nobody but its asker, who is told the reason."""
        async with self._changing(seller, question_id, version) as (connection, question):
            by = (seller.actor_id, self._now_us())
            await questions.hide_question(connection, question, reason, *by)
        return await self.read(seller.liquidator_id, question_id)

    async def show(self, seller: Seller, question_id: str, version: int) -> Question:
        """Show it again."""
        async with self._changing(seller, question_id, version) as (connection, question):
            await questions.show_question(connection, question)
        return await self.read(seller.liquidator_id, question_id)

    @asynccontextmanager
    async def _changing(
        self, seller: Seller, question_id: str, version: int
    ) -> AsyncIterator[tuple[AnyConnection, Question]]:
        """The question, which nobody else changes in the block."""
        async with transaction(self._pool) as connection:
            question = await read_question(connection, question_id, to_change=True)
            if question is None or question.liquidator_id != seller.liquidator_id:
                raise Refused(Refusal.NOT_FOUND)
            if question.version != version:
                raise Refused(Refusal.CHANGED_MEANWHILE)
            yield connection, question


_PLACES = """
select sale_id, lot_id, sale_listing.title, lot_listing.title, time_zone
from sale_listing join lot_listing using (sale_id)
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""


async def _places(
    connection: AnyConnection, keys: Sequence[tuple[SaleId, LotId]]
) -> Mapping[tuple[SaleId, LotId], Place]:
    sales, lots = [sale_id for sale_id, _ in keys], [lot_id for _, lot_id in keys]
    rows = await connection.fetch(_PLACES, sales, lots)
    return {(sale_id, lot_id): Place(*more) for sale_id, lot_id, *more in rows}
