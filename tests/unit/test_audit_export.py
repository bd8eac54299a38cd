"""An outsider checks a sale with nothing but its export; a bidder opens the own commitments."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

import msgpack
import msgspec
import pytest

from auction.audit_export import _DECODER, Export, PublicAudit, PublicSummary
from auction.audit_findings import Check
from auction.codec import decode_body, pack, unpack
from auction.commands import SetLimit
from auction.events import (
    BidPlaced,
    EndExtended,
    LotSold,
    SaleClosed,
    SaleScheduled,
)
from auction.ids import BidderId, Paddle
from tests.builders import SALE, SECRET, STAFF_MEMBER, Room, a_lot, change_reserve, register
from tests.forgery import Edit, Story, changed, moved, sealed, story_of, without
from tests.unit.test_audit import ROOMS, busy

Lines = list[dict[str, Any]]


def export(story: Story, owner: str | None = None) -> list[bytes]:
    """The lines of an export of this story."""
    exported = Export(SALE, None if owner is None else BidderId(owner))
    lines = [exported.start()]
    for logged in sealed(story):
        lines += exported.lines(decode_body(logged.position, logged.body))
    return [*lines, exported.end()]


def check(lines: list[bytes]) -> PublicSummary:
    audit = PublicAudit()
    for line in lines:
        audit.check(line)
    return audit.finish()


def told(lines: list[bytes]) -> Lines:
    return [json.loads(line) for line in lines]


def packed(lines: Lines) -> list[bytes]:
    return [json.dumps(line).encode() + b"\n" for line in lines]


ROOM: Final = busy()
BUSY: Final = export(story_of(ROOM), "B")


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_found_in_the_export_of_what_happened(room: Any) -> None:
    summary = check(export(story_of(room()), "A"))
    assert summary.findings == ()
    assert summary.openings > 0


def test_the_summary_says_what_the_export_holds() -> None:
    summary = check(BUSY)
    assert (summary.sale_id, summary.events, summary.closed) == (SALE, ROOM.sale.sequence, True)
    assert summary.head == ROOM.sale.head
    assert summary.receipts == {recorded.receipt for recorded in ROOM.recorded}


def test_every_verdicts_receipt_is_in_the_export_after_the_end() -> None:
    receipts = {bid.receipt for bid in ROOM.sale.accepted.values()}
    assert len(receipts) == 7
    assert receipts <= check(BUSY).receipts


def test_the_export_can_be_checked_with_standard_tools() -> None:
    """As the documentation tells outsiders: base64, SHA-256, HMAC and MessagePack."""
    head = bytes(32)
    openings = 0
    for line in told(BUSY):
        if line["type"] == "event":
            public = base64.b64decode(line["public"])
            head = hashlib.sha256(head + public + base64.b64decode(line["commitment"])).digest()
            assert head == base64.b64decode(line["hash"])
        elif line["type"] == "opening":
            private, key = base64.b64decode(line["private"]), base64.b64decode(line["key"])
            opened = hmac.new(key, private, hashlib.sha256).digest()
            assert opened == base64.b64decode(line["commitment"])
            assert msgpack.unpackb(private)["bidder_id"] == "B"
            openings += 1
    assert openings == 3  # registration, bid, raise


def test_an_export_of_a_sale_that_goes_on_is_sound_so_far() -> None:
    room = Room(a_lot(reserve_minor=900_00))
    room.bid("A", 500_00)
    room.bid("A", 950_00)
    room.bid("A", 960_00)  # private, and not carried yet
    summary = check(export(story_of(room), "A"))
    assert (summary.findings, summary.closed, summary.openings) == ((), False, 4)


def test_an_export_holds_nothing_of_anybody_else() -> None:
    room = Room(
        a_lot(reserve_minor=987_654_32, consignor_id=BidderId("mark-consignor")), bidders=""
    )
    for bidder in ("mark-alpha", "mark-beta", "mark-gamma"):
        room.does(register(bidder, limit_minor=888_777_66_00))
    room.does(change_reserve(345_678_91))
    room.does(change_reserve(None))
    room.bid("mark-alpha", 123_456_78)
    room.bid("mark-beta", 765_432_10)
    limit = {"bidder_id": BidderId("mark-gamma"), "limit_minor": 777_66_00}
    room.does(SetLimit(sale_id=SALE, actor_id=STAFF_MEMBER, **limit))  # type: ignore[arg-type]
    room.close("16:00")
    for owner in (None, "mark-gamma"):
        lines = told(export(story_of(room), owner))
        held = b"".join(
            base64.b64decode(value)
            for line in lines
            for name, value in line.items()
            if name in ("public", "private", "key", "commitment", "hash")
        )
        secrets: list[bytes] = [SECRET, b"mark-alpha", b"mark-beta", b"mark-consignor", b"staff-7"]
        secrets += [
            msgpack.packb(amount)
            for amount in (123_456_78, 765_432_10, 987_654_32, 345_678_91, 777_66_00)
        ]
        assert not [secret for secret in secrets if secret in held]
        assert (b"mark-gamma" in held) is (owner is not None)


# Changed exports


def edited(edit: Callable[[Lines], object]) -> list[bytes]:
    lines = told(BUSY)
    edit(lines)
    return packed(lines)


def with_public(number: int, **fields: Any) -> Callable[[Lines], None]:
    """Change fields of the public part of the line of this number."""

    def edit(lines: Lines) -> None:
        public = unpack(base64.b64decode(lines[number]["public"])) | fields
        lines[number]["public"] = base64.b64encode(pack(public)).decode()

    return edit


def opening(lines: Lines, number: int) -> dict[str, Any]:
    return [line for line in lines if line["type"] == "opening"][number]


def swap(lines: Lines) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def made_up(maximum_minor: int) -> dict[str, str]:
    """Key, private part and commitment that fit one another, and no chain."""
    private = pack({"maximum_minor": maximum_minor})
    commitment = hmac.digest(bytes(32), private, "sha256")
    parts = {"key": bytes(32), "private": private, "commitment": commitment}
    return {name: base64.b64encode(part).decode() for name, part in parts.items()}


OTHER: Final = base64.b64encode(bytes(32)).decode()

# Lines of BUSY, from 0: head, sale, lots 1 and 2, opening (registration), A 500, B 1,000...
CHANGED: Final[dict[str, tuple[list[bytes], Check, str]]] = {
    "nothing": ([], Check.POSITION, "the file is not whole: its last line is missing"),
    "the end is missing": (
        BUSY[:-1],
        Check.POSITION,
        "the file is not whole: its last line is missing",
    ),
    "an event is missing before the end": (
        BUSY[:-2] + BUSY[-1:],
        Check.POSITION,
        "the events are not as many as the end says",
    ),
    "an event is missing": (BUSY[:5] + BUSY[6:], Check.NUMBER, "sequence 5 follows 3"),
    "two events are swapped": (edited(swap), Check.NUMBER, "sequence 3 follows 1"),
    "an event twice": ([*BUSY[:6], *BUSY[5:]], Check.NUMBER, "sequence 4 follows 4"),
    "the head is missing": (BUSY[1:], Check.BODY, "an export begins with its sale"),
    "two heads": ([BUSY[0], *BUSY], Check.BODY, "an export begins with its sale, and only once"),
    "a line after the end": ([*BUSY, BUSY[1]], Check.BODY, "it stands after the end"),
    "no JSON": ([BUSY[0], b"{oops\n", *BUSY[1:]], Check.BODY, "not a line of an export: "),
    "not UTF-8": ([BUSY[0], b'"\xff"\n', *BUSY[1:]], Check.BODY, "not a line of an export: "),
    "another thing": ([BUSY[0], b'{"type":"x"}\n'], Check.BODY, "not a line of an export: "),
    "a field too many": (
        edited(lambda lines: lines[2].update(mood="good")),
        Check.BODY,
        "not a line of an export: ",
    ),
    "another format": (
        edited(lambda lines: lines[0].update(format=2)),
        Check.BODY,
        "not a line of an export: ",
    ),
    "another sale": (
        edited(lambda lines: lines[0].update(sale_id="S-2")),
        Check.BODY,
        "it is of sale S-1",
    ),
    "another price": (
        edited(with_public(6, price_minor=899_00)),
        Check.HASH,
        "it is not the hash of this event after the one before it",
    ),
    "another commitment": (
        edited(lambda lines: lines[6].update(commitment=OTHER)),
        Check.HASH,
        "it is not the hash of this event after the one before it",
    ),
    "a private field in public": (
        edited(with_public(6, maximum_minor=1_000_00)),
        Check.BODY,
        "a private field stands in the public part",
    ),
    "a field of no event": (edited(with_public(6, mood="good")), Check.BODY, "Object contains"),
    "an event of no type": (edited(with_public(6, type="bid_dreamt")), Check.BODY, "bid_dreamt"),
    "a private event shown": (
        edited(with_public(6, type="maximum_raised")),
        Check.BODY,
        "a private field stands in the public part",
    ),
    "bytes that are no event": (
        edited(lambda lines: lines[6].update(public=OTHER)),
        Check.BODY,
        "",
    ),
    "a short hash": (edited(lambda lines: lines[6].update(hash="AAAA")), Check.BODY, ""),
    "an opening with another key": (
        edited(lambda lines: opening(lines, 1).update(key=OTHER)),
        Check.COMMITMENT,
        "key and private part do not make this commitment",
    ),
    "an opening of another event": (
        edited(lambda lines: opening(lines, 1).update(sequence=4)),
        Check.COMMITMENT,
        "the chain does not hold this commitment",
    ),
    "an opening of an event that nobody committed to": (
        edited(lambda lines: opening(lines, 1).update(made_up(1_000_00), sequence=None)),
        Check.COMMITMENT,
        "the chain does not hold this commitment",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_export_is_found_out(name: str) -> None:
    lines, what, says = CHANGED[name]
    findings = check(lines).findings
    assert [f for f in findings if f.check is what and says in f.message], findings


def says_the_same(line: bytes, other: bytes) -> bool:
    """Whether only white space differs, or a bit that base64 leaves to spare."""
    try:
        return _DECODER.decode(line) == _DECODER.decode(other)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


@pytest.mark.parametrize("number", range(len(BUSY)))
def test_a_changed_byte_is_found(number: int) -> None:
    for at in range(0, len(BUSY[number]) - 1, 7):
        line = bytearray(BUSY[number])
        line[at] ^= 1
        if says_the_same(bytes(line), BUSY[number]):
            continue
        assert check([*BUSY[:number], bytes(line), *BUSY[number + 1 :]]).findings, (number, at)


def test_a_finding_names_the_line() -> None:
    lines, _, _ = CHANGED["another price"]
    assert str(check(lines).findings[0]) == (
        "line 7 sale S-1 sequence 5: hash: it is not the hash of this event after the one before it"
    )


# Told otherwise by somebody who can seal: hashes fit, and what happened does not


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (without(SaleScheduled), "the sale was not scheduled before it"),
        (changed(BidPlaced, 1, lot_id="9"), "there is no lot 9"),
        (changed(BidPlaced, 2, price_minor=899_00), "the price fell"),
        (changed(BidPlaced, 1, leader=Paddle(103)), "the lead went to one who did not bid"),
        (without(EndExtended), "EndExtended had to come first"),
        (changed(LotSold, hammer_price_minor=980_00), "the hammer price is not the price"),
        (moved(LotSold, 0, -1), "the lot's end had not come"),
        (without(SaleClosed), "SaleClosed had to follow and is missing"),
        (moved(BidPlaced, 3, -60_000_000_000), "it is earlier than the event before it"),
        (changed(BidPlaced, 1, price_minor=-5), ""),
    ],
)
def test_a_public_story_that_cannot_have_happened_is_found(edit: Edit, says: str) -> None:
    story = story_of(busy())
    edit(story)
    findings = check(export(story)).findings
    assert [f for f in findings if f.check in (Check.RULES, Check.TIME) and says in f.message]


@pytest.mark.parametrize(
    ("edit", "owner"),
    [
        (changed(BidPlaced, 1, maximum_minor=899_00), "B"),  # leads, at 900
        (changed(BidPlaced, 4, maximum_minor=203_00), "D"),  # does not lead, at 202.50
    ],
)
def test_a_bidder_sees_that_the_price_does_not_follow_from_the_own_maximum(
    edit: Edit, owner: str
) -> None:
    story = story_of(busy())
    edit(story)
    assert check(export(story)).findings == ()  # in public there is nothing to see
    (finding,) = check(export(story, owner)).findings
    assert finding.message == "leader and price are not those of this maximum"
