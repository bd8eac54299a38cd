"""A reseller signs up: an organisation and its first person.

Nothing is made until the link in the mail shows that the address is theirs; the password is
chosen behind the link. The answer is the same for an address that has an account, which gets a
mail that says so.
"""

from typing import Final

from msgspec import Struct

from accounts import letters
from accounts.audit import Act, Actor, record
from accounts.clock import DAY_US
from accounts.identity import OrganisationKind, Role
from accounts.organisations import make_organisation
from accounts.passwords import check_password
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import digest_of, new_secret
from accounts.signing_in import SignedIn, Visitor, fresh
from accounts.slow_down import ASKING, MAILBOX, Counted, count_try, network_of
from accounts.team import make_person
from accounts.texts import checked_name, mail_address
from foundation.database import acquire, transaction

LIFETIME_US: Final = DAY_US

_TAKEN = "select exists (select from person where mail = $1 and left_at_us is null)"
_KEEP = """
insert into sign_up (digest, organisation_name, person_name, mail, expires_at_us)
values ($1, $2, $3, $4, $5)
"""
_OPEN = """
select organisation_name, person_name, mail from sign_up where digest = $1 and expires_at_us > $2
"""
# With this one go those that were asked for besides.
_TAKE = "delete from sign_up where mail = $2 and exists (select from sign_up where digest = $1)"


class OpenSignUp(Struct, frozen=True):
    """What was filled in."""

    organisation_name: str
    person_name: str
    mail: str


async def ask(
    room: Room, organisation_name: str, person_name: str, mail: str, address: str
) -> None:
    """Send a link to the address.

    Raises `Refused`: BAD_TEXT, BAD_MAIL; TOO_SOON for who asks for many addresses.
    """
    organisation_name = checked_name(organisation_name, field="organisation", most=120)
    person_name = checked_name(person_name, field="name", most=100)
    mail, now_us = mail_address(mail), room.clock()
    async with acquire(room.pool) as connection:
        await count_try(connection, (Counted("asking", network_of(address), ASKING),), now_us)
        try:
            await count_try(connection, (Counted("mailbox", mail, MAILBOX),), now_us)
        except Refused:
            return
        secret = new_secret()
        values = (digest_of(secret), organisation_name, person_name, mail, now_us + LIFETIME_US)
        # For a known address too, whose link nobody gets: the commit could be told by its time.
        await connection.execute(_KEEP, *values)
        taken = await connection.fetchval(_TAKEN, mail)
    if taken:
        room.post.send(letters.already_signed_up(mail, room.origin))
    else:
        room.post.send(letters.confirm_sign_up(mail, room.origin, secret))


async def opened(room: Room, secret: str) -> OpenSignUp | None:
    """What is behind the link, if it still works."""
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(_OPEN, digest_of(secret), room.clock())
    return None if row is None else OpenSignUp(**dict(row))


async def finish(room: Room, secret: str, zone: str, password: str, visitor: Visitor) -> SignedIn:
    """Make the organisation and its first person, who is its admin and a bidder, and sign in.

    Raises `Refused`: LINK_SPENT, BUSY, BAD_TIME_ZONE, and what `check_password` raises.
    """
    found, now_us = await opened(room, secret), room.clock()
    if found is None:
        raise Refused(Refusal.LINK_SPENT)
    check_password(password, found.person_name, found.organisation_name, found.mail)
    password_hash = await room.passwords.hash(password)
    async with transaction(room.pool) as connection:
        if await connection.execute(_TAKE, digest_of(secret), found.mail) == "DELETE 0":
            raise Refused(Refusal.LINK_SPENT)
        organisation_id = await make_organisation(
            connection,
            OrganisationKind.RESELLER,
            found.organisation_name,
            actor=visitor.actor,
            now_us=now_us,
        )
        try:
            person_id = await make_person(
                connection,
                organisation_id,
                mail=found.mail,
                name=found.person_name,
                zone=zone,
                roles=frozenset({Role.ADMIN, Role.BIDDER}),
                password_hash=password_hash,
                actor=visitor.actor,
                now_us=now_us,
            )
        except Refused as refused:
            if refused.refusal is Refusal.MAIL_TAKEN:  # since the mail was sent
                raise Refused(Refusal.LINK_SPENT) from None
            raise
        by = Actor(person_id, visitor.address)
        await record(
            connection,
            Act.SIGNED_UP,
            by,
            now_us,
            organisation_id=organisation_id,
            object_id=person_id,
        )
        return await fresh(connection, room, person_id, organisation_id, visitor)
