"""What a watcher pieces together is what the sale is, in random sales and at every moment."""

import json
from random import Random
from typing import Any
from unittest.mock import patch

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

from auction.codec import Recorded
from auction.events import lot_of
from auction.ids import LotId
from bidder_gateway import feeds
from bidder_gateway.encodings import AS_JSON, AS_MSGPACK, Encoding
from bidder_gateway.feeds import Feed, Lots
from tests.builders import SALE
from tests.links import message
from tests.property.test_audit_of_random_sales import a_sale

# Fewer than a sale has events, so that what is in memory ends within it.
RECENT = 12


def decoded(stream: bytes, encoding: Encoding) -> list[dict[str, Any]]:
    """The frames of a stream."""
    frames, start = [], 0
    while (found := message(stream, start)) is not None:
        _, payload, start = found
        frames.append(json.loads(payload) if encoding.text else msgpack.unpackb(payload))
    assert start == len(stream), "half a frame"
    return frames


class Watcher:
    """Somebody with a snapshot of some lots, who is told of some moments only."""

    def __init__(self, feed: Feed, lots: Lots, encoding: Encoding) -> None:
        self._feed, self._lots, self._encoding = feed, lots, encoding
        self.now = self._snapshot()
        self.sequence = feed.sequence

    def _snapshot(self) -> dict[str, Any]:
        message = self._feed.snapshot_message(self._lots, self._encoding)
        (frame,) = decoded(message, self._encoding)
        assert message == self._encoding.frame(self._feed.snapshot(self._lots))
        return {"sale": frame["sale"], "lots": {lot["lot_id"]: lot for lot in frame["lots"]}}

    def skips(self) -> None:
        """A conflated frame takes it from what it has to what is."""
        message = self._feed.conflated_message(self.sequence, self._lots, self._encoding)
        (frame,) = decoded(message, self._encoding)
        assert (frame["from"], frame["to"]) == (self.sequence + 1, self._feed.sequence)
        self.now["sale"] = frame["sale"]
        self.now["lots"] |= {lot["lot_id"]: lot for lot in frame["lots"]}
        self.sequence = frame["to"]
        assert self.now == self._snapshot()


def it_holds_what_it_says(feed: Feed, happened: list[Recorded], lots: Lots) -> None:
    """From wherever one goes on, what is in memory follows without a gap; the rest is not there."""
    public = [recorded for recorded in happened if recorded.sequence is not None]
    for since in range(feed.sequence + 1):
        at_hand = feed.sequence - since <= RECENT
        assert feed.in_memory(since) == at_hand, since
        if at_hand:
            stream = feed.messages(since, feed.sequence, lots, AS_MSGPACK)
            wanted = [
                msgpack.unpackb(recorded.public or b"")
                for recorded in public[since:]
                if lots is None or lot_of(recorded.event) in (None, *lots)
            ]
            assert [frame["event"] for frame in decoded(stream, AS_MSGPACK)] == wanted


@settings(max_examples=60, deadline=None, print_blob=True)
@given(data=st.data())
def test_a_feed_and_its_watchers_agree_at_every_moment(data: st.DataObject) -> None:
    happened = a_sale(data)
    rng = Random(data.draw(st.integers(0, 2**20), "which moments"))
    with patch.object(feeds, "RECENT", RECENT):
        feed = Feed(SALE)
    watchers: list[Watcher] = []
    for number, recorded in enumerate(happened, start=1):
        before = feed.snapshot(None) if recorded.sequence is None else None
        feed.take(recorded)
        assert before is None or before == feed.snapshot(None), "a private event is seen"
        for watcher in watchers:
            if rng.random() < 0.2:
                watcher.skips()
        if rng.random() < 0.15:
            lots = frozenset(rng.sample(list(feed.sale.lots), min(2, len(feed.sale.lots))))
            chosen = rng.choice((None, lots)) if lots else None
            watchers.append(Watcher(feed, chosen, rng.choice((AS_JSON, AS_MSGPACK))))
        if rng.random() < 0.05:
            it_holds_what_it_says(feed, happened[:number], rng.choice((None, _some(feed, rng))))
    for watcher in watchers:
        watcher.skips()


def _some(feed: Feed, rng: Random) -> frozenset[LotId]:
    return frozenset(lot_id for lot_id in feed.sale.lots if rng.random() < 0.5)
