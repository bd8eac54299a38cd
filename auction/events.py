"""What happened, defined once for the log, the WebSocket and settlement.

A field is public unless it is annotated with the ``Audience`` that may see it. An event with
``public=False`` does not appear in public at all: it reaches its owner and the staff who may
see it, under the owner's own count. A published field, tag or version is never changed:
a new shape is a new version, and the old one stays readable (``older``).
"""

from enum import Flag, StrEnum, auto
from typing import Annotated, ClassVar, get_args, get_origin, get_type_hints

from msgspec import Struct

from auction.budgets import Budget
from auction.commands import WithdrawalCause
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, Paddle, PersonId
from auction.pricing import ReserveStatus
from auction.terms import LotKind, SaleAudience, Terms


class Audience(Flag):
    """Who besides nobody may see a private field. A maximum is for its owner alone."""

    NOBODY = 0
    OWNER = auto()  # the bidder whom the event is about
    LIQUIDATOR = auto()
    STAFF = auto()


OWNER, LIQUIDATOR, STAFF = Audience.OWNER, Audience.LIQUIDATOR, Audience.STAFF

# Short names for the annotations below.
OwnerStaff = OWNER | STAFF
SellerStaff = LIQUIDATOR | STAFF
Parties = OWNER | LIQUIDATOR | STAFF


class Event(
    Struct, frozen=True, kw_only=True, gc=False, tag_field="type", forbid_unknown_fields=True
):
    """A fact about a sale; about one of its lots if it has a ``lot_id``.

    ``gc=False`` here and elsewhere: such values hold no cycles, and there are millions of them.
    """

    VERSION: ClassVar[int] = 1
    PUBLIC: ClassVar[bool] = True
    TYPE: ClassVar[str]  # the tag, set below


class PassReason(StrEnum):
    """Why a lot was not sold."""

    NO_BIDS = "NO_BIDS"
    RESERVE_NOT_MET = "RESERVE_NOT_MET"
    IF_BID_DECLINED = "IF_BID_DECLINED"
    IF_BID_EXPIRED = "IF_BID_EXPIRED"


class MoveReason(StrEnum):
    """Why ends moved without a bid on the lot itself."""

    LINKED = "LINKED"  # a bid on another lot, under GROUP or CASCADE
    OUTAGE = "OUTAGE"
    PAUSE = "PAUSE"


class Allocation(Struct, frozen=True, forbid_unknown_fields=True):
    """What one winner gets of a lot: ``quantity`` units at ``price_minor`` each."""

    paddle: Paddle
    quantity: int
    price_minor: int
    amount_minor: int


class MovedEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """The end now in force of one lot."""

    lot_id: LotId
    closes_at_us: int
    latest_end_us: int | None


class RescheduledLot(Struct, frozen=True, forbid_unknown_fields=True):
    """The times of a lot, and what they were."""

    lot_id: LotId
    opens_at_us: int
    closes_at_us: int
    latest_end_us: int | None
    old_opens_at_us: int
    old_closes_at_us: int
    old_latest_end_us: int | None


class SaleScheduled(Event, tag="sale_scheduled", frozen=True, kw_only=True, gc=False):
    """The first event of a sale. ``secret`` keys the commitments and is shown to nobody.

    Of a sale whose ``audience`` is not PUBLIC, what is public is for the bidders it admits.
    """

    VERSION: ClassVar[int] = 3

    shard: int
    liquidator_id: LiquidatorId
    audience: SaleAudience
    terms: Terms
    seller_ids: Annotated[tuple[BidderId, ...], STAFF]
    actor_id: Annotated[ActorId, SellerStaff]
    secret: Annotated[bytes, Audience.NOBODY]


