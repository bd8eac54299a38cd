"""Numbers, commitments and hashes, recomputed here with nothing but hashlib, hmac and msgpack."""

import hashlib
import hmac
from typing import Any

import msgpack
import pytest
from msgspec.structs import replace

from auction.chain import apply, body_of, seal
from auction.codec import Recorded, decode_body
from auction.commands import AnswerCounter, CounterIfBid, RecordFunding, SetLimit
from auction.events import BidPlaced, LotPassed, LotSold, MaximumRaised, SaleClosed
from auction.ids import BidderId, LotId
from auction.sale import Sale
from auction.terms import Terms
from tests.builders import (
    EBAY_TERMS,
    HOUR_US,
    SALE,
    SECRET,
    STAFF_MEMBER,
    Room,
    a_lot,
    at,
    bid,
    change_reserve,
    register,
)


def commitment(position: int, private: bytes) -> bytes:
    key = hmac.new(SECRET, position.to_bytes(8, "big"), hashlib.sha256).digest()
    return hmac.new(key, private, hashlib.sha256).digest()


def plain(part: bytes | None) -> dict[str, Any]:
    assert part is not None
    read: dict[str, Any] = msgpack.unpackb(part)
    return read


def a_busy_sale(terms: Terms = EBAY_TERMS) -> Room:
    """Two lots; on lot 1 private raises and a secret change of its reserve."""
    room = Room(a_lot("1", reserve_minor=900_00), a_lot("2", "17:00"), terms=terms)
    room.bid("A", 500_00)
    room.bid("A", 600_00)  # public: below the reserve the price follows
    room.bid("B", 1_000_00)
    room.bid("B", 1_200_00)  # private
    room.does(change_reserve(800_00))  # private
    room.bid("C", 300_00, lot="2")
    room.bid("C", 400_00, lot="2")  # private
    room.close("16:00")
    room.close("17:00")
    return room


def test_every_public_event_carries_the_hash_of_all_before_it() -> None:
    head = bytes(32)
    for recorded in a_busy_sale().recorded:
        if recorded.hash is None:
            continue
        assert recorded.public is not None
        proof = commitment(recorded.position, recorded.private)
        head = hashlib.sha256(head + recorded.public + proof).digest()
        assert recorded.hash == head


def test_every_event_is_committed_to_under_a_key_of_its_own() -> None:
    for recorded in a_busy_sale().recorded:
        assert recorded.commitment == commitment(recorded.position, recorded.private)


def test_the_first_event_is_committed_to_under_the_secret_that_it_brings() -> None:
    first = a_busy_sale().recorded[0]
    assert plain(first.private)["secret"] == SECRET
    assert first.commitment == commitment(1, first.private)


def test_private_events_leave_the_public_chain_untouched() -> None:
    loud, quiet = Room(), Room()
    for room in (loud, quiet):
        room.bid("A", 500_00)
    before = (loud.sale.sequence, loud.sale.head, dict(loud.sale.lot_sequences))
    loud.bid("A", 600_00)
    loud.does(SetLimit(sale_id=SALE, bidder_id=BidderId("A"), limit_minor=1, actor_id=STAFF_MEMBER))
    assert (loud.sale.sequence, loud.sale.head, loud.sale.lot_sequences) == before
    assert loud.recorded[-1].hash is None
    assert loud.recorded[-1].public is None


def test_public_sequences_of_sale_and_lot_are_gapless() -> None:
    sequences: list[int] = []
    lots: dict[str, list[int]] = {"1": [], "2": []}
    for recorded in a_busy_sale().recorded:
        if recorded.public is None:
            assert (recorded.sequence, recorded.lot_sequence) == (None, None)
            continue
        public = plain(recorded.public)
        assert public["sequence"] == recorded.sequence
        assert public.get("lot_sequence") == recorded.lot_sequence
        sequences.append(public["sequence"])
        if "lot_id" in public:
            lots[public["lot_id"]].append(public["lot_sequence"])
    assert sequences == list(range(1, len(sequences) + 1))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in lots.values())


def test_private_events_are_counted_for_each_owner() -> None:
    counts: dict[str, list[int]] = {}
    for recorded in a_busy_sale().recorded:
        if recorded.public is None:
            owner = getattr(recorded.event, "bidder_id", "house")
            assert recorded.owner_sequence is not None
            counts.setdefault(owner, []).append(recorded.owner_sequence)
    assert counts == {"A": [1], "B": [1, 2], "C": [1, 2], "D": [1], "house": [1]}


def test_a_closing_carries_the_commitments_of_its_lots_private_events() -> None:
    room = a_busy_sale()
    private = {
        lot: tuple(
            r.commitment
            for r in room.recorded
            if r.public is None and getattr(r.event, "lot_id", None) == lot
        )
        for lot in ("1", "2")
    }
    assert [len(found) for found in private.values()] == [2, 1]
    for recorded in room.recorded:
        if isinstance(recorded.event, LotSold):
            assert recorded.carried == private[recorded.event.lot_id]
            assert plain(recorded.public)["commitments"] == list(recorded.carried)


def test_the_end_of_the_sale_carries_what_belongs_to_no_lot() -> None:
    room = a_busy_sale()
    (closed,) = [r for r in room.recorded if isinstance(r.event, SaleClosed)]
    registered = [
        r.commitment for r in room.recorded if type(r.event).__name__ == "BidderRegistered"
    ]
    assert list(closed.carried) == registered
    assert plain(closed.public)["commitments"] == registered


def test_no_commitment_is_carried_twice() -> None:
    room = a_busy_sale()
    carried = [proof for r in room.recorded for proof in r.carried]
    assert len(carried) == len(set(carried)) == sum(r.public is None for r in room.recorded)
    assert room.sale.open_commitments == {}


