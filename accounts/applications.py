"""A reseller's application: what it says of itself, and what staff make of it.

Each change holds the approval's row and moves its ``changed_at_us``, by which other rooms follow
(`accounts.directory`) and two members of staff notice that they decide about the same one.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from accounts import letters
from accounts.approval_states import (
    EDITABLE,
    NEEDS_REASONS,
    ApprovalState,
    decisions_from,
    may_submit,
)
from accounts.audit import Act, Actor, record
from accounts.directory import Place
from accounts.ids import OrganisationId, PersonId
from accounts.refusals import Refusal, Refused
from accounts.regions import STATES
from accounts.room import Room
from foundation.database import AnyConnection, Pool, acquire, transaction

PAGE: Final = 50


class ApplicantProfile(Struct, frozen=True, kw_only=True):
    """What a reseller says of itself; texts, empty until they are filled in."""

    legal_name: str
    street: str
    city: str
    region: str
    postal_code: str
    phone: str
    website: str
    business: str  # what it resells, and where
    country: str = "US"

    @property
    def place(self) -> Place:
        """Where its goods go."""
        return Place(
            street=self.street,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            country=self.country,
        )


class Application(Struct, frozen=True, kw_only=True):
    """A reseller's application as it stands."""

    organisation_id: OrganisationId
    organisation_name: str
    currency: str
    state: ApprovalState
    profile: ApplicantProfile
    submitted_at_us: int | None
    decided_at_us: int | None
    decided_by: PersonId | None
    reasons: str
    limit_minor: int | None
    changed_at_us: int


class QueuedApplication(Struct, frozen=True, kw_only=True):
    """One line of the queue."""

    organisation_id: OrganisationId
    organisation_name: str
    region: str
    state: ApprovalState
    submitted_at_us: int | None
    changed_at_us: int


# Without these nobody can say who it is that wants to buy.
_REQUIRED: Final = {
    "legal_name": "the legal name",
    "street": "the street",
    "city": "the city",
    "region": "the state",
    "postal_code": "the ZIP code",
    "phone": "a phone number",
    "business": "what you resell",
}

_FIELDS = ", ".join(f"approval.{name}" for name in ApplicantProfile.__struct_fields__)

_READ = f"""
select organisation_id, name as organisation_name, currency, state, {_FIELDS}, submitted_at_us,
    decided_at_us, decided_by, reasons, limit_minor, changed_at_us
from approval join organisation using (organisation_id) where organisation_id = $1
"""  # noqa: S608 - the columns are the fields above

_HOLD = f"{_READ} for update of approval"

_EDIT = """
update approval set legal_name = $2, street = $3, city = $4, region = $5, postal_code = $6,
    phone = $7, website = $8, business = $9, changed_at_us = $10
where organisation_id = $1
"""
_HAS_DOCUMENT = "select exists (select from document where organisation_id = $1)"
_SUBMIT = """
update approval set state = 'SUBMITTED', submitted_at_us = $2, changed_at_us = $2
where organisation_id = $1
"""
_DECIDE = """
update approval set state = $2, reasons = $3, limit_minor = $4, decided_by = $5,
    decided_at_us = $6, changed_at_us = $6
where organisation_id = $1
"""
_TOUCH = "update approval set changed_at_us = $2 where organisation_id = $1"

_QUEUE = """
select organisation_id, name as organisation_name, region, state, submitted_at_us, changed_at_us
from approval join organisation using (organisation_id)
where state = 'SUBMITTED' and (submitted_at_us, organisation_id) > ($1, $2)
order by submitted_at_us, organisation_id limit $3
"""
_IN_STATE = """
select organisation_id, name as organisation_name, region, state, submitted_at_us, changed_at_us
from approval join organisation using (organisation_id)
where state = $1 and (changed_at_us, organisation_id) < ($2, $3)
order by changed_at_us desc, organisation_id desc limit $4
"""
_ADMINS = """
select mail from person join membership using (person_id)
where organisation_id = $1 and role = 'admin' and left_at_us is null
"""

_OUTCOMES: Final = {
    ApprovalState.APPROVED: "You are approved",
    ApprovalState.NEEDS_MORE: "Your application needs more",
    ApprovalState.DECLINED: "Your application was declined",
    ApprovalState.SUSPENDED: "Your account is suspended",
}


