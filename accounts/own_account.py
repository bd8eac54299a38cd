"""What people change about themselves: name, zone, password, mail address; sessions and tokens.

Whatever would let somebody else in asks for the password again, however fresh the session: it
may be a laptop that was left open. Wrong ones are counted as at the door.
"""

from typing import Final

from msgspec import Struct

from accounts import devices, letters, sessions, tokens
from accounts.audit import Act, Actor, record
from accounts.clock import DAY_US
from accounts.identity import Identity, Scope
from accounts.ids import PersonId, SessionId, TokenId
from accounts.passwords import check_password
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import Secret, digest_of, new_secret
from accounts.slow_down import ACCOUNT, MAILBOX, Counted, count_try, forgive
from accounts.texts import checked_name, mail_address, time_zone
from accounts.tokens import MadeToken
from foundation.database import AnyConnection, acquire, transaction

MAIL_CHANGE_LIFETIME_US: Final = DAY_US
MAX_TOKENS: Final = 50

_PERSON = "select mail, name, time_zone from person where person_id = $1"
_HASH = "select password_hash from person where person_id = $1 and left_at_us is null"
_SET_PROFILE = "update person set name = $2, time_zone = $3 where person_id = $1"
_SET_HASH = "update person set password_hash = $2 where person_id = $1 and left_at_us is null"
_NO_STEPS = "delete from login_step where person_id = $1"
_NO_RESETS = "delete from password_reset where person_id = $1"
_ASK_MAIL = """
insert into mail_change (digest, person_id, mail, expires_at_us) values ($1, $2, $3, $4)
"""
_NO_MAIL_CHANGES = "delete from mail_change where person_id = $1"
_TAKE_MAIL_CHANGE = """
delete from mail_change where digest = $1 and person_id = $2 and expires_at_us > $3 returning mail
"""
_TAKEN = "select exists (select from person where mail = $1 and left_at_us is null)"
_SET_MAIL = """
update person set mail = $2 where person_id = $1 and not exists (
    select from person as other where other.mail = $2 and other.left_at_us is null
) returning true
"""


class Profile(Struct, frozen=True):
    """What somebody says of themselves."""

    mail: str
    name: str
    time_zone: str


async def profile_of(room: Room, person_id: PersonId) -> Profile:
    """The profile of whoever is signed in."""
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(_PERSON, person_id)
    assert row is not None, "who is signed in is there"
    return Profile(**dict(row))


async def change_profile(
    room: Room, identity: Identity, name: str, zone: str, actor: Actor
) -> None:
    """Another name, another time zone. Raises `Refused`: BAD_TEXT, BAD_TIME_ZONE."""
    name, zone = checked_name(name, field="name", most=100), time_zone(zone)
    async with transaction(room.pool) as connection:
        await connection.execute(_SET_PROFILE, identity.person_id, name, zone)
        await _record(connection, room, Act.PROFILE_CHANGED, identity, actor)


async def prove_password(room: Room, identity: Identity, password: str) -> None:
    """Whether this is the password of who is signed in.

    Raises `Refused`: TOO_SOON, BUSY, WRONG_PASSWORD.
    """
    counted = Counted("own password", identity.person_id, ACCOUNT)
    async with acquire(room.pool) as connection:
        await count_try(connection, (counted,), room.clock())
        known_hash = await connection.fetchval(_HASH, identity.person_id)
    if not await room.passwords.fits(known_hash, password):
        raise Refused(Refusal.WRONG_PASSWORD, field="password")
    async with acquire(room.pool) as connection:
        await forgive(connection, counted)


async def change_password(
    room: Room, identity: Identity, old: str, new: str, device: str | None, actor: Actor
) -> Secret:
    """Another password: other sessions end, this one gets the secret that is returned.

    Raises `Refused`: what `prove_password` and `check_password` raise.
    """
    assert identity.session_id is not None, "only a session can change its person's password"
    await prove_password(room, identity, old)
    mail = (await profile_of(room, identity.person_id)).mail
    try:
        check_password(new, identity.name, mail)
    except Refused as refused:
        raise Refused(refused.refusal, field="new_password") from None
    new_hash = await room.passwords.hash(new)
    async with transaction(room.pool) as connection:
        await write_password(connection, identity.person_id, new_hash)
        await sessions.end_all(connection, identity.person_id, but=identity.session_id)
        await devices.forget(connection, identity.person_id, but=device)
        secret = await sessions.rotate(connection, identity.session_id)
        await _record(connection, room, Act.PASSWORD_CHANGED, identity, actor)
    room.post.send(letters.password_changed(mail, room.origin))
    return secret


async def write_password(
    connection: AnyConnection, person_id: PersonId, password_hash: str
) -> None:
    """Keep this hash, and let nothing go on that the old password began."""
    await connection.execute(_SET_HASH, person_id, password_hash)
    await connection.execute(_NO_STEPS, person_id)
    await connection.execute(_NO_RESETS, person_id)


