"""What programs ask for once, however often they say it: the client's own id of a request.

Whoever makes something for a request notes the request in the transaction that makes it. An
answer that was lost is so given again: the same id finds what was made, in whatever state it is
by then. The same id with other content is refused. What was refused is not noted: nothing was
made, and it is judged anew when it is asked again.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from foundation.database import AnyConnection, Pool, acquire
from foundation.refusals import RefusedBecause


class RequestRefusal(StrEnum):
    """Why it is not the same request."""

    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"


MEANINGS: Final[Mapping[RequestRefusal, str]] = {
    RequestRefusal.REQUEST_ID_REUSED: "Something else was asked for under this id.",
}


class RequestRefused(RefusedBecause[RequestRefusal]):
    """Nothing was done."""

    meanings = MEANINGS


class Asked(Struct, frozen=True):
    """A request: whose it is, its id by the client, and the digest of what it asks for."""

    organisation_id: str
    request_id: str
    digest: bytes

    @classmethod
    def of(cls, organisation_id: str, request_id: str, *content: bytes) -> "Asked":
        """With the digest of the content, part by part."""
        digest = hashlib.sha256()
        for part in content:
            digest.update(len(part).to_bytes(8, "big") + part)
        return cls(organisation_id, request_id, digest.digest())


async def made_for(pool: Pool, asked: Asked) -> str | None:
    """What was made for this request; None: nothing yet. Raises `RequestRefused`."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(_READ, asked.organisation_id, asked.request_id)
    if row is None:
        return None
    if row["digest"] != asked.digest:
        raise RequestRefused(RequestRefusal.REQUEST_ID_REUSED)
    made: str = row["made"]
    return made


async def note_made(
    connection: AnyConnection, asked: Asked | None, made: object, now_us: int
) -> None:
    """Note what is made for a request, in the transaction that makes it; None: for no request.

    Raises `RequestRefused` where the same request, or another under its id, has been noted since
    the caller looked: what is made twice is undone with the transaction.
    """
    if asked is None:
        return
    values = (asked.organisation_id, asked.request_id, asked.digest, str(made), now_us)
    if await connection.fetchval(_NOTE, *values) is None:
        raise RequestRefused(RequestRefusal.REQUEST_ID_REUSED)


_READ: Final = """
select digest, made from client_request where organisation_id = $1 and request_id = $2
"""
_NOTE: Final = """
insert into client_request (organisation_id, request_id, digest, made, made_at_us)
values ($1, $2, $3, $4, $5) on conflict (organisation_id, request_id) do nothing returning true
"""
