"""What was bid on a lot, for the story of its award: the public events of the log, in order.

Staff read who bid by the paddle, as everybody does: a maximum is nobody's but its owner's.
"""

from typing import Final

from msgspec import Struct

from auction.codec import decode_body
from auction.ids import LotId, SaleId, shard_of
from auction.views import PUBLIC, view
from foundation.database import AnyConnection

# A lot that is fought over has hundreds of bids; the last ones tell how it was sold.
MAX_EVENTS: Final = 300

_EVENTS: Final = """
select found.position, body from (
    select position from lot_event where sale_id = $1 and lot_id = $2
    order by sequence desc limit $4
) as found join log_event on shard = $3 and log_event.position = found.position
order by found.position
"""


class LotEvent(Struct, frozen=True, kw_only=True):
    """A public event of the lot; what does not apply is null."""

    type: str
    at_us: int
    paddle: int | None = None
    price_minor: int | None = None
    leader: int | None = None
    closes_at_us: int | None = None


async def lot_events(connection: AnyConnection, sale_id: SaleId, lot_id: LotId) -> list[LotEvent]:
    """The last events of a lot, the earliest first."""
    rows = await connection.fetch(_EVENTS, sale_id, lot_id, shard_of(sale_id), MAX_EVENTS)
    found = []
    for row in rows:
        recorded = decode_body(row["position"], row["body"])
        seen = view(recorded, PUBLIC)
        if seen is None:
            continue
        price = seen.get("price_minor", seen.get("hammer_price_minor"))
        found.append(
            LotEvent(
                type=recorded.event.TYPE,
                at_us=recorded.at_us,
                paddle=seen.get("paddle"),
                price_minor=price,
                leader=seen.get("leader"),
                closes_at_us=seen.get("closes_at_us"),
            )
        )
    return found
