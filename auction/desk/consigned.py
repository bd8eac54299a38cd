"""What a consignor sees of its own goods: lots by sale, prices, and what it gets by its agreement.

Only what is published is there, and of it only the consignor's own lots: there is no field for a
reserve, for another's goods, for a buyer's name or maximum, or for the seller's papers. What a lot
brings a consignor is computed by the version that the lot was published under, on its hammer price
alone: credits and costs that come later are settlement's.
"""

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from accounts.ids import OrganisationId
from auction.consignment import AgreementTerms, Share, share_of, unsold_share
from auction.desk.agreements import Agreement, agreements_of, day_of, in_force, versions
from auction.desk.results import ConsignedLot, ConsignorResults, Results
from auction.ids import BidderId, LotId, SaleId
from auction.sale import LotStatus
from foundation.database import Pool, acquire

# Sales of one consignor on a page, the latest first.
SALES_SHOWN: Final = 100

NOTE: Final = (
    "By what was agreed when the lots were published, on hammer prices alone: credits to buyers and"
    " costs of payment or freight are not in it yet."
)


class ConsignedSale(Struct, frozen=True, kw_only=True):
    """A sale with goods of a consignor, and what its lots come to. ``bid_minor``: open lots."""

    sale_id: SaleId
    consignor_id: BidderId
    title: str | None
    seller: str
    time_zone: str | None
    currency: str
    lots: int
    open: int
    sold: int
    passed: int
    withdrawn: int
    bid_minor: int
    hammer_minor: int
    opens_at_us: int
    closed_at_us: int | None


class LotShare(Struct, frozen=True, kw_only=True):
    """What a lot that has ended brings its consignor; null: it was withdrawn."""

    lot_id: LotId
    agreement_id: str
    agreement_version: int
    share: Share | None


class ConsignedResults(Struct, frozen=True, kw_only=True):
    """Results of a consignor's goods in a sale, and what it gets of them."""

    note: str = NOTE
    results: ConsignorResults
    shares: Sequence[LotShare]
    commission_minor: int
    fees_minor: int
    consignor_minor: int


class AgreedTerms(Struct, frozen=True, kw_only=True):
    """A version of an agreement as its consignor reads it: without the seller's own notes."""

    agreement_id: str
    version: int
    name: str
    valid_from: datetime.date
    terms: AgreementTerms


class Consigning(Struct, frozen=True, kw_only=True):
    """As whose consignor an organisation's people act: a seller, and what is in force with it."""

    consignor_id: BidderId
    seller: str
    agreements: Sequence[AgreedTerms]


_AS: Final = """
select c.consignor_id, c.liquidator_id, coalesce(o.name, c.liquidator_id) as seller
from consignor c left join organisation o on o.organisation_id = c.liquidator_id
where c.organisation_id = $1 order by seller, c.consignor_id
"""

_SALES: Final = """
select r.sale_id, r.consignor_id, l.title, coalesce(l.liquidator_name, r.liquidator_id) as seller,
    l.time_zone, r.currency, count(*)::int as lots,
    (count(*) filter (where r.outcome is null))::int as open,
    (count(*) filter (where r.outcome = 'SOLD'))::int as sold,
    (count(*) filter (where r.outcome = 'PASSED'))::int as passed,
    (count(*) filter (where r.outcome = 'WITHDRAWN'))::int as withdrawn,
    coalesce(sum(r.price_minor) filter (where r.outcome is null), 0)::bigint as bid_minor,
    coalesce(sum(r.hammer_minor), 0)::bigint as hammer_minor,
    min(r.opens_at_us) as opens_at_us, s.closed_at_us
from lot_result r join sale_result s using (sale_id) left join sale_listing l using (sale_id)
where r.consignor_id = any($1)
group by r.sale_id, r.consignor_id, l.title, l.liquidator_name, r.liquidator_id, l.time_zone,
    r.currency, s.closed_at_us
order by min(r.opens_at_us) desc, r.sale_id limit $2
"""