async def application_of(pool: Pool, organisation_id: OrganisationId) -> Application | None:
    """The application of a reseller; ``None`` for whoever is no reseller."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_READ, organisation_id)
    return None if row is None else _application(row)


async def hold(connection: AnyConnection, organisation_id: OrganisationId) -> Application:
    """Lock the application against other changes. Raises `Refused` NOT_FOUND."""
    row = await connection.fetchrow(_HOLD, organisation_id)
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return _application(row)


async def hold_editable(connection: AnyConnection, organisation_id: OrganisationId) -> Application:
    """Lock an application that its applicant may change. Raises `Refused`: NOT_FOUND, NOT_NOW."""
    application = await hold(connection, organisation_id)
    if application.state not in EDITABLE:
        raise Refused(Refusal.NOT_NOW)
    return application


async def touch(connection: AnyConnection, organisation_id: OrganisationId, now_us: int) -> None:
    """Something about the standing has changed; the caller holds the application."""
    await connection.execute(_TOUCH, organisation_id, now_us)


async def edit_profile(
    room: Room, organisation_id: OrganisationId, profile: ApplicantProfile, actor: Actor
) -> None:
    """What the applicant says of itself; also in parts, until it is submitted.

    An approved reseller may move and get another phone, but not become somebody else. Raises
    `Refused`: NOT_FOUND, NOT_NOW, UNKNOWN_STATE.
    """
    if profile.region and profile.region not in STATES:
        raise Refused(Refusal.UNKNOWN_STATE, field="region")
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        application = await hold(connection, organisation_id)
        before = application.profile
        if application.state is ApprovalState.APPROVED:
            _refuse_another(before, profile)
        elif application.state not in EDITABLE:
            raise Refused(Refusal.NOT_NOW)
        await _write_profile(connection, organisation_id, profile, now_us)
        names = ApplicantProfile.__struct_fields__
        changed = {
            name: getattr(before, name)
            for name in names
            if getattr(before, name) != getattr(profile, name)
        }
        await record(
            connection,
            Act.APPLICATION_EDITED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=organisation_id,
            before=changed,
        )


async def submit(room: Room, organisation_id: OrganisationId, actor: Actor) -> None:
    """Hand the application in. Raises `Refused`: NOT_FOUND, NOT_NOW, INCOMPLETE."""
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        application = await hold(connection, organisation_id)
        if not may_submit(application.state):
            raise Refused(Refusal.NOT_NOW)
        has_document = await connection.fetchval(_HAS_DOCUMENT, organisation_id)
        lacks = missing(application.profile, has_document=has_document)
        if lacks:
            raise Refused(Refusal.INCOMPLETE, detail=f"Still missing: {', '.join(lacks)}.")
        await connection.execute(_SUBMIT, organisation_id, now_us)
        await record(
            connection,
            Act.APPLICATION_SUBMITTED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=organisation_id,
        )


async def decide(
    room: Room,
    organisation_id: OrganisationId,
    to: ApprovalState,
    *,
    reasons: str,
    limit_minor: int | None,
    seen_at_us: int,
    actor: Actor,
) -> None:
    """What staff make of an application that they saw as of ``seen_at_us``.

    Raises `Refused`: NOT_FOUND, NOT_NOW, CHANGED_MEANWHILE, REASONS_NEEDED.
    """
    now_us, reasons = room.clock(), reasons.strip()
    async with transaction(room.pool) as connection:
        application = await hold(connection, organisation_id)
        if to not in decisions_from(application.state):
            raise Refused(Refusal.NOT_NOW)
        if application.changed_at_us != seen_at_us:
            raise Refused(Refusal.CHANGED_MEANWHILE)
        if to in NEEDS_REASONS and not reasons:
            raise Refused(Refusal.REASONS_NEEDED, field="reasons")
        values = (organisation_id, to, reasons, limit_minor, actor.person_id, now_us)
        await connection.execute(_DECIDE, *values)
        await record(
            connection,
            Act.APPLICATION_DECIDED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=organisation_id,
            before=application.state,
            state=to,
            reasons=reasons,
            limit_minor=limit_minor,
        )
        admins = [row[0] for row in await connection.fetch(_ADMINS, organisation_id)]
    for mail in admins:
        room.post.send(letters.application_decided(mail, room.origin, _OUTCOMES[to], reasons))


async def admit(
    connection: AnyConnection,
    organisation_id: OrganisationId,
    profile: ApplicantProfile,
    *,
    limit_minor: int | None,
    actor: Actor,
    now_us: int,
) -> None:
    """Approve a reseller that the house knows already, without its application.

    For the command line and the demonstration. Raises `Refused`: NOT_FOUND, NOT_NOW, INCOMPLETE.
    """
    application = await hold_editable(connection, organisation_id)
    lacks = missing(profile, has_document=True)
    if lacks:
        raise Refused(Refusal.INCOMPLETE, detail=f"Still missing: {', '.join(lacks)}.")
    await _write_profile(connection, organisation_id, profile, now_us)
    to = ApprovalState.APPROVED
    values = (organisation_id, to, "", limit_minor, actor.person_id, now_us)
    await connection.execute(_DECIDE, *values)
    await record(
        connection,
        Act.APPLICATION_DECIDED,
        actor,
        now_us,
        organisation_id=organisation_id,
        object_id=organisation_id,
        before=application.state,
        state=to,
        limit_minor=limit_minor,
    )


async def set_limit(
    room: Room,
    organisation_id: OrganisationId,
    limit_minor: int | None,
    *,
    seen_at_us: int,
    actor: Actor,
) -> None:
    """Another limit for an approved reseller. Raises `Refused`: as `decide`."""
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        application = await hold(connection, organisation_id)
        if application.state is not ApprovalState.APPROVED:
            raise Refused(Refusal.NOT_NOW)
        if application.changed_at_us != seen_at_us:
            raise Refused(Refusal.CHANGED_MEANWHILE)
        await connection.execute(
            "update approval set limit_minor = $2, changed_at_us = $3 where organisation_id = $1",
            organisation_id,
            limit_minor,
            now_us,
        )
        await record(
            connection,
            Act.LIMIT_SET,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=organisation_id,
            before=application.limit_minor,
            limit_minor=limit_minor,
        )


async def queue(
    pool: Pool, *, after: tuple[int, str] = (-1, ""), limit: int = PAGE
) -> Sequence[QueuedApplication]:
    """Applications that wait for staff, the longest waiting first, behind that time and id."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_QUEUE, after[0], after[1], limit)
    return [_queued(row) for row in rows]


