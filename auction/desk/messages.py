"""What a seller says to everybody who watches a sale: a few sentences, in the order they were said.

Everybody who may see the sale may read them; whether this reader may, the caller asks.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.desk.refusals import Refusal, Refused
from auction.ids import ActorId, SaleId
from auction.terms import STORABLE
from foundation.database import AnyConnection

# Of one sale; who says more is not heard.
MAX_MESSAGES: Final = 500

MessageText = Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]


class SaleMessage(Struct, frozen=True):
    """Something that was said; numbered from 1. Who of the seller's people said it is theirs."""

    number: int
    message: str
    said_at_us: int


_SAY: Final = """
insert into sale_message (sale_id, number, message, said_at_us, said_by)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4 from sale_message where sale_id = $1
returning number, message, said_at_us
"""

_SAID: Final = """
select number, message, said_at_us from sale_message where sale_id = $1
order by number desc limit $2
"""


async def say(
    connection: AnyConnection, sale_id: SaleId, message: str, actor_id: ActorId, now_us: int
) -> SaleMessage:
    """Say it. In a transaction. Raises `Refused` TOO_MANY."""
    # Two that speak at once take turns.
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 12))", sale_id)
    row = await connection.fetchrow(_SAY, sale_id, message, now_us, actor_id)
    assert row is not None, "an insert of one row"
    if row["number"] > MAX_MESSAGES:
        raise Refused(Refusal.TOO_MANY)
    return SaleMessage(*row)


async def messages_of(
    connection: AnyConnection, sale_id: SaleId, most: int = MAX_MESSAGES
) -> list[SaleMessage]:
    """What was said last, the latest first."""
    return [SaleMessage(*row) for row in await connection.fetch(_SAID, sale_id, most)]
