"""The body of a logged event: what is written is read back, and nothing else is read."""

from typing import Any, Final

import msgpack
import pytest

from auction.chain import body_of, seal
from auction.codec import BODY_FORMAT, CorruptLog, Recorded, decode_body, encode_body, pack
from auction.events import AnyEvent
from auction.sale import Sale
from tests.builders import HOUSE, SALE, SECRET, Room, a_lot, at
from tests.samples import SAMPLES

POSITION: Final = 77


def recorded(event: AnyEvent) -> Recorded:
    sale = Sale(SALE, liquidator_id=HOUSE, secret=SECRET, sequence=40)
    sale.open_commitments = {"12A": [b"c" * 32, b"d" * 32], "": [b"e" * 32]}
    return seal(sale, event, POSITION, at("15:58"))


def by_type(name: str) -> Recorded:
    (found,) = [event for event in SAMPLES if type(event).__name__ == name]
    return recorded(found)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_what_is_written_is_read_back(event: AnyEvent) -> None:
    written = recorded(event)
    read = decode_body(POSITION, body_of(written))
    assert read == written
    assert body_of(read) == body_of(written)


def test_a_whole_sale_is_read_back() -> None:
    room = Room(a_lot("1", reserve_minor=900_00), a_lot("2"))
    room.bid("A", 500_00)
    room.bid("A", 600_00)
    room.bid("B", 1_000_00)
    room.close("16:00")
    for written in room.recorded:
        assert decode_body(written.position, body_of(written)) == written


def test_the_body_is_an_array_of_five() -> None:
    placed = by_type("BidPlaced")
    assert msgpack.unpackb(body_of(placed)) == [
        BODY_FORMAT,
        placed.public,
        placed.private,
        placed.commitment,
        placed.hash,
    ]
    raised = by_type("MaximumRaised")
    assert msgpack.unpackb(body_of(raised)) == [1, None, raised.private, raised.commitment, None]


def test_a_public_event_is_split_by_who_may_see_it() -> None:
    placed = by_type("BidPlaced")
    assert placed.public is not None
    assert msgpack.unpackb(placed.public) == {
        "type": "bid_placed",
        "version": 2,
        "sale_id": "S-1",
        "at_us": at("15:58"),
        "sequence": 41,
        "lot_sequence": 1,
        "lot_id": "12A",
        "paddle": 104,
        "leader": 101,
        "price_minor": 6_100_00,
        "next_minimum_minor": 6_200_00,
        "reserve": "NOT_MET",
        "bid_count": 7,
    }
    assert msgpack.unpackb(placed.private) == {
        "bidder_id": "reseller-8",
        "bid_id": "5f0c6c1e-9d3b-4c52-8a35-0123456789ab",
        "maximum_minor": 6_100_00,
        "freight_minor": 450_00,
        "person_id": "person-dana",
    }


def test_a_private_event_is_private_with_its_header() -> None:
    assert msgpack.unpackb(by_type("MaximumRaised").private) == {
        "type": "maximum_raised",
        "version": 2,
        "sale_id": "S-1",
        "at_us": at("15:58"),
        "owner_sequence": 1,
        "lot_id": "12A",
        "bidder_id": "reseller-8",
        "bid_id": "5f0c6c1e-9d3b-4c52-8a35-0123456789ab",
        "maximum_minor": 7_777_00,
        "freight_minor": 450_00,
        "person_id": "person-dana",
    }


# Corrupt bodies


def body(written: Recorded, public: object = ..., private: object = ..., **fields: Any) -> bytes:
    """The body of ``written`` with its parts replaced, or with fields of its public part (of
    the private part, if it is all private) replaced; ``...`` takes a field away."""
    parts: dict[str, Any] = {"public": written.public, "private": written.private}
    if fields:
        name = "private" if written.public is None else "public"
        changed = msgpack.unpackb(parts[name]) | fields
        parts[name] = pack({key: value for key, value in changed.items() if value is not ...})
    if public is not ...:
        parts["public"] = public
    if private is not ...:
        parts["private"] = private
    return pack((1, parts["public"], parts["private"], written.commitment, written.hash))


PLACED, RAISED, SOLD = by_type("BidPlaced"), by_type("MaximumRaised"), by_type("LotSold")
GOOD = body_of(PLACED)

