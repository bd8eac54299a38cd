"""Known devices: browsers in which somebody has signed in before.

Guesses at a password are counted for each known device by itself, and for all unknown ones
together: so strangers who guess make nobody wait who comes from their own browser. The cookie
proves nothing else, and signs nobody in.
"""

from typing import Final

from accounts.clock import DAY_US
from accounts.ids import PersonId
from accounts.secret import Secret, digest_of, new_secret
from foundation.database import AnyConnection

LIFETIME_US: Final = 180 * DAY_US
MAX_PER_PERSON: Final = 20

_REMEMBER = """
insert into known_device (digest, person_id, last_used_at_us) values ($1, $2, $3)
on conflict (digest) do update set last_used_at_us = excluded.last_used_at_us
where known_device.person_id = excluded.person_id
"""

_TRIM = """
delete from known_device where digest in (
    select digest from known_device where person_id = $1
    order by last_used_at_us desc, digest offset $2
)
"""


async def remember(connection: AnyConnection, person_id: PersonId, now_us: int) -> Secret:
    """Know this browser by a new secret from now on."""
    secret = new_secret()
    await connection.execute(_REMEMBER, digest_of(secret), person_id, now_us)
    await connection.execute(_TRIM, person_id, MAX_PER_PERSON)
    return secret


async def used_again(
    connection: AnyConnection, person_id: PersonId, secret: str, now_us: int
) -> None:
    """The person has signed in here again."""
    await connection.execute(_REMEMBER, digest_of(secret), person_id, now_us)


async def forget(connection: AnyConnection, person_id: PersonId, *, but: str | None = None) -> None:
    """Know none of this person's browsers any more, but for one if it is named."""
    await connection.execute(
        "delete from known_device where person_id = $1 and digest is distinct from $2",
        person_id,
        None if but is None else digest_of(but),
    )
