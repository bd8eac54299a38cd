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
insert into known_device (person_id, digest, last_used_at_us) values ($1, $2, $3)
on conflict (person_id, digest) do update set last_used_at_us = excluded.last_used_at_us
"""

_TRIM = """
delete from known_device where person_id = $1 and digest in (
    select digest from known_device where person_id = $1
    order by last_used_at_us desc, digest offset $2
)
"""

# For anybody: one browser may be several people's.
_OURS = "select exists (select from known_device where digest = $1)"


async def remember(
    connection: AnyConnection, person_id: PersonId, given: str | None, now_us: int
) -> Secret | None:
    """The person has signed in here. The secret for the browser, unless it brought one of ours."""
    known = given is not None and await connection.fetchval(_OURS, digest_of(given))
    secret = given if given is not None and known else new_secret()
    await connection.execute(_REMEMBER, person_id, digest_of(secret), now_us)
    await connection.execute(_TRIM, person_id, MAX_PER_PERSON)
    return None if known else Secret(secret)


async def forget(connection: AnyConnection, person_id: PersonId, *, but: str | None = None) -> None:
    """Know none of this person's browsers any more, but for one if it is named."""
    await connection.execute(
        "delete from known_device where person_id = $1 and digest is distinct from $2",
        person_id,
        None if but is None else digest_of(but),
    )