CORRUPT: Final[dict[str, tuple[bytes, str]]] = {
    "empty": (b"", "not MessagePack"),
    "cut short": (GOOD[:-1], "not MessagePack"),
    "a byte too many": (GOOD + b"\0", "not MessagePack"),
    "text": (b"hello", "not MessagePack"),
    "never used byte": (b"\xc1", "not MessagePack"),
    "claims 4 GiB": (b"\xc6\xff\xff\xff\xff", "not MessagePack"),
    "nested deep": (b"\x91" * 10_000, "not MessagePack"),
    "a map": (pack({"a": 1}), "array"),
    "an array of four": (pack((1, None, b"", b"")), "length 5"),
    "format 2": (pack((2, None, b"", b"", None)), "$[0]"),
    "public is text": (body(PLACED, public="x"), "$[1]"),
    "public is a number": (body(PLACED, public=7), "$[1]"),
    "public is no map": (body(PLACED, public=pack([1])), "not a map"),
    "public is cut short": (body(PLACED, public=b"\x81"), "not MessagePack"),
    "private is nil": (body(PLACED, private=None), "$[2]"),
    "private is no map": (body(PLACED, private=pack(7)), "not a map"),
    "private is cut short": (body(PLACED, private=b"\x81"), "not MessagePack"),
    "public part missing": (body(PLACED, public=None), "type"),
    "private event shown": (
        encode_body(RAISED.private, pack({}), RAISED.commitment, bytes(32)),
        "mixed up",
    ),
    "private event numbered": (
        encode_body(
            pack(msgpack.unpackb(RAISED.private) | {"sequence": 41, "owner_sequence": None}),
            pack({}),
            RAISED.commitment,
            bytes(32),
        ),
        "mixed up",
    ),
    "hash of a private event": (
        encode_body(None, RAISED.private, RAISED.commitment, bytes(32)),
        "mixed up",
    ),
    "no hash": (encode_body(PLACED.public, PLACED.private, PLACED.commitment, None), "mixed up"),
    "short hash": (
        encode_body(PLACED.public, PLACED.private, PLACED.commitment, bytes(31)),
        "$[4]",
    ),
    "short commitment": (
        encode_body(PLACED.public, PLACED.private, bytes(31), PLACED.hash),
        "$[3]",
    ),
    "no type": (body(PLACED, type=...), "type"),
    "type of no kind": (body(PLACED, type=["bid_placed"]), "type"),
    "unknown type": (body(PLACED, type="bid_dreamt"), "bid_dreamt"),
    "newer version": (body(PLACED, version=3), "bid_placed version 3"),
    "version 0": (body(PLACED, version=0), "bid_placed version 0"),
    "no version": (body(PLACED, version=...), "version"),
    "no sale": (body(PLACED, sale_id=...), "sale_id"),
    "sale is a number": (body(PLACED, sale_id=7), "sale_id"),
    "no time": (body(PLACED, at_us=...), "at_us"),
    "time is text": (body(PLACED, at_us="noon"), "at_us"),
    "no sequence": (body(PLACED, sequence=...), "mixed up"),
    "sequence is text": (body(PLACED, sequence="41"), "sequence"),
    "no sequence of its owner": (body(RAISED, owner_sequence=...), "mixed up"),
    "lot sequence is true": (body(PLACED, lot_sequence=True), "lot_sequence"),
    "field missing": (body(PLACED, price_minor=...), "price_minor"),
    "field of a wrong type": (body(PLACED, price_minor="6100"), "price_minor"),
    "float amount": (body(PLACED, price_minor=6100.0), "price_minor"),
    "unknown status": (body(PLACED, reserve="MAYBE"), "reserve"),
    "unknown field": (body(PLACED, mood="good"), "mood"),
    "commitments are text": (body(SOLD, commitments="cd"), "commitments"),
    "a commitment is a number": (body(SOLD, commitments=[7]), "commitments"),
    "an allocation of a wrong shape": (body(SOLD, allocations=[{"paddle": 1}]), "allocations"),
}


@pytest.mark.parametrize("name", CORRUPT)
def test_a_corrupt_body_is_refused_with_its_place(name: str) -> None:
    corrupt, says = CORRUPT[name]
    with pytest.raises(CorruptLog) as error:
        decode_body(POSITION, corrupt)
    assert str(error.value).startswith("position 77: ")
    assert says in str(error.value)
    assert len(str(error.value)) < 300


def test_a_newer_version_is_told_from_damage() -> None:
    with pytest.raises(CorruptLog, match="a newer Softclose wrote it"):
        decode_body(POSITION, body(PLACED, version=3))


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_body_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(CorruptLog):
        decode_body(POSITION, GOOD[:cut])
