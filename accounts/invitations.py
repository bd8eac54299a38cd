"""Invitations into a team, by a link in a mail that works once, for a week."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from accounts import letters
from accounts.audit import Act, Actor, record
from accounts.clock import DAY_US
from accounts.identity import OrganisationKind, Role
from accounts.ids import InvitationId, OrganisationId, PersonId, new_id
from accounts.passwords import check_password
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import digest_of, new_secret
from accounts.signing_in import SignedIn, Visitor, fresh
from accounts.slow_down import MAILBOX, Counted, count_try
from accounts.team import check_roles, hold, make_person
from accounts.texts import checked_name, mail_address
from foundation.database import acquire, transaction

LIFETIME_US: Final = 7 * DAY_US
# At a time. We send mail to whatever addresses a team names, so not to any number of them.
MAX_OPEN: Final = 20


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation that was not answered yet."""

    invitation_id: InvitationId
    organisation_id: OrganisationId
    organisation_name: str
    organisation_kind: OrganisationKind
    mail: str
    roles: frozenset[Role]
    ceiling_minor: int | None
    created_at_us: int
    expires_at_us: int


_COUNT = """
select count(*) from invitation where organisation_id = $1 and expires_at_us > $2 and mail <> $3
"""
_NAME = "select name from organisation where organisation_id = $1"
# Invited again: the first link works no more.
_INVITE = """
insert into invitation (invitation_id, digest, organisation_id, mail, roles, ceiling_minor,
    invited_by, created_at_us, expires_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (organisation_id, mail) do update set
    invitation_id = excluded.invitation_id, digest = excluded.digest, roles = excluded.roles,
    ceiling_minor = excluded.ceiling_minor, invited_by = excluded.invited_by,
    created_at_us = excluded.created_at_us, expires_at_us = excluded.expires_at_us
"""
_READ = """
select invitation_id, organisation_id, organisation.name as organisation_name,
    organisation.kind as organisation_kind, mail, roles, ceiling_minor,
    invitation.created_at_us, expires_at_us
from invitation join organisation using (organisation_id)
where {condition} and expires_at_us > $2 order by invitation.created_at_us, invitation_id
"""
_BY_DIGEST = _READ.format(condition="digest = $1")
_OF_ORGANISATION = _READ.format(condition="organisation_id = $1")
_TAKE = "delete from invitation where digest = $1 returning true"
_WITHDRAW = """
delete from invitation where invitation_id = $1 and organisation_id = $2 returning true
"""


async def invite(
    room: Room,
    organisation_id: OrganisationId,
    mail: str,
    roles: frozenset[Role],
    ceiling_minor: int | None,
    actor: Actor,
) -> InvitationId:
    """Send somebody a link into the team.

    Raises `Refused`: NOT_FOUND, BAD_MAIL, NO_ROLE, ROLE_NOT_OF_KIND, CEILING_NOT_OF_ROLE, TOO_MANY;
    TOO_SOON for more mails to one mailbox than anybody wants.
    """
    mail, now_us = mail_address(mail), room.clock()
    secret, invitation_id = new_secret(), InvitationId(new_id("invitation"))
    async with acquire(room.pool) as connection:
        await count_try(connection, (Counted("mailbox", mail, MAILBOX),), now_us)
    async with transaction(room.pool) as connection:
        check_roles(await hold(connection, organisation_id), roles, ceiling_minor)
        if await connection.fetchval(_COUNT, organisation_id, now_us, mail) >= MAX_OPEN:
            raise Refused(Refusal.TOO_MANY)
        await connection.execute(
            _INVITE,
            invitation_id,
            digest_of(secret),
            organisation_id,
            mail,
            sorted(roles),
            ceiling_minor,
            actor.person_id,
            now_us,
            now_us + LIFETIME_US,
        )
        name = await connection.fetchval(_NAME, organisation_id)
        await record(
            connection,
            Act.PERSON_INVITED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=invitation_id,
            mail=mail,
            roles=sorted(roles),
            ceiling_minor=ceiling_minor,
        )
    room.post.send(letters.invitation(mail, room.origin, name, secret))
    return invitation_id


async def withdraw(
    room: Room, organisation_id: OrganisationId, invitation_id: InvitationId, actor: Actor
) -> None:
    """The link works no more. Raises `Refused` NOT_FOUND."""
    async with transaction(room.pool) as connection:
        if not await connection.fetchval(_WITHDRAW, invitation_id, organisation_id):
            raise Refused(Refusal.NOT_FOUND)
        await record(
            connection,
            Act.INVITATION_WITHDRAWN,
            actor,
            room.clock(),
            organisation_id=organisation_id,
            object_id=invitation_id,
        )


async def invitations_of(room: Room, organisation_id: OrganisationId) -> Sequence[Invitation]:
    """Those of a team that are open, the oldest first."""
    async with acquire(room.pool) as connection:
        rows = await connection.fetch(_OF_ORGANISATION, organisation_id, room.clock())
    return [_invitation(row) for row in rows]


async def opened(room: Room, secret: str) -> Invitation | None:
    """What is behind the link, if it still works."""
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(_BY_DIGEST, digest_of(secret), room.clock())
    return None if row is None else _invitation(row)


async def accept(
    room: Room, secret: str, name: str, zone: str, password: str, visitor: Visitor
) -> SignedIn:
    """Join the team, and sign in.

    Raises `Refused`: LINK_SPENT, BUSY, BAD_TEXT, BAD_TIME_ZONE, MAIL_TAKEN (told to who has shown
    that the mailbox is theirs), TOO_MANY, and what `check_password` raises.
    """
    found, now_us = await opened(room, secret), room.clock()
    if found is None:
        raise Refused(Refusal.LINK_SPENT)
    name = checked_name(name, field="name", most=100)
    check_password(password, name, found.organisation_name, found.mail)
    password_hash = await room.passwords.hash(password)
    async with transaction(room.pool) as connection:
        if not await connection.fetchval(_TAKE, digest_of(secret)):
            raise Refused(Refusal.LINK_SPENT)
        person_id = await make_person(
            connection,
            found.organisation_id,
            mail=found.mail,
            name=name,
            zone=zone,
            roles=found.roles,
            ceiling_minor=found.ceiling_minor,
            password_hash=password_hash,
            actor=visitor.actor,
            now_us=now_us,
        )
        await record(
            connection,
            Act.PERSON_JOINED,
            Actor(PersonId(person_id), visitor.address),
            now_us,
            organisation_id=found.organisation_id,
            object_id=found.invitation_id,
        )
        return await fresh(connection, room, person_id, found.organisation_id, visitor)


def _invitation(row: asyncpg.Record) -> Invitation:
    values = dict(row)
    return Invitation(
        **{
            **values,
            "organisation_kind": OrganisationKind(values["organisation_kind"]),
            "roles": frozenset(Role(role) for role in values["roles"]),
        }
    )