_BOUND: Final = """
select lot_id, agreement_id, agreement_version, pallets from consigned_lot
where sale_id = $1 and consignor_id = $2
"""


class Consigned:
    """Reads. Whose goods may be looked at, the caller asks."""

    def __init__(self, pool: Pool, results: Results) -> None:
        self._pool, self._results = pool, results

    async def consigning(
        self, organisation_id: OrganisationId, now_us: int
    ) -> Sequence[Consigning]:
        """The liquidators that sell this organisation's goods, by name."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_AS, organisation_id)
            found = await agreements_of(connection, [row["consignor_id"] for row in rows])
        return [
            Consigning(
                consignor_id=row["consignor_id"],
                seller=row["seller"],
                agreements=[
                    AgreedTerms(
                        **{name: getattr(one, name) for name in AgreedTerms.__struct_fields__}
                    )
                    for one in in_force(found, day_of(now_us))
                    if one.consignor_id == row["consignor_id"]
                ],
            )
            for row in rows
        ]

    async def consignor_in(
        self, organisation_id: OrganisationId, sale_id: SaleId
    ) -> BidderId | None:
        """As whose consignor this organisation has goods in a sale; ``None``: it has none there."""
        async with acquire(self._pool) as connection:
            found: str | None = await connection.fetchval(
                "select consignor_id from consignor c where organisation_id = $1 and exists ("
                "select from lot_result r"
                " where r.consignor_id = c.consignor_id and r.sale_id = $2) order by 1 limit 1",
                organisation_id,
                sale_id,
            )
        return None if found is None else BidderId(found)

    async def sales(self, consignor_ids: Sequence[BidderId]) -> Sequence[ConsignedSale]:
        """The latest sales with goods of these, at most `SALES_SHOWN`."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_SALES, list(consignor_ids), SALES_SHOWN)
        return [ConsignedSale(**row) for row in rows]

    async def results(self, sale_id: SaleId, consignor_id: BidderId) -> ConsignedResults | None:
        """What its goods brought in a sale; ``None``: none of them were in it."""
        results = await self._results.of_consignor(sale_id, consignor_id)
        if results is None:
            return None
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_BOUND, sale_id, consignor_id)
            bound = [_Bound(*row) for row in rows]
            agreed = await versions(connection, (one.key for one in bound))
        return await asyncio.to_thread(_with_shares, results, bound, agreed)


class _Bound(Struct, frozen=True):
    """A published lot, and the version that it is settled by."""

    lot_id: LotId
    agreement_id: str
    agreement_version: int
    pallets: int

    @property
    def key(self) -> tuple[str, int]:
        return self.agreement_id, self.agreement_version


def _with_shares(
    results: ConsignorResults,
    bound: Sequence[_Bound],
    agreed: Mapping[tuple[str, int], Agreement],
) -> ConsignedResults:
    """Pure, and in a thread: a sale has up to a thousand lots."""
    by_lot = {one.lot_id: one for one in bound}
    shares = [
        LotShare(
            lot_id=lot.lot_id,
            agreement_id=one.agreement_id,
            agreement_version=one.agreement_version,
            share=_share(lot, agreed[one.key].terms, one.pallets),
        )
        for lot in results.lots
        if (one := by_lot.get(lot.lot_id)) is not None and lot.outcome is not None
    ]
    computed = [one.share for one in shares if one.share is not None]
    return ConsignedResults(
        results=results,
        shares=shares,
        commission_minor=sum(share.commission_minor for share in computed),
        fees_minor=sum(share.fees_minor for share in computed),
        consignor_minor=sum(share.consignor_minor for share in computed),
    )


def _share(lot: ConsignedLot, terms: AgreementTerms, pallets: int) -> Share | None:
    if lot.hammer_minor is not None:
        return share_of(terms, lot.hammer_minor, pallets)
    return unsold_share(terms, pallets) if lot.outcome == LotStatus.PASSED else None
