"""What a client was told on one connection, and whether that can be true.

Each frame is held against the public record as it stands when the frame is read: I1 and I13 to I16,
I24. Whatever is wrong is raised as `Broken`.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgpack
from msgspec import Struct, field

from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.encodings import Encoding
from tests.simulation.public_record import (
    PublicRecord,
    SaleRecord,
    Scope,
    as_sent,
    event_as_sent,
)


class Broken(Exception):
    """The gateway told what it must not. ``invariant``: which one."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(text)
        self.invariant = invariant


class Followed(Struct):
    """A sale that is followed on this connection. ``last``: what was seen; ``None``: a snapshot
    comes first. ``head``: the hash of that, where the chain can be checked."""

    scope: Scope
    last: int | None = None
    head: bytes | None = None


class Asked(Struct, frozen=True):
    """A subscription that was asked for."""

    sale_id: SaleId
    scope: Scope
    since: int | None


class Own(Struct):
    """What a bidder knows of its own part of a sale."""

    maxima: dict[str, int] = field(default_factory=dict)
    limit_minor: int | None = None


class Told:
    """A connection. ``seen``: where the client is in each sale, over all its connections."""

    def __init__(
        self,
        bidder_id: BidderId | None,
        encoding: Encoding,
        record: PublicRecord,
        seen: dict[SaleId, tuple[Scope, int]],
    ) -> None:
        self.followed: dict[SaleId, Followed] = {}
        self.asked: dict[int, Asked] = {}
        self._own: dict[SaleId, Own] = {}
        self._bidder_id, self._encoding = bidder_id, encoding
        self._record, self._seen = record, seen

    def take(self, frame: dict[str, Any]) -> None:
        """A frame about a sale; others say nothing that could be wrong here."""
        match frame["type"]:
            case "subscribed":
                self._subscribed(frame)
            case "unsubscribed":
                self.followed.pop(frame["sale_id"], None)
                self._seen.pop(frame["sale_id"], None)
            case "snapshot":
                self._snapshot(frame)
            case "event":
                self._event(frame)
            case "conflated":
                self._conflated(frame)
            case "standing":
                own = Own(dict(frame["maxima"]), frame["limit_minor"])
                self._own[SaleId(frame["sale_id"])] = own
            case "own":
                self._own_event(frame)
            case "error":
                self.asked.pop(frame["request"], None)
            case "goodbye":
                self._goodbye(frame)

    def falls_behind(self, sales: Iterable[SaleId]) -> str | None:
        """What the client does not know though all is well; ``None``: nothing."""
        for sale_id in sales:
            record, followed = self._record.of(sale_id), self.followed.get(sale_id)
            if record.sequence == 0:
                continue
            if followed is None or followed.last is None:
                return f"does not follow {sale_id}"
            if record.next_for(followed.scope, followed.last) is not None:
                return f"has {followed.last} of {sale_id}, which is at {record.sequence}"
            if self._bidder_id is not None:
                standing = self._record.standing(sale_id, self._bidder_id)
                own = self._own.get(sale_id)
                known = None if own is None else (own.maxima, own.limit_minor)
                true = None if standing is None else (standing.maxima, standing.limit_minor)
                if known != true:
                    return f"knows {known} of its part of {sale_id}, which is {true}"
        return None

    # --- Following --------------------------------------------------------------------------

    def _subscribed(self, frame: dict[str, Any]) -> None:
        asked = self.asked.pop(frame["request"], None)
        if asked is None or asked.sale_id != frame["sale_id"]:
            raise Broken("I14", f"nobody asked for {frame}")
        followed = self.followed[asked.sale_id] = Followed(asked.scope)
        self._own.pop(asked.sale_id, None)
        if frame["recovered"]:
            if asked.since is None:
                raise Broken("I14", f"recovered from nowhere: {frame}")
            followed.last = asked.since

    def _following(self, sale_id: str, kind: str) -> Followed:
        followed = self.followed.get(SaleId(sale_id))
        if followed is None:
            raise Broken("I14", f"{kind} of {sale_id}, which is not followed")
        return followed

    def _goodbye(self, frame: dict[str, Any]) -> None:
        for sale_id, followed in self.followed.items():
            told = frame["resume"].get(sale_id)
            known = followed.scope is None and None not in (followed.last, told)
            if known and told != followed.last:
                raise Broken("I14", f"goodbye at {told} of {sale_id}, seen {followed.last}")

    # --- What everybody may know ------------------------------------------------------------

    def _snapshot(self, frame: dict[str, Any]) -> None:
        followed = self._following(frame["sale_id"], "snapshot")
        if followed.last is not None:
            raise Broken("I14", f"a snapshot after {followed.last}")
        sequence = frame["sequence"]
        record = self._durable(frame["sale_id"], sequence)
        chosen = record.lots[sequence].keys() if followed.scope is None else followed.scope
        self._must_show(frame, sequence, set(chosen))
        self._saw(frame["sale_id"], followed, sequence, frame["sale"]["hash"])

    def _event(self, frame: dict[str, Any]) -> None:
        event = frame["event"]
        sale_id, sequence = SaleId(event["sale_id"]), event["sequence"]
        followed = self._following(sale_id, "event")
        record = self._durable(sale_id, sequence)
        if followed.last is None:
            raise Broken("I14", f"event {sequence} of {sale_id} before its snapshot")
        expected = record.next_for(followed.scope, followed.last)
        if sequence != expected:
            where = f"event {sequence} of {sale_id} after {followed.last}"
            raise Broken("I15" if sequence <= followed.last else "I14", f"{where}, not {expected}")
        if event != event_as_sent(record.events[sequence - 1], self._encoding):
            raise Broken("I1", f"the log says otherwise: {event}")
        if not self._encoding.text and followed.scope is None:
            _check_chain(followed, frame)
        self._saw(sale_id, followed, sequence, frame["hash"])

    def _conflated(self, frame: dict[str, Any]) -> None:
        sale_id, first, last = SaleId(frame["sale_id"]), frame["from"], frame["to"]
        followed = self._following(sale_id, "conflated")
        record = self._durable(sale_id, last)
        if followed.last is None:
            raise Broken("I14", f"conflated from {first} of {sale_id} before its snapshot")
        gap = record.next_for(followed.scope, followed.last)
        if first > last or first <= followed.last or (gap is not None and gap < first):
            raise Broken("I14", f"conflated {first} to {last} of {sale_id} after {followed.last}")
        if followed.scope is None and first != followed.last + 1:
            raise Broken("I14", f"conflated {first} to {last} of {sale_id} after {followed.last}")
        shown = {LotId(lot["lot_id"]) for lot in frame["lots"]}
        if not record.changed(followed.scope, first, last) <= shown:
            raise Broken("I14", f"conflated {first} to {last} of {sale_id} shows only {shown}")
        if not shown <= record.touched(first, last) | (followed.scope or shown):
            raise Broken("I14", f"conflated {first} to {last} of {sale_id} shows {shown}")
        self._must_show(frame, last, shown)
        self._saw(sale_id, followed, last, frame["sale"]["hash"])

    def _durable(self, sale_id: str, sequence: int) -> SaleRecord:
        record = self._record.of(SaleId(sale_id))
        if sequence > record.sequence:
            raise Broken("I1", f"{sale_id} is shown at {sequence}, durable is {record.sequence}")
        return record

    def _must_show(self, frame: dict[str, Any], sequence: int, lots: set[LotId]) -> None:
        """The sale and these lots as they stood after this event."""
        record = self._record.of(SaleId(frame["sale_id"]))
        shown = {lot["lot_id"]: lot for lot in frame["lots"]}
        if shown.keys() != lots or len(frame["lots"]) != len(lots):
            raise Broken("I14", f"{frame['type']} at {sequence} shows {sorted(shown)}")
        for lot_id, lot in shown.items():
            if lot != as_sent(record.lots[sequence][LotId(lot_id)], self._encoding):
                raise Broken("I13", f"{frame['type']} at {sequence} shows {lot}")
        if frame["sale"] != as_sent(record.sales[sequence], self._encoding):
            raise Broken("I13", f"{frame['type']} at {sequence} shows {frame['sale']}")

    def _saw(self, sale_id: str, followed: Followed, sequence: int, head: Any) -> None:
        followed.last, followed.head = sequence, head if isinstance(head, bytes) else None
        self._seen[SaleId(sale_id)] = followed.scope, sequence

    # --- What only the bidder may know ------------------------------------------------------

    def _own_event(self, frame: dict[str, Any]) -> None:
        event = frame["event"]
        self._following(frame["sale_id"], "own")
        if event.get("bidder_id") != self._bidder_id:
            raise Broken("I16", f"told what is another's: {event}")
        own = self._own.get(SaleId(frame["sale_id"]))
        if own is None:
            if event["type"] != "bidder_registered":
                raise Broken("I14", f"an own event before the standing: {event}")
            own = self._own[SaleId(frame["sale_id"])] = Own()
        match event["type"]:
            case "bid_placed" | "maximum_raised":
                own.maxima[event["lot_id"]] = event["maximum_minor"]
            case "bids_voided":
                own.maxima.pop(event["lot_id"], None)
            case "limit_changed" | "bidder_registered":
                own.limit_minor = event["limit_minor"]


def _check_chain(followed: Followed, frame: dict[str, Any]) -> None:
    if followed.head is not None:
        public = msgpack.packb(frame["event"])
        expected = sha256(followed.head + public + frame["commitment"]).digest()
        if frame["hash"] != expected:
            raise Broken("I24", f"the chain breaks at {frame['event']}")
