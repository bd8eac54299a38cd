"""What the sender of a command is told, once what was decided is durable."""

from enum import StrEnum

from msgspec import Struct

from auction.ids import LotId, Paddle
from auction.pricing import ReserveStatus
from auction.rejections import Rejection
from auction.sale import LotStatus


class Acceptance(StrEnum):
    """The codes of an accepted command."""

    LEADING = "LEADING"  # the bid stands and its bidder leads
    OUTBID = "OUTBID"  # the bid stands, and another maximum is above or equal and earlier
    ACCEPTED = "ACCEPTED"  # any other command


class LotState(Struct, frozen=True, gc=False):
    """A lot as the bidder may see it: the public state, and the bidder's own part of it."""

    lot_id: LotId
    status: LotStatus
    price_minor: int | None
    next_minimum_minor: int
    reserve: ReserveStatus
    closes_at_us: int
    extensions: int
    bid_count: int
    leader: Paddle | None
    leads: bool
    own_maximum_minor: int | None
    lot_sequence: int


class Verdict(Struct, frozen=True, gc=False):
    """The answer to a command. ``code``: an ``Acceptance`` or a ``Rejection``.

    ``sequence`` is the public sequence of the first event, ``None`` for a private one;
    ``receipt`` its hash, or its commitment if it is private. BUSY and UNAVAILABLE mean that
    the same command may be sent again: a bid with the same id is never accepted twice.
    """

    code: Acceptance | Rejection
    message: str = ""
    sequence: int | None = None
    receipt: bytes | None = None
    lot: LotState | None = None
    minimum_minor: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the command took effect, now or when it was first sent."""
        return isinstance(self.code, Acceptance)
