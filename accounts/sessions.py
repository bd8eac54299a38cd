"""Sessions: what a browser's cookie stands for.

The cookie holds a random secret; the table holds its digest, and a name for the session that is
no secret. A session ends after ``IDLE_US`` without use and ``ABSOLUTE_US`` in all; then, and
when it is ended, its row goes, so that whatever is not in the table is over.

A session is made at each login, and never taken over from before it; when its person proves more
or changes how they prove themselves, the secret is changed (`rotate`). When somebody else changes
what a person may do, the person's sessions end.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from accounts.clock import DAY_US, HOUR_US, MINUTE_US
from accounts.identity import Identity, OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId, SessionId, new_id
from accounts.secret import Secret, digest_of, new_secret
from foundation.database import AnyConnection, Pool, acquire

IDLE_US: Final = 12 * HOUR_US
ABSOLUTE_US: Final = 14 * DAY_US
# How exactly the last use is kept: a write a minute, not one a request.
SEEN_STEP_US: Final = MINUTE_US
# The oldest give way; nobody signs in from more browsers in two weeks.
MAX_PER_PERSON: Final = 20
AGENT_LENGTH: Final = 200


class OpenedSession(Struct, frozen=True):
    """A new session; the secret is for the cookie, and kept nowhere else."""

    session_id: SessionId
    secret: Secret


class ListedSession(Struct, frozen=True):
    """A session as its person sees it."""

    session_id: SessionId
    address: str
    agent: str
    created_at_us: int
    last_seen_at_us: int


_LIVE = f"""
session.last_seen_at_us > $2::bigint - {IDLE_US}
    and session.created_at_us > $2::bigint - {ABSOLUTE_US}
"""

_IDENTIFY = f"""
select person.person_id, organisation.organisation_id, organisation.kind, person.name,
    organisation.name as organisation_name,
    array(select role from membership where membership.person_id = person.person_id) as roles,
    session.second_factor, session.session_id, session.last_seen_at_us
from session join person using (person_id) join organisation using (organisation_id)
where session.{{key}} = $1 and {_LIVE} and person.left_at_us is null
"""  # noqa: S608 - two constants

_BY_DIGEST = _IDENTIFY.format(key="digest")
_BY_ID = _IDENTIFY.format(key="session_id")

_SEEN = f"""
update session set last_seen_at_us = $2
where session_id = any ($1) and last_seen_at_us < $2::bigint - {SEEN_STEP_US} and {_LIVE}
"""  # noqa: S608 - constants

_OPEN = """
insert into session (session_id, digest, person_id, second_factor, address, agent,
    created_at_us, last_seen_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $7)
"""

_TRIM = """
delete from session where session_id in (
    select session_id from session where person_id = $1
    order by last_seen_at_us desc, session_id offset $2
)
"""

_ROTATE = """
update session set digest = $2, second_factor = second_factor or $3 where session_id = $1
"""

_LIST = f"""
select session_id, address, agent, created_at_us, last_seen_at_us
from session where person_id = $1 and {_LIVE} order by last_seen_at_us desc, session_id
"""  # noqa: S608 - constants


async def identify(pool: Pool, secret: str, now_us: int) -> Identity | None:
    """Whose session this cookie is; ``None`` when it is nobody's, over or ended.

    Notes that the session is in use. Roles of staff are withheld in a session that was opened
    without a second factor.
    """
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_BY_DIGEST, digest_of(secret), now_us)
        if row is None:
            return None
        if row["last_seen_at_us"] < now_us - SEEN_STEP_US:
            await connection.execute(_SEEN, [row["session_id"]], now_us)
    return _identity(row)


async def identity_of(
    connection: AnyConnection, session_id: SessionId, now_us: int
) -> Identity | None:
    """Whose session this is, by its name."""
    row = await connection.fetchrow(_BY_ID, session_id, now_us)
    return None if row is None else _identity(row)


async def seen(pool: Pool, session_ids: Iterable[SessionId], now_us: int) -> None:
    """Note that these are in use, for what comes in by other ways than requests, such as bids."""
    async with acquire(pool) as connection:
        await connection.execute(_SEEN, list(session_ids), now_us)


async def open_session(
    connection: AnyConnection,
    person_id: PersonId,
    *,
    second_factor: bool,
    address: str,
    agent: str,
    now_us: int,
) -> OpenedSession:
    """Sign somebody in."""
    opened = OpenedSession(SessionId(new_id("session")), new_secret())
    digest = digest_of(opened.secret)
    agent = agent.replace("\0", "")[:AGENT_LENGTH]
    await connection.execute(
        _OPEN, opened.session_id, digest, person_id, second_factor, address, agent, now_us
    )
    await connection.execute(_TRIM, person_id, MAX_PER_PERSON)
    return opened


async def rotate(
    connection: AnyConnection, session_id: SessionId, *, second_factor: bool = False
) -> Secret:
    """A new secret for a session whose person proved more, or proves themselves otherwise now."""
    secret = new_secret()
    await connection.execute(_ROTATE, session_id, digest_of(secret), second_factor)
    return secret


async def end(connection: AnyConnection, person_id: PersonId, session_id: SessionId) -> bool:
    """End one session of this person; whether there was one."""
    ended = await connection.fetchval(
        "delete from session where session_id = $1 and person_id = $2 returning true",
        session_id,
        person_id,
    )
    return bool(ended)


async def end_all(
    connection: AnyConnection, person_id: PersonId, *, but: SessionId | None = None
) -> None:
    """End all sessions of this person, but for one if it is named."""
    await connection.execute(
        "delete from session where person_id = $1 and session_id is distinct from $2",
        person_id,
        but,
    )


async def sessions_of(pool: Pool, person_id: PersonId, now_us: int) -> Sequence[ListedSession]:
    """A person's sessions, the last used first."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, person_id, now_us)
    return [ListedSession(*row) for row in rows]


def _identity(row: asyncpg.Record) -> Identity:
    kind = OrganisationKind(row["kind"])
    withheld = kind is OrganisationKind.HOUSE and not row["second_factor"]
    return Identity(
        person_id=PersonId(row["person_id"]),
        organisation_id=OrganisationId(row["organisation_id"]),
        organisation_kind=kind,
        roles=frozenset() if withheld else frozenset(Role(role) for role in row["roles"]),
        name=row["name"],
        organisation_name=row["organisation_name"],
        session_id=SessionId(row["session_id"]),
    )
