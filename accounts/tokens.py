"""API tokens: how a program signs in for a person, within scopes.

``sc_`` and 256 random bits, shown once and kept as a digest. A token acts for the person who made
it, with the roles that the person has at that time, narrowed to its scopes; it goes when the
person goes.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from accounts.clock import DAY_US, MINUTE_US, SECOND_US, Clock
from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId, TokenId, new_id
from accounts.secret import Secret, digest_of, new_secret
from foundation.database import AnyConnection, Pool, acquire

PREFIX: Final = "sc_"
# Programs that nobody looks after any more lose their way in after at most a year.
LONGEST_US: Final = 366 * DAY_US
# How exactly the last use is kept.
USED_STEP_US: Final = MINUTE_US

# A revoked token works this much longer at most; live connections are closed within 5 s.
CACHED_US: Final = 2 * SECOND_US
# The busiest programs; others cost a look into the table.
CACHED_TOKENS: Final = 1_024


class MadeToken(Struct, frozen=True):
    """A new token; the secret is shown once, and kept nowhere."""

    token_id: TokenId
    secret: Secret


class ListedToken(Struct, frozen=True):
    """A token as its person sees it."""

    token_id: TokenId
    name: str
    scopes: Sequence[Scope]
    created_at_us: int
    expires_at_us: int
    last_used_at_us: int | None


_IDENTIFY = """
select person.person_id, organisation.organisation_id, organisation.kind, person.name,
    organisation.name as organisation_name,
    array(select role from membership where membership.person_id = person.person_id) as roles,
    api_token.token_id, api_token.scopes, api_token.expires_at_us, api_token.last_used_at_us
from api_token join person using (person_id) join organisation using (organisation_id)
where api_token.{key} = $1 and api_token.expires_at_us > $2 and person.left_at_us is null
"""

_BY_DIGEST = _IDENTIFY.format(key="digest")
_BY_ID = _IDENTIFY.format(key="token_id")

_USED = "update api_token set last_used_at_us = $2 where token_id = $1"

_MAKE = """
insert into api_token (token_id, digest, person_id, name, scopes, created_at_us, expires_at_us)
values ($1, $2, $3, $4, $5, $6, $7)
"""

_LIST = """
select token_id, name, scopes, created_at_us, expires_at_us, last_used_at_us
from api_token where person_id = $1 order by created_at_us desc, token_id
"""


class Bearers:
    """Turns bearers' tokens into identities, and remembers each for at most ``CACHED_US``."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._known: OrderedDict[bytes, tuple[int, Identity]] = OrderedDict()

    async def identify(self, bearer: str) -> Identity | None:
        """Whose token this is; ``None`` when it is nobody's, expired or revoked."""
        now_us, digest = self._clock(), digest_of(bearer)
        known = self._known.get(digest)
        if known is not None and now_us - CACHED_US < known[0] <= now_us:
            return known[1]
        identity = await identify_bearer(self._pool, bearer, now_us)
        self._known.pop(digest, None)
        if identity is not None:
            self._known[digest] = (now_us, identity)
            if len(self._known) > CACHED_TOKENS:
                self._known.popitem(last=False)
        return identity


async def identify_bearer(pool: Pool, bearer: str, now_us: int) -> Identity | None:
    """Whose token this is, by the table; ``None`` when it is nobody's, expired or revoked."""
    if not bearer.startswith(PREFIX):
        return None
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_BY_DIGEST, digest_of(bearer), now_us)
        if row is None:
            return None
        if (row["last_used_at_us"] or 0) < now_us - USED_STEP_US:
            await connection.execute(_USED, row["token_id"], now_us)
    return _identity(row)


async def identity_of(connection: AnyConnection, token_id: TokenId, now_us: int) -> Identity | None:
    """Whose token this is, by its name."""
    row = await connection.fetchrow(_BY_ID, token_id, now_us)
    return None if row is None else _identity(row)


async def make_token(
    connection: AnyConnection,
    person_id: PersonId,
    name: str,
    scopes: frozenset[Scope],
    *,
    expires_at_us: int,
    now_us: int,
) -> MadeToken:
    """A token for this person's programs; the caller has checked name, scopes and expiry."""
    made = MadeToken(TokenId(new_id("token")), new_secret(PREFIX))
    digest = digest_of(made.secret)
    await connection.execute(
        _MAKE, made.token_id, digest, person_id, name, sorted(scopes), now_us, expires_at_us
    )
    return made


async def count(connection: AnyConnection, person_id: PersonId, now_us: int) -> int:
    """How many tokens of this person work."""
    found = await connection.fetchval(
        "select count(*) from api_token where person_id = $1 and expires_at_us > $2",
        person_id,
        now_us,
    )
    return int(found)


async def revoke(connection: AnyConnection, person_id: PersonId, token_id: TokenId) -> bool:
    """End one token of this person; whether there was one."""
    revoked = await connection.fetchval(
        "delete from api_token where token_id = $1 and person_id = $2 returning true",
        token_id,
        person_id,
    )
    return bool(revoked)


async def revoke_all(connection: AnyConnection, person_id: PersonId) -> None:
    """End all tokens of this person."""
    await connection.execute("delete from api_token where person_id = $1", person_id)


async def tokens_of(pool: Pool, person_id: PersonId) -> Sequence[ListedToken]:
    """A person's tokens, the newest first; the expired too, until they are put away."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, person_id)
    return [
        ListedToken(
            token_id=TokenId(row["token_id"]),
            name=row["name"],
            scopes=[Scope(scope) for scope in row["scopes"]],
            created_at_us=row["created_at_us"],
            expires_at_us=row["expires_at_us"],
            last_used_at_us=row["last_used_at_us"],
        )
        for row in rows
    ]


def _identity(row: asyncpg.Record) -> Identity:
    return Identity(
        person_id=PersonId(row["person_id"]),
        organisation_id=OrganisationId(row["organisation_id"]),
        organisation_kind=OrganisationKind(row["kind"]),
        roles=frozenset(Role(role) for role in row["roles"]),
        name=row["name"],
        organisation_name=row["organisation_name"],
        token_id=TokenId(row["token_id"]),
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
    )
