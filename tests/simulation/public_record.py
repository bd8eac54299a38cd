"""What everybody may know of each sale, worked out from the durable log as it stands."""

import json
from typing import Any

import msgpack
import msgspec

from auction.chain import apply
from auction.codec import Recorded, decode_body, unpack
from auction.events import EndsMoved, LotsRescheduled, lot_of
from auction.ids import BidderId, LotId, SaleId, shard_of
from auction.sale import Sale
from bidder_gateway.encodings import Encoding
from bidder_gateway.feeds import lot_view, sale_view, standing
from bidder_gateway.protocol import LotView, SaleView, Standing
from tests.simulation.simulated_log import LogServer

Scope = frozenset[LotId] | None
Views = dict[LotId, LotView]


class SaleRecord:
    """One sale. Index n of the lists is the state after n public events."""

    def __init__(self, sale_id: SaleId) -> None:
        self.sale = Sale(sale_id)
        self.position = 0
        self.events: list[Recorded] = []
        self.lots: list[Views] = [{}]
        self.sales: list[SaleView | None] = [None]

    @property
    def sequence(self) -> int:
        """The last public event."""
        return len(self.events)

    def concerns(self, sequence: int, scope: Scope) -> bool:
        """Whether an event is about one of these lots, or about the sale as a whole."""
        lot_id = lot_of(self.events[sequence - 1].event)
        return scope is None or lot_id is None or lot_id in scope

    def next_for(self, scope: Scope, after: int) -> int | None:
        """The first event after this one that is about these lots; ``None``: there is none."""
        later = range(after + 1, self.sequence + 1)
        return next((number for number in later if self.concerns(number, scope)), None)

    def changed(self, scope: Scope, first: int, last: int) -> set[LotId]:
        """The lots of the scope that look different after ``last`` from before ``first``."""
        before, after = self.lots[first - 1], self.lots[last]
        chosen = after.keys() if scope is None else after.keys() & scope
        return {lot_id for lot_id in chosen if before.get(lot_id) != after[lot_id]}

    def touched(self, first: int, last: int) -> set[LotId]:
        """The lots that the events from ``first`` to ``last`` are about."""
        lots: set[LotId] = set()
        for recorded in self.events[first - 1 : last]:
            lot_id = lot_of(recorded.event)
            lots |= set() if lot_id is None else {lot_id}
            if isinstance(recorded.event, EndsMoved):
                lots |= {moved.lot_id for moved in recorded.event.ends}
            elif isinstance(recorded.event, LotsRescheduled):
                lots |= {moved.lot_id for moved in recorded.event.lots}
        return lots


class PublicRecord:
    """All sales, as far as they are durable now."""

    def __init__(self, server: LogServer) -> None:
        self._memory, self._tape = server.memory, server.tape
        self._sales: dict[SaleId, SaleRecord] = {}

    def of(self, sale_id: SaleId) -> SaleRecord:
        """A sale, with what was written by now."""
        record = self._sales.setdefault(sale_id, SaleRecord(sale_id))
        events = self._memory.events[shard_of(sale_id)]
        for logged in events[record.position :]:
            record.position = logged.position
            if logged.sale_id == sale_id:
                self._follow(record, decode_body(logged.position, logged.body))
        return record

    def standing(self, sale_id: SaleId, bidder_id: BidderId) -> Standing | None:
        """A bidder's own part of it."""
        return standing(self.of(sale_id).sale, bidder_id)

    def _follow(self, record: SaleRecord, recorded: Recorded) -> None:
        sale = record.sale
        apply(sale, recorded)
        views = {lot_id: lot_view(sale, lot) for lot_id, lot in sale.lots.items()}
        if recorded.sequence is not None:
            record.events.append(recorded)
            record.lots.append(views)
            record.sales.append(sale_view(sale))
        elif views != record.lots[-1]:
            self._tape.broken("I16", f"everybody sees that {recorded.event} happened")


def as_sent(value: object, encoding: Encoding) -> Any:
    """A value as a client decodes it."""
    if encoding.text:
        return json.loads(msgspec.json.encode(value))
    return msgpack.unpackb(msgspec.msgpack.encode(value))


def event_as_sent(recorded: Recorded, encoding: Encoding) -> Any:
    """The public part of an event as a client decodes it."""
    assert recorded.public is not None, "a private event"
    return as_sent(unpack(recorded.public), encoding)