async def in_state(
    pool: Pool,
    state: ApprovalState,
    *,
    before: tuple[int, str] = (2**63 - 1, ""),
    limit: int = PAGE,
) -> Sequence[QueuedApplication]:
    """Applications in a state, the last changed first, before that time and id."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_IN_STATE, state, before[0], before[1], limit)
    return [_queued(row) for row in rows]


def missing(profile: ApplicantProfile, *, has_document: bool) -> list[str]:
    """What an application lacks, in words."""
    lacks = [words for name, words in _REQUIRED.items() if not getattr(profile, name)]
    if not has_document:
        lacks.append("a document, such as a resale certificate or a business licence")
    return lacks


async def _write_profile(
    connection: AnyConnection,
    organisation_id: OrganisationId,
    profile: ApplicantProfile,
    now_us: int,
) -> None:
    await connection.execute(
        _EDIT,
        organisation_id,
        profile.legal_name,
        profile.street,
        profile.city,
        profile.region,
        profile.postal_code,
        profile.phone,
        profile.website,
        profile.business,
        now_us,
    )


def _refuse_another(before: ApplicantProfile, profile: ApplicantProfile) -> None:
    if profile.legal_name != before.legal_name:
        raise Refused(
            Refusal.NOT_NOW,
            field="legal_name",
            detail="You were approved under this name. Write to us to change it.",
        )
    lacks = missing(profile, has_document=True)
    if lacks:
        raise Refused(Refusal.INCOMPLETE, detail=f"Still missing: {', '.join(lacks)}.")


def _application(row: asyncpg.Record) -> Application:
    values = dict(row)
    profile = {name: values.pop(name) for name in ApplicantProfile.__struct_fields__}
    values["state"] = ApprovalState(values["state"])
    return Application(profile=ApplicantProfile(**profile), **values)


def _queued(row: asyncpg.Record) -> QueuedApplication:
    return QueuedApplication(**{**row, "state": ApprovalState(row["state"])})
