"""Liquidators who sell: their sales in the catalogue and the engine, and what lots have brought."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from accounts.identity import OrganisationKind, Role
from auction.catalog.goods import Condition
from auction.catalog.listings import publish_lots, publish_sale, save_lot, save_sale
from auction.catalog.manifests import save_manifest
from auction.commands import ScheduleSale
from auction.desk.api_results import ResultsApi
from auction.desk.guidance import PriceGuidance
from auction.desk.results import Results
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.terms import LotKind, LotListing, Terms
from foundation.database import Pool, acquire, transaction
from foundation.http.routes import Route
from tests.builders import SECRET, STAFF_MEMBER, bid, register
from tests.catalogue import a_described_lot, a_line, a_sale
from tests.market import Market, Reseller, closing_in

TERMS: Final = Terms(soft_close=None)


def desk_routes(pool: Pool, now_us: Callable[[], int]) -> list[Route]:
    """What this part of the desk answers."""
    return ResultsApi(Results(pool), PriceGuidance(pool, now_us)).routes()


async def a_liquidator(market: Market, name: str) -> Reseller:
    """An organisation that sells, by its one person."""
    organisation_id = await market.people.organisation(OrganisationKind.LIQUIDATOR, name)
    mail = f"{name.lower().replace(' ', '.')}@example.com"
    roles = (Role.LIQUIDATOR, Role.ADMIN)
    person_id = await market.people.person(organisation_id, *roles, mail=mail, name=name)
    return await market.signed_in(person_id)


def liquidator_of(seller: Reseller) -> LiquidatorId:
    """Its name for the engine."""
    return LiquidatorId(seller.organisation_id)


def goods(lot_id: str, msrp_minor: int = 1_000_00, **changes: Any) -> dict[str, Any]:
    """A lot of Kitchen goods, used, by the pallet; it ends in ``minutes``."""
    settings: dict[str, Any] = {
        "lot_id": lot_id,
        "title": f"Lot {lot_id}",
        "msrp_minor": msrp_minor,
        "category": "Kitchen",
        "condition": Condition.USED_GOOD,
        "kind": LotKind.PALLET,
        "reserve_minor": None,
        "consignor_id": None,
        "minutes": 60,
    }
    return settings | changes


async def sells(
    market: Market, seller: Reseller, sale_id: str, *lots: dict[str, Any], terms: Terms = TERMS
) -> SaleId:
    """A sale of these lots, whose lots are open now."""
    named, liquidator_id = SaleId(sale_id), liquidator_of(seller)
    listings = [_listing(market, lot) for lot in lots]
    async with transaction(market.pool) as connection:
        await save_sale(connection, a_sale(sale_id, liquidator_id=liquidator_id))
        for place, lot in enumerate(lots, start=1):
            listed = {name: lot[name] for name in ("title", "category", "kind")}
            described = a_described_lot(lot["lot_id"], sale_id, place=place, **listed)
            await save_lot(connection, described)
            line = a_line(condition=lot["condition"], quantity=1, unit_msrp_minor=lot["msrp_minor"])
            await save_manifest(connection, named, LotId(lot["lot_id"]), [line])
        lot_ids = [LotId(lot["lot_id"]) for lot in lots]
        await publish_lots(connection, named, lot_ids, 1)
        await publish_sale(connection, named, 1)
    await market.submit(
        ScheduleSale(
            sale_id=named,
            liquidator_id=liquidator_id,
            terms=terms,
            lots=tuple(listings),
            secret=SECRET,
            actor_id=STAFF_MEMBER,
        )
    )
    return named


async def bids(market: Market, sale_id: SaleId, *made: tuple[str, Reseller, int]) -> None:
    """Bids on lots, each by somebody who is registered if need be."""
    for lot_id, bidder, amount_minor in made:
        await market.submit(register(bidder.bidder_id, sale_id=sale_id))
        await market.submit(bid(bidder.bidder_id, amount_minor, lot_id, sale_id=sale_id))
    await market.caught_up()


async def has_brought(
    pool: Pool,
    liquidator_id: str,
    rates_bps: Sequence[int],
    *,
    closed_at_us: int,
    passed: int = 0,
    category: str = "Kitchen",
    condition: Condition = Condition.USED_GOOD,
    kind: LotKind = LotKind.PALLET,
) -> None:
    """Rows as the keeper makes them: lots of an MSRP of 1,000 that recovered these rates."""
    async with acquire(pool) as connection:
        first = await connection.fetchval("select count(*) from lot_result")
        for number, rate_bps in enumerate([*rates_bps, *[None] * passed], start=first):
            await connection.execute(
                _ROW, f"before-{number}", liquidator_id, kind, category, condition,
                rate_bps, closed_at_us,
            )  # fmt: skip


_ROW = """
insert into lot_result (sale_id, lot_id, liquidator_id, currency, kind, title, scheduled_at_us,
    opens_at_us, opening_minor, paddles, paddle_bids, extensions, outcome, hammer_minor, winner_ids,
    winner_paddles, closed_at_us, category, condition, units, msrp_minor, recovery_bps)
values ($1, '1', $2, 'USD', $3, 'Before', 0, 0, 5000, '{}', '{}', 0,
    case when $6::bigint is null then 'PASSED' else 'SOLD' end, 10 * $6, '{}', '{}', $7, $4, $5, 1,
    100000, $6)
"""


def _listing(market: Market, lot: dict[str, Any]) -> LotListing:
    named = {name: lot[name] for name in ("title", "kind", "reserve_minor")}
    consignor_id = None if lot["consignor_id"] is None else BidderId(lot["consignor_id"])
    listing = closing_in(lot["minutes"], lot["lot_id"], consignor_id=consignor_id, **named)
    shift_us = market.clock.shift_us
    return LotListing(
        **{name: getattr(listing, name) for name in listing.__struct_fields__}
        | {
            "opens_at_us": listing.opens_at_us + shift_us,
            "closes_at_us": listing.closes_at_us + shift_us,
        }
    )
