"""Photos of lots: taken in, re-encoded in a child process, kept, and found by their digest.

``PhotoWorker`` owns the child (``photo_worker``): one picture at a time, a bounded number waiting,
a time-out for each. A child that dies or hangs is replaced, and the picture that did it is refused;
nothing of it reaches our own memory but bytes. A photo is in the tables in six files: three sizes,
each as WebP and as JPEG for what cannot show that. The bytes of a file are kept once under their
digest (``picture``), whoever shows them: the catalogue's lots and the desk's drafts.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from auction.catalog.listings import AlreadyPublished, NotReady
from auction.catalog.photo_worker import LENGTH, MAX_UPLOAD_BYTES, Answer, PhotoFile, Refused
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection

# The largest picture takes two seconds of one core; ten times that is a hang.
PATIENCE_S: Final = 20.0
# Uploads that may wait, each of up to 20 MiB of our memory.
MAX_WAITING: Final = 8
# What the six files of one picture may come to.
MAX_ANSWER_BYTES: Final = 32 * 2**20
MAX_PHOTOS: Final = 40  # of a lot

_decode = msgspec.msgpack.Decoder(Answer).decode
_logger = structlog.get_logger(__name__)


class BadPhoto(ValueError):
    """The picture is not taken; the message says why to who uploaded it."""


class TooManyPhotos(Exception):
    """Too many wait to be resized, or the lot has as many as it may."""


class StoredFile(Struct, frozen=True, gc=False):
    """A file of a photo: the address is the digest in hexadecimal."""

    size: str
    media_type: str
    width: int
    height: int
    sha256: bytes


class StoredPhoto(Struct, frozen=True):
    """A photo of a lot, its files smallest first.

    ``added_at_us``: when it joined a lot that was published; ``None``: it was there before.
    """

    lot_id: LotId
    number: int
    alt: str
    added_at_us: int | None
    files: tuple[StoredFile, ...]

    def file(self, size: str, media_type: str = "image/webp") -> StoredFile:
        """The file of this size and type."""
        return next(f for f in self.files if (f.size, f.media_type) == (size, media_type))


class PhotoWorker:
    """Resizes pictures in a child process that it starts when it is first asked."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def resize(self, upload: bytes) -> list[PhotoFile]:
        """All files of a picture. Raises `BadPhoto`, and `TooManyPhotos` when too many wait."""
        if len(upload) > MAX_UPLOAD_BYTES:
            raise BadPhoto(f"this picture is larger than {MAX_UPLOAD_BYTES // 2**20} MiB")
        if self._waiting >= MAX_WAITING:
            raise TooManyPhotos("too many pictures wait to be resized; try again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                answer = await self._ask(upload)
        finally:
            self._waiting -= 1
        if isinstance(answer, Refused):
            raise BadPhoto(answer.message)
        return answer.files

    async def close(self) -> None:
        """End the child."""
        async with self._turn:
            await self._end_child()

    async def _ask(self, upload: bytes) -> Answer:
        answered = False
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._converse(upload)
            answered = True
        except (TimeoutError, asyncio.IncompleteReadError, OSError, msgspec.MsgspecError) as error:
            _logger.warning("photo_worker_failed", error=type(error).__name__, bytes=len(upload))
            return Refused("this picture could not be decoded")
        finally:
            # Also when the asking was cancelled: its answer must not be the next one's.
            if not answered:
                await self._end_child()
        return answer

    async def _converse(self, upload: bytes) -> Answer:
        child = self._child
        if child is None or child.returncode is not None:
            child = self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "auction.catalog.photo_worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={},  # no setting and no secret
            )
        assert child.stdin is not None and child.stdout is not None, "pipes were asked for"
        child.stdin.write(LENGTH.pack(len(upload)) + upload)
        await child.stdin.drain()
        (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
        if length > MAX_ANSWER_BYTES:
            raise msgspec.DecodeError("an answer longer than any picture")
        answer: Answer = _decode(await child.stdout.readexactly(length))
        return answer

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await asyncio.shield(child.wait())


# --- The tables ----------------------------------------------------------------------------------

# A picture that is there already is locked, so that nobody forgets it before it is shown again.
_KEEP = """
insert into picture (sha256, bytes) select * from unnest($1::bytea[], $2::bytea[])
on conflict (sha256) do update set bytes = picture.bytes
"""

_ADD = """
insert into lot_photo (sale_id, lot_id, number, alt, added_at_us)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4 from lot_photo
where sale_id = $1 and lot_id = $2
returning number
"""

_ADD_FILES = """
insert into lot_photo_file (sale_id, lot_id, number, size, media_type, width, height, sha256)
select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::int[], $7::int[], $8::bytea[])
"""

_READ = """
select lot_id, number, alt, added_at_us, size, media_type, width, height, sha256
from lot_photo join lot_photo_file using (sale_id, lot_id, number)
where sale_id = $1 and lot_id = any($2)
order by lot_id, number, width, media_type, size desc
"""

_FIND_FILE = """
select media_type, bytes
from lot_photo_file join picture using (sha256) join lot_listing using (sale_id, lot_id)
where sha256 = $1 and published_at_us is not null
limit 1
"""


async def keep_pictures(connection: AnyConnection, files: Sequence[PhotoFile]) -> list[bytes]:
    """The bytes of these files, to be shown by who adds them in this transaction; their digests."""
    digests = [sha256(file.data).digest() for file in files]
    # A small picture has the same bytes in several sizes. In one order, so that two do not wait
    # for each other.
    pictures = sorted(
        {digest: file.data for digest, file in zip(digests, files, strict=True)}.items()
    )
    await connection.execute(_KEEP, *map(list, zip(*pictures, strict=True)))
    return digests


def file_columns(files: Sequence[PhotoFile], digests: Sequence[bytes]) -> tuple[list[object], ...]:
    """Sizes, types, widths, heights and digests, for a statement that writes all files at once."""
    return (
        [file.size for file in files],
        [file.media_type for file in files],
        [file.width for file in files],
        [file.height for file in files],
        list(digests),
    )


async def add_photo(
    connection: AnyConnection,
    sale_id: SaleId,
    lot_id: LotId,
    alt: str,
    files: Sequence[PhotoFile],
    *,
    added_at_us: int | None = None,
) -> int:
    """One more photo of a lot; its number, from 1. ``added_at_us``: the lot is published already.

    To be called in a transaction. Raises `TooManyPhotos`, `NotReady`, `AlreadyPublished`.
    """
    known = await connection.fetchval(
        "select lot_id from lot_listing where sale_id = $1 and lot_id = $2 for update",
        sale_id,
        lot_id,
    )
    if known is None:
        raise NotReady(f"there is no lot {lot_id}")
    digests = await keep_pictures(connection, files)
    try:
        number: int = await connection.fetchval(_ADD, sale_id, lot_id, alt, added_at_us)
        if number > MAX_PHOTOS:
            raise TooManyPhotos(f"a lot has at most {MAX_PHOTOS} photos")
        columns = file_columns(files, digests)
        await connection.execute(_ADD_FILES, sale_id, lot_id, number, *columns)
    except asyncpg.RestrictViolationError as error:
        raise AlreadyPublished(str(error)) from None
    return number


async def photos_of(
    connection: AnyConnection, sale_id: SaleId, lot_ids: Sequence[LotId]
) -> dict[LotId, list[StoredPhoto]]:
    """The photos of these lots, in their order; a lot without photos is missing."""
    rows = await connection.fetch(_READ, sale_id, list(lot_ids))
    files: dict[tuple[LotId, int, str, int | None], list[StoredFile]] = {}
    for lot_id, number, alt, added_at_us, *file in rows:
        photo = (lot_id, number, alt, added_at_us)
        files.setdefault(photo, []).append(StoredFile(*file))
    photos: dict[LotId, list[StoredPhoto]] = {}
    for photo, stored in files.items():
        photos.setdefault(photo[0], []).append(StoredPhoto(*photo, tuple(stored)))
    return photos


async def read_photo(connection: AnyConnection, digest: bytes) -> tuple[str, bytes] | None:
    """Media type and bytes of a file with this SHA-256, if a published lot has it."""
    row = await connection.fetchrow(_FIND_FILE, digest)
    return None if row is None else (row["media_type"], row["bytes"])
