"""What is told of questions about lots: to the seller that it is asked, to the asker what came.

A question that is answered before anybody looked is not told to its seller any more.
"""

from collections.abc import Sequence
from typing import Final

from auction.catalog.questions import REASONS, Question, told_since
from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.rules import Draft, Facts, To
from bidder_gateway.notices.sources import OVERLAP_US, Source
from bidder_gateway.sight import Onlooker, is_in_sight
from foundation.database import AnyConnection

# Looked at in one transaction: more than is written while changes may still be being committed.
AT_ONCE: Final = 2_000
# Of a question or an answer; the whole of it is on the page.
MAX_QUOTED: Final = 160


_TITLES = """
select sale_id, lot_id, title from lot_listing
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""


class Questions(Source):
    """Questions that were asked, answered or hidden."""

    NAME = "questions"
    EVERY_S = 3.0

    async def look(
        self, connection: AnyConnection, at_us: int
    ) -> tuple[Sequence[Draft], int, bool]:
        """See `Source`."""
        changed = await told_since(connection, at_us - OVERLAP_US, AT_ONCE)
        titles = await _titles(connection, [one for _, one in changed])
        drafts = []
        for told_us, one in changed:
            draft = _draft(one, told_us, titles[one.sale_id, one.lot_id])
            if draft.person_id is None or await _sees(connection, one):
                drafts.append(draft)
        moved_us = max((told_us for told_us, _ in changed), default=at_us)
        return drafts, max(at_us, moved_us), len(changed) == AT_ONCE and moved_us > at_us


async def _titles(
    connection: AnyConnection, questions: Sequence[Question]
) -> dict[tuple[SaleId, LotId], str]:
    keys = sorted({(one.sale_id, one.lot_id) for one in questions})
    sales, lots = [sale_id for sale_id, _ in keys], [lot_id for _, lot_id in keys]
    rows = await connection.fetch(_TITLES, sales, lots)
    return {(row["sale_id"], row["lot_id"]): row["title"] for row in rows}


async def _sees(connection: AnyConnection, one: Question) -> bool:
    """Whether the asker may still see the sale."""
    return await is_in_sight(connection, one.sale_id, Onlooker(one.asker_id))


def _draft(one: Question, told_us: int, title: str) -> Draft:
    name = ("question", one.question_id)
    if one.hidden_reason is not None:
        assert one.hidden_at_us is not None, "both or neither"
        facts = Facts(title=title, reason=REASONS[one.hidden_reason])
        event = (*name, "hidden", one.hidden_at_us)
        return _to_asker(one, Kind.QUESTION_HIDDEN, event, told_us, facts)
    if one.answers:
        count, said = len(one.answers), _quoted(one.answers[-1].answer)
        facts = Facts(title=title, reason=said, state="CORRECTED" if count > 1 else "")
        return _to_asker(one, Kind.QUESTION_ANSWERED, (*name, "answer", count), told_us, facts)
    return Draft(
        kind=Kind.QUESTION_ASKED,
        event=(*name, "asked"),
        at_us=told_us,
        facts=Facts(title=title, reason=_quoted(one.question)),
        sale_id=one.sale_id,
        lot_id=one.lot_id,
        to=(To(BidderId(one.liquidator_id), everybody=True),),
    )


def _to_asker(
    one: Question, kind: Kind, event: tuple[str | int, ...], told_us: int, facts: Facts
) -> Draft:
    return Draft(
        kind=kind,
        event=event,
        at_us=told_us,
        facts=facts,
        sale_id=one.sale_id,
        lot_id=one.lot_id,
        person_id=one.asked_by,
    )


def _quoted(text: str) -> str:
    """On one line, and not too much of it."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_QUOTED else f"{line[: MAX_QUOTED - 1]}…"
