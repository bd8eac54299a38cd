"""Questions about a published lot and their answers, which everybody reads who may see the sale.

Nobody is told who asked, not even by paddle: a question says what somebody looks at. The asker's
own page knows it, and the notice that an answer came. A question about a lot is the same question
when it is sent again, so that a double click asks once.

Every function takes a connection and makes no transaction of its own. Whether a reader may see the
sale, and whether somebody may act, the caller asks.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.ids import PersonId, new_id
from auction.ids import ActorId, BidderId, LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection

# Longer is a letter, and no question about one lot.
MAX_QUESTION: Final = 500
MAX_ANSWER: Final = 2_000
# Of one reseller in a day: about one lot, and about all. Beyond it is no longer interest in buying.
MAX_OF_LOT_A_DAY: Final = 5
MAX_A_DAY: Final = 50
# Of one lot, however many ask: who has read so many asks the seller by telephone.
MAX_OF_LOT: Final = 500
# Of one question, corrections included.
MAX_ANSWERS: Final = 10
DAY_US: Final = 24 * 3_600_000_000

# Not only white space, and nothing that a page would swallow or a terminal obey.
_CONTROL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff"
_WORDS: Final = rf"\A[\t\n\r ]*[^\s{_CONTROL}][^{_CONTROL}]*\Z"
QuestionText = Annotated[str, Meta(min_length=1, max_length=MAX_QUESTION, pattern=_WORDS)]
AnswerText = Annotated[str, Meta(min_length=1, max_length=MAX_ANSWER, pattern=_WORDS)]


class HideReason(StrEnum):
    """Why a question is not shown; its asker is told."""

    SPAM = "SPAM"
    CONTACT_DETAILS = "CONTACT_DETAILS"
    OFF_TOPIC = "OFF_TOPIC"
    OFFENSIVE = "OFFENSIVE"
    OTHER = "OTHER"


# In the words of the pages.
REASONS: Final[dict[HideReason, str]] = {
    HideReason.SPAM: "It is advertising",
    HideReason.CONTACT_DETAILS: "It contains contact details",
    HideReason.OFF_TOPIC: "It is not about this lot",
    HideReason.OFFENSIVE: "It is offensive",
    HideReason.OTHER: "It cannot be shown in public",
}


class QuestionState(StrEnum):
    """What of it is still to do."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    HIDDEN = "HIDDEN"


class TooManyQuestions(Exception):
    """So much was asked about the lot, or by the reseller."""


class TooManyAnswers(Exception):
    """It was corrected as often as it can be."""


class Answer(Struct, frozen=True):
    """What the seller said, and when."""

    answer: str
    answered_at_us: int


class Question(Struct, frozen=True, kw_only=True):
    """A question with its answers, the first one first; the last one counts.

    ``asker_id``, ``asked_by``: a reseller and its person, for them alone.
    """

    question_id: str
    sale_id: SaleId
    lot_id: LotId
    liquidator_id: LiquidatorId
    question: str
    asked_at_us: int
    asker_id: BidderId
    asked_by: PersonId
    hidden_reason: HideReason | None
    hidden_at_us: int | None
    version: int
    answers: Sequence[Answer] = ()

    @property
    def state(self) -> QuestionState:
        """Hidden counts before answered."""
        if self.hidden_reason is not None:
            return QuestionState.HIDDEN
        return QuestionState.ANSWERED if self.answers else QuestionState.OPEN


class QuestionKey(Struct, frozen=True):
    """The place of a question in a list."""

    asked_at_us: int
    question_id: str


class NewQuestion(Struct, frozen=True, kw_only=True):
    """What is asked, of whom and by whom."""

    sale_id: SaleId
    lot_id: LotId
    question: str
    asker_id: BidderId
    asked_by: PersonId


_COLUMNS: Final = ", ".join(n for n in Question.__struct_fields__ if n != "answers")

_ASKED_BEFORE: Final = f"""
select {_COLUMNS} from lot_question
where asker_id = $1 and sale_id = $2 and lot_id = $3 and question = $4
"""  # noqa: S608 - the columns are the fields above

