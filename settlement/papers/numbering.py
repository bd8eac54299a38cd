"""Numbers of documents: they rise in each kind, without gaps; an invoice has its own."""

from typing import Final

from foundation.database import AnyConnection
from settlement.papers.kinds import PaperKind

_NUMBER: Final = "select number from paper_subject where kind = $1 and subject = $2"
_OF_INVOICE: Final = "select number from invoice where invoice_id = $1"
_COUNT: Final = """
insert into paper_counter (kind, last) values ($1, 1)
on conflict (kind) do update set last = paper_counter.last + 1 returning last
"""
_NAME: Final = "insert into paper_subject (kind, subject, number) values ($1, $2, $3)"
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('paper:' || $1 || ':' || $2, 0))"


async def lock_paper(connection: AnyConnection, kind: PaperKind, subject: str) -> None:
    """Nobody else numbers or keeps this document until the transaction ends."""
    await connection.execute(_LOCK, kind, subject)


async def number_of(connection: AnyConnection, kind: PaperKind, subject: str) -> int | None:
    """A document's number, if it has one yet."""
    number: int | None = await connection.fetchval(_NUMBER, kind, subject)
    return number


async def give_number(connection: AnyConnection, kind: PaperKind, subject: str) -> int:
    """A document's number, which it gets now if it has none. In a transaction."""
    await lock_paper(connection, kind, subject)
    known = await number_of(connection, kind, subject)
    if known is not None:
        return known
    # An invoice was numbered when it was issued.
    own = kind is PaperKind.INVOICE
    statement, about = (_OF_INVOICE, subject) if own else (_COUNT, kind)
    number: int = await connection.fetchval(statement, about)
    await connection.execute(_NAME, kind, subject, number)
    return number
