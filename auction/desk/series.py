"""Sales that were made together as one that comes again: a series of drafts.

They are made at once, as far ahead as was asked, so that each of them stands in the calendar and
can be changed by itself; nothing makes sales while nobody looks. Functions take a connection and
make no transaction of their own.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from accounts.ids import new_id
from auction.desk.recurrence import Recurrence
from auction.desk.sale_drafts import DraftedSale, drop_sale, read_sale
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, SaleId
from foundation.database import AnyConnection

_BEGIN: Final = """
insert into sale_series (series_id, liquidator_id, recurrence, made_at_us, made_by)
values ($1, $2, $3::jsonb, $4, $5)
"""

_SALES: Final = """
select sale_id from sale_draft where liquidator_id = $1 and series_id = $2 and state <> 'DROPPED'
order by draft -> 'schedule' ->> 'opens', sale_id
"""


async def begin(
    connection: AnyConnection,
    seller: Seller,
    sale: DraftedSale,
    recurrence: Recurrence,
    now_us: int,
) -> str:
    """A new series with this sale as its first."""
    series_id, content = new_id("series"), msgspec.json.encode(recurrence).decode()
    owner, actor_id = seller.liquidator_id, seller.actor_id
    await connection.execute(_BEGIN, series_id, owner, content, now_us, actor_id)
    await put_in(connection, series_id, [sale.sale_id])
    return series_id


async def put_in(connection: AnyConnection, series_id: str, sale_ids: Sequence[SaleId]) -> None:
    """These belong to it."""
    await connection.execute(
        "update sale_draft set series_id = $1 where sale_id = any($2)", series_id, list(sale_ids)
    )


async def sales_of(
    connection: AnyConnection, liquidator_id: LiquidatorId, series_id: str
) -> Sequence[DraftedSale]:
    """Those that were not given up, in the order in which they open."""
    rows = await connection.fetch(_SALES, liquidator_id, series_id)
    return [await read_sale(connection, liquidator_id, row["sale_id"]) for row in rows]


async def stop(connection: AnyConnection, seller: Seller, sale: DraftedSale, now_us: int) -> int:
    """Give up the other drafts, their lots back in stock; how many. What is published stays."""
    assert sale.series_id is not None, "it comes again"
    rows = await connection.fetch(
        "select sale_id from sale_draft where series_id = $1 and liquidator_id = $2"
        " and state = 'DRAFT' and sale_id <> $3 order by sale_id for update",
        sale.series_id,
        seller.liquidator_id,
        sale.sale_id,
    )
    for row in rows:
        draft = await read_sale(connection, seller.liquidator_id, row["sale_id"])
        await drop_sale(connection, draft, seller.actor_id, now_us)
    await connection.execute(
        "update sale_draft set series_id = null where series_id = $1", sale.series_id
    )
    return len(rows)
