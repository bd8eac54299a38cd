"""How organisations and sales are called, for pages that have their ids."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from auction.ids import SaleId
from foundation.database import AnyConnection

_ORGANISATIONS: Final = """
select organisation_id, name from organisation where organisation_id = any($1::text[])
"""

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
