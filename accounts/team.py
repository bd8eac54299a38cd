"""A team: who is in an organisation, as what, and up to how much they may bid."""

from typing import Final

from accounts import devices, sessions, tokens
from accounts.audit import Act, Actor, record
from accounts.identity import ROLES_OF_KIND, OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId, new_id
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.texts import checked_name, mail_address, time_zone
from foundation.database import AnyConnection, transaction

# More than any reseller's team; keeps lists of people one page.
MAX_PEOPLE: Final = 200

# Locked by whatever changes a team, so that of two admins who leave at once one stays.
_HOLD = "select kind from organisation where organisation_id = $1 for update"

_COUNT = "select count(*) from person where organisation_id = $1 and left_at_us is null"

_MAKE = """
insert into person (person_id, organisation_id, mail, name, time_zone, password_hash, created_at_us)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (mail) where left_at_us is null do nothing returning true
"""

_ROLES = "select role from membership where person_id = $1"
_IN_TEAM = """
select true from person where person_id = $1 and organisation_id = $2 and left_at_us is null
"""
_OTHER_ADMINS = """
select exists (
    select from membership join person using (person_id)
    where organisation_id = $1 and left_at_us is null and role = 'admin' and person_id <> $2
)
"""
_NO_ROLES = "delete from membership where person_id = $1"
_ROLE = "insert into membership (person_id, role, ceiling_minor) values ($1, $2, $3)"
_LEAVE = "update person set left_at_us = $2, password_hash = null where person_id = $1"


async def make_person(
    connection: AnyConnection,
    organisation_id: OrganisationId,
    *,
    mail: str,
    name: str,
    zone: str,
    roles: frozenset[Role],
    password_hash: str | None,
    actor: Actor,
    now_us: int,
    ceiling_minor: int | None = None,
    person_id: PersonId | None = None,
) -> PersonId:
    """Somebody new in a team, whose mail address has been shown to be theirs.

    Raises `Refused`: BAD_MAIL, BAD_TEXT, BAD_TIME_ZONE, NO_ROLE, ROLE_NOT_OF_KIND,
    CEILING_NOT_OF_ROLE, TOO_MANY, MAIL_TAKEN.
    """
    mail, zone = mail_address(mail), time_zone(zone)
    name = checked_name(name, field="name", most=100)
    check_roles(await hold(connection, organisation_id), roles, ceiling_minor)
    if await connection.fetchval(_COUNT, organisation_id) >= MAX_PEOPLE:
        raise Refused(Refusal.TOO_MANY)
    made = person_id or PersonId(new_id("person"))
    values = (made, organisation_id, mail, name, zone, password_hash, now_us)
    if not await connection.fetchval(_MAKE, *values):
        raise Refused(Refusal.MAIL_TAKEN, field="mail")
    await _write_roles(connection, made, roles, ceiling_minor)
    await record(
        connection,
        Act.PERSON_MADE,
        actor,
        now_us,
        organisation_id=organisation_id,
        object_id=made,
        mail=mail,
        roles=sorted(roles),
        ceiling_minor=ceiling_minor,
    )
    return made


async def change_roles(
    room: Room,
    organisation_id: OrganisationId,
    person_id: PersonId,
    roles: frozenset[Role],
    ceiling_minor: int | None,
    actor: Actor,
) -> None:
    """Other roles, another ceiling, for somebody of this team.

    With other roles the person's sessions end, but for the one who changes their own; and if a
    role is taken away, so do the tokens. Raises `Refused`: NOT_FOUND, NO_ROLE, ROLE_NOT_OF_KIND,
    CEILING_NOT_OF_ROLE, LAST_ADMIN.
    """
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        check_roles(await hold(connection, organisation_id), roles, ceiling_minor)
        before = await _roles_in_team(connection, organisation_id, person_id)
        if Role.ADMIN in before and Role.ADMIN not in roles:
            await _refuse_last_admin(connection, organisation_id, person_id)
        await connection.execute(_NO_ROLES, person_id)
        await _write_roles(connection, person_id, roles, ceiling_minor)
        if roles != before and actor.person_id != person_id:
            await sessions.end_all(connection, person_id)
        if before - roles:
            await tokens.revoke_all(connection, person_id)
        await record(
            connection,
            Act.ROLES_CHANGED,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=person_id,
            roles=sorted(roles),
            roles_before=sorted(before),
            ceiling_minor=ceiling_minor,
        )


async def remove_person(
    room: Room, organisation_id: OrganisationId, person_id: PersonId, actor: Actor
) -> None:
    """Somebody leaves the team: signed out at once, and their mail address is free again.

    Raises `Refused`: NOT_FOUND, LAST_ADMIN.
    """
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        await hold(connection, organisation_id)
        before = await _roles_in_team(connection, organisation_id, person_id)
        if Role.ADMIN in before:
            await _refuse_last_admin(connection, organisation_id, person_id)
        await shut_out(connection, person_id)
        await connection.execute(_NO_ROLES, person_id)
        await connection.execute(_LEAVE, person_id, now_us)
        await record(
            connection,
            Act.PERSON_LEFT,
            actor,
            now_us,
            organisation_id=organisation_id,
            object_id=person_id,
        )


async def shut_out(connection: AnyConnection, person_id: PersonId) -> None:
    """End every way in that is open in somebody's name: sessions, tokens, links, devices."""
    await sessions.end_all(connection, person_id)
    await tokens.revoke_all(connection, person_id)
    await devices.forget(connection, person_id)
    for table in ("login_step", "password_reset", "mail_change"):
        statement = f"delete from {table} where person_id = $1"  # noqa: S608 - named above
        await connection.execute(statement, person_id)


async def hold(connection: AnyConnection, organisation_id: OrganisationId) -> OrganisationKind:
    """Lock the team against other changes; its organisation's kind. Raises `Refused` NOT_FOUND."""
    kind = await connection.fetchval(_HOLD, organisation_id)
    if kind is None:
        raise Refused(Refusal.NOT_FOUND)
    return OrganisationKind(kind)


def check_roles(kind: OrganisationKind, roles: frozenset[Role], ceiling_minor: int | None) -> None:
    """Whether somebody in an organisation of this kind can have these. Raises `Refused`."""
    if not roles:
        raise Refused(Refusal.NO_ROLE, field="roles")
    if not roles <= ROLES_OF_KIND[kind]:
        raise Refused(Refusal.ROLE_NOT_OF_KIND, field="roles")
    if ceiling_minor is not None and Role.BIDDER not in roles:
        raise Refused(Refusal.CEILING_NOT_OF_ROLE, field="ceiling")


async def _roles_in_team(
    connection: AnyConnection, organisation_id: OrganisationId, person_id: PersonId
) -> frozenset[Role]:
    if not await connection.fetchval(_IN_TEAM, person_id, organisation_id):
        raise Refused(Refusal.NOT_FOUND)
    return frozenset(Role(row[0]) for row in await connection.fetch(_ROLES, person_id))


async def _refuse_last_admin(
    connection: AnyConnection, organisation_id: OrganisationId, person_id: PersonId
) -> None:
    if not await connection.fetchval(_OTHER_ADMINS, organisation_id, person_id):
        raise Refused(Refusal.LAST_ADMIN, field="roles")


async def _write_roles(
    connection: AnyConnection,
    person_id: PersonId,
    roles: frozenset[Role],
    ceiling_minor: int | None,
) -> None:
    rows = [(person_id, role, ceiling_minor if role is Role.BIDDER else None) for role in roles]
    await connection.executemany(_ROLE, rows)
