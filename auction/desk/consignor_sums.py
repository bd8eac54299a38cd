"""What a liquidator sees of a consignor besides its words: what lies in stock, what was brought."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from auction.desk.lot_drafts import LotDraft
from auction.ids import BidderId, LiquidatorId
from foundation.database import Pool, acquire

# Lots in preparation that a page lists; all are counted.
LOTS_SHOWN: Final = 50


class Brought(Struct, frozen=True):
    """Of a consignor's published lots, by currency."""

    currency: str
    sales: int
    lots: int
    sold: int
    hammer_minor: int


class PreparedLot(Struct, frozen=True):
    """A lot that can still be changed. ``sale``: the title of the draft that it is in."""

    draft_id: str
    draft: LotDraft
    sale: str | None


_PREPARED: Final = """
select l.draft ->> 'consignor_id' as consignor_id, count(*)::int as lots
from lot_draft l left join sale_draft s using (sale_id)
where l.liquidator_id = $1 and l.removed_at_us is null and l.draft ? 'consignor_id'
and l.draft ->> 'consignor_id' = any($2) and coalesce(s.state, 'DRAFT') = 'DRAFT' group by 1
"""

_LOTS: Final = """
select l.draft_id, l.draft, s.draft ->> 'title' as sale
from lot_draft l left join sale_draft s using (sale_id)
where l.liquidator_id = $1 and l.removed_at_us is null and l.draft ? 'consignor_id'
and l.draft ->> 'consignor_id' = $2 and coalesce(s.state, 'DRAFT') = 'DRAFT'
order by l.draft_id limit $3
"""

_BROUGHT: Final = """
select consignor_id, currency, count(distinct sale_id)::int, count(*)::int,
    (count(*) filter (where outcome = 'SOLD'))::int, coalesce(sum(hammer_minor), 0)::bigint
from lot_result where consignor_id = any($1) group by consignor_id, currency order by currency
"""


class ConsignorSums:
    """Reads. Whose consignors they are, the caller knows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def prepared(
        self, liquidator_id: LiquidatorId, consignor_ids: Iterable[BidderId]
    ) -> Mapping[BidderId, int]:
        """How many lots of each are in preparation; who has none is left out."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_PREPARED, liquidator_id, list(consignor_ids))
        return {row["consignor_id"]: row["lots"] for row in rows}

    async def lots(
        self, liquidator_id: LiquidatorId, consignor_id: BidderId
    ) -> Sequence[PreparedLot]:
        """Some lots in preparation, the first made first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LOTS, liquidator_id, consignor_id, LOTS_SHOWN)
        return [
            PreparedLot(
                row["draft_id"], msgspec.json.decode(row["draft"], type=LotDraft), row["sale"]
            )
            for row in rows
        ]

    async def brought(
        self, consignor_ids: Iterable[BidderId]
    ) -> Mapping[BidderId, Sequence[Brought]]:
        """What published lots came to, by currency; who has none is left out."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_BROUGHT, list(consignor_ids))
        found: dict[BidderId, list[Brought]] = {}
        for consignor_id, *sums in rows:
            found.setdefault(BidderId(consignor_id), []).append(Brought(*sums))
        return found
