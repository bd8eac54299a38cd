"""Where the public events of each lot are in the log: kept by a follower, for bid histories.

The rows hold places, not the events themselves, which are in the log once. What concerns a sale
as a whole (a pause, ends that moved together) is kept once, under no lot.
"""

from collections.abc import Sequence
from typing import Final

from auction.codec import Recorded
from auction.events import lot_of
from foundation.database import AnyConnection

# The lot of events about the sale as a whole; no lot has this id.
WHOLE_SALE: Final = ""

_ADD = """
insert into lot_event (sale_id, lot_id, sequence, position)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
"""


async def keep_lot_events(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
    """Note where these events are, in the follower's transaction."""
    public = [one for one in recorded if one.sequence is not None]
    if public:
        await connection.execute(
            _ADD,
            [one.sale_id for one in public],
            [lot_of(one.event) or WHOLE_SALE for one in public],
            [one.sequence for one in public],
            [one.position for one in public],
        )
