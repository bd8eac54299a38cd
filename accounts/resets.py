"""A new password by mail, for who has forgotten theirs.

The answer is the same whether the address is known or not, and is given before any mail is sent.
A link works once, for half an hour; it sets the password and no more: whoever has a second factor
is still asked for it.
"""

from typing import Final

from accounts import devices, letters, sessions
from accounts.audit import Act, Actor, record
from accounts.clock import MINUTE_US
from accounts.ids import PersonId
from accounts.own_account import write_password
from accounts.passwords import check_password
from accounts.refusals import Refusal, Refused
from accounts.room import Room
from accounts.secret import digest_of, new_secret
from accounts.slow_down import (
    ACCOUNT,
    ASKING,
    MAILBOX,
    Counted,
    count_try,
    forgive,
    network_of,
)
from accounts.texts import mail_address
from foundation.database import AnyConnection, acquire, transaction

LIFETIME_US: Final = 30 * MINUTE_US
# Somebody who asks twice gets two mails and may open the first; more are of no use.
MAX_OPEN: Final = 3

_PERSON = "select person_id, organisation_id from person where mail = $1 and left_at_us is null"
_ASK = "insert into password_reset (digest, person_id, expires_at_us) values ($1, $2, $3)"
_TRIM = """
delete from password_reset where digest in (
    select digest from password_reset where person_id = $1
    order by expires_at_us desc, digest offset $2
)
"""
_OPEN = """
select person.person_id, person.organisation_id, mail, name
from password_reset join person using (person_id)
where digest = $1 and expires_at_us > $2 and left_at_us is null
"""
_TAKE = "delete from password_reset where digest = $1 returning true"


async def ask(room: Room, mail: str, address: str) -> None:
    """Send a link to this address if somebody signs in with it.

    Raises `Refused`: BAD_MAIL; TOO_SOON for who asks about many addresses.
    """
    mail, now_us = mail_address(mail), room.clock()
    async with acquire(room.pool) as connection:
        await count_try(connection, (Counted("asking", network_of(address), ASKING),), now_us)
        try:
            await count_try(connection, (Counted("mailbox", mail, MAILBOX),), now_us)
        except Refused:
            return  # as many mails as anybody needs are on their way
    secret = new_secret()
    async with transaction(room.pool) as connection:
        row = await connection.fetchrow(_PERSON, mail)
        # For an unknown address too: the commit is what could be told by its time.
        await record(
            connection,
            Act.PASSWORD_RESET_ASKED,
            Actor(None, address),
            now_us,
            organisation_id=row["organisation_id"] if row else None,
            object_id=row["person_id"] if row else None,
        )
        if row is None:
            return
        values = (digest_of(secret), row["person_id"], now_us + LIFETIME_US)
        await connection.execute(_ASK, *values)
        await connection.execute(_TRIM, row["person_id"], MAX_OPEN)
    room.post.send(letters.reset_password(mail, room.origin, secret))


async def is_open(room: Room, secret: str) -> bool:
    """Whether the link still works."""
    async with acquire(room.pool) as connection:
        return await connection.fetchrow(_OPEN, digest_of(secret), room.clock()) is not None


async def reset(room: Room, secret: str, password: str, actor: Actor) -> None:
    """Set the password that was chosen behind the link. All sessions end.

    Raises `Refused`: LINK_SPENT, BUSY, and what `check_password` raises.
    """
    now_us, digest = room.clock(), digest_of(secret)
    async with acquire(room.pool) as connection:
        row = await connection.fetchrow(_OPEN, digest, now_us)
    if row is None:
        raise Refused(Refusal.LINK_SPENT)
    check_password(password, row["name"], row["mail"])
    password_hash = await room.passwords.hash(password)
    async with transaction(room.pool) as connection:
        if not await connection.fetchval(_TAKE, digest):
            raise Refused(Refusal.LINK_SPENT)
        await replace_password(connection, row["person_id"], row["mail"], password_hash)
        await record(
            connection,
            Act.PASSWORD_RESET,
            actor,
            now_us,
            organisation_id=row["organisation_id"],
            object_id=row["person_id"],
        )
    room.post.send(letters.password_changed(row["mail"], room.origin))


async def replace_password(
    connection: AnyConnection, person_id: PersonId, mail: str, password_hash: str
) -> None:
    """Keep this hash, and let nobody in by what went before."""
    await write_password(connection, person_id, password_hash)
    await sessions.end_all(connection, person_id)
    await devices.forget(connection, person_id)
    # Whoever guesses at the old password does not keep its owner waiting with the new one.
    await forgive(connection, Counted("account", mail, ACCOUNT))