_COUNTS: Final = """
select
    (select count(*) from lot_question where sale_id = $1 and lot_id = $2) as of_lot,
    count(*) filter (where sale_id = $1 and lot_id = $2) as own_of_lot,
    count(*) as own
from lot_question where asker_id = $3 and asked_at_us > $4
"""

_ASK: Final = f"""
insert into lot_question
    (question_id, sale_id, lot_id, liquidator_id, question, asked_at_us, told_at_us, asker_id,
    asked_by)
select $1, $2, $3, liquidator_id, $4, $5, $5, $6, $7 from sale_listing where sale_id = $2
returning {_COLUMNS}
"""  # noqa: S608

_READ: Final = f"select {_COLUMNS} from lot_question where question_id = $1"  # noqa: S608

_OF_LOT: Final = f"""
select {_COLUMNS} from lot_question
where sale_id = $1 and lot_id = $2 and (hidden_reason is null or asker_id = $3)
and ($4::bigint is null or (asked_at_us, question_id) < ($4, $5))
order by asked_at_us desc, question_id desc limit $6
"""  # noqa: S608

_STATE: Final = """
case when hidden_reason is not null then 'HIDDEN'
    when answered_at_us is not null then 'ANSWERED' else 'OPEN' end
"""

_OF_LIQUIDATOR: Final = f"""
select {_COLUMNS} from lot_question
where liquidator_id = $1 and {_STATE} = $2 and ($3::text is null or sale_id = $3)
and ($4::text is null or lot_id = $4)
and ($5::bigint is null or (asked_at_us, question_id) > ($5, $6))
order by asked_at_us, question_id limit $7
"""  # noqa: S608

_OPEN_COUNTS: Final = """
select sale_id, lot_id, count(*)::int as open from lot_question
where liquidator_id = $1 and hidden_reason is null and answered_at_us is null
group by sale_id, lot_id order by min(asked_at_us)
"""

_ANSWERS: Final = """
select question_id, answer, answered_at_us from lot_answer where question_id = any($1)
order by question_id, number
"""

_ANSWER: Final = """
insert into lot_answer (question_id, number, answer, answered_at_us, answered_by)
values ($1, $2, $3, $4, $5)
"""

_ANSWERED: Final = """
update lot_question set answered_at_us = $2, told_at_us = $2, version = version + 1
where question_id = $1
"""

_HIDE: Final = """
update lot_question set hidden_reason = $2, hidden_at_us = $3, hidden_by = $4, told_at_us = $3,
    version = version + 1
where question_id = $1
"""

_SHOW: Final = """
update lot_question set hidden_reason = null, hidden_at_us = null, hidden_by = null,
    version = version + 1
where question_id = $1
"""

_TOLD_SINCE: Final = f"""
select {_COLUMNS}, told_at_us from lot_question where told_at_us > $1
order by told_at_us, question_id limit $2
"""  # noqa: S608


def tidy(text: str) -> str:
    """As it is kept: lines end as everywhere, and nothing white stands around it."""
    return text.replace("\r\n", "\n").strip()


async def ask(connection: AnyConnection, new: NewQuestion, now_us: int) -> Question:
    """A question about a published lot. In a transaction. Raises `TooManyQuestions`."""
    # Of one reseller one question is counted after the other, and of one lot.
    for key in (new.asker_id, f"{new.sale_id} {new.lot_id}"):
        await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 15))", key)
    own = (new.asker_id, new.sale_id, new.lot_id, new.question)
    before = await connection.fetchrow(_ASKED_BEFORE, *own)
    if before is not None:
        (known,) = await _with_answers(connection, [before])
        return known
    since_us = now_us - DAY_US
    counts = await connection.fetchrow(_COUNTS, new.sale_id, new.lot_id, new.asker_id, since_us)
    assert counts is not None, "counts are always there"
    most = (MAX_OF_LOT, MAX_OF_LOT_A_DAY, MAX_A_DAY)
    if any(count >= at_most for count, at_most in zip(counts.values(), most, strict=True)):
        raise TooManyQuestions
    row = await connection.fetchrow(
        _ASK,
        new_id("question"),
        new.sale_id,
        new.lot_id,
        new.question,
        now_us,
        new.asker_id,
        new.asked_by,
    )
    assert row is not None, "its lot is published, and so is its sale"
    return _question(row, ())


