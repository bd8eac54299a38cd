"""Resale certificates: one for each state that a reseller buys into, with the day it expires.

A certificate comes with its document, is looked at by staff, and then keeps sales tax away until
it expires. Approved resellers send new ones at any time.
"""

import datetime
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import asyncpg
from msgspec import Struct

from accounts import applications, documents, letters
from accounts.approval_states import EDITABLE, ApprovalState, CertificateState
from accounts.audit import Act, Actor, record
from accounts.documents import DocumentKind
from accounts.ids import CertificateId, DocumentId, OrganisationId, new_id
from accounts.refusals import Refusal, Refused
from accounts.regions import STATES
from accounts.room import Room
from accounts.sniffing import media_type_of
from foundation.database import Pool, acquire, transaction

# A state has one in force and one that follows it.
MAX_PER_ORGANISATION: Final = 120
NUMBER_LENGTH: Final = 60
# "About to expire": time to get a new one, and for staff to look at it.
EXPIRING_DAYS: Final = 30
# When the reseller is reminded, days before.
REMIND_DAYS: Final = (30, 7, 1)

PAGE: Final = 200


class ListedCertificate(Struct, frozen=True, kw_only=True):
    """A certificate with what staff made of it."""

    certificate_id: CertificateId
    organisation_id: OrganisationId
    organisation_name: str
    region: str
    number: str
    expires_on: datetime.date
    state: CertificateState
    reasons: str
    document_id: DocumentId | None
    created_at_us: int


_COUNT = "select count(*) from resale_certificate where organisation_id = $1"
_ADD = """
insert into resale_certificate (certificate_id, organisation_id, region, number, expires_on,
    document_id, state, created_at_us)
values ($1, $2, $3, $4, $5, $6, 'PENDING', $7)
"""
# What staff have looked at stays: it is why tax was not taken.
_REMOVE = """
delete from resale_certificate
where certificate_id = $1 and organisation_id = $2 and state = 'PENDING'
returning document_id
"""
_HOLD = """
select organisation_id, state, expires_on from resale_certificate
where certificate_id = $1 and organisation_id = $2 for update
"""
_DECIDE = """
update resale_certificate set state = $2, reasons = $3, decided_by = $4, decided_at_us = $5
where certificate_id = $1
"""
_LIST = """
select certificate_id, organisation_id, organisation.name as organisation_name, region, number,
    expires_on, resale_certificate.state, resale_certificate.reasons, document_id,
    resale_certificate.created_at_us
from resale_certificate join organisation using (organisation_id)
where {condition}
"""
_OF_ORGANISATION = _LIST.format(condition="organisation_id = $1") + (
    "order by expires_on desc, certificate_id"
)
_PENDING = _LIST.format(
    condition="resale_certificate.state = 'PENDING' and exists (select from approval "
    "where approval.organisation_id = organisation.organisation_id and state = 'APPROVED')"
) + ("order by resale_certificate.created_at_us, certificate_id limit $1")
# A certificate that is followed by another for the same state needs nobody's care.
_LAST_OF_ITS_STATE = """resale_certificate.state = 'ACCEPTED' and expires_on between $1 and $2
    and not exists (
        select from resale_certificate as other
        where other.organisation_id = resale_certificate.organisation_id
            and other.region = resale_certificate.region and other.state = 'ACCEPTED'
            and other.expires_on > resale_certificate.expires_on)"""
_EXPIRING = _LIST.format(condition=_LAST_OF_ITS_STATE) + (
    "order by expires_on, certificate_id limit $3"
)
# Of which a reminder is due that was not sent: for so many days, or for fewer.
_DUE = _LIST.format(
    condition=f"{_LAST_OF_ITS_STATE} and (reminded_days is null or reminded_days > $3)"
) + ("order by expires_on, certificate_id limit $4")
_REMINDED = """
update resale_certificate set reminded_days = $2
where certificate_id = $1 and (reminded_days is null or reminded_days > $2) returning true
"""
_ADMINS = """
select mail from person join membership using (person_id)
where organisation_id = $1 and role = 'admin' and left_at_us is null
"""


async def add(
    room: Room,
    organisation_id: OrganisationId,
    *,
    region: str,
    number: str,
    expires_on: date,
    file_name: str,
    data: bytes,
    actor: Actor,
) -> CertificateId:
    """A certificate with its document, for staff to look at.

    Raises `Refused`: UNKNOWN_STATE, CERTIFICATE_EXPIRED, DOCUMENT_TOO_LARGE, DOCUMENT_UNREADABLE,
    NOT_FOUND, NOT_NOW, TOO_MANY.
    """
    now_us = room.clock()
    if region not in STATES:
        raise Refused(Refusal.UNKNOWN_STATE, field="region")
    if expires_on < today(now_us):
        raise Refused(Refusal.CERTIFICATE_EXPIRED, field="expires_on")
    media_type = media_type_of(data)
    certificate_id = CertificateId(new_id("certificate"))
    async with transaction(room.pool) as connection:
        application = await applications.hold(connection, organisation_id)
        if application.state not in EDITABLE | {ApprovalState.APPROVED}:
            raise Refused(Refusal.NOT_NOW)
        if await connection.fetchval(_COUNT, organisation_id) >= MAX_PER_ORGANISATION:
            raise Refused(Refusal.TOO_MANY)
        document_id = await documents.keep(
            connection,
            organisation_id,
            DocumentKind.RESALE_CERTIFICATE,
            file_name,
            media_type,
            data,
            actor,
            now_us,
        )
        values = (certificate_id, organisation_id, region, number, expires_on, document_id, now_us)
        await connection.execute(_ADD, *values)
        await applications.touch(connection, organisation_id, now_us)
        await record(
            connection,
            Act.CERTIFICATE_ADDED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=certificate_id,
            region=region,
            number=number,
            expires_on=expires_on.isoformat(),
        )
    return certificate_id