async def ask_mail_change(
    room: Room, identity: Identity, mail: str, password: str, actor: Actor
) -> None:
    """Send a link to the new address, which becomes theirs when they open it.

    An address that somebody has already gets no link, and the asker the same answer. Raises
    `Refused`: BAD_MAIL, what `prove_password` raises, and TOO_SOON for more mails to one mailbox
    than anybody wants.
    """
    mail = mail_address(mail)
    await prove_password(room, identity, password)
    secret, now_us = new_secret(), room.clock()
    async with acquire(room.pool) as connection:
        await count_try(connection, (Counted("mailbox", mail, MAILBOX),), now_us)
    async with transaction(room.pool) as connection:
        taken = await connection.fetchval(_TAKEN, mail)
        await connection.execute(_NO_MAIL_CHANGES, identity.person_id)
        values = (digest_of(secret), identity.person_id, mail, now_us + MAIL_CHANGE_LIFETIME_US)
        await connection.execute(_ASK_MAIL, *values)
        await _record(connection, room, Act.MAIL_CHANGE_ASKED, identity, actor)
    if not taken:
        room.post.send(letters.confirm_mail(mail, room.origin, secret))


async def confirm_mail_change(room: Room, identity: Identity, secret: str, actor: Actor) -> Secret:
    """The link was opened by who is signed in: the address is theirs now.

    Links for a new password that went to the old address work no more. Raises `Refused`
    LINK_SPENT.
    """
    assert identity.session_id is not None, "only a session can change its person's address"
    now_us, person_id = room.clock(), identity.person_id
    old = (await profile_of(room, person_id)).mail
    async with transaction(room.pool) as connection:
        new = await connection.fetchval(_TAKE_MAIL_CHANGE, digest_of(secret), person_id, now_us)
        if new is None or not await connection.fetchval(_SET_MAIL, person_id, new):
            raise Refused(Refusal.LINK_SPENT)
        await connection.execute(_NO_RESETS, person_id)
        await sessions.end_all(connection, person_id, but=identity.session_id)
        rotated = await sessions.rotate(connection, identity.session_id)
        await _record(connection, room, Act.MAIL_CHANGED, identity, actor)
    room.post.send(letters.mail_changed(old))
    return rotated


async def end_session(room: Room, identity: Identity, session_id: SessionId, actor: Actor) -> None:
    """End one of one's own sessions. Raises `Refused` NOT_FOUND."""
    async with transaction(room.pool) as connection:
        if not await sessions.end(connection, identity.person_id, session_id):
            raise Refused(Refusal.NOT_FOUND)
        await _record(connection, room, Act.SESSION_ENDED, identity, actor, session_id)


async def end_other_sessions(room: Room, identity: Identity, actor: Actor) -> None:
    """End all of one's own sessions but the one that asks."""
    async with transaction(room.pool) as connection:
        await sessions.end_all(connection, identity.person_id, but=identity.session_id)
        await _record(connection, room, Act.SESSION_ENDED, identity, actor, "others")


async def make_own_token(
    room: Room,
    identity: Identity,
    name: str,
    scopes: frozenset[Scope],
    lifetime_days: int,
    actor: Actor,
) -> MadeToken:
    """A token for one's own programs.

    Raises `Refused`: BAD_TEXT, NO_SCOPE, EXPIRY_OUT_OF_RANGE, TOO_MANY.
    """
    name, now_us = checked_name(name, field="name", most=60), room.clock()
    if not scopes:
        raise Refused(Refusal.NO_SCOPE, field="scopes")
    if not 1 <= lifetime_days <= tokens.LONGEST_US // DAY_US:
        raise Refused(Refusal.EXPIRY_OUT_OF_RANGE, field="lifetime_days")
    expires_at_us = now_us + lifetime_days * DAY_US
    async with transaction(room.pool) as connection:
        await connection.execute(
            "select from person where person_id = $1 for update", identity.person_id
        )
        if await tokens.count(connection, identity.person_id, now_us) >= MAX_TOKENS:
            raise Refused(Refusal.TOO_MANY)
        made = await tokens.make_token(
            connection,
            identity.person_id,
            name,
            scopes,
            expires_at_us=expires_at_us,
            now_us=now_us,
        )
        await _record(
            connection, room, Act.TOKEN_MADE, identity, actor, made.token_id, scopes=sorted(scopes)
        )
    return made


async def revoke_own_token(room: Room, identity: Identity, token_id: TokenId, actor: Actor) -> None:
    """End one of one's own tokens. Raises `Refused` NOT_FOUND."""
    async with transaction(room.pool) as connection:
        if not await tokens.revoke(connection, identity.person_id, token_id):
            raise Refused(Refusal.NOT_FOUND)
        await _record(connection, room, Act.TOKEN_REVOKED, identity, actor, token_id)


async def _record(
    connection: AnyConnection,
    room: Room,
    act: Act,
    identity: Identity,
    actor: Actor,
    object_id: str | None = None,
    **details: object,
) -> None:
    await record(
        connection,
        act,
        actor,
        room.clock(),
        organisation_id=identity.organisation_id,
        object_id=object_id or identity.person_id,
        **details,
    )
