"""Signing in: a mail address and a password, then a code for whoever has a second factor.

Whether an address is known cannot be told from outside: an unknown one costs the same Argon2
verification, is slowed down by the same counts, and gets the same answer. A session is always
new; whatever session the browser had ends.

A crash at any await leaves at most a try that was counted: the session, the device and the line
of the audit log are one transaction.
"""

from typing import Final

import asyncpg
import structlog
from msgspec import Struct

from accounts import devices, second_factor, sessions
from accounts.audit import Act, Actor, record
from accounts.clock import MINUTE_US
from accounts.ids import OrganisationId, PersonId, SessionId
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import Secret, digest_of, new_secret
from accounts.sessions import OpenedSession, open_session
from accounts.slow_down import (
    ACCOUNT,
    ADDRESS,
    CODE,
    Counted,
    count_try,
    forgive,
    give_back,
    network_of,
)
from foundation.database import AnyConnection, acquire, transaction

# From the password to the code.
STEP_LIFETIME_US: Final = 5 * MINUTE_US
TRIES_PER_STEP: Final = 5

_logger = structlog.get_logger(__name__)


class Visitor(Struct, frozen=True):
    """Where somebody comes from: their address, and what their browser brings along."""

    address: str
    agent: str
    device: str | None = None  # the cookie of a known device
    session: str | None = None  # the cookie of a session, which ends

    @property
    def actor(self) -> Actor:
        return Actor(None, self.address)


class SignedIn(Struct, frozen=True):
    """Done: the secrets are for the cookies."""

    session: OpenedSession
    device: Secret | None  # None: this browser keeps the one it has


class CodeWanted(Struct, frozen=True):
    """The password is right; with this secret the code is handed in."""

    step: Secret


class _Candidate(Struct, frozen=True):
    """Who might be signing in."""

    person_id: PersonId
    organisation_id: OrganisationId
    password_hash: str | None = None
    has_second_factor: bool = False
    device_known: bool = False


_CANDIDATE = f"""
select person_id, organisation_id, password_hash,
    exists (select from totp where totp.person_id = person.person_id
            and confirmed_at_us is not null) as has_second_factor,
    exists (select from known_device where known_device.person_id = person.person_id
            and digest = $2 and last_used_at_us > $3::bigint - {devices.LIFETIME_US}
    ) as device_known
from person where {{condition}} and left_at_us is null
"""  # noqa: S608 - constants

_BY_MAIL = _CANDIDATE.format(condition="mail = $1")
_BY_ID = _CANDIDATE.format(condition="person_id = $1")

_HOLD = """
select password_hash from person where person_id = $1 and left_at_us is null for update
"""
_NEW_HASH = "update person set password_hash = $2 where person_id = $1 and password_hash = $3"

_STEP = "insert into login_step (digest, person_id, expires_at_us) values ($1, $2, $3)"
_STEP_OF = "select person_id from login_step where digest = $1 and expires_at_us > $2"
_STEP_TRY = """
update login_step set tries = tries + 1 where digest = $1 and tries < $2 returning true
"""
_STEP_DONE = "delete from login_step where digest = $1 returning true"
_END_FORMER = "delete from session where digest = $1"


async def with_password(
    room: Room, mail: str, password: str, visitor: Visitor
) -> SignedIn | CodeWanted:
    """The first step, and for whoever has no second factor the last.

    Raises `Refused`: TOO_SOON, BUSY, WRONG_CREDENTIALS.
    """
    mail, now_us = mail.strip().lower(), room.clock()
    candidate = await _candidate(room, _BY_MAIL, mail, visitor, now_us)
    counted = _counted(mail, candidate, visitor)
    async with acquire(room.pool) as connection:
        await count_try(connection, counted, now_us)
    known_hash = candidate.password_hash if candidate else None
    fits = await room.passwords.fits(known_hash, password)
    if candidate is None or not fits:
        await _refuse(room, candidate, visitor)
        raise Refused(Refusal.WRONG_CREDENTIALS)
    assert known_hash is not None, "nothing fits where no password is set"
    new_hash = await room.passwords.hash(password) if room.passwords.outdated(known_hash) else None
    async with transaction(room.pool) as connection:
        if await connection.fetchval(_HOLD, candidate.person_id) != known_hash:
            raise Refused(Refusal.WRONG_CREDENTIALS)  # changed while we looked
        if new_hash is not None:
            await connection.execute(_NEW_HASH, candidate.person_id, new_hash, known_hash)
        if candidate.has_second_factor:
            step = new_secret()
            expires_at_us = now_us + STEP_LIFETIME_US
            await connection.execute(_STEP, digest_of(step), candidate.person_id, expires_at_us)
            return CodeWanted(step)
        return await _signed_in(connection, room, candidate, counted, visitor, second_factor=False)


