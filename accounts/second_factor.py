"""The second factor: time-based codes (RFC 6238) from a device, and codes for when it is lost.

The secret has to be kept as it is, since codes are computed from it; whoever can read the
database needs the password too. A code is accepted once, for its own half minute and those
around it. Recovery codes are random, kept as digests, and each works once.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

import pyotp
from msgspec import Struct

from accounts import letters, sessions, tokens
from accounts.audit import OPERATOR, Act, Actor, record
from accounts.clock import SECOND_US
from accounts.ids import OrganisationId, PersonId, SessionId
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import Secret, digest_of
from accounts.team import shut_out
from foundation.database import AnyConnection, acquire, transaction

STEP_US: Final = 30 * SECOND_US
# Clocks of phones are right; people are slow.
WINDOW: Final = (-1, 0, 1)
RECOVERY_CODES: Final = 10
# Eighty bits, as four groups of four letters and digits: nobody tries them all.
RECOVERY_BYTES: Final = 10

ISSUER: Final = "Softclose"


class Enrolment(Struct, frozen=True):
    """What a device is set up with."""

    secret: str
    address: str  # otpauth://...
    picture: str  # the address as a QR code, as a data: URL


class Enrolled(Struct, frozen=True):
    """What there is to do after the second factor was set up."""

    session: Secret  # for the cookie: the session has another secret now
    recovery_codes: Sequence[str]  # shown once


_BEGIN = """
insert into totp (person_id, secret) values ($1, $2)
on conflict (person_id) do update set secret = totp.secret returning secret
"""

_TOTP = "select secret, confirmed_at_us, last_step from totp where person_id = $1 for update"
_TAKE_STEP = "update totp set last_step = $2 where person_id = $1 and last_step < $2 returning true"
_CONFIRM = "update totp set confirmed_at_us = $2 where person_id = $1"
_REMOVE = "delete from totp where person_id = $1 returning confirmed_at_us is not null"
_NO_CODES = "delete from recovery_code where person_id = $1"
_KEEP_CODE = "insert into recovery_code (digest, person_id) values ($1, $2)"
_TAKE_CODE = "delete from recovery_code where digest = $1 and person_id = $2 returning true"
_OF_STAFF = """
select kind = 'HOUSE' from person join organisation using (organisation_id) where person_id = $1
"""
_MAIL = "select mail from person where person_id = $1"


async def is_set(room: Room, person_id: PersonId) -> bool:
    """Whether this person signs in with a second factor."""
    async with acquire(room.pool) as connection:
        found = await connection.fetchval(
            "select true from totp where person_id = $1 and confirmed_at_us is not null", person_id
        )
    return bool(found)


async def begin(room: Room, person_id: PersonId) -> Enrolment:
    """What to set up a device with; the same until it is confirmed.

    Raises `Refused` SECOND_FACTOR_SET.
    """
    import segno  # here, since a start need not wait for it

    async with transaction(room.pool) as connection:
        row = await connection.fetchrow(_TOTP, person_id)
        if row is not None and row["confirmed_at_us"] is not None:
            raise Refused(Refusal.SECOND_FACTOR_SET)
        secret = await connection.fetchval(_BEGIN, person_id, pyotp.random_base32())
        mail = await connection.fetchval(_MAIL, person_id)
    address = pyotp.TOTP(secret).provisioning_uri(name=mail, issuer_name=ISSUER)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4)
    return Enrolment(secret, address, picture)


async def enrol(room: Room, person_id: PersonId) -> str:
    """Set a second factor up without a device; its secret.

    For the operator, who hands it on, and the demonstration. Raises `Refused` SECOND_FACTOR_SET.
    """
    enrolment, now_us = await begin(room, person_id), room.clock()
    async with transaction(room.pool) as connection:
        await connection.execute(_CONFIRM, person_id, now_us)
        await record(connection, Act.SECOND_FACTOR_SET, OPERATOR, now_us, object_id=person_id)
    return enrolment.secret


async def confirm(
    room: Room, person_id: PersonId, session_id: SessionId, code: str, actor: Actor
) -> Enrolled:
    """The device shows the right code: from now on it is asked for.

    Other sessions, which were opened without it, end. Raises `Refused`: SECOND_FACTOR_SET,
    SECOND_FACTOR_NOT_SET, WRONG_CODE.
    """
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        row = await connection.fetchrow(_TOTP, person_id)
        if row is None:
            raise Refused(Refusal.SECOND_FACTOR_NOT_SET)
        if row["confirmed_at_us"] is not None:
            raise Refused(Refusal.SECOND_FACTOR_SET)
        if not await _take_totp(connection, person_id, code, now_us):
            raise Refused(Refusal.WRONG_CODE, field="code")
        await connection.execute(_CONFIRM, person_id, now_us)
        codes = await _new_codes(connection, person_id)
        await sessions.end_all(connection, person_id, but=session_id)
        secret = await sessions.rotate(connection, session_id, second_factor=True)
        await record(connection, Act.SECOND_FACTOR_SET, actor, now_us, object_id=person_id)
        mail = await connection.fetchval(_MAIL, person_id)
    room.post.send(letters.second_factor_changed(mail, room.origin, now_set=True))
    return Enrolled(secret, codes)


async def take(
    connection: AnyConnection, person_id: PersonId, code: str, actor: Actor, now_us: int
) -> bool:
    """Whether the person has this code now, from the device or for recovery; it is spent."""
    row = await connection.fetchrow(_TOTP, person_id)
    if row is None or row["confirmed_at_us"] is None:
        return False
    if await _take_totp(connection, person_id, code, now_us):
        return True
    digest = digest_of(_plain(code))
    if not await connection.fetchval(_TAKE_CODE, digest, person_id):
        return False
    await record(connection, Act.RECOVERY_CODE_USED, actor, now_us, object_id=person_id)
    return True


async def new_recovery_codes(room: Room, person_id: PersonId, actor: Actor) -> Sequence[str]:
    """Other recovery codes; the old ones work no more. The caller has asked for the password.

    Raises `Refused` SECOND_FACTOR_NOT_SET.
    """
    async with transaction(room.pool) as connection:
        row = await connection.fetchrow(_TOTP, person_id)
        if row is None or row["confirmed_at_us"] is None:
            raise Refused(Refusal.SECOND_FACTOR_NOT_SET)
        codes = await _new_codes(connection, person_id)
        await record(connection, Act.RECOVERY_CODES_MADE, actor, room.clock(), object_id=person_id)
    return codes


async def remove(room: Room, person_id: PersonId, actor: Actor) -> None:
    """Do without it; the caller has asked for the password.

    Raises `Refused`: SECOND_FACTOR_REQUIRED for staff, SECOND_FACTOR_NOT_SET.
    """
    async with transaction(room.pool) as connection:
        if await connection.fetchval(_OF_STAFF, person_id):
            raise Refused(Refusal.SECOND_FACTOR_REQUIRED)
        await _remove(connection, person_id, actor, room.clock())
        mail = await connection.fetchval(_MAIL, person_id)
    room.post.send(letters.second_factor_changed(mail, room.origin, now_set=False))


async def remove_lost(
    room: Room, organisation_id: OrganisationId, person_id: PersonId, actor: Actor
) -> None:
    """For somebody of this team who has lost the device and the recovery codes.

    Signed out everywhere; staff set up another at their next sign-in. Nobody does it to themselves:
    whoever finds an open session would not need the password. Raises `Refused`:
    SECOND_FACTOR_IS_YOURS, NOT_FOUND, SECOND_FACTOR_NOT_SET.
    """
    if actor.person_id == person_id:
        raise Refused(Refusal.SECOND_FACTOR_IS_YOURS)
    async with transaction(room.pool) as connection:
        mail = await connection.fetchval(
            "select mail from person "
            "where person_id = $1 and organisation_id = $2 and left_at_us is null",
            person_id,
            organisation_id,
        )
        if mail is None:
            raise Refused(Refusal.NOT_FOUND)
        await _remove(connection, person_id, actor, room.clock(), organisation_id=organisation_id)
        await shut_out(connection, person_id)
    room.post.send(letters.second_factor_changed(mail, room.origin, now_set=False))


def code_at(secret: str, now_us: int) -> str:
    """What the device shows at this time."""
    return pyotp.TOTP(secret).generate_otp(now_us // STEP_US)


async def _remove(
    connection: AnyConnection,
    person_id: PersonId,
    actor: Actor,
    now_us: int,
    organisation_id: OrganisationId | None = None,
) -> None:
    if not await connection.fetchval(_REMOVE, person_id):
        raise Refused(Refusal.SECOND_FACTOR_NOT_SET)
    await connection.execute(_NO_CODES, person_id)
    # Tokens were made under its protection.
    await tokens.revoke_all(connection, person_id)
    await record(
        connection,
        Act.SECOND_FACTOR_REMOVED,
        actor,
        now_us,
        organisation_id=organisation_id,
        object_id=person_id,
    )


async def _take_totp(
    connection: AnyConnection, person_id: PersonId, code: str, now_us: int
) -> bool:
    row = await connection.fetchrow(_TOTP, person_id)
    assert row is not None, "the caller has looked"
    given = code.replace(" ", "")
    for step in (now_us // STEP_US + offset for offset in WINDOW):
        right = pyotp.TOTP(row["secret"]).generate_otp(step)
        if hmac.compare_digest(right.encode(), given.encode(errors="replace")):
            return bool(await connection.fetchval(_TAKE_STEP, person_id, step))
    return False


async def _new_codes(connection: AnyConnection, person_id: PersonId) -> Sequence[str]:
    await connection.execute(_NO_CODES, person_id)
    codes = [_random_code() for _ in range(RECOVERY_CODES)]
    rows = [(digest_of(_plain(code)), person_id) for code in codes]
    await connection.executemany(_KEEP_CODE, rows)
    return codes


def _random_code() -> str:
    letters_and_digits = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    groups = (letters_and_digits[start : start + 4] for start in range(0, 16, 4))
    return "-".join(groups)


def _plain(code: str) -> str:
    return "".join(c for c in code.lower() if c.isalnum())
