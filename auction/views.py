"""What each audience may see of an event and of a lot. The one place that answers this.

An event's fields carry their audience (``events``); nothing here adds to it. A viewer that
may see nothing of a private event gets ``None``, not an empty shell.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from auction.budgets import Budget
from auction.codec import Recorded
from auction.events import PRIVATE_FIELDS, AnyEvent, Audience
from auction.ids import BidderId
from auction.sale import Lot, Sale
from auction.verdicts import LotState


class Viewer(Struct, frozen=True):
    """Who looks: a bidder, the liquidator of this sale, staff, or nobody in particular."""

    bidder_id: BidderId | None = None
    liquidator: bool = False
    staff: bool = False

    def audience(self, event: AnyEvent) -> Audience:
        """The audiences that this viewer belongs to for this event."""
        belongs = Audience.NOBODY
        if self.bidder_id is not None and getattr(event, "bidder_id", None) == self.bidder_id:
            belongs |= Audience.OWNER
        if self.liquidator:
            belongs |= Audience.LIQUIDATOR
        if self.staff:
            belongs |= Audience.STAFF
        return belongs


PUBLIC: Final = Viewer()
LIQUIDATOR: Final = Viewer(liquidator=True)
STAFF: Final = Viewer(staff=True)


def view(recorded: Recorded, viewer: Viewer) -> dict[str, Any] | None:
    """The event as plain values, only the fields that ``viewer`` may see; ``None``: nothing."""
    event = recorded.event
    audience = viewer.audience(event)
    private = PRIVATE_FIELDS[type(event)]
    hidden = {name for name, mark in private.items() if not mark & audience}
    if not event.PUBLIC and len(hidden) == len(private):
        return None
    fields = msgspec.to_builtins(event, builtin_types=(bytes,))
    seen = {name: value for name, value in fields.items() if name not in hidden}
    seen["sale_id"], seen["at_us"] = recorded.sale_id, recorded.at_us
    if event.PUBLIC:
        seen["sequence"], seen["lot_sequence"] = recorded.sequence, recorded.lot_sequence
        seen["hash"] = recorded.hash
    elif Audience.OWNER & audience or not hasattr(event, "bidder_id"):
        # The count is the owner's own: to others its gaps would tell of events they do not see.
        seen["owner_sequence"] = recorded.owner_sequence
    return seen


class BudgetState(Struct, frozen=True, gc=False):
    """A budget with what it has come to: lots, or minor units. For the bidder whose own it is."""

    budget: Budget
    used: int


def budget_states(sale: Sale, bidder_id: BidderId) -> list[BudgetState]:
    """The budgets of a bidder in this sale, in the order in which it set them."""
    registration = sale.registrations.get(bidder_id)
    tally = None if registration is None else registration.tally
    if tally is None:
        return []
    return [
        BudgetState(budget, line.used)
        for budget, line in zip(tally.budgets, tally.lines, strict=True)
    ]


def lot_state(sale: Sale, lot: Lot, bidder_id: BidderId | None) -> LotState:
    """The lot as ``bidder_id`` may see it now."""
    leader = lot.leader
    own = None if bidder_id is None else lot.standings.get(bidder_id)
    return LotState(
        lot.lot_id,
        lot.status,
        lot.price_minor,
        lot.next_minimum_minor,
        lot.reserve,
        lot.closes_at_us,
        lot.extensions,
        lot.bid_count,
        None if leader is None else sale.registrations[leader].paddle,
        leader is not None and leader == bidder_id,
        None if own is None else own.maximum_minor,
        sale.lot_sequences.get(lot.lot_id, 0),
    )