async def read_question(
    connection: AnyConnection, question_id: str, *, to_change: bool = False
) -> Question | None:
    """A question, hidden or not; ``to_change``: nobody else changes it in this transaction."""
    row = await connection.fetchrow(_READ + (" for update" if to_change else ""), question_id)
    if row is None:
        return None
    (question,) = await _with_answers(connection, [row])
    return question


async def questions_of_lot(
    connection: AnyConnection,
    sale_id: SaleId,
    lot_id: LotId,
    reader_id: str,
    after: QuestionKey | None,
    limit: int,
) -> list[Question]:
    """What was asked about a lot, the latest first; what is hidden only for its asker."""
    place = (None, "") if after is None else (after.asked_at_us, after.question_id)
    rows = await connection.fetch(_OF_LOT, sale_id, lot_id, reader_id, *place, limit)
    return await _with_answers(connection, rows)


async def questions_of_liquidator(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    state: QuestionState,
    sale_id: SaleId | None,
    lot_id: LotId | None,
    after: QuestionKey | None,
    limit: int,
) -> list[Question]:
    """What a seller is asked in all its sales or in one, the oldest first."""
    place = (None, "") if after is None else (after.asked_at_us, after.question_id)
    found = (liquidator_id, state, sale_id, lot_id, *place, limit)
    return await _with_answers(connection, await connection.fetch(_OF_LIQUIDATOR, *found))


async def open_questions(
    connection: AnyConnection, liquidator_id: LiquidatorId
) -> dict[tuple[SaleId, LotId], int]:
    """How many wait for an answer, by lot; the lot that waits longest first."""
    rows = await connection.fetch(_OPEN_COUNTS, liquidator_id)
    return {(row["sale_id"], row["lot_id"]): row["open"] for row in rows}


async def answer_question(
    connection: AnyConnection, question: Question, text: str, actor_id: ActorId, now_us: int
) -> None:
    """Answer it, or correct the answer. The same answer again changes nothing.

    Raises `TooManyAnswers`.
    """
    if question.answers and question.answers[-1].answer == text:
        return
    number = len(question.answers) + 1
    if number > MAX_ANSWERS:
        raise TooManyAnswers
    await connection.execute(_ANSWER, question.question_id, number, text, now_us, actor_id)
    await connection.execute(_ANSWERED, question.question_id, now_us)


async def hide_question(
    connection: AnyConnection, question: Question, reason: HideReason, actor_id: ActorId, at_us: int
) -> None:
    """Show it to its asker only, with the reason."""
    if question.hidden_reason is not reason:
        await connection.execute(_HIDE, question.question_id, reason, at_us, actor_id)


async def show_question(connection: AnyConnection, question: Question) -> None:
    """Show it again."""
    if question.hidden_reason is not None:
        await connection.execute(_SHOW, question.question_id)


async def told_since(
    connection: AnyConnection, since_us: int, limit: int
) -> list[tuple[int, Question]]:
    """Questions that were asked, answered or hidden since, and when that was last."""
    rows = await connection.fetch(_TOLD_SINCE, since_us, limit)
    questions = await _with_answers(connection, rows)
    return [(row["told_at_us"], one) for row, one in zip(rows, questions, strict=True)]


async def _with_answers(
    connection: AnyConnection, rows: Sequence[asyncpg.Record]
) -> list[Question]:
    answers: dict[str, list[Answer]] = {row["question_id"]: [] for row in rows}
    for question_id, text, at_us in await connection.fetch(_ANSWERS, list(answers)):
        answers[question_id].append(Answer(text, at_us))
    return [_question(row, answers[row["question_id"]]) for row in rows]


def _question(row: asyncpg.Record, answers: Sequence[Answer]) -> Question:
    fields = {name: row[name] for name in Question.__struct_fields__ if name != "answers"}
    reason = fields["hidden_reason"]
    fields["hidden_reason"] = None if reason is None else HideReason(reason)
    return Question(**fields, answers=tuple(answers))
