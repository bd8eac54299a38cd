"""The log as somebody with the database, and even with the sale's secret, might rewrite it.

A forger seals any story anew: numbers, commitments and hashes fit, whatever the events say. So
what is wrong with a forged log is what happened in it, and nothing else.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from auction.chain import body_of, seal
from auction.events import LOT_ENDINGS, AnyEvent, SaleClosed, SaleScheduled, lot_of
from auction.ids import shard_of
from auction.ports import LoggedEvent
from auction.sale import Sale
from tests.builders import SALE, Room

SHARD = shard_of(SALE)


class Told(NamedTuple):
    """An event and its time."""

    at_us: int
    event: AnyEvent


Story = list[Told]
Edit = Callable[[Story], object]
Slip = Callable[[Sale], object]


def story_of(room: Room) -> Story:
    """What happened in the room."""
    return [Told(recorded.at_us, recorded.event) for recorded in room.recorded]


def sealed(story: Story, slip: tuple[int, Slip] | None = None) -> list[LoggedEvent]:
    """The story as a log in which every number and hash fits.

    A slip of the pen before a position changes what is counted there: the numbers of the sale
    from then on.
    """
    sale, ended = Sale(SALE), set[str]()
    log: list[LoggedEvent] = []
    for position, (at_us, event) in enumerate(story, start=1):
        if isinstance(event, SaleScheduled):
            sale.secret, sale.liquidator_id = event.secret, event.liquidator_id
        if slip is not None and slip[0] == position:
            slip[1](sale)
        recorded = seal(sale, event, position, at_us)
        lot_id = lot_of(event)
        if recorded.hash is None:
            owner = getattr(event, "bidder_id", None) or sale.liquidator_id
            assert recorded.owner_sequence is not None
            sale.owner_sequences[owner] = recorded.owner_sequence
            key = "" if lot_id is None or lot_id in ended else lot_id
            sale.open_commitments.setdefault(key, []).append(recorded.commitment)
        else:
            assert recorded.sequence is not None
            sale.sequence, sale.head = recorded.sequence, recorded.hash
            if lot_id is not None and recorded.lot_sequence is not None:
                sale.lot_sequences[lot_id] = recorded.lot_sequence
            if isinstance(event, (*LOT_ENDINGS, SaleClosed)):
                sale.open_commitments.pop(lot_id or "", None)
                ended.add(lot_id or "")
        log.append(LoggedEvent(SHARD, position, 1, SALE, body_of(recorded)))
    return log


def index_of(story: Story, kind: type[AnyEvent], number: int = 0) -> int:
    """Where the event of this type and number (-1: the last) stands."""
    return [at for at, told in enumerate(story) if isinstance(told.event, kind)][number]


def changed(kind: type[AnyEvent], number: int = 0, **fields: Any) -> Edit:
    """Replace fields of an event."""

    def edit(story: Story) -> None:
        at = index_of(story, kind, number)
        told = story[at]
        story[at] = told._replace(event=replace(told.event, **fields))

    return edit


def moved(kind: type[AnyEvent], number: int, by_us: int) -> Edit:
    """Let an event have happened at another time."""

    def edit(story: Story) -> None:
        at = index_of(story, kind, number)
        story[at] = story[at]._replace(at_us=story[at].at_us + by_us)

    return edit


def without(kind: type[AnyEvent], number: int = 0) -> Edit:
    """Leave an event out."""
    return lambda story: story.pop(index_of(story, kind, number))


def again(kind: type[AnyEvent], number: int = 0, after: int = 0, **fields: Any) -> Edit:
    """Repeat an event, with other fields, ``after`` events after itself."""

    def edit(story: Story) -> None:
        at = index_of(story, kind, number)
        told = story[at]
        story.insert(at + 1 + after, told._replace(event=replace(told.event, **fields)))

    return edit


def at_the_end(kind: type[AnyEvent], number: int = 0, **fields: Any) -> Edit:
    """Repeat an event after everything else."""

    def edit(story: Story) -> None:
        event = story[index_of(story, kind, number)].event
        story.append(Told(story[-1].at_us, replace(event, **fields)))

    return edit


def inserted(kind: type[AnyEvent], number: int, event: AnyEvent, by_us: int = 0) -> Edit:
    """Put an event in after the one of this type and number."""

    def edit(story: Story) -> None:
        at = index_of(story, kind, number)
        story.insert(at + 1, Told(story[at].at_us + by_us, event))

    return edit
