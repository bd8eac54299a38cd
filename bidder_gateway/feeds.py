"""What a gateway knows of one sale: its durable state, and its latest public events as frames.

A frame is encoded once for each event and encoding, when somebody first needs it; who watches
chosen lots gets a selection of the same bytes. Nothing here waits or writes.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, cast

from msgspec import Raw, Struct, field

from auction.codec import Recorded, unpack
from auction.events import EndsMoved, LotsRescheduled, lot_of
from auction.ids import BidderId, LotId, SaleId
from auction.replica import Replica, blank
from auction.sale import Lot, LotStatus, Sale
from bidder_gateway.encodings import AS_MSGPACK, Encoding
from bidder_gateway.protocol import (
    Conflated,
    EventFrame,
    LotView,
    SaleView,
    Snapshot,
    Standing,
)

# Public events of a sale that stay in memory: some minutes of a busy sale, about 8 MB with both
# encodings. Who resumes from further back is served from the log.
RECENT = 4_096
# Every so many public events the place in the log is noted, so that a resume reads little more
# than it needs.
MARK_EVERY = 256

Lots = frozenset[LotId] | None
"""The lots that a subscription is about; ``None``: the whole sale."""


class Entry(Struct, eq=False):
    """A public event with its frames."""

    recorded: Recorded
    sequence: int
    lot_id: LotId | None
    messages: dict[Encoding, bytes] = field(default_factory=dict)

    def message(self, encoding: Encoding) -> bytes:
        """The event's frame, with its WebSocket header."""
        known = self.messages.get(encoding)
        if known is None:
            known = self.messages[encoding] = encoding.frame(event_frame(self.recorded, encoding))
        return known

    def concerns(self, lots: Lots) -> bool:
        """Whether it is about one of these lots, or about the sale as a whole."""
        return lots is None or self.lot_id is None or self.lot_id in lots


class Feed:
    """One sale. ``take`` is called with each of its events, in order."""

    def __init__(self, sale_id: SaleId) -> None:
        self.sale_id = sale_id
        self.replica: Replica = blank(sale_id)
        self._recent: deque[Entry] = deque(maxlen=RECENT)
        self._marks = [0]
        self._changed: dict[LotId, int] = {}  # the sequence of each lot's last change
        # Each lot as bytes, until it changes: snapshots and conflated frames of a crowd are joined
        # from them.
        self._lots: dict[Encoding, dict[LotId, Raw]] = {}
        # The latest snapshot of the whole sale: a crowd that comes at once gets the same bytes.
        self._snapshots: dict[Encoding, tuple[int, bytes]] = {}

    @property
    def sale(self) -> Sale:
        """The sale as it durably stands."""
        return self.replica.sale

    @property
    def sequence(self) -> int:
        """The last public event."""
        return self.replica.sale.sequence

    def take(self, recorded: Recorded) -> bool:
        """Fold the sale's next event; whether it was new."""
        if not self.replica.fold(recorded):
            return False
        if recorded.sequence is not None:
            lot_id = lot_of(recorded.event)
            self._recent.append(Entry(recorded, recorded.sequence, lot_id))
            if recorded.sequence % MARK_EVERY == 0:
                self._marks.append(recorded.position)
            for changed in _lots_changed(recorded, lot_id):
                self._changed[changed] = recorded.sequence
                for known in self._lots.values():
                    known.pop(changed, None)
        return True

    def in_memory(self, since: int) -> bool:
        """Whether every public event after ``since`` is at hand."""
        return since == self.sequence or (
            bool(self._recent) and self._recent[0].sequence <= since + 1
        )

    def mark(self, number: int) -> int:
        """The position in the log of the public event ``number`` times ``MARK_EVERY``."""
        return self._marks[number]

    def messages(self, since: int, until: int, lots: Lots, encoding: Encoding) -> bytes:
        """The events after ``since`` up to ``until`` about these lots, as messages for one write.

        They must be in memory.
        """
        assert self.in_memory(since), "events that are no longer in memory"
        first = len(self._recent) - (self.sequence - since)
        entries = islice(self._recent, first, first + until - since)
        return b"".join([entry.message(encoding) for entry in entries if entry.concerns(lots)])

    def snapshot(self, lots: Lots) -> Snapshot:
        """The sale as it stands."""
        views = (lot_view(self.sale, self.sale.lots[lot_id]) for lot_id in self._chosen(lots))
        return self._snapshot(tuple(views))

    def snapshot_message(self, lots: Lots, encoding: Encoding) -> bytes:
        """The snapshot as a message."""
        sequence, message = self._snapshots.get(encoding, (-1, b""))
        if lots is None and sequence == self.sequence:
            return message
        snapshot = self._snapshot(self._encoded(self._chosen(lots), encoding))
        message = encoding.frame(snapshot)
        if lots is None:
            self._snapshots[encoding] = self.sequence, message
        return message

    def _chosen(self, lots: Lots) -> Iterable[LotId]:
        return self.sale.lots if lots is None else sorted(lots)

    def _snapshot(self, lots: tuple[LotView, ...]) -> Snapshot:
        return Snapshot(
            sale_id=self.sale_id, sequence=self.sequence, sale=sale_view(self.sale), lots=lots
        )

    def conflated_message(self, since: int, lots: Lots, encoding: Encoding) -> bytes:
        """What changed after ``since``, as it stands now, as a message."""
        changed = (lot for lot in self._chosen(lots) if self._changed.get(lot, 0) > since)
        conflated = Conflated(
            sale_id=self.sale_id,
            first=since + 1,
            last=self.sequence,
            sale=sale_view(self.sale),
            lots=self._encoded(changed, encoding),
        )
        return encoding.frame(conflated)

    def _encoded(self, lot_ids: Iterable[LotId], encoding: Encoding) -> tuple[LotView, ...]:
        """The lots as they stand, encoded already; to an encoder that is the same."""
        known = self._lots.setdefault(encoding, {})
        encoded = []
        for lot_id in lot_ids:
            raw = known.get(lot_id)
            if raw is None:
                view = lot_view(self.sale, self.sale.lots[lot_id])
                raw = known[lot_id] = Raw(encoding.encode(view))
            encoded.append(raw)
        return cast("tuple[LotView, ...]", tuple(encoded))


