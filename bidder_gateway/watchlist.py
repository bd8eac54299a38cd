"""Watched lots: what a person asked for, and what they have bid on unless they said no.

What a person said about a lot counts, whatever happened since: who takes a lot off the list and
bids on it again is not told that they watch it again.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from auction.ids import LotId, PersonId, SaleId
from bidder_gateway.listed import LotSummary
from bidder_gateway.lots import Lot, lot_in_sight, summaries
from bidder_gateway.my_bids import RANK
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.sight import SALES, Onlooker, in_sight
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, cursor_of, key_of_cursor

# Lots that one person said something about; the oldest of them have long ended.
MAX_SAID: Final = 5_000


class WatchedLot(Struct, frozen=True, kw_only=True):
    """A watched lot. ``asked``: the person put it on the list; else they have bid on it."""

    lot: LotSummary
    asked: bool


class WatchKey(Struct, frozen=True):
    """The place of a lot on the list."""

    rank: int
    sale_id: SaleId
    lot_id: LotId


# Everything that somebody watches, and whether it was asked for.
_WATCHED = """
select person_id, sale_id, lot_id, true as asked from watched_lot where watched
union all
select person_id, sale_id, lot_id, false as asked from person_lot
where not exists (
    select from watched_lot where watched_lot.person_id = person_lot.person_id
        and watched_lot.sale_id = person_lot.sale_id and watched_lot.lot_id = person_lot.lot_id
)
"""

_PAGE = f"""
select * from (
    select watched.sale_id, watched.lot_id, asked, {RANK} as rank
    from ({_WATCHED}) as watched
    join lot_board using (sale_id, lot_id)
    where person_id = $1 and exists (
        select from {SALES} where {in_sight("$6")} and sale_id = watched.sale_id
    )
) as listed
where ($2::bigint is null or (rank, sale_id, lot_id) > ($2, $3, $4))
order by rank, sale_id, lot_id limit $5
"""  # noqa: S608 - named above

_AMONG = f"""
select lot_id from ({_WATCHED}) as watched
where person_id = $1 and sale_id = $2 and ($3::text is null or lot_id = $3)
"""  # noqa: S608

_WATCHERS = f"""
select person_id from ({_WATCHED}) as watched where sale_id = $1 and lot_id = $2
order by person_id
"""  # noqa: S608

_SAY = """
insert into watched_lot (person_id, sale_id, lot_id, watched, at_us) values ($1, $2, $3, $4, $5)
on conflict (person_id, sale_id, lot_id) do update set
    watched = excluded.watched, at_us = excluded.at_us
"""

_COUNT = "select count(*) from watched_lot where person_id = $1"


class Watchlist:
    """One person's list."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def of(self, person_id: PersonId, paging: Paging, who: Onlooker) -> Listing[WatchedLot]:
        """One page of the list: what can still be sold first, by its end. Raises `Problem` 422."""
        after = key_of_cursor(paging.cursor, WatchKey)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _PAGE,
                person_id,
                None if after is None else after.rank,
                "" if after is None else after.sale_id,
                "" if after is None else after.lot_id,
                paging.limit + 1,
                who,
            )
            shown = rows[: paging.limit]
            keys: list[Lot] = [(row["sale_id"], row["lot_id"]) for row in shown]
            lots = await summaries(connection, keys)
        next_cursor = None
        if len(rows) > paging.limit:
            last = shown[-1]
            next_cursor = cursor_of(WatchKey(last["rank"], last["sale_id"], last["lot_id"]))
        items = [
            WatchedLot(lot=lots[key], asked=row["asked"])
            for row, key in zip(shown, keys, strict=True)
            if key in lots
        ]
        return Listing(items=items, next_cursor=next_cursor)

    async def watched_among(self, person_id: PersonId, sale_id: SaleId) -> frozenset[LotId]:
        """The lots of a sale that this person watches: for marking a list."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_AMONG, person_id, sale_id, None)
        return frozenset(row["lot_id"] for row in rows)

    async def watches(self, person_id: PersonId, sale_id: SaleId, lot_id: LotId) -> bool:
        """Whether this person watches the lot."""
        async with acquire(self._pool) as connection:
            return bool(await connection.fetch(_AMONG, person_id, sale_id, lot_id))

    async def say(
        self,
        person_id: PersonId,
        sale_id: SaleId,
        lot_id: LotId,
        who: Onlooker,
        *,
        watched: bool,
    ) -> None:
        """The person watches the lot from now on, or no more.

        Raises `Refused`: NOT_FOUND, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            if await lot_in_sight(connection, sale_id, lot_id, who) is None:
                raise Refused(Refusal.NOT_FOUND)
            if watched and await connection.fetchval(_COUNT, person_id) >= MAX_SAID:
                raise Refused(Refusal.TOO_MANY)
            await connection.execute(_SAY, person_id, sale_id, lot_id, watched, self._now_us())


async def watchers_of(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId
) -> Sequence[PersonId]:
    """Everybody who watches the lot: for notices."""
    rows = await connection.fetch(_WATCHERS, sale_id, lot_id)
    return [row["person_id"] for row in rows]
