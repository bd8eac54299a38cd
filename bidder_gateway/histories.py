"""What happened to a lot, from the public events of the log: the latest first.

Bidders are numbers here; nothing but what everybody may see of an event (`auction.views`) is
looked at, so that no maximum and no reserve can be among it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
from msgspec import Struct

from auction.codec import Recorded, decode_body
from auction.events import EndsMoved, LotsRescheduled
from auction.ids import LotId, Paddle, SaleId, shard_of
from auction.views import PUBLIC, view
from bidder_gateway.lot_events import WHOLE_SALE
from bidder_gateway.lots import lot_in_sight
from bidder_gateway.sight import Onlooker
from foundation.database import AnyConnection, Pool, acquire
from foundation.http.cursors import Listing, Paging, cursor_of, key_of_cursor


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """Something that happened, by the ``type`` of its event; what does not apply is null.

    ``paddle``: who bid, or whose bids were voided; ``leader``: who leads after it, at
    ``price_minor``; ``closes_at_us``: the end in force after it. ``sequence`` is the event's number
    in the sale, under which the live feed and the public chain have it.
    """

    sequence: int
    at_us: int
    type: str
    paddle: Paddle | None = None
    leader: Paddle | None = None
    price_minor: int | None = None
    next_minimum_minor: int | None = None
    bid_count: int | None = None
    reserve: str | None = None
    closes_at_us: int | None = None
    extensions: int | None = None
    final: bool | None = None
    reason: str | None = None
    hash: str


class HistoryKey(Struct, frozen=True):
    """The place of an event in a history."""

    sequence: int


_EVENTS = """
select sequence, log_event.position, body from (
    (select sequence, position from lot_event
     where sale_id = $1 and lot_id = $2 and sequence < $4 order by sequence desc limit $6)
    union all
    (select sequence, position from lot_event
     where sale_id = $1 and lot_id = $3 and sequence < $4 order by sequence desc limit $6)
) as found join log_event on shard = $5 and log_event.position = found.position
order by sequence desc limit $6
"""

_COPIED = (
    "paddle",
    "leader",
    "price_minor",
    "next_minimum_minor",
    "bid_count",
    "reserve",
    "closes_at_us",
    "extensions",
    "final",
    "reason",
)


class Histories:
    """Reads histories of lots."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_lot(
        self, sale_id: SaleId, lot_id: LotId, paging: Paging, who: Onlooker
    ) -> Listing[HistoryEntry] | None:
        """One page of what happened; ``None``: no such lot. Raises `Problem` 422.

        A page may be shorter than its limit though more follow: what moved other lots of the sale
        only is left out of it.
        """
        after = key_of_cursor(paging.cursor, HistoryKey)
        before = 2**63 - 1 if after is None else after.sequence
        async with acquire(self._pool) as connection:
            if await lot_in_sight(connection, sale_id, lot_id, who) is None:
                return None
            rows = await _events(connection, sale_id, lot_id, before, paging.limit + 1)
        shown = rows[: paging.limit]
        more = len(rows) > paging.limit
        return Listing(
            items=[entry for row in shown for entry in _entries(row, lot_id)],
            next_cursor=cursor_of(HistoryKey(shown[-1]["sequence"])) if more else None,
        )


async def _events(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId, before: int, limit: int
) -> list[asyncpg.Record]:
    place = (sale_id, lot_id, WHOLE_SALE)
    return await connection.fetch(_EVENTS, *place, before, shard_of(sale_id), limit)


def _entries(row: asyncpg.Record, lot_id: LotId) -> Iterable[HistoryEntry]:
    """The entry of an event, if it has to do with the lot."""
    recorded = decode_body(row["position"], row["body"])
    seen = view(recorded, PUBLIC)
    assert seen is not None, "the places of public events are kept"
    event = recorded.event
    if isinstance(event, EndsMoved | LotsRescheduled):
        moved_lots = event.ends if isinstance(event, EndsMoved) else event.lots
        ends = [moved.closes_at_us for moved in moved_lots if moved.lot_id == lot_id]
        if ends:
            yield _entry(recorded, seen | {"closes_at_us": ends[0]})
        return
    yield _entry(recorded, _in_other_words(seen))


def _in_other_words(seen: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of some events under the names that an entry has for them."""
    renamed = {"cause": "reason", "hammer_price_minor": "price_minor", "until_us": "closes_at_us"}
    return {renamed.get(name, name): value for name, value in seen.items()}


def _entry(recorded: Recorded, seen: Mapping[str, Any]) -> HistoryEntry:
    assert recorded.sequence is not None and recorded.hash is not None, "a public event"
    fields = {name: seen[name] for name in _COPIED if name in seen}
    return HistoryEntry(
        sequence=recorded.sequence,
        at_us=recorded.at_us,
        type=recorded.event.TYPE,
        hash=recorded.hash.hex(),
        **fields,
    )