class LotScheduled(Event, tag="lot_scheduled", frozen=True, kw_only=True, gc=False):
    """A lot joined the sale."""

    lot_id: LotId
    kind: LotKind
    title: str
    opening_minor: int
    reserve: ReserveStatus
    opens_at_us: int
    closes_at_us: int
    latest_end_us: int | None
    group: str
    restrictions: tuple[str, ...]
    manifest_sha256: bytes | None
    reserve_minor: Annotated[int | None, SellerStaff]
    consignor_id: Annotated[BidderId | None, SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class LotsRescheduled(Event, tag="lots_rescheduled", frozen=True, kw_only=True, gc=False):
    """The times of lots were changed before bidding on them began."""

    lots: tuple[RescheduledLot, ...]
    actor_id: Annotated[ActorId, SellerStaff]


class BiddersAdmitted(Event, tag="bidders_admitted", frozen=True, kw_only=True, gc=False):
    """These may enter the sale from now on. Who is invited is nobody else's business."""

    PUBLIC: ClassVar[bool] = False

    bidder_ids: Annotated[tuple[BidderId, ...], SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class BiddersDismissed(Event, tag="bidders_dismissed", frozen=True, kw_only=True, gc=False):
    """For these there is no such sale any more. Their bids that stand, stand."""

    PUBLIC: ClassVar[bool] = False

    bidder_ids: Annotated[tuple[BidderId, ...], SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class BidderRegistered(Event, tag="bidder_registered", frozen=True, kw_only=True, gc=False):
    """A reseller was given a paddle, or renewed what it accepted."""

    PUBLIC: ClassVar[bool] = False

    bidder_id: Annotated[BidderId, OwnerStaff]
    paddle: Annotated[Paddle, Parties]
    terms_version: Annotated[int, Parties]
    restrictions: Annotated[tuple[str, ...], Parties]
    deposit_minor: Annotated[int, OwnerStaff]
    limit_minor: Annotated[int | None, OwnerStaff]
    tax_bps: Annotated[int, OwnerStaff]
    certificate: Annotated[bool, OwnerStaff]


class LimitChanged(Event, tag="limit_changed", frozen=True, kw_only=True, gc=False):
    """Staff or a deposit gave a bidder another limit; ``None``: none."""

    PUBLIC: ClassVar[bool] = False

    bidder_id: Annotated[BidderId, OwnerStaff]
    limit_minor: Annotated[int | None, OwnerStaff]
    actor_id: Annotated[ActorId, STAFF]


class BudgetsSet(Event, tag="budgets_set", frozen=True, kw_only=True, gc=False):
    """A bidder set its own budgets, in place of all before. Staff do not see them."""

    PUBLIC: ClassVar[bool] = False

    bidder_id: Annotated[BidderId, OWNER]
    budgets: Annotated[tuple[Budget, ...], OWNER]
    actor_id: Annotated[ActorId, OWNER]


class BidPlaced(Event, tag="bid_placed", frozen=True, kw_only=True, gc=False):
    """A bid stands. ``price_minor`` and ``leader`` are what the lot came to by it.

    ``bid_count`` counts the lot's public bids. ``bid_id``, ``maximum_minor`` and who of the team
    bid are the bidder's own; no one else ever sees them, staff included.
    """

    VERSION: ClassVar[int] = 2

    lot_id: LotId
    paddle: Paddle
    leader: Paddle
    price_minor: int
    next_minimum_minor: int
    reserve: ReserveStatus
    bid_count: int
    bidder_id: Annotated[BidderId, OwnerStaff]
    bid_id: Annotated[BidId, OWNER]
    maximum_minor: Annotated[int, OWNER]
    freight_minor: Annotated[int, OWNER]
    person_id: Annotated[PersonId | None, OWNER]


class MaximumRaised(Event, tag="maximum_raised", frozen=True, kw_only=True, gc=False):
    """The leader raised the own maximum without effect on price or reserve: rivals see nothing."""

    VERSION: ClassVar[int] = 2
    PUBLIC: ClassVar[bool] = False

    lot_id: Annotated[LotId, OWNER]
    bidder_id: Annotated[BidderId, OWNER]
    bid_id: Annotated[BidId, OWNER]
    maximum_minor: Annotated[int, OWNER]
    freight_minor: Annotated[int, OWNER]
    person_id: Annotated[PersonId | None, OWNER]


class EndExtended(Event, tag="end_extended", frozen=True, kw_only=True, gc=False):
    """A bid in the window moved the lot's end. ``final``: it cannot move further."""

    lot_id: LotId
    closes_at_us: int
    extensions: int
    final: bool


class EndsMoved(Event, tag="ends_moved", frozen=True, kw_only=True, gc=False):
    """The ends of several lots moved together; an event of the sale, not of each lot."""

    reason: MoveReason
    cause_lot_id: LotId | None
    dark_us: int | None
    ends: tuple[MovedEnd, ...]


class ReserveChanged(Event, tag="reserve_changed", frozen=True, kw_only=True, gc=False):
    """The liquidator set the reserve anew. What of it is public follows as ReserveStatusChanged."""

    PUBLIC: ClassVar[bool] = False

    lot_id: Annotated[LotId, SellerStaff]
    reserve_minor: Annotated[int | None, SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class ReserveStatusChanged(
    Event, tag="reserve_status_changed", frozen=True, kw_only=True, gc=False
):
    """A changed reserve is now met, not met, or gone. The price did not fall."""

    lot_id: LotId
    reserve: ReserveStatus
    price_minor: int | None
    next_minimum_minor: int


class BidsVoided(Event, tag="bids_voided", frozen=True, kw_only=True, gc=False):
    """Staff voided one bidder's bids on a lot; the lot stands at what remained."""

    lot_id: LotId
    paddle: Paddle
    leader: Paddle | None
    price_minor: int | None
    next_minimum_minor: int
    reserve: ReserveStatus
    bidder_id: Annotated[BidderId, OwnerStaff]
    reason: Annotated[str, Parties]
    actor_id: Annotated[ActorId, STAFF]


class LotWithdrawn(Event, tag="lot_withdrawn", frozen=True, kw_only=True, gc=False):
    """The lot was taken out of the sale."""

    lot_id: LotId
    cause: WithdrawalCause
    reason: Annotated[str, SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class SaleCancelled(Event, tag="sale_cancelled", frozen=True, kw_only=True, gc=False):
    """No more bids. Every lot that was still to close is withdrawn, one by one, after this."""

    cause: WithdrawalCause
    reason: Annotated[str, SellerStaff]
    actor_id: Annotated[ActorId, SellerStaff]


class SalePaused(Event, tag="sale_paused", frozen=True, kw_only=True, gc=False):
    """No bids, no closings until the sale is resumed."""

    reason: str
    actor_id: Annotated[ActorId, SellerStaff]


class SaleResumed(Event, tag="sale_resumed", frozen=True, kw_only=True, gc=False):
    """The sale goes on."""

    actor_id: Annotated[ActorId, SellerStaff]


class IfBidOpened(Event, tag="if_bid_opened", frozen=True, kw_only=True, gc=False):
    """The lot ended below its reserve; its top bidder stays bound until ``until_us``."""

    lot_id: LotId
    paddle: Paddle
    price_minor: int
    until_us: int
    bidder_id: Annotated[BidderId, OwnerStaff]


class IfBidCountered(Event, tag="if_bid_countered", frozen=True, kw_only=True, gc=False):
    """The liquidator asks the bound bidder for ``amount_minor``."""

    PUBLIC: ClassVar[bool] = False

    lot_id: Annotated[LotId, Parties]
    bidder_id: Annotated[BidderId, OwnerStaff]
    amount_minor: Annotated[int, Parties]
    actor_id: Annotated[ActorId, SellerStaff]


class CounterDeclined(Event, tag="counter_declined", frozen=True, kw_only=True, gc=False):
    """The bound bidder does not pay more; the own bid stays bound."""

    PUBLIC: ClassVar[bool] = False

    lot_id: Annotated[LotId, Parties]
    bidder_id: Annotated[BidderId, OwnerStaff]


class LotSold(Event, tag="lot_sold", frozen=True, kw_only=True, gc=False):
    """The hammer fell. ``hammer_price_minor`` is the sum of the allocations.

    ``winners`` are the bidders of the allocations, in their order.
    """

    lot_id: LotId
    hammer_price_minor: int
    reserve: ReserveStatus
    allocations: tuple[Allocation, ...]
    winners: Annotated[tuple[BidderId, ...], SellerStaff]


class LotPassed(Event, tag="lot_passed", frozen=True, kw_only=True, gc=False):
    """The lot was not sold; ``price_minor`` is the highest price reached."""

    lot_id: LotId
    reason: PassReason
    price_minor: int | None


class AwardFunded(Event, tag="award_funded", frozen=True, kw_only=True, gc=False):
    """The buyer has paid for this lot."""

    PUBLIC: ClassVar[bool] = False

    lot_id: Annotated[LotId, Parties]
    bidder_id: Annotated[BidderId, Parties]
    actor_id: Annotated[ActorId, STAFF]


class SaleClosed(Event, tag="sale_closed", frozen=True, kw_only=True, gc=False):
    """Every lot has ended."""

    sold: int
    passed: int
    withdrawn: int


AnyEvent = (
    BidPlaced
    | MaximumRaised
    | EndExtended
    | EndsMoved
    | SaleScheduled
    | LotScheduled
    | LotsRescheduled
    | BiddersAdmitted
    | BiddersDismissed
    | BidderRegistered
    | LimitChanged
    | BudgetsSet
    | ReserveChanged
    | ReserveStatusChanged
    | BidsVoided
    | LotWithdrawn
    | SaleCancelled
    | SalePaused
    | SaleResumed
    | IfBidOpened
    | IfBidCountered
    | CounterDeclined
    | LotSold
    | LotPassed
    | AwardFunded
    | SaleClosed
)

EVENT_TYPES: dict[str, type[AnyEvent]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(AnyEvent)
}

for _tag, _kind in EVENT_TYPES.items():
    _kind.TYPE = _tag

# The events that end a lot: nothing bid-like follows them.
LOT_ENDINGS = (LotSold, LotPassed, LotWithdrawn)

# They carry the commitments of the lot's private events, and the sale's end those of the sale.
CARRIERS: frozenset[type[AnyEvent]] = frozenset({*LOT_ENDINGS, SaleClosed})


def _private_fields(kind: type[AnyEvent]) -> dict[str, Audience]:
    private: dict[str, Audience] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        marks = get_args(hint) if get_origin(hint) is Annotated else ()
        for mark in marks:
            if isinstance(mark, Audience):
                private[name] = mark
    return private


# For each type of event: who may see each private field; a field that is absent is public.
PRIVATE_FIELDS: dict[type[AnyEvent], dict[str, Audience]] = {
    kind: _private_fields(kind) for kind in EVENT_TYPES.values()
}


def lot_of(event: AnyEvent) -> LotId | None:
    """The lot that the event is about; ``None``: the sale as a whole."""
    return getattr(event, "lot_id", None)