def test_only_endings_carry_commitments() -> None:
    for recorded in a_busy_sale().recorded:
        if recorded.public is not None:
            ending = isinstance(recorded.event, LotSold | LotPassed | SaleClosed)
            assert ("commitments" in plain(recorded.public)) == ending


def test_an_if_bids_private_events_are_carried_by_its_end() -> None:
    room = Room(a_lot(reserve_minor=900_00), terms=replace(EBAY_TERMS, if_bid_us=24 * HOUR_US))
    room.bid("A", 500_00)
    room.close("16:00")
    room.does(
        CounterIfBid(sale_id=SALE, lot_id=LotId("1"), amount_minor=700_00, actor_id=STAFF_MEMBER)
    )
    countered = room.recorded[-1]
    room.does(
        AnswerCounter(sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), accepted=True)
    )
    (sold,) = [r for r in room.recorded if isinstance(r.event, LotSold)]
    assert sold.carried == (countered.commitment,)


def test_a_private_event_after_its_lots_end_is_carried_by_the_sales() -> None:
    room = Room(a_lot("1"), a_lot("2", "17:00"), bidders="A")
    room.bid("A", 500_00)
    room.close("16:00")
    room.does(
        RecordFunding(
            sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), actor_id=STAFF_MEMBER
        )
    )
    funded = room.recorded[-1]
    room.close("17:00")
    assert funded.commitment in room.recorded[-1].carried


def test_the_public_part_never_holds_the_position() -> None:
    for recorded in a_busy_sale().recorded:
        if recorded.public is not None:
            assert "position" not in plain(recorded.public)


def test_the_position_changes_nothing_that_the_public_can_read() -> None:
    """Or the gaps between positions would tell of private events."""
    room = Room()
    event = room.bid("A", 500_00)[0]
    near, far = (seal(room.sale, event, position, at("12:00")) for position in (12, 9_999))
    assert near.public == far.public
    assert near.commitment != far.commitment


def test_no_secret_is_in_a_public_part() -> None:
    room = Room(
        a_lot(reserve_minor=987_654_32, consignor_id=BidderId("mark-consignor")), bidders=""
    )
    for bidder in ("mark-alpha", "mark-beta"):
        room.does(register(bidder, limit_minor=888_777_66))
    mine = bid("mark-alpha", 123_456_78)
    room.does(mine)
    room.bid("mark-alpha", 234_567_89)
    room.does(change_reserve(345_678_91))
    room.close("16:00")
    secrets = ["mark-", "house-staff", STAFF_MEMBER, mine.bid_id]
    amounts = [987_654_32, 888_777_66, 345_678_91]
    for recorded in room.recorded:
        public = recorded.public or b""
        assert not any(secret.encode() in public for secret in secrets)
        assert not any(msgpack.packb(amount) in public for amount in amounts)
        assert SECRET not in public


def test_a_receipt_is_the_hash_or_for_a_private_event_its_commitment() -> None:
    room = Room()
    room.bid("A", 500_00)
    assert room.recorded[-1].receipt == room.recorded[-1].hash
    room.bid("A", 600_00)
    assert room.recorded[-1].receipt == room.recorded[-1].commitment


def test_sealing_looks_and_does_not_touch() -> None:
    room = Room()
    event = room.bid("A", 500_00)[0]
    before = repr(room.sale)
    assert seal(room.sale, event, 99, at("12:00")) == seal(room.sale, event, 99, at("12:00"))
    assert repr(room.sale) == before


def test_the_fold_of_the_decoded_log_is_the_live_state() -> None:
    room = a_busy_sale()
    again = Sale(SALE)
    for recorded in room.recorded:
        apply(again, decode_body(recorded.position, body_of(recorded)))
    assert again == room.sale


def test_an_accepted_bid_is_remembered_with_its_answer() -> None:
    room = Room()
    mine = bid("A", 500_00)
    room.does(mine)
    kept = room.sale.accepted[BidderId("A"), mine.bid_id]
    assert (kept.lot_id, kept.amount_minor, kept.code) == ("1", 500_00, "LEADING")
    assert (kept.sequence, kept.receipt) == (room.recorded[-1].sequence, room.recorded[-1].hash)


# What cannot be part of a log is a broken invariant


def next_of(room: Room, number: int = -1) -> Recorded:
    """The last event that happened in the room, sealed once more as if it were the next."""
    return seal(room.sale, room.recorded[number].event, len(room.recorded) + 1, room.now_us)


def test_time_does_not_fall_along_the_log() -> None:
    room = Room()
    room.bid("A", 500_00, "12:00")
    event = replace(room.recorded[-1].event, maximum_minor=600_00, bid_count=2)
    early = seal(room.sale, event, 99, at("11:59:59.999999"))
    with pytest.raises(AssertionError, match="time does not fall"):
        apply(room.sale, early)


def test_a_repeated_or_skipped_number_is_noticed() -> None:
    room = Room()
    room.bid("A", 500_00)
    with pytest.raises(AssertionError, match="gap in the sale's sequence"):
        apply(room.sale, room.recorded[-1])
    with pytest.raises(AssertionError, match="gap in the sale's sequence"):
        apply(room.sale, replace(next_of(room), sequence=room.sale.sequence + 2))
    with pytest.raises(AssertionError, match="gap in the lot's sequence"):
        apply(room.sale, replace(next_of(room), lot_sequence=5))
    room.bid("A", 600_00)
    with pytest.raises(AssertionError, match="owner's gap"):
        apply(room.sale, room.recorded[-1])


def test_the_types_of_the_events_in_the_busy_sale() -> None:
    """So that the tests above do not pass for want of events."""
    kinds = {type(event) for event in a_busy_sale().events}
    assert {BidPlaced, MaximumRaised, LotSold, SaleClosed} <= kinds
