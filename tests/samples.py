"""One event of every type, each field with a value of its own."""

from typing import Final

from auction.budgets import AllInBudget, LotCountBudget, PersonCeiling
from auction.commands import WithdrawalCause
from auction.events import (
    Allocation,
    AnyEvent,
    AwardFunded,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BidPlaced,
    BidsVoided,
    BudgetsSet,
    CounterDeclined,
    EndExtended,
    EndsMoved,
    IfBidCountered,
    IfBidOpened,
    LimitChanged,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MaximumRaised,
    MovedEnd,
    MoveReason,
    PassReason,
    RescheduledLot,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, Paddle, PersonId
from auction.pricing import ReserveStatus
from auction.terms import (
    ClosingMode,
    Confirmation,
    ExtensionMode,
    LotKind,
    Premium,
    PremiumTier,
    PriceRule,
    SaleAudience,
    SoftClose,
    Terms,
    VoidRule,
)
from tests.builders import MINUTE_US, at

LOT: Final = LotId("12A")
BIDDER: Final = BidderId("reseller-8")
BID: Final = BidId("5f0c6c1e-9d3b-4c52-8a35-0123456789ab")
ACTOR: Final = ActorId("user-31")
PERSON: Final = PersonId("person-dana")
PADDLE, RIVAL = Paddle(104), Paddle(101)

TERMS: Final = Terms(
    version=2,
    price_rule=PriceRule.MATCH_RIVAL,
    soft_close=SoftClose(3 * MINUTE_US, 2 * MINUTE_US, ExtensionMode.ADD),
    closing=ClosingMode.CASCADE,
    void_rule=VoidRule.NO_REVIVE,
    if_bid_us=86_400_000_000,
    premium=Premium(
        tiers=(PremiumTier(0, 1_500), PremiumTier(10_000_00, 1_200)),
        minimum_minor=50_00,
        taxable=False,
    ),
    freight_taxable=False,
    deposit_minor=600_00,
    deposit_factor=12,
    certificate_required=True,
    confirmation=Confirmation.ELSE_CANCELLED,
)

SAMPLES: Final[tuple[AnyEvent, ...]] = (
    SaleScheduled(
        shard=61,
        liquidator_id=LiquidatorId("acme-liquidation"),
        audience=SaleAudience.INVITE,
        terms=TERMS,
        seller_ids=(BidderId("acme-trading"), BidderId("acme-retail")),
        actor_id=ACTOR,
        secret=bytes(range(32)),
    ),
    LotScheduled(
        lot_id=LOT,
        kind=LotKind.TRUCKLOAD,
        title="24 pallets of small appliances, “raw” returns",
        opening_minor=5_000_00,
        reserve=ReserveStatus.NOT_MET,
        opens_at_us=at("10:00"),
        closes_at_us=at("16:00"),
        latest_end_us=at("17:00"),
        group="appliances",
        restrictions=("no marketplaces", "export only"),
        manifest_sha256=bytes(range(32, 64)),
        reserve_minor=9_000_00,
        consignor_id=BidderId("retailer-3"),
        actor_id=ACTOR,
    ),
    LotsRescheduled(
        lots=(
            RescheduledLot(
                lot_id=LOT,
                opens_at_us=at("34:00"),
                closes_at_us=at("40:00"),
                latest_end_us=at("41:00"),
                old_opens_at_us=at("10:00"),
                old_closes_at_us=at("16:00"),
                old_latest_end_us=at("17:00"),
            ),
        ),
        actor_id=ACTOR,
    ),
    BiddersAdmitted(bidder_ids=(BIDDER, BidderId("reseller-9")), actor_id=ACTOR),
    BiddersDismissed(bidder_ids=(BidderId("reseller-9"),), actor_id=ACTOR),
    BidderRegistered(
        bidder_id=BIDDER,
        paddle=PADDLE,
        terms_version=2,
        restrictions=("export only",),
        deposit_minor=600_00,
        limit_minor=7_200_00,
        tax_bps=825,
        certificate=True,
    ),
    LimitChanged(bidder_id=BIDDER, limit_minor=12_345_67, actor_id=ACTOR),
    BudgetsSet(
        bidder_id=BIDDER,
        budgets=(
            LotCountBudget(name="two of these", at_most=2, lots=(LOT, LotId("13"), LotId("14"))),
            AllInBudget(name="tonight", at_most_minor=4_000_00),
            PersonCeiling(name="Dana", person_id=PERSON, at_most_minor=1_500_00),
        ),
        actor_id=ACTOR,
    ),
    BidPlaced(
        lot_id=LOT,
        paddle=PADDLE,
        leader=RIVAL,
        price_minor=6_100_00,
        next_minimum_minor=6_200_00,
        reserve=ReserveStatus.NOT_MET,
        bid_count=7,
        bidder_id=BIDDER,
        bid_id=BID,
        maximum_minor=6_100_00,
        freight_minor=450_00,
        person_id=PERSON,
    ),
    MaximumRaised(
        lot_id=LOT,
        bidder_id=BIDDER,
        bid_id=BID,
        maximum_minor=7_777_00,
        freight_minor=450_00,
        person_id=PERSON,
    ),
    EndExtended(lot_id=LOT, closes_at_us=at("16:02:30.25"), extensions=3, final=True),
    EndsMoved(
        reason=MoveReason.OUTAGE,
        cause_lot_id=None,
        dark_us=30 * MINUTE_US,
        ends=(
            MovedEnd(LOT, at("16:30"), at("17:30")),
            MovedEnd(LotId("13"), at("16:32"), None),
        ),
    ),
    ReserveChanged(lot_id=LOT, reserve_minor=8_000_00, actor_id=ACTOR),
    ReserveStatusChanged(
        lot_id=LOT,
        reserve=ReserveStatus.MET,
        price_minor=8_100_00,
        next_minimum_minor=8_200_00,
    ),
    BidsVoided(
        lot_id=LOT,
        paddle=PADDLE,
        leader=None,
        price_minor=None,
        next_minimum_minor=5_000_00,
        reserve=ReserveStatus.NOT_MET,
        bidder_id=BIDDER,
        reason="bid under a stolen account",
        actor_id=ACTOR,
    ),
    LotWithdrawn(lot_id=LOT, cause=WithdrawalCause.RECALL, reason="GTIN recalled", actor_id=ACTOR),
    SaleCancelled(cause=WithdrawalCause.LAW, reason="seized by customs", actor_id=ACTOR),
    SalePaused(reason="a fire alarm", actor_id=ACTOR),
    SaleResumed(actor_id=ACTOR),
    IfBidOpened(
        lot_id=LOT, paddle=PADDLE, price_minor=8_100_00, until_us=at("40:00"), bidder_id=BIDDER
    ),
    IfBidCountered(lot_id=LOT, bidder_id=BIDDER, amount_minor=8_600_00, actor_id=ACTOR),
    CounterDeclined(lot_id=LOT, bidder_id=BIDDER),
    LotSold(
        lot_id=LOT,
        hammer_price_minor=8_600_00,
        reserve=ReserveStatus.NOT_MET,
        allocations=(Allocation(PADDLE, 1, 8_600_00, 8_600_00),),
        winners=(BIDDER,),
    ),
    LotPassed(lot_id=LOT, reason=PassReason.RESERVE_NOT_MET, price_minor=8_100_00),
    AwardFunded(lot_id=LOT, bidder_id=BIDDER, actor_id=ACTOR),
    SaleClosed(sold=8, passed=2, withdrawn=1),
)
