"""The documents of a reseller's application: certificates, licences, identity."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from accounts import applications
from accounts.audit import Act, Actor, record
from accounts.ids import DocumentId, OrganisationId, new_id
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.sniffing import media_type_of
from foundation.database import AnyConnection, Pool, acquire, transaction

# With LARGEST, 100 MB for an organisation at most.
MAX_PER_ORGANISATION: Final = 20
FILE_NAME_LENGTH: Final = 120


class DocumentKind(StrEnum):
    """What the applicant says that it is."""

    RESALE_CERTIFICATE = "RESALE_CERTIFICATE"
    BUSINESS_LICENCE = "BUSINESS_LICENCE"
    IDENTITY = "IDENTITY"
    OTHER = "OTHER"


class ListedDocument(Struct, frozen=True, kw_only=True):
    """A document without its bytes."""

    document_id: DocumentId
    kind: DocumentKind
    file_name: str
    media_type: str
    size: int
    uploaded_at_us: int


class WholeDocument(Struct, frozen=True):
    """A document for whoever may see it."""

    file_name: str
    media_type: str
    body: bytes


_COUNT = "select count(*) from document where organisation_id = $1"
_KEEP = """
insert into document (document_id, organisation_id, kind, file_name, media_type, body, sha256,
    uploaded_by, uploaded_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_LIST = """
select document_id, kind, file_name, media_type, length(body) as size, uploaded_at_us
from document where organisation_id = $1 order by uploaded_at_us, document_id
"""
_READ = """
select file_name, media_type, body from document where document_id = $1 and organisation_id = $2
"""
_REMOVE = """
delete from document where document_id = $1 and organisation_id = $2
    and not exists (select from resale_certificate where document_id = $1)
returning true
"""


async def upload(
    room: Room,
    organisation_id: OrganisationId,
    kind: DocumentKind,
    file_name: str,
    data: bytes,
    actor: Actor,
) -> DocumentId:
    """Keep a document with the application, while the applicant may change it.

    Raises `Refused`: DOCUMENT_TOO_LARGE, DOCUMENT_UNREADABLE, NOT_FOUND, NOT_NOW, TOO_MANY.
    """
    media_type = media_type_of(data)
    async with transaction(room.pool) as connection:
        await applications.hold_editable(connection, organisation_id)
        return await keep(
            connection, organisation_id, kind, file_name, media_type, data, actor, room.clock()
        )


async def keep(
    connection: AnyConnection,
    organisation_id: OrganisationId,
    kind: DocumentKind,
    file_name: str,
    media_type: str,
    data: bytes,
    actor: Actor,
    now_us: int,
) -> DocumentId:
    """Keep a document; the caller holds the application. Raises `Refused` TOO_MANY."""
    if await connection.fetchval(_COUNT, organisation_id) >= MAX_PER_ORGANISATION:
        raise Refused(Refusal.TOO_MANY, field="document")
    document_id, digest = DocumentId(new_id("document")), hashlib.sha256(data).digest()
    file_name = file_name[-FILE_NAME_LENGTH:] or "document"
    await connection.execute(
        _KEEP,
        document_id,
        organisation_id,
        kind,
        file_name,
        media_type,
        data,
        digest,
        actor.person_id,
        now_us,
    )
    await record(
        connection,
        Act.DOCUMENT_UPLOADED,
        actor,
        now_us,
        organisation_id=organisation_id,
        object_id=document_id,
        kind=kind,
        media_type=media_type,
        size=len(data),
        sha256=digest.hex(),
    )
    return document_id


async def remove(
    room: Room, organisation_id: OrganisationId, document_id: DocumentId, actor: Actor
) -> None:
    """Take a document back, while the applicant may change the application.

    Raises `Refused`: NOT_NOW; NOT_FOUND, also for a certificate's: it goes with the certificate.
    """
    async with transaction(room.pool) as connection:
        await applications.hold_editable(connection, organisation_id)
        if not await connection.fetchval(_REMOVE, document_id, organisation_id):
            raise Refused(Refusal.NOT_FOUND)
        await record(
            connection,
            Act.DOCUMENT_REMOVED,
            actor,
            room.clock(),
            organisation_id=organisation_id,
            object_id=document_id,
        )


async def documents_of(pool: Pool, organisation_id: OrganisationId) -> Sequence[ListedDocument]:
    """An organisation's documents, the oldest first."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, organisation_id)
    return [ListedDocument(**{**row, "kind": DocumentKind(row["kind"])}) for row in rows]


async def view(
    room: Room, organisation_id: OrganisationId, document_id: DocumentId, actor: Actor
) -> WholeDocument:
    """A document of this organisation; that it was looked at is written down first.

    Raises `Refused` NOT_FOUND.
    """
    async with transaction(room.pool) as connection:
        row = await connection.fetchrow(_READ, document_id, organisation_id)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        await record(
            connection,
            Act.DOCUMENT_VIEWED,
            actor,
            room.clock(),
            organisation_id=organisation_id,
            object_id=document_id,
        )
    return WholeDocument(**dict(row))
