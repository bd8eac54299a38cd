"""Photos of drafts: rows that show pictures, which are kept once under their digest.

A photo is known by its number, which is never given to another one of the draft; what it is called
in the catalogue follows from its place when it is published. The last ones that were removed stay
for a while, so that they can be brought back.

Functions take a connection and make no transaction of their own.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from auction.catalog.photo_worker import PhotoFile
from auction.catalog.photos import MAX_PHOTOS, StoredFile, file_columns, keep_pictures
from auction.desk.refusals import Refusal, Refused
from auction.ids import ActorId, LiquidatorId, SaleId
from auction.terms import STORABLE
from foundation.database import AnyConnection

# Removed ones that can be brought back: more than anybody removes by mistake in one go.
MAX_REMOVED: Final = 20
MAX_ALT: Final = 300

# Empty: called by the lot's title.
DraftAlt = Annotated[str, Meta(max_length=MAX_ALT, pattern=STORABLE)]


class DraftPhoto(Struct, frozen=True, kw_only=True):
    """A photo of a draft, its files smallest first. ``added_later``: to a published lot."""

    number: int
    alt: str
    added_later: bool
    added_at_us: int
    files: tuple[StoredFile, ...]

    def file(self, size: str, media_type: str = "image/webp") -> StoredFile:
        """The file of this size and type."""
        return next(f for f in self.files if (f.size, f.media_type) == (size, media_type))


class DraftPhotos(Struct, frozen=True):
    """The photos of a draft in their order; ``version`` rises with every change of them."""

    version: int
    items: Sequence[DraftPhoto]


_READ: Final = """
select p.draft_id, p.number, alt, added_later, added_at_us, size, media_type, width, height, sha256
from lot_draft_photo p join lot_draft_photo_file f using (draft_id, number)
where p.draft_id = any($1) and removed_at_us is null
order by p.draft_id, place, p.number, width, media_type, size desc
"""

# The first of each, in the size of a tile.
_FIRST: Final = """
select distinct on (draft_id) draft_id, p.number, alt, added_later, added_at_us, size, media_type,
    width, height, sha256