async def remove(
    room: Room, organisation_id: OrganisationId, certificate_id: CertificateId, actor: Actor
) -> None:
    """Take a certificate back that staff have not looked at, and its document with it.

    Raises `Refused`: NOT_FOUND, NOT_NOW.
    """
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        application = await applications.hold(connection, organisation_id)
        if application.state not in EDITABLE | {ApprovalState.APPROVED}:
            raise Refused(Refusal.NOT_NOW)
        row = await connection.fetchrow(_REMOVE, certificate_id, organisation_id)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        await connection.execute("delete from document where document_id = $1", row["document_id"])
        await applications.touch(connection, organisation_id, now_us)
        await record(
            connection,
            Act.CERTIFICATE_REMOVED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=certificate_id,
        )


async def decide(
    room: Room,
    organisation_id: OrganisationId,
    certificate_id: CertificateId,
    to: CertificateState,
    *,
    reasons: str,
    actor: Actor,
) -> None:
    """What staff make of a certificate; they may change their mind.

    Raises `Refused`: NOT_FOUND, NOT_NOW, REASONS_NEEDED, CERTIFICATE_EXPIRED.
    """
    now_us, reasons = room.clock(), reasons.strip()
    if to is CertificateState.PENDING:
        raise Refused(Refusal.NOT_NOW)
    if to is CertificateState.REFUSED and not reasons:
        raise Refused(Refusal.REASONS_NEEDED, field="reasons")
    async with transaction(room.pool) as connection:
        await applications.hold(connection, organisation_id)
        row = await connection.fetchrow(_HOLD, certificate_id, organisation_id)
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        if to is CertificateState.ACCEPTED and row["expires_on"] < today(now_us):
            raise Refused(Refusal.CERTIFICATE_EXPIRED)
        await connection.execute(_DECIDE, certificate_id, to, reasons, actor.person_id, now_us)
        await applications.touch(connection, organisation_id, now_us)
        await record(
            connection,
            Act.CERTIFICATE_DECIDED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=certificate_id,
            before=row["state"],
            state=to,
            reasons=reasons,
        )


async def certificates_of(
    pool: Pool, organisation_id: OrganisationId
) -> Sequence[ListedCertificate]:
    """An organisation's certificates, those that last longest first."""
    return await _listed(pool, _OF_ORGANISATION, organisation_id)


async def pending(pool: Pool, limit: int = PAGE) -> Sequence[ListedCertificate]:
    """New certificates of approved resellers that wait for staff, the oldest first."""
    return await _listed(pool, _PENDING, limit)


async def expiring(
    pool: Pool, now_us: int, days: int = EXPIRING_DAYS, limit: int = PAGE
) -> Sequence[ListedCertificate]:
    """Accepted certificates that end within so many days and that none follows."""
    first = today(now_us)
    return await _listed(pool, _EXPIRING, first, first + timedelta(days=days), limit)


async def remind(room: Room) -> int:
    """Tell resellers, at each of `REMIND_DAYS` once, that a certificate is about to expire.

    At most ``PAGE`` for each of them; the next round goes on. Returns of how many was reminded.
    """
    first, reminded = today(room.clock()), 0
    for days in sorted(REMIND_DAYS):
        due = await _listed(room.pool, _DUE, first, first + timedelta(days=days), days, PAGE)
        for certificate in due:
            reminded += await _remind(room, certificate, days)
    return reminded


async def _remind(room: Room, certificate: ListedCertificate, days: int) -> bool:
    """Tell the admins, unless another process was faster; whether it was us."""
    async with acquire(room.pool) as connection:
        if not await connection.fetchval(_REMINDED, certificate.certificate_id, days):
            return False
        admins = await connection.fetch(_ADMINS, certificate.organisation_id)
    state, on = STATES[certificate.region], certificate.expires_on.isoformat()
    for row in admins:
        room.post.send(letters.certificate_expires(row["mail"], room.origin, state, on))
    return True


def today(now_us: int) -> date:
    """The day that it is somewhere in the US still: a certificate is good to the end of its day."""
    return datetime.datetime.fromtimestamp(now_us / 1e6 - 10 * 3600, datetime.UTC).date()


async def _listed(pool: Pool, statement: str, *arguments: object) -> list[ListedCertificate]:
    async with acquire(pool) as connection:
        rows = await connection.fetch(statement, *arguments)
    return [_certificate(row) for row in rows]


def _certificate(row: asyncpg.Record) -> ListedCertificate:
    return ListedCertificate(**{**row, "state": CertificateState(row["state"])})
