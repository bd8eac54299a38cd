"""Groups of buyers, for sales that not everybody may enter.

A group goes by its name in drafts of sales and in templates; when it is called something else,
they follow. Whether a member is an approved reseller is asked when it registers for a sale; a
group may hold more than there are. Another liquidator's group is answered as one that does not
exist: NOT_FOUND.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.ids import new_id
from auction.desk.owning import owner_by
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction

MAX_GROUPS: Final = 100
MAX_MEMBERS: Final = 5_000

GroupName = Annotated[str, Meta(min_length=1, max_length=60, pattern=STORABLE)]


class BuyerGroup(Struct, frozen=True, kw_only=True):
    """A group with its members, by id."""

    group_id: str
    liquidator_id: LiquidatorId
    name: str
    version: int
    members: tuple[BidderId, ...]


_READ: Final = """
select g.group_id, g.liquidator_id, g.name, g.version,
    coalesce(array_agg(m.bidder_id order by m.bidder_id)
        filter (where m.bidder_id is not null), '{}') as members
from buyer_group g left join buyer_group_member m using (liquidator_id, name)
where g.liquidator_id = $1 and g.removed_at_us is null and ($2::text is null or g.group_id = $2)
group by g.liquidator_id, g.name order by g.name
"""

# A removed group keeps its name until somebody wants it.
_FORGET: Final = """
delete from buyer_group where liquidator_id = $1 and name = $2 and removed_at_us is not null
"""

_ADD: Final = """
insert into buyer_group (liquidator_id, name, changed_at_us, group_id) values ($1, $2, $3, $4)
"""

_CHANGE: Final = """
update buyer_group set name = $2, changed_at_us = $3, version = version + 1 where group_id = $1
"""

_REMOVED: Final = """
update buyer_group set removed_at_us = $3::bigint, changed_at_us = $4, version = version + 1
where liquidator_id = $1 and group_id = $2 and (removed_at_us is null) = ($3::bigint is not null)
returning name
"""

_MEMBERS: Final = """
insert into buyer_group_member (liquidator_id, name, bidder_id)
select distinct $1, $2, unnest($3::text[])
"""

# Drafts of sales and templates say which groups they mean by name.
_FOLLOW: Final = tuple(
    f"""
update {table} set draft = jsonb_set(draft, '{{groups}}', (
        select jsonb_agg(case when one = to_jsonb($2::text) then to_jsonb($3::text) else one end)
        from jsonb_array_elements(draft -> 'groups') as one
    )), version = version + 1