from lot_draft_photo p join lot_draft_photo_file f using (draft_id, number)
join lot_draft l using (draft_id)
where draft_id = any($1) and liquidator_id = $2 and p.removed_at_us is null
and size = 'tile' and media_type = 'image/webp'
order by draft_id, p.place, p.number
"""

_TOUCH: Final = """
update lot_draft set photos_version = photos_version + 1, changed_at_us = $2, changed_by = $3
where draft_id = $1 returning photos_version - 1
"""

_ADD: Final = """
insert into lot_draft_photo (draft_id, number, place, alt, added_later, added_at_us)
select $1, $2, coalesce(max(place), 0) + 1, $3, $4, $5 from lot_draft_photo
where draft_id = $1 and removed_at_us is null
"""

_ADD_FILES: Final = """
insert into lot_draft_photo_file (draft_id, number, size, media_type, width, height, sha256)
select $1, $2, * from unnest($3::text[], $4::text[], $5::int[], $6::int[], $7::bytea[])
"""

_PUT_IN_ORDER: Final = """
update lot_draft_photo p set place = n.place
from unnest($2::integer[]) with ordinality as n (number, place)
where p.draft_id = $1 and p.number = n.number and p.place <> n.place
"""

_REMOVE: Final = """
update lot_draft_photo set removed_at_us = $3
where draft_id = $1 and number = $2 and removed_at_us is null
"""

_BRING_BACK: Final = """
update lot_draft_photo set removed_at_us = null
where draft_id = $1 and number = $2 and removed_at_us is not null returning place
"""

_FORGET: Final = """
delete from lot_draft_photo_file where (draft_id, number) in (
    select draft_id, number from lot_draft_photo where draft_id = $1 and removed_at_us is not null
    order by removed_at_us desc, number desc offset $2
) returning number, sha256
"""

_FORGET_PICTURES: Final = """
delete from picture p where sha256 = any($1)
and not exists (select from lot_draft_photo_file f where f.sha256 = p.sha256)
and not exists (select from lot_photo_file f where f.sha256 = p.sha256)
"""

_COPY: Final = """
with source as (
    select draft_id, number, alt,
        row_number() over (order by array_position($1::text[], draft_id), place, number)::int as nth
    from lot_draft_photo where draft_id = any($1) and removed_at_us is null
), copied as (
    insert into lot_draft_photo (draft_id, number, place, alt, added_later, added_at_us)
    select $2, nth, nth, alt, false, $3::bigint from source where nth <= $4
), files as (
    insert into lot_draft_photo_file (draft_id, number, size, media_type, width, height, sha256)
    select $2, nth, size, media_type, width, height, sha256
    from source join lot_draft_photo_file using (draft_id, number) where nth <= $4
)
update lot_draft set photos_version = 1 + least((select count(*) from source), $4)
where draft_id = $2
"""

_PUBLISH: Final = f"""
with source as (
    select l.sale_id, l.number as lot_id, p.draft_id, p.number, alt, l.draft->>'title' as title,
        row_number() over (partition by p.draft_id order by p.place, p.number)::int as nth
    from lot_draft l join lot_draft_photo p using (draft_id)
    where l.sale_id = $1 and l.removed_at_us is null and p.removed_at_us is null
), listed as (
    insert into lot_photo (sale_id, lot_id, number, alt)
    select sale_id, lot_id, nth, case alt when '' then
        left(title, {MAX_ALT} - 20) || ', photo ' || nth else alt end from source
)
insert into lot_photo_file (sale_id, lot_id, number, size, media_type, width, height, sha256)
select sale_id, lot_id, nth, size, media_type, width, height, sha256
from source join lot_draft_photo_file using (draft_id, number)
"""  # noqa: S608 - a number of ours

_COUNTS: Final = """
select l.draft_id, count(*)::int from lot_draft l join lot_draft_photo p using (draft_id)
where l.sale_id = $1 and l.removed_at_us is null and p.removed_at_us is null group by l.draft_id
"""

_FILE: Final = """
select media_type, bytes from lot_draft_photo_file join picture using (sha256)
where draft_id = $1 and sha256 = $2 limit 1
"""


async def read_photos(connection: AnyConnection, draft_id: str) -> DraftPhotos:
    """The photos of a draft; whose it is, the caller has asked."""
    version = await connection.fetchval(
        "select photos_version from lot_draft where draft_id = $1", draft_id
    )
    found: dict[int, list[asyncpg.Record]] = {}
    for row in await connection.fetch(_READ, [draft_id]):
        found.setdefault(row["number"], []).append(row)
    return DraftPhotos(version, [_photo_of(rows) for rows in found.values()])


async def first_photos(
    connection: AnyConnection, liquidator_id: LiquidatorId, draft_ids: Sequence[str]
) -> Mapping[str, DraftPhoto]:
    """The first photo of each of a liquidator's drafts that has one, with its tile only."""
    rows = await connection.fetch(_FIRST, list(draft_ids), liquidator_id)
    return {row["draft_id"]: _photo_of([row]) for row in rows}


async def photo_counts(connection: AnyConnection, sale_id: SaleId) -> Mapping[str, int]:
    """How many photos each draft of a sale has; one without any is missing."""
    return {row[0]: row[1] for row in await connection.fetch(_COUNTS, sale_id)}


async def touch_photos(
    connection: AnyConnection, draft_id: str, actor_id: ActorId, now_us: int
) -> int:
    """The next version of a locked draft's photos; the number of a photo that is new with it."""
    number: int = await connection.fetchval(_TOUCH, draft_id, now_us, actor_id)
    return number


async def add_draft_photo(
    connection: AnyConnection,
    draft_id: str,
    alt: str,
    files: Sequence[PhotoFile],
    actor_id: ActorId,
    now_us: int,
    *,
    later: bool = False,
) -> int:
    """One more photo of a locked draft that has room for it, behind the others; its number."""
    digests = await keep_pictures(connection, files)
    number = await touch_photos(connection, draft_id, actor_id, now_us)
    await connection.execute(_ADD, draft_id, number, alt, later, now_us)
    await connection.execute(_ADD_FILES, draft_id, number, *file_columns(files, digests))
    return number