async def with_code(room: Room, step: str, code: str, visitor: Visitor) -> SignedIn:
    """The second step.

    Raises `Refused`: LINK_SPENT when it has taken too long or too many tries, and the password
    is to be given again; TOO_SOON, WRONG_CODE.
    """
    now_us, digest = room.clock(), digest_of(step)
    async with acquire(room.pool) as connection:
        person_id = await connection.fetchval(_STEP_OF, digest, now_us)
    candidate = person_id and await _candidate(room, _BY_ID, person_id, visitor, now_us)
    if candidate is None:
        raise Refused(Refusal.LINK_SPENT)
    counted = _counted_code(candidate, visitor)
    async with acquire(room.pool) as connection:
        await count_try(connection, counted, now_us)
        if not await connection.fetchval(_STEP_TRY, digest, TRIES_PER_STEP):
            raise Refused(Refusal.LINK_SPENT)
    try:
        async with transaction(room.pool) as connection:
            # Locks the second factor, so of two equal codes at once one is too late.
            if not await second_factor.take(connection, person_id, code, visitor.actor, now_us):
                raise Refused(Refusal.WRONG_CODE, field="code")
            if not await connection.fetchval(_STEP_DONE, digest):
                raise Refused(Refusal.LINK_SPENT)
            return await _signed_in(
                connection, room, candidate, counted, visitor, second_factor=True
            )
    except Refused as refused:
        if refused.refusal is Refusal.WRONG_CODE:
            await _refuse(room, candidate, visitor)
        raise


async def fresh(
    connection: AnyConnection,
    room: Room,
    person_id: PersonId,
    organisation_id: OrganisationId,
    visitor: Visitor,
) -> SignedIn:
    """Sign in somebody who has just joined, by a link from their own mailbox."""
    candidate = _Candidate(person_id, organisation_id)
    return await _signed_in(connection, room, candidate, (), visitor, second_factor=False)


async def sign_out(room: Room, person_id: PersonId, session_id: SessionId, actor: Actor) -> None:
    """End the session that asks for it."""
    async with transaction(room.pool) as connection:
        await sessions.end(connection, person_id, session_id)
        await record(connection, Act.SIGNED_OUT, actor, room.clock(), object_id=session_id)


async def _candidate(
    room: Room, statement: str, key: str, visitor: Visitor, now_us: int
) -> _Candidate | None:
    device = digest_of(visitor.device) if visitor.device else b""
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(statement, key, device, now_us)
    return None if row is None else _candidate_of(row)


def _candidate_of(row: asyncpg.Record) -> _Candidate:
    return _Candidate(**dict(row))


def _counted(mail: str, candidate: _Candidate | None, visitor: Visitor) -> tuple[Counted, ...]:
    if candidate is not None and candidate.device_known:
        return (Counted("device", f"{candidate.person_id} {visitor.device}", ACCOUNT),)
    address = Counted("address", network_of(visitor.address), ADDRESS)
    return (Counted("account", mail, ACCOUNT), address)


def _counted_code(candidate: _Candidate, visitor: Visitor) -> tuple[Counted, ...]:
    where = f" {visitor.device}" if candidate.device_known else ""
    return (Counted("code", f"{candidate.person_id}{where}", CODE),)


async def _refuse(room: Room, candidate: _Candidate | None, visitor: Visitor) -> None:
    """Leave a line, for whoever is asked about as for whoever does not exist."""
    _logger.info("sign_in_refused", address=visitor.address)
    async with transaction(room.pool) as connection:
        await record(
            connection,
            Act.SIGN_IN_REFUSED,
            visitor.actor,
            room.clock(),
            organisation_id=candidate.organisation_id if candidate else None,
            object_id=candidate.person_id if candidate else None,
        )


async def _signed_in(
    connection: AnyConnection,
    room: Room,
    candidate: _Candidate,
    counted: tuple[Counted, ...],
    visitor: Visitor,
    *,
    second_factor: bool,
) -> SignedIn:
    now_us, person_id = room.clock(), candidate.person_id
    if visitor.session is not None:
        await connection.execute(_END_FORMER, digest_of(visitor.session))
    session = await open_session(
        connection,
        person_id,
        second_factor=second_factor,
        address=visitor.address,
        agent=visitor.agent,
        now_us=now_us,
    )
    device = await devices.remember(connection, person_id, visitor.device, now_us)
    for one in counted:
        if one.kind == "address":
            await give_back(connection, one, now_us)
        else:
            await forgive(connection, one)
    await record(
        connection,
        Act.SIGNED_IN,
        Actor(person_id, visitor.address),
        now_us,
        organisation_id=candidate.organisation_id,
        object_id=session.session_id,
        second_factor=second_factor,
    )
    return SignedIn(session, device)
