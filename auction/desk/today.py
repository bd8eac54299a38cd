"""What a liquidator's day looks like: sales that go on or come next, and what waits for a person.

It reads the board of lots, which follows the log by less than a second.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from auction.catalog.questions import open_questions
from auction.desk.sale_drafts import DraftedSale, DraftState, list_sales
from auction.ids import LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection, Pool, acquire

# Far more than anybody holds at once; the rest is in the list of sales.
MOST_SALES: Final = 200
MOST_WAITING: Final = 50


class SaleBoard(Struct, frozen=True, kw_only=True):
    """How the lots of a published sale stand. Amounts are hammer prices or current bids."""

    lots: int
    open: int
    sold: int
    passed: int
    if_bids: int
    with_bids: int
    bid_minor: int
    opens_at_us: int
    first_end_us: int
    last_end_us: int

    def is_over(self) -> bool:
        """Whether nothing of it can be sold any more."""
        return self.open == 0 and self.if_bids == 0


class WaitingBid(Struct, frozen=True, kw_only=True):
    """A bid below the reserve that the seller has to answer."""

    sale_id: SaleId
    lot_id: LotId
    title: str
    currency: str
    price_minor: int


class PublishedSale(Struct, frozen=True, kw_only=True):
    """A sale that is published, planned at the desk or scheduled by another way."""

    sale_id: SaleId
    title: str
    currency: str
    time_zone: str


class Overview(Struct, frozen=True, kw_only=True):
    """A liquidator's sales, what waits, and how many lots are in stock.

    ``unpublished``: drafts, and what is being published. ``questions``: how many wait for an
    answer.
    """

    unpublished: list[DraftedSale]
    published: list[tuple[PublishedSale, SaleBoard]]
    waiting: list[WaitingBid]
    questions: int
    stock: int


_BOARDS: Final = """
select sale_id, count(*)::int as lots,
    (count(*) filter (where status not in ('SOLD', 'PASSED', 'WITHDRAWN', 'IF_BID')))::int as open,
    (count(*) filter (where status = 'SOLD'))::int as sold,
    (count(*) filter (where status = 'PASSED'))::int as passed,
    (count(*) filter (where status = 'IF_BID'))::int as if_bids,
    (count(*) filter (where bid_count > 0))::int as with_bids,
    coalesce(sum(price_minor) filter (where bid_count > 0
        and status not in ('PASSED', 'WITHDRAWN')), 0)::bigint as bid_minor,
    min(opens_at_us) as opens_at_us, min(closes_at_us) as first_end_us,
    max(closes_at_us) as last_end_us
from lot_board where sale_id = any($1) group by sale_id
"""

_OTHERS: Final = """
select r.sale_id, l.title, r.currency, l.time_zone
from sale_result r join sale_listing l using (sale_id)
where r.liquidator_id = $1
and not exists (select from sale_draft d where d.sale_id = r.sale_id)
order by r.closed_at_us desc nulls first, r.sale_id limit $2
"""

_WAITING: Final = """
select sale_id, lot_id, title, currency, price_minor from lot_board
where liquidator_id = $1 and status = 'IF_BID' and price_minor is not null
order by closes_at_us, sale_id, lot_id limit $2
"""

_ENDS: Final = "select lot_id, closes_at_us from lot_board where sale_id = $1"

_STOCK: Final = """
select count(*)::int from lot_draft
where liquidator_id = $1 and sale_id is null and removed_at_us is null
"""


class Today:
    """Reads it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def overview(self, liquidator_id: LiquidatorId) -> Overview:
        """Everything at once."""
        async with acquire(self._pool) as connection:
            sales = await list_sales(connection, liquidator_id, None, MOST_SALES)
            published = [_published(sale) for sale in sales if sale.state is DraftState.PUBLISHED]
            others = await connection.fetch(_OTHERS, liquidator_id, MOST_SALES)
            published += [PublishedSale(**dict(row)) for row in others]
            boards = await _boards(connection, [sale.sale_id for sale in published])
            rows = await connection.fetch(_WAITING, liquidator_id, MOST_WAITING)
            asked = await open_questions(connection, liquidator_id)
            stock: int = await connection.fetchval(_STOCK, liquidator_id)
        return Overview(
            unpublished=[sale for sale in sales if sale.state is not DraftState.PUBLISHED],
            published=[(one, boards[one.sale_id]) for one in published if one.sale_id in boards],
            waiting=[WaitingBid(**dict(row)) for row in rows],
            questions=sum(asked.values()),
            stock=stock,
        )

    async def scheduled(self, sale: DraftedSale) -> int:
        """How many lots of a sale that is being published the engine has."""
        if sale.state is DraftState.PUBLISHED:
            return sale.lots
        async with acquire(self._pool) as connection:
            boards = await _boards(connection, [sale.sale_id])
        board = boards.get(sale.sale_id)
        return 0 if board is None else board.lots

    async def boards(self, sales: Sequence[DraftedSale]) -> dict[SaleId, SaleBoard]:
        """How the lots of sales stand that are published, as far as they are on the board."""
        sale_ids = [sale.sale_id for sale in sales if sale.state is DraftState.PUBLISHED]
        async with acquire(self._pool) as connection:
            return await _boards(connection, sale_ids)

    async def ends(self, sale_id: SaleId) -> dict[LotId, int]:
        """When each lot ends as things stand; empty while none is on the board."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_ENDS, sale_id)
        return {LotId(lot_id): closes_at_us for lot_id, closes_at_us in rows}


def _published(sale: DraftedSale) -> PublishedSale:
    draft = sale.draft
    assert draft.schedule is not None, "checked before it was published"
    return PublishedSale(
        sale_id=sale.sale_id,
        title=draft.title,
        currency=draft.terms.currency,
        time_zone=draft.schedule.time_zone,
    )


async def _boards(connection: AnyConnection, sale_ids: list[SaleId]) -> dict[SaleId, SaleBoard]:
    rows = await connection.fetch(_BOARDS, sale_ids)
    return {
        row["sale_id"]: SaleBoard(**{k: v for k, v in row.items() if k != "sale_id"})
        for row in rows
    }
