"""What the operator does about accounts from a shell: the first admin, and help for who is lost."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from accounts import second_factor
from accounts.audit import OPERATOR, Act, record
from accounts.identity import ROLES_OF_KIND, OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from accounts.organisations import make_organisation
from accounts.passwords import check_password
from accounts.refusals import Refusal, Refused
from accounts.resets import replace_password
from accounts.room import Room
from accounts.team import make_person
from accounts.texts import mail_address
from foundation.database import acquire, transaction

# There is one house.
HOUSE_NAME: Final = "The house"

_HOUSE = "select organisation_id from organisation where kind = 'HOUSE' order by created_at_us"
_KIND = "select kind from organisation where organisation_id = $1"
_PERSON = """
select person_id, organisation_id from person where mail = $1 and left_at_us is null
"""
_LIST = """
select mail, person.name, kind, organisation_id, organisation.name as organisation_name,
    array(select role from membership where membership.person_id = person.person_id
          order by role) as roles,
    exists (select from totp where totp.person_id = person.person_id
            and confirmed_at_us is not null) as second_factor
from person join organisation using (organisation_id)
where left_at_us is null and ($1::text is null or kind = $1)
order by kind, organisation.name, mail limit $2
"""


class NewAccount(Struct, frozen=True, kw_only=True):
    """What is to be made: somebody in a new organisation, or in one that is there."""

    mail: str
    name: str
    kind: OrganisationKind
    organisation_name: str | None = None
    into: OrganisationId | None = None
    organisation_id: str | None = None
    roles: frozenset[Role] = frozenset()  # none: all that the kind has
    time_zone: str = "UTC"


class Made(Struct, frozen=True):
    """What was made."""

    organisation_id: OrganisationId
    person_id: PersonId


class ListedAccount(Struct, frozen=True, kw_only=True):
    """A person as the operator sees them."""

    mail: str
    name: str
    kind: OrganisationKind
    organisation_id: OrganisationId
    organisation_name: str
    roles: Sequence[str]
    second_factor: bool


async def create(room: Room, account: NewAccount, password: str) -> Made:
    """Make an account whose mail address the operator vouches for.

    Raises `Refused`: what making organisations, people and passwords raises; NOT_FOUND for an
    organisation to join that is not there; BAD_TEXT for a new one without a name.
    """
    check_password(password, account.name, account.mail)
    password_hash, now_us = await room.passwords.hash(password), room.clock()
    async with transaction(room.pool) as connection:
        into = account.into
        if into is None and account.kind is OrganisationKind.HOUSE:
            into = await connection.fetchval(_HOUSE)
        if into is None:
            house = HOUSE_NAME if account.kind is OrganisationKind.HOUSE else ""
            into = await make_organisation(
                connection,
                account.kind,
                account.organisation_name or house,
                organisation_id=account.organisation_id,
                actor=OPERATOR,
                now_us=now_us,
            )
        kind = await connection.fetchval(_KIND, into)
        if kind != account.kind:
            raise Refused(Refusal.NOT_FOUND)
        person_id = await make_person(
            connection,
            into,
            mail=account.mail,
            name=account.name,
            zone=account.time_zone,
            roles=account.roles or ROLES_OF_KIND[account.kind],
            password_hash=password_hash,
            actor=OPERATOR,
            now_us=now_us,
        )
    return Made(into, person_id)


async def reset_password(room: Room, mail: str, password: str) -> None:
    """Set somebody's password; all their sessions end.

    Raises `Refused`: NOT_FOUND, and what `check_password` raises.
    """
    made = await _person(room, mail)
    check_password(password, mail)
    password_hash = await room.passwords.hash(password)
    async with transaction(room.pool) as connection:
        await replace_password(connection, made.person_id, mail_address(mail), password_hash)
        await record(
            connection,
            Act.PASSWORD_SET_BY_OPERATOR,
            OPERATOR,
            room.clock(),
            organisation_id=made.organisation_id,
            object_id=made.person_id,
        )


async def reset_second_factor(room: Room, mail: str) -> None:
    """Remove a second factor that was lost; all sessions and tokens end.

    Raises `Refused`: NOT_FOUND, SECOND_FACTOR_NOT_SET.
    """
    made = await _person(room, mail)
    await second_factor.remove_lost(room, made.organisation_id, made.person_id, OPERATOR)


async def list_accounts(
    room: Room, kind: OrganisationKind | None, limit: int
) -> Sequence[ListedAccount]:
    """People, by kind, organisation and address."""
    async with acquire(room.pool) as connection:
        rows = await connection.fetch(_LIST, kind, limit)
    return [ListedAccount(**{**row, "kind": OrganisationKind(row["kind"])}) for row in rows]


async def _person(room: Room, mail: str) -> Made:
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(_PERSON, mail_address(mail))
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return Made(row["organisation_id"], row["person_id"])
