"""What can be asked of a sale. A command is a wish: it may be refused, and time is not in it.

Shape is checked once, at the engine's door, by ``checked``; ``decide`` may then trust
types, ranges and the form of ids, and asks only what the sale's state must answer.
"""

import re
from enum import StrEnum
from typing import Annotated, assert_never

import msgspec
from msgspec import Meta, Struct

from auction.budgets import Budgets
from auction.ids import (
    UUID,
    WORD,
    ABidderId,
    ABidId,
    ALiquidatorId,
    ALotId,
    AnActorId,
    APersonId,
    ASaleId,
)
from auction.money import MAX_MINOR, BasisPoints, Minor, PositiveMinor
from auction.terms import STORABLE, Instant, LotListing, Restriction, SaleAudience, Terms

# Lots in one command: what is decided and appended in one go must not hold up the bids of
# other sales for longer than a few milliseconds. A larger sale is added to, `AddLots` by `AddLots`.
MAX_LOTS_PER_COMMAND = 200
MAX_SELLERS = 1_000
# Bidders admitted or dismissed by one command: one event of the log, of some tens of kilobytes.
MAX_BIDDERS_PER_COMMAND = 1_000

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=STORABLE)]
Lots = Annotated[tuple[LotListing, ...], Meta(min_length=1, max_length=MAX_LOTS_PER_COMMAND)]
Bidders = Annotated[tuple[ABidderId, ...], Meta(min_length=1, max_length=MAX_BIDDERS_PER_COMMAND)]
Restrictions = Annotated[tuple[Restriction, ...], Meta(max_length=100)]
SaleSecret = Annotated[bytes, Meta(min_length=32, max_length=32)]


class WithdrawalCause(StrEnum):
    """Why a lot is taken out; all but SELLER also without reserve and after bids."""

    SELLER = "SELLER"
    RECALL = "RECALL"
    LAW = "LAW"
    SAFETY = "SAFETY"


class ScheduleSale(Struct, frozen=True, kw_only=True, gc=False):
    """Open a sale under these terms. ``secret``: 32 random bytes that key its commitments.

    ``audience``: unless it is PUBLIC there is no such sale for a bidder who is not admitted.
    """

    sale_id: ASaleId
    liquidator_id: ALiquidatorId
    seller_ids: Annotated[tuple[ABidderId, ...], Meta(max_length=MAX_SELLERS)] = ()
    audience: SaleAudience = SaleAudience.PUBLIC
    terms: Terms
    lots: Lots
    secret: SaleSecret
    actor_id: AnActorId


class AddLots(Struct, frozen=True, kw_only=True, gc=False):
    """More lots for a sale that is not closed."""

    sale_id: ASaleId
    lots: Lots
    actor_id: AnActorId


