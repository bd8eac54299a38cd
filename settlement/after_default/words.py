"""What is spoken of after a default: lots that are unsold again, questions, offers, refusals."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.pricing import ReserveStatus
from foundation.refusals import RefusedBecause
from settlement.defaults import Offer
from settlement.ids import AwardId


class UnsoldState(StrEnum):
    """Where a lot stands whose award is void."""

    LOOKING = "LOOKING"  # the next bidder is being looked for
    ASKED = "ASKED"  # the seller is asked
    OFFERED = "OFFERED"  # the runner-up is asked
    AWARDED = "AWARDED"  # the runner-up took it
    RELISTING = "RELISTING"  # nobody takes it
    RELISTED = "RELISTED"  # it is in the seller's stock again


ENDED: Final = frozenset({UnsoldState.AWARDED, UnsoldState.RELISTING, UnsoldState.RELISTED})


class Unsold(Struct, frozen=True, kw_only=True):
    """A lot whose award is void. ``award_to``: the runner-up's award, in the end; ``draft_id``: the
    draft that offers it again."""

    award_id: AwardId
    sale_id: SaleId
    lot_id: LotId
    liquidator_id: LiquidatorId
    currency: str
    state: UnsoldState
    began_at_us: int
    ended_at_us: int | None
    award_to: AwardId | None
    draft_id: str | None
    changed_at_us: int
    version: int


class Consent(Struct, frozen=True, kw_only=True):
    """What a seller is asked. ``consents`` None: no answer yet, and ``until_us`` not come."""

    award_id: AwardId
    turn: int
    bidder_id: BidderId
    paddle: int
    price_minor: int
    reserve: ReserveStatus
    asked_at_us: int
    until_us: int
    consents: bool | None = None
    answered_at_us: int | None = None
    answered_by: str | None = None


class MadeOffer(Struct, frozen=True, kw_only=True):
    """A lot offered to a runner-up."""

    award_id: AwardId
    turn: int
    bidder_id: BidderId
    price_minor: int
    made_at_us: int
    until_us: int
    accepted: bool | None = None
    answered_at_us: int | None = None
    answered_by: str | None = None

    @property
    def offer(self) -> Offer:
        """As the rules know it."""
        return Offer(
            bidder_id=self.bidder_id,
            price_minor=self.price_minor,
            until_us=self.until_us,
            accepted=self.accepted,
        )


class AfterRefusal(StrEnum):
    """Why something is not done."""

    NOT_FOUND = "NOT_FOUND"
    ANSWERED_OTHERWISE = "ANSWERED_OTHERWISE"
    TOO_LATE = "TOO_LATE"
    HANDED_OVER = "HANDED_OVER"
    ENDED = "ENDED"
    PAYMENT_UNDER_WAY = "PAYMENT_UNDER_WAY"
    DISPUTED = "DISPUTED"
    REASON_NEEDED = "REASON_NEEDED"
    NO_POLICY = "NO_POLICY"
    TOO_LITTLE_CREDIT = "TOO_LITTLE_CREDIT"


MEANINGS: Final[Mapping[AfterRefusal, str]] = {
    AfterRefusal.NOT_FOUND: "There is nothing of that name here.",
    AfterRefusal.ANSWERED_OTHERWISE: "This was answered already, and the answer stands.",
    AfterRefusal.TOO_LATE: "The time to answer is over.",
    AfterRefusal.HANDED_OVER: "The goods were handed over: only a claim can bring money back now.",
    AfterRefusal.ENDED: "The award is over already.",
    AfterRefusal.PAYMENT_UNDER_WAY: "The buyer's card is being charged. Try again in a minute.",
    AfterRefusal.DISPUTED: "The buyer's bank disputes the payment: that is decided first.",
    AfterRefusal.REASON_NEEDED: "Say why, in at most 500 characters.",
    AfterRefusal.TOO_LITTLE_CREDIT: "The buyer has less credit that is kept for nothing.",
    AfterRefusal.NO_POLICY: "There is no policy for this currency yet, and so no fee is known.",
}


class Refused(RefusedBecause[AfterRefusal]):
    """Something was refused, and nothing of it was done."""

    meanings = MEANINGS