async def must_have_room(connection: AnyConnection, draft_id: str, more: int = 1) -> None:
    """Raises `Refused` TOO_MANY for a draft that would have more photos than a lot may."""
    count = await connection.fetchval(
        "select count(*) from lot_draft_photo where draft_id = $1 and removed_at_us is null",
        draft_id,
    )
    if count + more > MAX_PHOTOS:
        raise Refused(Refusal.TOO_MANY, detail=f"A lot has at most {MAX_PHOTOS} photos.")


async def describe_photo(connection: AnyConnection, draft_id: str, number: int, alt: str) -> None:
    """Other words for a photo of a locked draft. Raises `Refused` NOT_FOUND."""
    status = await connection.execute(
        "update lot_draft_photo set alt = $3"
        " where draft_id = $1 and number = $2 and removed_at_us is null",
        *(draft_id, number, alt),
    )
    if status == "UPDATE 0":
        raise Refused(Refusal.NOT_FOUND)


async def put_photos_in_order(
    connection: AnyConnection, photos: DraftPhotos, draft_id: str, numbers: Sequence[int]
) -> None:
    """All photos of a locked draft, in this order. Raises `Refused` CHANGED_MEANWHILE."""
    if sorted(numbers) != sorted(photo.number for photo in photos.items):
        raise Refused(Refusal.CHANGED_MEANWHILE)
    await connection.execute(_PUT_IN_ORDER, draft_id, list(numbers))


async def remove_photo(connection: AnyConnection, draft_id: str, number: int, now_us: int) -> None:
    """Take a photo away from a locked draft; the oldest of those removed are forgotten for good.

    Raises `Refused` NOT_FOUND.
    """
    if await connection.execute(_REMOVE, draft_id, number, now_us) == "UPDATE 0":
        raise Refused(Refusal.NOT_FOUND)
    forgotten = await connection.fetch(_FORGET, draft_id, MAX_REMOVED)
    if forgotten:
        numbers = [row["number"] for row in forgotten]
        await connection.execute(
            "delete from lot_draft_photo where draft_id = $1 and number = any($2)",
            *(draft_id, numbers),
        )
        # Somebody shows one of them again just now: they are kept, all of them.
        with suppress(asyncpg.ForeignKeyViolationError):
            async with connection.transaction():
                digests = [row["sha256"] for row in forgotten]
                await connection.execute(_FORGET_PICTURES, digests)


async def bring_photo_back(connection: AnyConnection, draft_id: str, number: int) -> None:
    """A removed photo of a locked draft is where it was. Raises `Refused` NOT_FOUND, TOO_MANY."""
    others = [photo.number for photo in (await read_photos(connection, draft_id)).items]
    place = await connection.fetchval(_BRING_BACK, draft_id, number)
    if place is None:
        raise Refused(Refusal.NOT_FOUND)
    await must_have_room(connection, draft_id, more=0)
    others.insert(place - 1, number)
    await connection.execute(_PUT_IN_ORDER, draft_id, others)


async def copy_photos(
    connection: AnyConnection, from_ids: Sequence[str], to_id: str, now_us: int
) -> None:
    """The photos of these drafts for a new one, in this order, as many as a lot may have."""
    await connection.execute(_COPY, list(from_ids), to_id, now_us, MAX_PHOTOS)


async def publish_photos(connection: AnyConnection, sale_id: SaleId) -> None:
    """The photos of all drafts of a sale, for its lots in the catalogue, which have none yet."""
    await connection.execute(_PUBLISH, sale_id)


async def read_draft_file(
    connection: AnyConnection, draft_id: str, digest: bytes
) -> tuple[str, bytes] | None:
    """Media type and bytes of a file with this SHA-256, if a photo of the draft has it."""
    row = await connection.fetchrow(_FILE, draft_id, digest)
    return None if row is None else (row["media_type"], row["bytes"])


def _photo_of(rows: Sequence[asyncpg.Record]) -> DraftPhoto:
    said = ("number", "alt", "added_later", "added_at_us")
    files = [
        StoredFile(**{name: row[name] for name in StoredFile.__struct_fields__}) for row in rows
    ]
    return DraftPhoto(**{name: rows[0][name] for name in said}, files=tuple(files))
