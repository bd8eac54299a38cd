"""Photos of what happened to goods: at the dock, at the buyer's door, in a claim.

They are taken in as the catalogue's are: decoded in a child process, turned upright, made anew from
their pixels without a word of where and by whom they were taken, and kept once under their digest.
What is shown here is never removed: it may be evidence.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.catalog.photo_worker import PhotoFile
from auction.catalog.photos import (
    PhotoWorker,
    StoredFile,
    TooManyPhotos,
    file_columns,
    keep_pictures,
)
from foundation.database import AnyConnection

# All sides of a truckload, or what is wrong with the lines of a claim.
MAX_PHOTOS: Final = 40
# In one go: each waits for its turn in the child, and the request for all of them.
MAX_AT_ONCE: Final = 10
MAX_ALT: Final = 200

Picture = Sequence[PhotoFile]


class Shows(StrEnum):
    """What photos are of; their subject is a pickup's, an award's or a claim's id."""

    PICKUP = "PICKUP"
    DELIVERY = "DELIVERY"
    CLAIM = "CLAIM"


class Photo(Struct, frozen=True, kw_only=True):
    """A photo with its files, smallest first."""

    number: int
    alt: str
    added_at_us: int
    added_by: str
    files: tuple[StoredFile, ...]

    def file(self, size: str, media_type: str = "image/webp") -> StoredFile:
        """The file of this size and type."""
        return next(f for f in self.files if (f.size, f.media_type) == (size, media_type))


_ADD: Final = """
insert into evidence_photo (kind, subject, number, alt, added_at_us, added_by)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5 from evidence_photo
where kind = $1 and subject = $2 returning number
"""
_ADD_FILES: Final = """
insert into evidence_photo_file (kind, subject, number, size, media_type, width, height, sha256)
select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::int[], $7::int[], $8::bytea[])
"""
_HAS: Final = """
select exists (select from evidence_photo_file
    where kind = $1 and subject = $2 and sha256 = any($3::bytea[]))
"""
_READ: Final = """
select p.subject, p.number, alt, added_at_us, added_by, size, media_type, width, height, sha256
from evidence_photo p join evidence_photo_file f using (kind, subject, number)
where kind = $1 and p.subject = any($2)
order by p.subject, p.number, width, media_type, size desc
"""
_FILE: Final = """
select media_type, bytes from evidence_photo_file join picture using (sha256)
where kind = $1 and subject = $2 and sha256 = $3 limit 1
"""


async def resized(worker: PhotoWorker, uploads: Sequence[bytes]) -> list[Picture]:
    """All files of these pictures. Raises `photos.BadPhoto` and `photos.TooManyPhotos`."""
    if len(uploads) > MAX_AT_ONCE:
        raise TooManyPhotos(f"at most {MAX_AT_ONCE} photos at once")
    return [await worker.resize(upload) for upload in uploads]


async def add_photos(
    connection: AnyConnection,
    shows: Shows,
    subject: str,
    pictures: Sequence[Picture],
    alt: str,
    by: str,
    now_us: int,
) -> None:
    """More photos of a subject that the caller holds; one that it has already is passed over, as
    it comes again when an answer was lost. Raises `TooManyPhotos`."""
    for files in pictures:
        digests = await keep_pictures(connection, files)
        if await connection.fetchval(_HAS, shows, subject, list(digests)):
            continue
        number = await connection.fetchval(_ADD, shows, subject, alt, now_us, by)
        if number > MAX_PHOTOS:
            raise TooManyPhotos(f"there can be at most {MAX_PHOTOS} photos")
        await connection.execute(_ADD_FILES, shows, subject, number, *file_columns(files, digests))


async def photos_of(
    connection: AnyConnection, shows: Shows, subjects: Sequence[str]
) -> Mapping[str, list[Photo]]:
    """The photos of these subjects in their order; one without any has an empty list."""
    photos: dict[str, list[Photo]] = {subject: [] for subject in subjects}
    files: dict[tuple[str, int], list[StoredFile]] = {}
    rows = await connection.fetch(_READ, shows, list(subjects))
    for row in rows:
        stored = StoredFile(**{name: row[name] for name in StoredFile.__struct_fields__})
        files.setdefault((row["subject"], row["number"]), []).append(stored)
    said = ("number", "alt", "added_at_us", "added_by")
    seen: set[tuple[str, int]] = set()
    for row in rows:
        key = (row["subject"], row["number"])
        if key not in seen:
            seen.add(key)
            facts = {name: row[name] for name in said}
            photos[row["subject"]].append(Photo(**facts, files=tuple(files[key])))
    return photos


async def read_photo_file(
    connection: AnyConnection, shows: Shows, subject: str, digest: bytes
) -> tuple[str, bytes] | None:
    """Media type and bytes of a file with this SHA-256, if a photo of the subject has it."""
    row = await connection.fetchrow(_FILE, shows, subject, digest)
    return None if row is None else (row["media_type"], row["bytes"])
