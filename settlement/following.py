"""Settlement begins here: a follower of the log with a cursor of its own.

The hammer makes an operation "award" for the lot, the end of the sale an operation "invoice", and
one for the fees of consigned lots that were not sold. They are written in the transaction that
moves the cursor, under names that follow from the log alone: whoever puts the cursor back makes
nothing twice. What else an award needs stands in tables that may be behind; the operations look
there, and try again until it is there.

A sale that is cancelled ends like any other: what was sold before stays sold, the rest is
withdrawn, and the sale closes. Bids cannot be voided after the hammer.

Nearly all of a log are bids: events are decoded only if their bytes name one of ours.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct, convert, to_builtins

from auction.codec import Recorded, decode_body
from auction.events import LotSold, SaleClosed
from auction.ids import BidderId, LotId, SaleId, Shard
from auction.ports import LoggedEvent
from foundation.database import AnyConnection
from foundation.follower import Cursors, LogFollower
from settlement.ids import award_id_of
from settlement.steps import Wanted, want

FOLLOWER: Final = "settlement"

_TAGS: Final = tuple(kind.TYPE.encode() for kind in (LotSold, SaleClosed))


class Hammer(Struct, frozen=True, kw_only=True):
    """What the log says of an award: the arguments of its operation."""

    sale_id: SaleId
    lot_id: LotId
    shard: int
    generation: int
    bidder_id: BidderId
    amount_minor: int
    at_us: int


class Closed(Struct, frozen=True, kw_only=True):
    """A sale that has ended, or an award made after that: what is won and not invoiced yet is
    invoiced now, by the policy of ``at_us``."""

    sale_id: SaleId
    at_us: int


class Following:
    """Makes the operations. ``now_us``: the time at which they are written."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us

    def follower(
        self, shard: Shard, cursors: Cursors[AnyConnection, LoggedEvent]
    ) -> LogFollower[AnyConnection, LoggedEvent]:
        """The follower of a shard."""
        return LogFollower(FOLLOWER, shard, self.handle, cursors)

    async def handle(self, connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        """Write what these events ask for, in the follower's transaction."""
        wanted: list[Wanted] = []
        for row in rows:
            if any(tag in row.body for tag in _TAGS):
                wanted += _asked_by(row.shard, decode_body(row.position, row.body))
        await want(connection, wanted, self._now_us())


def hammer_of(arguments: Any) -> Hammer:
    """What an operation "award" was made with."""
    return convert(arguments, Hammer)


def invoicing(subject: str, sale_id: SaleId, at_us: int) -> Wanted:
    """The operation that invoices what of a sale is not invoiced; ``subject``: what has ended."""
    closed = Closed(sale_id=sale_id, at_us=at_us)
    return Wanted(operation="invoice", subject=subject, arguments=to_builtins(closed))


def _asked_by(shard: int, one: Recorded) -> list[Wanted]:
    event = one.event
    if isinstance(event, SaleClosed):
        fees = Wanted(operation="unsold_fees", subject=one.sale_id)
        return [invoicing(one.sale_id, one.sale_id, one.at_us), fees]
    if not isinstance(event, LotSold):
        return []
    # A lot has one winner today; several would be the first generations of its awards.
    winners = zip(event.winners, event.allocations, strict=True)
    hammers = [
        Hammer(
            sale_id=one.sale_id,
            lot_id=event.lot_id,
            shard=shard,
            generation=generation,
            bidder_id=winner,
            amount_minor=part.amount_minor,
            at_us=one.at_us,
        )
        for generation, (winner, part) in enumerate(winners, start=1)
    ]
    return [
        Wanted(
            operation="award",
            subject=award_id_of(hammer.sale_id, hammer.lot_id, hammer.generation),
            arguments=to_builtins(hammer),
        )
        for hammer in hammers
    ]
