"""Tickets: a live connection is opened with one, because a browser sends no header with it.

A page asks for a ticket with its cookie, over a request that is checked against other sites, and
the first frame of its WebSocket carries it. It serves once, for ``LIFETIME_US``, and dies with
the session or token that it was made for.
"""

from typing import Final

from msgspec import Struct

from accounts import sessions, tokens
from accounts.clock import SECOND_US
from accounts.identity import Identity
from accounts.secret import Secret, digest_of, new_secret
from foundation.database import Pool, acquire

# From the answer of the request to the first frame.
LIFETIME_US: Final = 30 * SECOND_US


class Ticket(Struct, frozen=True):
    """What the first frame carries, and until when."""

    ticket: Secret
    expires_at_us: int


_ISSUE = """
insert into ticket (digest, session_id, token_id, expires_at_us) values ($1, $2, $3, $4)
"""

# Removed by whoever comes first, so that of two connections with one ticket one is refused.
_REDEEM = "delete from ticket where digest = $1 returning session_id, token_id, expires_at_us"


async def issue(pool: Pool, identity: Identity, now_us: int) -> Ticket:
    """A ticket for the session or token behind this identity."""
    ticket = Ticket(new_secret(), now_us + LIFETIME_US)
    async with acquire(pool) as connection:
        await connection.execute(
            _ISSUE,
            digest_of(ticket.ticket),
            identity.session_id,
            identity.token_id,
            ticket.expires_at_us,
        )
    return ticket


async def redeem(pool: Pool, ticket: str, now_us: int) -> Identity | None:
    """Who this ticket was made for, as they are now.

    ``None`` for a ticket that is unknown, used before or older than 30 s, and for one whose
    session or token has ended since.
    """
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_REDEEM, digest_of(ticket))
        if row is None or row["expires_at_us"] <= now_us:
            return None
        if row["session_id"] is not None:
            return await sessions.identity_of(connection, row["session_id"], now_us)
        return await tokens.identity_of(connection, row["token_id"], now_us)
