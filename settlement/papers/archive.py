"""Documents as they were handed out: made when they are first asked for, the same bytes after that.

A document's facts have a digest. Who asks for the document gets what was made of these facts; where
they have changed (an invoice was paid since), it is the next version, and the earlier ones stay.
What was handed out is never changed: the tables refuse it, and check each file's digest.

A document is set outside of any transaction. Two that ask at once may both set it, which comes to
the same bytes; the one that is kept first is what both get.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct, structs

from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.papers.press import NotPrinted, Press
from settlement.papers.contents import Content, LabelsContent, ManifestContent
from settlement.papers.kinds import CONTENTS, PaperKind, PaperRefusal, Refused, numbered
from settlement.papers.numbering import give_number, lock_paper, number_of
from settlement.papers.reading import content_of, prepare
from settlement.papers.rendering import FORM, Format, formats_of
from settlement.papers.worker import Wanted

MAX_BYTES: Final = 64 * 2**20
MAX_LISTED: Final = 500
# What has no number of its own on paper: it is found by its lot, or has its invoice's.
_UNNUMBERED: Final = (ManifestContent, LabelsContent)

_FIND: Final = """
select version, form, sha256, bytes, f.made_at_us from paper p
join paper_file f using (kind, subject, version)
where kind = $1 and subject = $2 and facts_sha256 = $3 and form = $4
order by version desc limit 1
"""
_AT_VERSION: Final = """
select version, form, sha256, bytes, made_at_us from paper_file
where kind = $1 and subject = $2 and version = $3 and form = $4
"""
_VERSION: Final = """
select max(version) filter (where facts_sha256 = $3) as same, coalesce(max(version), 0) as last
from paper where kind = $1 and subject = $2
"""
_KEEP: Final = """
insert into paper (kind, subject, version, facts_sha256, made_at_us) values ($1, $2, $3, $4, $5)
"""
_KEEP_FILE: Final = """
insert into paper_file (kind, subject, version, form, sha256, bytes, made_at_us)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_LISTED: Final = """
select kind, subject, number, version, form, sha256, octet_length(bytes) as size, made_at_us
from paper_file join paper_subject using (kind, subject)
"""
_OF_SUBJECT: Final = f"""
{_LISTED} where kind = $1 and subject = $2 order by version desc, form limit {MAX_LISTED}
"""
_BY_DIGEST: Final = f"{_LISTED} where sha256 = $1 order by made_at_us limit {MAX_LISTED}"


class Document(Struct, frozen=True, kw_only=True):
    """A document with its bytes. ``sha256`` in hexadecimal."""

    kind: PaperKind
    subject: str
    number: str
    version: int
    form: Format
    sha256: str
    made_at_us: int
    data: bytes

    @property
    def file_name(self) -> str:
        """As it is saved: letters, digits and hyphens only."""
        return f"{self.kind.lower().replace('_', '-')}-{self.number}.{self.form}"


class Kept(Struct, frozen=True, kw_only=True):
    """A document that was handed out, without its bytes."""

    kind: PaperKind
    subject: str
    number: str
    version: int
    form: Format
    sha256: str
    size: int
    made_at_us: int