where liquidator_id = $1 and draft -> 'groups' @> to_jsonb($2::text) and {condition}
"""  # noqa: S608 - both from below
    for table, condition in (("sale_draft", "state = 'DRAFT'"), ("sale_template", "true"))
)


class BuyerGroups:
    """A liquidator's groups. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def owner_of(self, group_id: str) -> LiquidatorId | None:
        """Whose it is, also of one that was removed; ``None``: there is none."""
        return await owner_by(
            self._pool, "select liquidator_id from buyer_group where group_id = $1", group_id
        )

    async def list(self, liquidator_id: LiquidatorId) -> Sequence[BuyerGroup]:
        """All of them, by name."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_READ, liquidator_id, None)
        return [_group_of(row) for row in rows]

    async def read(self, liquidator_id: LiquidatorId, group_id: str) -> BuyerGroup:
        """One of them. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await _read(connection, liquidator_id, group_id)

    async def add(self, seller: Seller, name: str, members: Sequence[BidderId]) -> BuyerGroup:
        """A new one. Raises `Refused` NAME_TAKEN, TOO_MANY."""
        _bounded(members)
        owner, group_id = seller.liquidator_id, new_id("group")
        async with transaction(self._pool) as connection:
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('buyer groups ' || $1, 0))", owner
            )
            count = await connection.fetchval(
                "select count(*) from buyer_group where liquidator_id = $1"
                " and removed_at_us is null",
                owner,
            )
            if count >= MAX_GROUPS:
                raise Refused(Refusal.TOO_MANY, detail=f"There are {count} groups already.")
            await connection.execute(_FORGET, owner, name)
            await _written(connection, _ADD, owner, name, self._now_us(), group_id)
            await connection.execute(_MEMBERS, owner, name, list(members))
            return await _read(connection, owner, group_id)

    async def change(
        self, seller: Seller, group_id: str, version: int, name: str, members: Sequence[BidderId]
    ) -> BuyerGroup:
        """Another name or other members; who was admitted to a sale by it stays there.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NAME_TAKEN, TOO_MANY.
        """
        _bounded(members)
        owner = seller.liquidator_id
        async with transaction(self._pool) as connection:
            before = await _locked(connection, seller, group_id, version)
            if name != before:
                await connection.execute(_FORGET, owner, name)
            await _written(connection, _CHANGE, group_id, name, self._now_us())
            for statement in _FOLLOW if name != before else ():
                await connection.execute(statement, owner, before, name)
            await connection.execute(
                "delete from buyer_group_member where liquidator_id = $1 and name = $2", owner, name
            )
            await connection.execute(_MEMBERS, owner, name, list(members))
            return await _read(connection, owner, group_id)

    async def remove(self, seller: Seller, group_id: str, version: int) -> None:
        """It is no more, until it is brought back; who was admitted to a sale by it stays.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE.
        """
        async with transaction(self._pool) as connection:
            await _locked(connection, seller, group_id, version)
            now_us = self._now_us()
            await connection.fetchval(_REMOVED, seller.liquidator_id, group_id, now_us, now_us)

    async def bring_back(self, seller: Seller, group_id: str) -> BuyerGroup:
        """Undo a removal. Raises `Refused` NOT_FOUND, also when its name was given anew."""
        async with transaction(self._pool) as connection:
            owner = seller.liquidator_id
            found = await connection.fetchval(_REMOVED, owner, group_id, None, self._now_us())
            if found is None:
                raise Refused(Refusal.NOT_FOUND)
            return await _read(connection, owner, group_id)


async def members_of(
    connection: AnyConnection, liquidator_id: LiquidatorId, names: Sequence[str]
) -> list[BidderId]:
    """Who is in any of these groups, each once, by id."""
    rows = await connection.fetch(
        "select distinct bidder_id from buyer_group_member m join buyer_group g"
        " using (liquidator_id, name) where g.removed_at_us is null"
        " and liquidator_id = $1 and name = any($2) order by bidder_id",
        liquidator_id,
        list(names),
    )
    return [BidderId(row["bidder_id"]) for row in rows]


def _bounded(members: Sequence[BidderId]) -> None:
    if len(members) > MAX_MEMBERS:
        raise Refused(Refusal.TOO_MANY, detail=f"A group has at most {MAX_MEMBERS:,} members.")


async def _written(connection: AnyConnection, statement: str, *values: object) -> None:
    try:
        await connection.execute(statement, *values)
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.NAME_TAKEN, field="name") from None


async def _locked(connection: AnyConnection, seller: Seller, group_id: str, version: int) -> str:
    """The name of a group that nobody else changes now. Raises NOT_FOUND, CHANGED_MEANWHILE."""
    row = await connection.fetchrow(
        "select name, version from buyer_group where liquidator_id = $1 and group_id = $2"
        " and removed_at_us is null for update",
        seller.liquidator_id,
        group_id,
    )
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    if row["version"] != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)
    name: str = row["name"]
    return name


async def _read(
    connection: AnyConnection, liquidator_id: LiquidatorId, group_id: str
) -> BuyerGroup:
    row = await connection.fetchrow(_READ, liquidator_id, group_id)
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return _group_of(row)


def _group_of(row: asyncpg.Record) -> BuyerGroup:
    return BuyerGroup(**(dict(row) | {"members": tuple(row["members"])}))
