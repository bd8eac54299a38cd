"""Approved resellers, as a liquidator may know them: an organisation's name, town and state.

A liquidator chooses whom it invites, so it may find an organisation by some letters of its name,
or by the whole mail address of one of its people, as business cards have it. It is told of no
person, of nobody who is not approved, and of no number of a bidder: who bids under which number
in a sale stays unknown to it until the hammer falls. There is no list of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from accounts.ids import OrganisationId
from foundation.database import Pool, acquire

# Fewer letters than that would be a list of everybody.
LEAST_LETTERS: Final = 3
MOST_FOUND: Final = 20


class ResellerEntry(Struct, frozen=True, kw_only=True):
    """An approved reseller."""

    organisation_id: OrganisationId
    name: str
    city: str
    region: str


_ENTRY: Final = """
select organisation_id, name, city, region from approval join organisation using (organisation_id)
where state = 'APPROVED' and kind = 'RESELLER' and
"""

_SEARCH: Final = f"""
{_ENTRY} (starts_with(lower(name), lower($1)) or position(' ' || lower($1) in lower(name)) > 0)
order by lower(name), organisation_id limit $2
"""

_BY_ID: Final = f"{_ENTRY} organisation_id = any($1)"
_BY_NAME: Final = f"{_ENTRY} lower(name) = any($1) order by organisation_id"

_BY_MAIL: Final = """
select mail, organisation_id, organisation.name, city, region
from person join organisation using (organisation_id) join approval using (organisation_id)
where mail = any($1) and left_at_us is null and state = 'APPROVED' and kind = 'RESELLER'
"""


async def search_resellers(pool: Pool, letters: str) -> Sequence[ResellerEntry]:
    """Those of whose names a word begins so; none for fewer than ``LEAST_LETTERS``."""
    if len(letters.strip()) < LEAST_LETTERS:
        return []
    async with acquire(pool) as connection:
        rows = await connection.fetch(_SEARCH, letters.strip(), MOST_FOUND)
    return [ResellerEntry(**row) for row in rows]


async def resellers(
    pool: Pool, organisation_ids: Iterable[OrganisationId]
) -> Mapping[OrganisationId, ResellerEntry]:
    """These; who is no approved reseller is left out."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_BY_ID, list(organisation_ids))
    return {row["organisation_id"]: ResellerEntry(**row) for row in rows}


async def resellers_called(
    pool: Pool, names_and_mails: Iterable[str]
) -> Mapping[str, Sequence[ResellerEntry]]:
    """By whole names, in any case of letters, and whole mail addresses; the key is in lower case.

    Several may have a name.
    """
    wanted = sorted({text.lower() for text in names_and_mails})
    found: dict[str, list[ResellerEntry]] = {}
    async with acquire(pool) as connection:
        for row in await connection.fetch(_BY_NAME, wanted):
            found.setdefault(row["name"].lower(), []).append(ResellerEntry(**row))
        for mail, *entry in await connection.fetch(_BY_MAIL, wanted):
            names = ResellerEntry.__struct_fields__
            found[mail] = [ResellerEntry(**dict(zip(names, entry, strict=True)))]
    return found