def event_frame(recorded: Recorded, encoding: Encoding) -> EventFrame:
    """A public event for everybody: in MessagePack the very bytes that were hashed."""
    assert recorded.public is not None and recorded.hash is not None, "a private event"
    event = recorded.public
    if encoding is not AS_MSGPACK:
        event = encoding.encode(unpack(recorded.public))
    return EventFrame(event=Raw(event), commitment=recorded.commitment, hash=recorded.hash)


def sale_view(sale: Sale) -> SaleView:
    """The sale as everybody sees it."""
    return SaleView(
        sale_id=sale.sale_id,
        liquidator_id=sale.liquidator_id,
        audience=sale.audience,
        terms=sale.terms,
        paused=sale.paused_from_us is not None,
        cancelled=sale.cancelled is not None,
        closed=sale.closed,
        hash=sale.head,
    )


def lot_view(sale: Sale, lot: Lot) -> LotView:
    """The lot as everybody sees it."""
    return LotView(
        lot_id=lot.lot_id,
        title=lot.title,
        kind=lot.kind,
        group=lot.group,
        restrictions=tuple(sorted(lot.restrictions)),
        status=lot.status,
        opening_minor=lot.opening_minor,
        opens_at_us=lot.opens_at_us,
        scheduled_closes_at_us=lot.scheduled_closes_at_us,
        closes_at_us=lot.closes_at_us,
        latest_end_us=lot.latest_end_us,
        extensions=lot.extensions,
        price_minor=lot.price_minor,
        next_minimum_minor=lot.next_minimum_minor,
        reserve=lot.reserve,
        bid_count=lot.bid_count,
        leader=None if lot.leader is None else sale.paddle_of(lot.leader),
        lot_sequence=sale.lot_sequences.get(lot.lot_id, 0),
    )


def standing(sale: Sale, bidder_id: BidderId) -> Standing | None:
    """The bidder's own part of the sale; ``None``: it is not registered."""
    registration = sale.registrations.get(bidder_id)
    if registration is None:
        return None
    mine = [lot for lot in sale.lots.values() if bidder_id in lot.standings]
    led = [lot for lot in mine if lot.leader == bidder_id]
    return Standing(
        sale_id=sale.sale_id,
        sequence=sale.sequence,
        paddle=registration.paddle,
        limit_minor=registration.limit_minor,
        exposure_minor=registration.exposure_minor,
        maxima={lot.lot_id: lot.standings[bidder_id].maximum_minor for lot in mine},
        leads=tuple(lot.lot_id for lot in led if lot.status in _UNDECIDED),
        won=tuple(lot.lot_id for lot in led if lot.status is LotStatus.SOLD),
        accepted=tuple(sorted(registration.restrictions)),
        terms_version=registration.terms_version,
    )


_UNDECIDED: Final = frozenset({LotStatus.LIVE, LotStatus.IF_BID})


def _lots_changed(recorded: Recorded, lot_id: LotId | None) -> Iterable[LotId]:
    if lot_id is not None:
        return (lot_id,)
    event = recorded.event
    if isinstance(event, EndsMoved):
        return (moved.lot_id for moved in event.ends)
    return (moved.lot_id for moved in event.lots) if isinstance(event, LotsRescheduled) else ()
