"""Searches over lots that a person has saved, and is told of new lots by if they want to be.

A search is kept as it was asked (`LotWishes`), so that it may be shown in its form again. New is a
lot that was scheduled after what the person was told of last.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from accounts.ids import new_id
from auction.catalog import listings
from auction.catalog.listings import LotOrder
from auction.ids import LotId, PersonId, SaleId
from auction.money import Minor
from auction.terms import STORABLE
from bidder_gateway.lots import (
    Conditions,
    Kinds,
    Lot,
    LotsQuery,
    SearchText,
    SearchWords,
)
from bidder_gateway.refusals import Refusal, Refused
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.reading import Input

MAX_SEARCHES: Final = 50  # of one person
# Lots that one alert tells of; a sale of a thousand that fit is told of by its first ones.
MAX_TOLD: Final = 20
# A lot is told of when it has been scheduled for so long: until then the tables may not have it,
# though they have later ones of other sales.
SETTLED_AFTER_US: Final = 60_000_000


class LotWishes(Input):
    """What is searched for: the parameters of a search over lots, without page and order."""

    q: SearchText | None = None
    category: SearchWords = ()
    condition: Conditions = ()
    kind: Kinds = ()
    region: SearchWords = ()
    seller: SearchWords = ()
    max_price_minor: Minor | None = None
    min_msrp_minor: Minor | None = None

    def query(self) -> LotsQuery:
        """The search over lots that can still be sold, the next to end first."""
        values = msgspec.structs.asdict(self)
        return LotsQuery(**values, open=True, order=LotOrder.ENDING)


class SearchAsked(Input):
    """A search to be saved. ``alert``: tell me of new lots that it finds."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=STORABLE)]
    wishes: LotWishes
    alert: bool = False


class SavedSearch(Struct, frozen=True, kw_only=True):
    """A saved search."""

    search_id: str
    name: str
    wishes: LotWishes
    alert: bool
    created_at_us: int


class SavedSearches(Struct, frozen=True):
    """A person's searches, in the order in which they were saved."""

    items: Sequence[SavedSearch]


class Alert(Struct, frozen=True, kw_only=True):
    """New lots that a search has found, at most `MAX_TOLD` of them."""

    search_id: str
    person_id: PersonId
    name: str
    lots: Sequence[Lot]


_READ = """
select search_id, name, query::text as query, alert, created_at_us from saved_search
where person_id = $1 order by created_at_us, search_id
"""

_SAVE = """
insert into saved_search (search_id, person_id, name, query, alert, created_at_us, alerted_until_us)
values ($1, $2, $3, $4::jsonb, $5, $6, $6)
"""

# What a search finds from now on is new, for one that is asked anew.
_CHANGE = """
update saved_search set name = $3, query = $4::jsonb, alert = $5, alerted_until_us = $6
where search_id = $1 and person_id = $2 returning true
"""

_REMOVE = "delete from saved_search where search_id = $1 and person_id = $2 returning true"

_COUNT = "select count(*) from saved_search where person_id = $1"

_WITH_ALERT = """
select search_id, person_id, name, query::text as query, alerted_until_us from saved_search
where alert and search_id > $1 and alerted_until_us < $2 order by search_id limit $3
"""

_NEW_AMONG = """
select sale_id, lot_id from unnest($1::text[], $2::text[]) as found (sale_id, lot_id)
join lot_rules using (sale_id, lot_id) where scheduled_at_us > $3 and scheduled_at_us <= $4
"""

_TOLD = "update saved_search set alerted_until_us = $2 where search_id = $1"


class Searches:
    """A person's saved searches."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def of(self, person_id: PersonId) -> SavedSearches:
        """All of them."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_READ, person_id)
        return SavedSearches([_saved(row) for row in rows])

    async def one(self, person_id: PersonId, search_id: str) -> SavedSearch | None:
        """One of them; ``None``: this person has no such search."""
        found = (await self.of(person_id)).items
        return next((search for search in found if search.search_id == search_id), None)

    async def save(self, person_id: PersonId, asked: SearchAsked) -> SavedSearch:
        """A new one. Raises `Refused` TOO_MANY."""
        search_id, now_us = new_id("search"), self._now_us()
        async with transaction(self._pool) as connection:
            if await connection.fetchval(_COUNT, person_id) >= MAX_SEARCHES:
                raise Refused(Refusal.TOO_MANY)
            query = msgspec.json.encode(asked.wishes).decode()
            values = (person_id, asked.name, query, asked.alert, now_us)
            await connection.execute(_SAVE, search_id, *values)
        return SavedSearch(
            search_id=search_id,
            name=asked.name,
            wishes=asked.wishes,
            alert=asked.alert,
            created_at_us=now_us,
        )

    async def change(self, person_id: PersonId, search_id: str, asked: SearchAsked) -> SavedSearch:
        """Another name, another search. Raises `Refused` NOT_FOUND."""
        query = msgspec.json.encode(asked.wishes).decode()
        async with acquire(self._pool) as connection:
            values = (asked.name, query, asked.alert, self._now_us())
            if not await connection.fetchval(_CHANGE, search_id, person_id, *values):
                raise Refused(Refusal.NOT_FOUND)
        changed = await self.one(person_id, search_id)
        if changed is None:
            raise Refused(Refusal.NOT_FOUND)
        return changed

    async def remove(self, person_id: PersonId, search_id: str) -> None:
        """No longer. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            if not await connection.fetchval(_REMOVE, search_id, person_id):
                raise Refused(Refusal.NOT_FOUND)


async def next_alerts(
    connection: AnyConnection, after_search_id: str, limit: int, now_us: int
) -> tuple[Sequence[Alert], str | None]:
    """What some searches with an alert have found since, and the last search that was looked at.

    In the caller's transaction, which also writes down what it tells of: so each lot is told of
    once. Begin with ``""``; ``None``: there are no more searches.
    """
    until_us = now_us - SETTLED_AFTER_US
    rows = await connection.fetch(_WITH_ALERT, after_search_id, until_us, limit)
    alerts = []
    for row in rows:
        lots = await _new_lots(connection, row, until_us)
        await connection.execute(_TOLD, row["search_id"], until_us)
        if lots:
            alerts.append(
                Alert(
                    search_id=row["search_id"],
                    person_id=row["person_id"],
                    name=row["name"],
                    lots=lots[:MAX_TOLD],
                )
            )
    return alerts, rows[-1]["search_id"] if rows else None


async def _new_lots(connection: AnyConnection, row: asyncpg.Record, until_us: int) -> Sequence[Lot]:
    query = msgspec.json.decode(row["query"], type=LotWishes).query()
    found = await listings.find_lots(connection, query.filter(), query.order, None, 1_000)
    sale_ids: list[SaleId] = [entry.sale_id for entry in found]
    lot_ids: list[LotId] = [entry.lot_id for entry in found]
    times_us = (row["alerted_until_us"], until_us)
    new = await connection.fetch(_NEW_AMONG, sale_ids, lot_ids, *times_us)
    return [(one["sale_id"], one["lot_id"]) for one in new]


def _saved(row: asyncpg.Record) -> SavedSearch:
    return SavedSearch(
        search_id=row["search_id"],
        name=row["name"],
        wishes=msgspec.json.decode(row["query"], type=LotWishes),
        alert=row["alert"],
        created_at_us=row["created_at_us"],
    )
