"""Groups of buyers, for sales that not everybody may enter.

Whether a name is that of an approved reseller is asked when it registers for a sale; a group may
hold more than there are.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.desk.refusals import Refusal, Refused
from auction.ids import BidderId, LiquidatorId
from auction.terms import STORABLE
from foundation.database import AnyConnection

MAX_GROUPS: Final = 100
MAX_MEMBERS: Final = 5_000

GroupName = Annotated[str, Meta(min_length=1, max_length=60, pattern=STORABLE)]


class BuyerGroup(Struct, frozen=True, kw_only=True):
    """A group with its members, by id."""

    name: str
    members: tuple[BidderId, ...]


_READ: Final = """
select g.name, coalesce(array_agg(m.bidder_id order by m.bidder_id)
    filter (where m.bidder_id is not null), '{}') as members
from buyer_group g left join buyer_group_member m using (liquidator_id, name)
where g.liquidator_id = $1 group by g.name order by g.name
"""


async def groups_of(connection: AnyConnection, liquidator_id: LiquidatorId) -> list[BuyerGroup]:
    """All groups of a liquidator, by name."""
    rows = await connection.fetch(_READ, liquidator_id)
    return [BuyerGroup(name=row["name"], members=tuple(row["members"])) for row in rows]


async def save_group(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    name: str,
    members: Sequence[BidderId],
    now_us: int,
) -> None:
    """A group with these members, in place of what it had; in a transaction. `Refused` TOO_MANY."""
    count = await connection.fetchval(
        "select count(*) from buyer_group where liquidator_id = $1 and name <> $2",
        liquidator_id,
        name,
    )
    if count >= MAX_GROUPS or len(members) > MAX_MEMBERS:
        raise Refused(Refusal.TOO_MANY)
    await connection.execute(
        "insert into buyer_group values ($1, $2, $3)"
        " on conflict (liquidator_id, name) do update set changed_at_us = excluded.changed_at_us",
        liquidator_id,
        name,
        now_us,
    )
    await connection.execute(
        "delete from buyer_group_member where liquidator_id = $1 and name = $2",
        liquidator_id,
        name,
    )
    await connection.execute(
        "insert into buyer_group_member select distinct $1, $2, unnest($3::text[])",
        liquidator_id,
        name,
        list(members),
    )


async def remove_group(connection: AnyConnection, liquidator_id: LiquidatorId, name: str) -> None:
    """The group is no more; who was admitted to a sale by it stays. Raises `Refused` NOT_FOUND."""
    status = await connection.execute(
        "delete from buyer_group where liquidator_id = $1 and name = $2", liquidator_id, name
    )
    if status == "DELETE 0":
        raise Refused(Refusal.NOT_FOUND)


async def members_of(
    connection: AnyConnection, liquidator_id: LiquidatorId, names: Sequence[str]
) -> list[BidderId]:
    """Who is in any of these groups, each once, by id."""
    rows = await connection.fetch(
        "select distinct bidder_id from buyer_group_member"
        " where liquidator_id = $1 and name = any($2) order by bidder_id",
        liquidator_id,
        list(names),
    )
    return [BidderId(row["bidder_id"]) for row in rows]
