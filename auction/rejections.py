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
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    # Registration.
    CERTIFICATE_REQUIRED = "CERTIFICATE_REQUIRED"
    DEPOSIT_REQUIRED = "DEPOSIT_REQUIRED"
    # The liquidator and staff.
    SALE_EXISTS = "SALE_EXISTS"
    SALE_CLOSED = "SALE_CLOSED"
    SALE_CANCELLED = "SALE_CANCELLED"
    LOT_EXISTS = "LOT_EXISTS"
    BIDDING_BEGUN = "BIDDING_BEGUN"
    RESERVE_NOT_LOWERED = "RESERVE_NOT_LOWERED"
    NO_BIDS_TO_VOID = "NO_BIDS_TO_VOID"
    WITHDRAWAL_NOT_ALLOWED = "WITHDRAWAL_NOT_ALLOWED"
    SALE_NOT_PAUSED = "SALE_NOT_PAUSED"
    NO_IF_BID = "NO_IF_BID"
    NO_COUNTER = "NO_COUNTER"
    COUNTER_NOT_ABOVE_BID = "COUNTER_NOT_ABOVE_BID"
    NO_UNPAID_AWARD = "NO_UNPAID_AWARD"


MEANINGS: dict[Rejection, str] = {
    Rejection.INVALID: "The command's shape, an amount or its currency is wrong.",
    Rejection.BUSY: "Too many commands wait. Send the same one again in a moment.",
    Rejection.UNAVAILABLE: "Not recorded as far as is known. Send the same one again: a bid id is "
    "never accepted twice.",
    Rejection.BID_ID_REUSED: "The bid id stands for another accepted bid of this bidder.",
    Rejection.NOT_FOUND: "There is no such sale or lot, or none that this bidder may see.",
    Rejection.SELLER_MAY_NOT_BID: "The liquidator, its affiliates and the consignor do not bid.",
    Rejection.NOT_REGISTERED: "The bidder is not registered for this sale.",
    Rejection.TERMS_NOT_ACCEPTED: "The terms in force or the lot's restrictions are not accepted.",
    Rejection.LOT_NOT_OPEN: "Before the lot opens.",
    Rejection.LOT_CLOSED: "At or after the lot's end.",
    Rejection.LOT_WITHDRAWN: "The lot was taken out of the sale.",
    Rejection.SALE_PAUSED: "The sale is paused.",
    Rejection.NOT_ABOVE_OWN_MAXIMUM: "A maximum may be raised, not lowered or repeated.",
    Rejection.AMOUNT_BELOW_MINIMUM: "Below the next minimum, which the verdict names.",
    Rejection.LIMIT_EXCEEDED: "What the bidder leads and owes, all-in, would pass the limit.",
    Rejection.BUDGET_EXCEEDED: "A budget that the bidder set would be passed; it is named.",
    Rejection.CERTIFICATE_REQUIRED: "The sale asks for a resale certificate.",
    Rejection.DEPOSIT_REQUIRED: "The sale asks for a deposit, which the verdict names.",
    Rejection.SALE_EXISTS: "A sale of this id is scheduled already.",
    Rejection.SALE_CLOSED: "Every lot of the sale has ended.",
    Rejection.SALE_CANCELLED: "The sale was cancelled: nothing is added to it or moved.",
    Rejection.BIDDING_BEGUN: "Bidding on a lot has begun: its times stay as they are.",
    Rejection.LOT_EXISTS: "The sale has a lot of this id already.",
    Rejection.RESERVE_NOT_LOWERED: "After the first bid a reserve can only be lowered.",
    Rejection.NO_BIDS_TO_VOID: "This bidder has no bids on this lot.",
    Rejection.WITHDRAWAL_NOT_ALLOWED: "Without reserve and with a bid, only recall, law or safety "
    "take a lot out.",
    Rejection.SALE_NOT_PAUSED: "There is no pause to end.",
    Rejection.NO_IF_BID: "No bid on this lot waits for the seller's answer.",
    Rejection.NO_COUNTER: "No counter-offer on this lot waits for this bidder's answer.",
    Rejection.COUNTER_NOT_ABOVE_BID: "A counter-offer asks for more than the bid.",
    Rejection.NO_UNPAID_AWARD: "This bidder has no unpaid award for this lot.",
}


class Rejected(Struct, frozen=True):
    """A refusal, with the sentence that a person reads and, for a bid, the least that would do."""

    rejection: Rejection
    message: str
    minimum_minor: int | None = None


# What ``decide`` returns: what follows from a command, which may be nothing, or a refusal.
Decision = list[AnyEvent] | Rejected