class Archive:
    """Makes documents and keeps them. ``now_us`` is the wall clock: when a document was made."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us
        self._press = Press("settlement.papers.worker")

    async def get_document(
        self, kind: PaperKind, subject: str, form: Format = Format.PDF
    ) -> Document:
        """The document of what is so now. Raises `Refused`; whose it is, the caller asks first."""
        if form not in formats_of(CONTENTS[kind]):
            raise Refused(PaperRefusal.NO_SUCH_FORM)
        content, number = await self._facts(kind, subject)
        digest = facts_sha256(content)
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_FIND, kind, subject, digest, form)
        if row is None:
            data = await self._printed(Wanted(form, content))
            row = await self._kept(kind, subject, digest, form, data)
        return _document(kind, subject, number, row)

    async def at_version(
        self, kind: PaperKind, subject: str, version: int, form: Format = Format.PDF
    ) -> Document:
        """What was handed out before. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_AT_VERSION, kind, subject, version, form)
            number = await number_of(connection, kind, subject)
        if row is None or number is None:
            raise Refused(PaperRefusal.NOT_FOUND)
        return _document(kind, subject, number, row)

    async def versions(self, kind: PaperKind, subject: str) -> Sequence[Kept]:
        """All that was handed out of a document, the newest first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OF_SUBJECT, kind, subject)
        return [_listed(row) for row in rows]

    async def by_digest(self, digest: str) -> Sequence[Kept]:
        """What a file is that somebody shows us, by its SHA-256; empty: it is none of ours."""
        try:
            wanted = bytes.fromhex(digest)
        except ValueError:
            return []
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_BY_DIGEST, wanted)
        return [_listed(row) for row in rows]

    async def is_as_before(
        self, kind: PaperKind, subject: str, form: Format = Format.PDF
    ) -> bool | None:
        """Whether the document set anew of today's facts is what was kept of them, byte for byte;
        ``None``: none was kept of them."""
        content, _ = await self._facts(kind, subject)
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_FIND, kind, subject, facts_sha256(content), form)
        if row is None:
            return None
        kept: bytes = row["bytes"]
        return await self._printed(Wanted(form, content)) == kept

    async def _facts(self, kind: PaperKind, subject: str) -> tuple[Content, int]:
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            await prepare(connection, kind, subject, now_us)
        async with (
            acquire(self._pool) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            content = await content_of(connection, kind, subject)
            number = await number_of(connection, kind, subject)
        if number is None:
            number = await self._number(kind, subject)
        if isinstance(content, _UNNUMBERED) or content.number:
            return content, number
        return structs.replace(content, number=numbered(kind, number)), number

    async def _number(self, kind: PaperKind, subject: str) -> int:
        async with transaction(self._pool) as connection:
            return await give_number(connection, kind, subject)

    async def _printed(self, wanted: Wanted) -> bytes:
        async def sheets() -> AsyncIterator[Struct]:
            yield wanted

        try:
            data = await self._press.printed(sheets())
        except NotPrinted as error:
            raise Refused(PaperRefusal.BUSY, detail=str(error)) from None
        if len(data) > MAX_BYTES:
            raise Refused(PaperRefusal.TOO_LONG)
        return data

    async def _kept(
        self, kind: PaperKind, subject: str, digest: bytes, form: Format, data: bytes
    ) -> asyncpg.Record:
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            await lock_paper(connection, kind, subject)
            row = await connection.fetchrow(_FIND, kind, subject, digest, form)
            if row is None:
                version = await _version(connection, kind, subject, digest, now_us)
                about = (kind, subject, version, form)
                await connection.execute(_KEEP_FILE, *about, sha256(data).digest(), data, now_us)
                row = await connection.fetchrow(_AT_VERSION, *about)
        assert row is not None, "it was written just now"
        return row


def facts_sha256(content: Content) -> bytes:
    """The digest of a document's facts, and of the form in which they are set."""
    return sha256(msgspec.msgpack.encode([FORM, content])).digest()


async def _version(
    connection: AnyConnection, kind: PaperKind, subject: str, digest: bytes, now_us: int
) -> int:
    row = await connection.fetchrow(_VERSION, kind, subject, digest)
    assert row is not None, "an aggregate has a row"
    if row["same"] is not None:
        known: int = row["same"]
        return known
    version: int = row["last"] + 1
    await connection.execute(_KEEP, kind, subject, version, digest, now_us)
    return version


def _document(kind: PaperKind, subject: str, number: int, row: asyncpg.Record) -> Document:
    return Document(
        kind=kind,
        subject=subject,
        number=numbered(kind, number),
        version=row["version"],
        form=Format(row["form"]),
        sha256=row["sha256"].hex(),
        made_at_us=row["made_at_us"],
        data=row["bytes"],
    )


def _listed(row: asyncpg.Record) -> Kept:
    kind = PaperKind(row["kind"])
    return Kept(
        kind=kind,
        subject=row["subject"],
        number=numbered(kind, row["number"]),
        version=row["version"],
        form=Format(row["form"]),
        sha256=row["sha256"].hex(),
        size=row["size"],
        made_at_us=row["made_at_us"],
    )
