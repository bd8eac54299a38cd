"""The sales of a run, drawn from its seed: every price rule, closing and void rule comes up."""

from itertools import count
from random import Random
from typing import Final

from msgspec import structs

from auction.budgets import AllInBudget, Budget, LotCountBudget, PersonCeiling
from auction.commands import AdmitBidders, RegisterBidder, ScheduleSale, SetBudgets
from auction.ids import (
    ActorId,
    BidderId,
    LiquidatorId,
    LotId,
    PersonId,
    SaleId,
    Shard,
    shard_of,
)
from auction.increments import EBAY, LIQUIDATION
from auction.terms import (
    ClosingMode,
    ExtensionMode,
    LotListing,
    Premium,
    PremiumTier,
    PriceRule,
    SaleAudience,
    SoftClose,
    Terms,
    VoidRule,
)
from tests.simulation.simulated_log import START_US
from tests.simulation.weather import SECOND

DESK: Final = ActorId("desk")
BIDDERS: Final = tuple(BidderId(f"bidder-{letter}") for letter in "ABCDEF")
CONSIGNOR: Final = BIDDERS[-1]  # bids like the others, and must be refused on its own lots
# A team's people; ``None`` bids for the organisation itself.
PEOPLE: Final = (None, PersonId("dana"), PersonId("eli"))
FLOOD: Final = "the warehouse is flooded"  # why a sale is cancelled, and no lot by itself
NO_MARKETPLACES: Final = "no-marketplaces"


def draw_sales(rng: Random) -> list[ScheduleSale]:
    """Three sales, two of them in one shard."""
    ids = _sale_ids(rng)
    return [_draw_sale(rng, sale_id) for sale_id in ids]


def draw_audiences(rng: Random, sales: list[ScheduleSale]) -> list[ScheduleSale]:
    """Some of the sales are not for everybody."""
    audiences = (SaleAudience.PUBLIC, *SaleAudience)
    return [structs.replace(sale, audience=rng.choice(audiences)) for sale in sales]


def draw_admissions(rng: Random, sale: ScheduleSale) -> list[AdmitBidders]:
    """Most bidders are let into a sale that is not for everybody."""
    if sale.audience is SaleAudience.PUBLIC:
        return []
    bidders = tuple(rng.sample(BIDDERS, rng.randrange(4, len(BIDDERS) + 1)))
    return [AdmitBidders(sale_id=sale.sale_id, bidder_ids=bidders, actor_id=DESK)]


def draw_registration(rng: Random, sale: ScheduleSale, bidder_id: BidderId) -> RegisterBidder:
    """What a bidder brings to a sale."""
    limit_minor = rng.choice((None, None, 2_000_00, 900_00))
    deposit_minor = sale.terms.deposit_minor
    return RegisterBidder(
        sale_id=sale.sale_id,
        bidder_id=bidder_id,
        terms_version=1,
        restrictions=(NO_MARKETPLACES,) if rng.random() < 0.8 else (),
        deposit_minor=deposit_minor,
        limit_minor=limit_minor,
        tax_bps=rng.choice((0, 825)),
    )


def draw_budgets(rng: Random, sale: ScheduleSale, bidder_id: BidderId) -> SetBudgets:
    """What a bidder allows itself: narrow enough to be met with."""
    lots = tuple(lot.lot_id for lot in sale.lots)
    some = rng.choice((None, lots[: len(lots) // 2 + 1]))
    budgets: list[Budget] = [
        LotCountBudget(name="lots", at_most=rng.choice((1, 1, 2)), lots=some),
        AllInBudget(name="sum", at_most_minor=rng.choice((400_00, 1_500_00)), lots=some),
        PersonCeiling(name="D", person_id=PersonId("dana"), at_most_minor=300_00),
        PersonCeiling(name="E", person_id=PersonId("eli"), at_most_minor=900_00),
    ]
    return SetBudgets(
        sale_id=sale.sale_id,
        bidder_id=bidder_id,
        budgets=tuple(rng.sample(budgets, rng.randrange(4))),
        actor_id=DESK,
    )


def shards_of(sales: list[ScheduleSale]) -> list[Shard]:
    """The shards that the sales live in, and an empty one."""
    used = sorted({shard_of(sale.sale_id) for sale in sales})
    spare = next(number for number in count() if number not in used)
    return [*used, Shard(spare)]


def _sale_ids(rng: Random) -> list[SaleId]:
    names = (SaleId(f"S-{rng.randrange(16**6):06x}") for _ in count())
    first, other = next(names), next(names)
    second = next(name for name in names if shard_of(name) == shard_of(first))
    return [first, other, second]


def _draw_sale(rng: Random, sale_id: SaleId) -> ScheduleSale:
    terms = _draw_terms(rng)
    lots = tuple(_draw_lot(rng, number, terms) for number in range(1, rng.randrange(3, 7)))
    return ScheduleSale(
        sale_id=sale_id,
        liquidator_id=LiquidatorId("liquidator"),
        seller_ids=(BidderId("bidder-of-the-house"),),
        terms=terms,
        lots=lots,
        secret=rng.randbytes(32),
        actor_id=DESK,
    )


def _draw_terms(rng: Random) -> Terms:
    soft_close = None
    if rng.random() < 0.85:
        window_s, extension_s = rng.choice(((10, 10), (6, 12), (15, 5), (20, 75)))
        mode = rng.choice(list(ExtensionMode))
        soft_close = SoftClose(window_s * SECOND, extension_s * SECOND, mode)
    tiers = rng.choice(((), (PremiumTier(0, 1_500), PremiumTier(500_00, 1_000))))
    return Terms(
        increments=rng.choice((EBAY, LIQUIDATION)),
        price_rule=rng.choice(list(PriceRule)),
        soft_close=soft_close,
        closing=rng.choice(list(ClosingMode)),
        void_rule=rng.choice(list(VoidRule)),
        if_bid_us=rng.choice((None, 20 * SECOND)),
        premium=Premium(tiers, minimum_minor=rng.choice((0, 50_00)), taxable=rng.random() < 0.5),
        deposit_minor=rng.choice((0, 0, 100_00)),
    )


def _draw_lot(rng: Random, number: int, terms: Terms) -> LotListing:
    closes_us = START_US + rng.randrange(10, 60) * SECOND
    if rng.random() < 0.3:  # some end together
        closes_us = START_US + 30 * SECOND
    opening_minor = rng.choice((50_00, 100_00))
    soft_close = terms.soft_close
    latest_us = None
    if soft_close is not None and rng.random() < 0.4:
        latest_us = closes_us + rng.randrange(30) * SECOND
    return LotListing(
        lot_id=LotId(str(number)),
        title=f"Pallet {number}",
        opening_minor=opening_minor,
        reserve_minor=rng.choice((None, opening_minor + 100_00, opening_minor + 400_00)),
        opens_at_us=START_US + rng.choice((0, 4, 8)) * SECOND,
        closes_at_us=closes_us,
        latest_end_us=latest_us,
        group=rng.choice(("", "a", "b")),
        restrictions=(NO_MARKETPLACES,) if rng.random() < 0.2 else (),
        consignor_id=CONSIGNOR if rng.random() < 0.2 else None,
    )
