"""What disputes speak of: their states, who bears a loss, and what a decision looks at. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.ids import BidderId
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.payment_objects import Dispute
from settlement.steps import Step


class DisputeState(StrEnum):
    """Where a dispute stands in our books."""

    INQUIRY = "INQUIRY"  # the bank only asks; nothing was taken
    OPEN = "OPEN"  # the money was taken until it is decided
    WON = "WON"
    LOST = "LOST"
    CLOSED = "CLOSED"  # an inquiry that came to nothing


class Fault(StrEnum):
    """Who bears a dispute that is lost after the release."""

    HOUSE = "HOUSE"
    SELLER = "SELLER"


class Bearer(StrEnum):
    """Who bears what of a dispute no lot can bear, or gets what came back of it too much."""

    HOUSE = "HOUSE"
    BUYER = "BUYER"


# The reason for which a part of a line is credited that a bank took for good.
LOST: Final = "DISPUTE"
ENDED: Final = frozenset({DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED})
# As the bank has decided. One that says so and has not given all back is not at its end here.
DECIDED: Final = frozenset({"won", "lost", "warning_closed", "prevented"})


class Whose(Struct, frozen=True, kw_only=True):
    """Whose money is disputed. ``invoice_id`` None: for no invoice; then ``deposit`` is a deposit's
    subject if it was one. ``buyer_id`` None: nobody knows whose it was."""

    invoice_id: InvoiceId | None = None
    buyer_id: BidderId | None = None
    deposit: str | None = None


class DisputeRow(Struct, frozen=True, kw_only=True):
    """A dispute as it is kept.

    ``taken_minor`` and ``given_minor``: what the bank took and gave back so far, ``borne_minor``:
    what of the difference somebody bears by now. ``booked``: the rows of the provider's books by
    which the money moved. ``currency``: of these rows, once there are any.
    """

    dispute_id: StripeId
    charge_id: StripeId
    invoice_id: InvoiceId | None
    buyer_id: BidderId | None
    deposit: str | None
    amount_minor: int
    currency: str
    fee_minor: int
    reason: str
    status: str
    state: DisputeState
    fault: Fault
    answer_by_us: int | None
    answers: int
    opened_at_us: int
    ended_at_us: int | None
    taken_minor: int
    given_minor: int
    borne_minor: int
    booked: Sequence[StripeId]

    @property
    def unsettled_minor(self) -> int:
        """What is pending in the books: below 0, more came back than was to come."""
        return self.taken_minor - self.given_minor - self.borne_minor

    @property
    def waits_for_bearer(self) -> bool:
        """Whether the bank has decided, and a person has to say who bears the rest, or gets it."""
        return self.status in DECIDED and self.unsettled_minor != 0


class Given(Struct, frozen=True, kw_only=True):
    """What a decision about a dispute looks at. ``before``: as it is kept, if it is; ``left``: the
    lots of which goods have left; ``commissions``: what the house earned of released awards and did
    not give back."""

    dispute: Dispute
    before: DisputeRow | None
    whose: Whose
    left: frozenset[AwardId] = frozenset()
    commissions: Mapping[AwardId, int] = {}


class DisputeDecided(Struct, frozen=True, kw_only=True):
    """The dispute as it is kept from now on, and what is written. ``lost``: what is credited of
    lines; ``whole``: the lots of which nothing is left; ``earmarked_minor``: what of the buyer's
    credit is kept for the invoice from now on; None: as before."""

    row: DisputeRow
    steps: Sequence[Step] = ()
    lost: Sequence[AwardMoney] = ()
    whole: Sequence[AwardId] = ()
    earmarked_minor: int | None = None
