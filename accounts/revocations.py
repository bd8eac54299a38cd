"""Which sessions and tokens are over, for whoever keeps connections open in their name.

Asked every few seconds about all that is connected, in one statement, so that a connection does
not outlive by more than 5 s the session or token that it was opened with.
"""

from collections.abc import Iterable, Set

from msgspec import Struct

from accounts.ids import SessionId, TokenId
from accounts.sessions import ABSOLUTE_US, IDLE_US
from foundation.database import Pool, acquire


class Revoked(Struct, frozen=True):
    """Those of the asked ones that are over: ended, expired, or never there."""

    session_ids: Set[SessionId]
    token_ids: Set[TokenId]


_LIVE_SESSIONS = f"""
select session_id from session
where session_id = any ($1)
    and last_seen_at_us > $2::bigint - {IDLE_US} and created_at_us > $2::bigint - {ABSOLUTE_US}
"""  # noqa: S608 - constants

_LIVE_TOKENS = "select token_id from api_token where token_id = any ($1) and expires_at_us > $2"


async def revoked_among(
    pool: Pool, session_ids: Iterable[SessionId], token_ids: Iterable[TokenId], now_us: int
) -> Revoked:
    """Of these sessions and tokens, those that are over.

    When somebody leaves, or others change their roles, their sessions are over too; a change of
    roles does not end tokens, whose identities are made anew when they connect. A connection does
    not by itself count as use of its session: see `sessions.seen`.
    """
    sessions, tokens = set(session_ids), set(token_ids)
    async with acquire(pool) as connection:
        live_sessions = (
            await connection.fetch(_LIVE_SESSIONS, list(sessions), now_us) if sessions else []
        )
        live_tokens = await connection.fetch(_LIVE_TOKENS, list(tokens), now_us) if tokens else []
    return Revoked(
        sessions.difference(row[0] for row in live_sessions),
        tokens.difference(row[0] for row in live_tokens),
    )
