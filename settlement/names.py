"""How organisations, persons and sales are called, for pages that have their ids."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from auction.ids import SaleId
from foundation.database import AnyConnection

_ORGANISATIONS: Final = """
select organisation_id, name from organisation where organisation_id = any($1::text[])
"""

_PERSONS: Final = "select person_id, name from person where person_id = any($1::text[])"

_SALES: Final = """
select sale_id, title, time_zone, liquidator_name from sale_listing where sale_id = any($1::text[])
"""


class NamedSale(Struct, frozen=True):
    """A sale as buyers know it, and by which clock its times are told."""

    title: str
    time_zone: str
    seller: str


async def organisation_names(
    connection: AnyConnection, ids: Iterable[str | None]
) -> Mapping[str, str]:
    """Of those that there are; a page shows the id of another."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    rows = await connection.fetch(_ORGANISATIONS, wanted)
    return {row["organisation_id"]: row["name"] for row in rows}


async def person_names(connection: AnyConnection, ids: Iterable[str]) -> Mapping[str, str]:
    """Of those that there are; who else acts goes by its own name."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row["person_id"]: row["name"] for row in await connection.fetch(_PERSONS, wanted)}


async def sale_names(
    connection: AnyConnection, ids: Iterable[SaleId | None]
) -> Mapping[str, NamedSale]:
    """Of those that are in the catalogue."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    rows = await connection.fetch(_SALES, wanted)
    return {
        row["sale_id"]: NamedSale(row["title"], row["time_zone"], row["liquidator_name"])
        for row in rows
    }
