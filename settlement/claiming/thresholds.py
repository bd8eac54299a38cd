"""Lots that state a threshold of their own: from which loss on a claim is credited, and what.

It is stated while the lot can still be sold under it; what is sold keeps the terms of its sale.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from accounts.audit import Actor
from auction.ids import LotId, SaleId
from foundation.database import Pool, acquire
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.claiming.desk import ClaimsDesk
from settlement.claiming.words import DeskRefusal, Refused
from settlement.claims import Threshold
from settlement.policy import ThresholdPays

# On a page: what was stated of late.
MAX_SHOWN: Final = 200

_IS_LISTED: Final = "select exists (select from lot_listing where sale_id = $1 and lot_id = $2)"
_STATED: Final = """
select t.sale_id, t.lot_id, t.share_bps, t.pays, t.stated_at_us,
    coalesce(p.name, t.stated_by) as stated_by,
    exists (select from award a where a.sale_id = t.sale_id and a.lot_id = t.lot_id) as is_sold
from lot_claim_threshold t left join person p on p.person_id = t.stated_by
where (t.stated_at_us, t.sale_id, t.lot_id) < ($1::bigint, $2::text, $3::text)
order by t.stated_at_us desc, t.sale_id desc, t.lot_id desc limit $4
"""


class StatedThreshold(Struct, frozen=True, kw_only=True):
    """A lot's own threshold, and who stated it. ``is_sold``: it cannot be changed any more."""

    sale_id: SaleId
    lot_id: LotId
    share_bps: int
    pays: ThresholdPays
    stated_at_us: int
    stated_by: str
    is_sold: bool


class ThresholdKey(Struct, frozen=True):
    """The place of a threshold in the list of them: the latest stated first."""

    stated_at_us: int
    sale_id: str
    lot_id: str


class Thresholds:
    """What staff do about them."""

    def __init__(self, pool: Pool, desk: ClaimsDesk) -> None:
        self._pool, self._desk = pool, desk

    async def latest(self) -> Sequence[StatedThreshold]:
        """As many as a page shows, the latest first."""
        return (await self.page(Paging(limit=MAX_SHOWN))).items

    async def page(self, paging: Paging) -> Listing[StatedThreshold]:
        """All of them, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, ThresholdKey) or ThresholdKey(2**62, "", "")
        values = (key.stated_at_us, key.sale_id, key.lot_id, paging.limit + 1)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_STATED, *values)
        return listing(
            rows,
            paging.limit,
            lambda row: StatedThreshold(**{**row, "pays": ThresholdPays(row["pays"])}),
            lambda row: ThresholdKey(row["stated_at_us"], row["sale_id"], row["lot_id"]),
        )

    async def state(
        self, sale_id: SaleId, lot_id: LotId, threshold: Threshold, actor: Actor
    ) -> None:
        """State it, or state it anew. Raises `Refused`: NOT_FOUND, SOLD_ALREADY."""
        async with acquire(self._pool) as connection:
            if not await connection.fetchval(_IS_LISTED, sale_id, lot_id):
                said = "No sale of this id has a lot of this number."
                raise Refused(DeskRefusal.NOT_FOUND, field="lot_id", detail=said)
        await self._desk.state_threshold(sale_id, lot_id, threshold, actor)