class LotTimes(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """When a lot is open: in [opens_at, closes_at)."""

    lot_id: ALotId
    opens_at_us: Instant
    closes_at_us: Instant


class MoveLots(Struct, frozen=True, kw_only=True, gc=False):
    """Other times for lots on which bidding has not begun, all or none.

    A lot's latest end moves by as much as its end.
    """

    sale_id: ASaleId
    times: Annotated[tuple[LotTimes, ...], Meta(min_length=1, max_length=MAX_LOTS_PER_COMMAND)]
    actor_id: AnActorId


class AdmitBidders(Struct, frozen=True, kw_only=True, gc=False):
    """Let these bidders into a sale that is not PUBLIC; who is in already stays in."""

    sale_id: ASaleId
    bidder_ids: Bidders
    actor_id: AnActorId


class DismissBidders(Struct, frozen=True, kw_only=True, gc=False):
    """These may not enter any more. Their bids that stand, stand; an if-bid stays bound."""

    sale_id: ASaleId
    bidder_ids: Bidders
    actor_id: AnActorId


class RegisterBidder(Struct, frozen=True, kw_only=True, gc=False):
    """Give an approved reseller a paddle for a sale, or renew what it accepted; the paddle stays.

    ``limit_minor`` set by staff replaces deposit x factor; both absent: no limit.
    ``tax_bps`` is the rate that this bidder's purchases bear (0 with a valid certificate).
    """

    sale_id: ASaleId
    bidder_id: ABidderId
    terms_version: int
    restrictions: Restrictions = ()
    deposit_minor: Minor = 0
    limit_minor: Minor | None = None
    tax_bps: BasisPoints = 0
    certificate: bool = False


class SetLimit(Struct, frozen=True, kw_only=True, gc=False):
    """Replace a bidder's limit; ``None``: no limit."""

    sale_id: ASaleId
    bidder_id: ABidderId
    limit_minor: Minor | None
    actor_id: AnActorId


class SetBudgets(Struct, frozen=True, kw_only=True, gc=False):
    """A bidder's own budgets in a sale, in place of all that it set before; empty: none.

    They bind bids from now on. What stands above a budget that was lowered stands.
    """

    sale_id: ASaleId
    bidder_id: ABidderId
    budgets: Budgets
    actor_id: AnActorId


class PlaceBid(Struct, frozen=True, kw_only=True, gc=False):
    """A bid is a maximum. ``bid_id`` makes it safe to send again.

    ``freight_minor``: the quote that counts towards the limit, 0 when the bidder collects.
    ``person_id``: who of the bidder's team bids, for ceilings; null: the organisation itself.
    """

    sale_id: ASaleId
    lot_id: ALotId
    bidder_id: ABidderId
    bid_id: ABidId
    amount_minor: PositiveMinor
    currency: str
    freight_minor: Minor = 0
    person_id: APersonId | None = None


class ChangeReserve(Struct, frozen=True, kw_only=True, gc=False):
    """Set the reserve of a lot; ``None``: none. After the first bid only downwards."""

    sale_id: ASaleId
    lot_id: ALotId
    reserve_minor: PositiveMinor | None
    actor_id: AnActorId


class VoidBids(Struct, frozen=True, kw_only=True, gc=False):
    """Void all bids of one bidder on one open lot."""

    sale_id: ASaleId
    lot_id: ALotId
    bidder_id: ABidderId
    reason: Reason
    actor_id: AnActorId


class WithdrawLot(Struct, frozen=True, kw_only=True, gc=False):
    """Take a lot out of the sale before it closes."""

    sale_id: ASaleId
    lot_id: ALotId
    cause: WithdrawalCause
    reason: Reason
    actor_id: AnActorId


class CancelSale(Struct, frozen=True, kw_only=True, gc=False):
    """Withdraw every lot that is still to close, all or none. What has closed stays as it is."""

    sale_id: ASaleId
    cause: WithdrawalCause
    reason: Reason
    actor_id: AnActorId


class PauseSale(Struct, frozen=True, kw_only=True, gc=False):
    """Take no bids and close no lot until the sale is resumed."""

    sale_id: ASaleId
    reason: Reason
    actor_id: AnActorId


class ResumeSale(Struct, frozen=True, kw_only=True, gc=False):
    """Go on after a pause; ends move as after an outage."""

    sale_id: ASaleId
    actor_id: AnActorId


class AcceptIfBid(Struct, frozen=True, kw_only=True, gc=False):
    """Sell to the bound top bidder at the price reached, though the reserve was not met."""

    sale_id: ASaleId
    lot_id: ALotId
    actor_id: AnActorId


class DeclineIfBid(Struct, frozen=True, kw_only=True, gc=False):
    """Let the lot pass."""

    sale_id: ASaleId
    lot_id: ALotId
    actor_id: AnActorId


class CounterIfBid(Struct, frozen=True, kw_only=True, gc=False):
    """Ask the bound top bidder for more; the bid stands until the bidder answers."""

    sale_id: ASaleId
    lot_id: ALotId
    amount_minor: PositiveMinor
    actor_id: AnActorId


class AnswerCounter(Struct, frozen=True, kw_only=True, gc=False):
    """The bound top bidder takes the counter-offer, or not."""

    sale_id: ASaleId
    lot_id: ALotId
    bidder_id: ABidderId
    accepted: bool


class RecordFunding(Struct, frozen=True, kw_only=True, gc=False):
    """The award of this lot is paid: it no longer weighs on the buyer's limit."""

    sale_id: ASaleId
    lot_id: ALotId
    bidder_id: ABidderId
    actor_id: AnActorId


class CloseDue(Struct, frozen=True, kw_only=True, gc=False):
    """Close what is due. Sent by a timer; early, late or repeated it does no harm."""

    sale_id: ASaleId


class MoveEndsAfterOutage(Struct, frozen=True, kw_only=True, gc=False):
    """Apply the outage rule to a sale: the service was away from ``dark_from_us`` until now."""

    sale_id: ASaleId
    dark_from_us: Instant


Command = (
    PlaceBid
    | CloseDue
    | ScheduleSale
    | AddLots
    | MoveLots
    | AdmitBidders
    | DismissBidders
    | RegisterBidder
    | SetLimit
    | SetBudgets
    | ChangeReserve
    | VoidBids
    | WithdrawLot
    | CancelSale
    | PauseSale
    | ResumeSale
    | AcceptIfBid
    | DeclineIfBid
    | CounterIfBid
    | AnswerCounter
    | RecordFunding
    | MoveEndsAfterOutage
)


class WrongShape(ValueError):
    """A command's types, ranges or ids are wrong; the message names the place."""


def checked(command: Command) -> Command:
    """The command, its shape checked and its values of the very types that are declared."""
    if type(command) is PlaceBid and _is_well_formed(command):
        return command
    try:
        plain = msgspec.to_builtins(command, builtin_types=(bytes,))
        return msgspec.convert(plain, type(command))
    except (msgspec.ValidationError, TypeError, OverflowError, UnicodeEncodeError) as error:
        raise WrongShape(str(error)) from error


def shape_fault(command: Command) -> str | None:
    """What is wrong with a command's shape, naming the place; ``None``: nothing."""
    try:
        checked(command)
    except WrongShape as fault:
        return str(fault)
    return None


# The four ids of a bid, looked at in one go.
_FOUR_TEXTS = [str] * 4
_BID_IDS = re.compile(rf"(?:{WORD} ){{3}}{UUID}")
_PERSON_ID = re.compile(WORD)


def _is_well_formed(bid: PlaceBid) -> bool:
    """Whether a bid is in shape, in a fifth of the time that it takes to say what is not."""
    ids: list[str] = [bid.sale_id, bid.lot_id, bid.bidder_id, bid.bid_id]
    amount_minor, freight_minor, person_id = bid.amount_minor, bid.freight_minor, bid.person_id
    return (
        [*map(type, ids)] == _FOUR_TEXTS
        and _BID_IDS.fullmatch(" ".join(ids)) is not None
        and type(amount_minor) is type(freight_minor) is int
        and 1 <= amount_minor <= MAX_MINOR
        and 0 <= freight_minor <= MAX_MINOR
        and type(bid.currency) is str
        and bid.currency.isascii()
        and (
            person_id is None
            or (type(person_id) is str and _PERSON_ID.fullmatch(person_id) is not None)
        )
    )


def lot_of(command: Command) -> str | None:
    """The lot that a command is about, if it is about one."""
    match command:
        case (
            PlaceBid()
            | ChangeReserve()
            | VoidBids()
            | WithdrawLot()
            | AcceptIfBid()
            | DeclineIfBid()
            | CounterIfBid()
            | AnswerCounter()
            | RecordFunding()
        ):
            return command.lot_id
        case (
            CloseDue()
            | ScheduleSale()
            | AddLots()
            | MoveLots()
            | AdmitBidders()
            | DismissBidders()
            | RegisterBidder()
            | SetLimit()
            | SetBudgets()
            | CancelSale()
            | PauseSale()
            | ResumeSale()
            | MoveEndsAfterOutage()
        ):
            return None
    assert_never(command)
