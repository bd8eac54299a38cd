"""A person's notices, the newest first, and which of them were read."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from accounts.ids import PersonId
from bidder_gateway.notices.outbox import notice_of
from bidder_gateway.notices.views import NoticeView, view_of
from foundation.database import Pool, acquire
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.reading import Input

_NEWEST: Final = (2**62, "")

_LIST = """
select notice_id, person_id, bidder_id, kind, sale_id, lot_id, topic, at_us,
    facts::text as facts, read_at_us
from notice
where person_id = $1 and listed and (not $2 or read_at_us is null) and (at_us, notice_id) < ($3, $4)
order by at_us desc, notice_id desc limit $5
"""

_UNREAD = "select count(*) from notice where person_id = $1 and listed and read_at_us is null"

# Reading twice is reading once; the first time counts.
_READ_ONE = """
update notice set read_at_us = coalesce(read_at_us, $3)
where notice_id = $1 and person_id = $2 and listed returning true
"""

_READ_ALL = """
update notice set read_at_us = $3
where person_id = $1 and listed and read_at_us is null and at_us <= $2
"""


class NoticesQuery(Paging):
    """Which notices of one's own."""

    unread: Annotated[bool, Meta(description="Only those that were not read.")] = False


class NoticeKey(Struct, frozen=True):
    """The place of a notice in the list."""

    at_us: int
    notice_id: str


class Unread(Struct, frozen=True):
    """How many notices were not read."""

    unread: int


class ReadUpTo(Input):
    """All notices up to this one's ``at_us`` were read."""

    until_us: Annotated[int, Meta(ge=0, le=2**53)]


async def list_of(pool: Pool, person_id: PersonId, query: NoticesQuery) -> Listing[NoticeView]:
    """A page of the list. Raises `Problem` for a cursor that is none."""
    key = key_of_cursor(query.cursor, NoticeKey)
    place = _NEWEST if key is None else (key.at_us, key.notice_id)
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, person_id, query.unread, *place, query.limit + 1)
    return listing(
        rows,
        query.limit,
        lambda row: view_of(notice_of(row), read=row["read_at_us"] is not None),
        lambda row: NoticeKey(row["at_us"], row["notice_id"]),
    )


async def unread(pool: Pool, person_id: PersonId) -> int:
    """How many were not read."""
    async with acquire(pool) as connection:
        return int(await connection.fetchval(_UNREAD, person_id))


async def mark_read(pool: Pool, person_id: PersonId, notice_id: str, now_us: int) -> bool:
    """One was read; whether there is such a one."""
    async with acquire(pool) as connection:
        return bool(await connection.fetchval(_READ_ONE, notice_id, person_id, now_us))


async def mark_all_read(pool: Pool, person_id: PersonId, until_us: int, now_us: int) -> None:
    """All up to this time were read; what came meanwhile was not."""
    async with acquire(pool) as connection:
        await connection.execute(_READ_ALL, person_id, until_us, now_us)
