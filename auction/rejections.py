"""Why a command is refused: one closed enum. The value is the wire code."""

from enum import StrEnum

from msgspec import Struct

from auction.events import AnyEvent


class Rejection(StrEnum):
    """In the order in which they are asked, as far as they concern a bid."""

    # The shape of the command, or its currency.
    INVALID = "INVALID"
    # The writer: nothing was judged, or the answer is not known. The same bid id may be sent again.
    BUSY = "BUSY"
    UNAVAILABLE = "UNAVAILABLE"
    # The ladder of a bid.
    BID_ID_REUSED = "BID_ID_REUSED"
    NOT_FOUND = "NOT_FOUND"
    SELLER_MAY_NOT_BID = "SELLER_MAY_NOT_BID"
    NOT_REGISTERED = "NOT_REGISTERED"
    TERMS_NOT_ACCEPTED = "TERMS_NOT_ACCEPTED"
    LOT_NOT_OPEN = "LOT_NOT_OPEN"
    LOT_CLOSED = "LOT_CLOSED"
    LOT_WITHDRAWN = "LOT_WITHDRAWN"
    SALE_PAUSED = "SALE_PAUSED"
    NOT_ABOVE_OWN_MAXIMUM = "NOT_ABOVE_OWN_MAXIMUM"
    AMOUNT_BELOW_MINIMUM = "AMOUNT_BELOW_MINIMUM"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    # Registration.
    CERTIFICATE_REQUIRED = "CERTIFICATE_REQUIRED"
    DEPOSIT_REQUIRED = "DEPOSIT_REQUIRED"
    # The liquidator and staff.
    SALE_EXISTS = "SALE_EXISTS"
    SALE_CLOSED = "SALE_CLOSED"
    LOT_EXISTS = "LOT_EXISTS"
    RESERVE_NOT_LOWERED = "RESERVE_NOT_LOWERED"
    NO_BIDS_TO_VOID = "NO_BIDS_TO_VOID"
    WITHDRAWAL_NOT_ALLOWED = "WITHDRAWAL_NOT_ALLOWED"
    SALE_NOT_PAUSED = "SALE_NOT_PAUSED"
    NO_IF_BID = "NO_IF_BID"
    NO_COUNTER = "NO_COUNTER"
    COUNTER_NOT_ABOVE_BID = "COUNTER_NOT_ABOVE_BID"
    NO_UNPAID_AWARD = "NO_UNPAID_AWARD"


class Rejected(Struct, frozen=True):
    """A refusal, with the sentence that a person reads and, for a bid, the least that would do."""

    rejection: Rejection
    message: str
    minimum_minor: int | None = None


# What ``decide`` returns: what follows from a command, which may be nothing, or a refusal.
Decision = list[AnyEvent] | Rejected
