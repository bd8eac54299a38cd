"""Ends told again from the terms, for ``audit_public``. Shares no code with ``closing``."""

from collections.abc import Iterable

from msgspec import Struct, field

from auction.events import MovedEnd
from auction.ids import LotId, Paddle
from auction.pricing import ReserveStatus
from auction.sale import LotStatus
from auction.terms import ClosingMode, ExtensionMode, SoftClose

LIVE, IF_BID = LotStatus.LIVE, LotStatus.IF_BID
SOLD, PASSED, WITHDRAWN = LotStatus.SOLD, LotStatus.PASSED, LotStatus.WITHDRAWN

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


class PublicLot(Struct):
    """A lot as the public events leave it."""

    lot_id: LotId
    opening_minor: int
    opens_at_us: int
    scheduled_closes_at_us: int
    closes_at_us: int
    latest_end_us: int | None
    group: str
    reserve: ReserveStatus
    minimum_minor: int
    status: LotStatus = LIVE
    price_minor: int | None = None
    leader: Paddle | None = None
    bid_count: int = 0
    extensions: int = 0
    paddles: set[Paddle] = field(default_factory=set)  # whose bids stand

    def is_open(self, at_us: int) -> bool:
        """Whether it takes bids."""
        return self.status is LIVE and self.opens_at_us <= at_us < self.closes_at_us

    @property
    def has_ended(self) -> bool:
        """Whether it is sold, passed or withdrawn."""
        return self.status in (SOLD, PASSED, WITHDRAWN)


def extended_us(soft_close: SoftClose | None, lot: PublicLot, at_us: int) -> int:
    """The end after a bid now that changed price or leader; the end in force if it stays."""
    end_us = lot.closes_at_us
    if soft_close is None or at_us < end_us - soft_close.window_us:
        return end_us
    if soft_close.mode is ExtensionMode.ADD:
        new_us = end_us + soft_close.extension_us
    else:
        new_us = at_us + soft_close.extension_us
    return max(end_us, _at_most(new_us, lot.latest_end_us))


def linked(
    mode: ClosingMode, lot: PublicLot, new_us: int, lots: Iterable[PublicLot], at_us: int
) -> tuple[MovedEnd, ...]:
    """Where the other open lots go when ``lot`` is extended to ``new_us``."""
    moved = []
    for other in lots:
        end_us = other.closes_at_us
        if other is lot or other.status is not LIVE or at_us >= end_us:
            continue
        if mode is ClosingMode.GROUP and other.group == lot.group:
            new_end_us = new_us
        elif (
            mode is ClosingMode.CASCADE
            and other.scheduled_closes_at_us > lot.scheduled_closes_at_us
        ):
            new_end_us = end_us + new_us - lot.closes_at_us
        else:
            continue
        new_end_us = _at_most(new_end_us, other.latest_end_us)
        if new_end_us > end_us:
            moved.append(MovedEnd(other.lot_id, new_end_us, other.latest_end_us))
    return tuple(moved)


def moved_after(
    lots: Iterable[PublicLot], soft_close: SoftClose | None, dark_from_us: int, ready_us: int
) -> tuple[MovedEnd, ...]:
    """Where the open lots go by the outage rule; nothing if none ends within the notice."""
    dark_us = ready_us - dark_from_us
    notice_us = 30 * SECOND_US
    if dark_us >= 10 * SECOND_US:
        notice_us = max(2 * soft_close.extension_us if soft_close else 0, 120 * SECOND_US)
    still_open = [lot for lot in lots if lot.status is LIVE and dark_from_us < lot.closes_at_us]
    ends_us = [lot.closes_at_us for lot in still_open]
    if not ends_us or min(ends_us) >= ready_us + notice_us:
        return ()
    by_us = max(dark_us, notice_us - (min(ends_us) - ready_us))
    if dark_us >= 2 * HOUR_US:
        by_us += 24 * HOUR_US
    return tuple(
        MovedEnd(
            lot.lot_id,
            lot.closes_at_us + by_us,
            None if lot.latest_end_us is None else lot.latest_end_us + by_us,
        )
        for lot in still_open
    )


def _at_most(end_us: int, latest_us: int | None) -> int:
    return end_us if latest_us is None else min(end_us, latest_us)
