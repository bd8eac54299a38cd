"""What was once written can be read for ever, and what is written now is what was written then."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from auction.audit import ShardAudit
from auction.audit_export import Export, PublicAudit
from auction.chain import apply, body_of, commitment_of, seal
from auction.codec import Recorded, decode_body, is_known, unpack
from auction.events import EVENT_TYPES
from auction.ids import BidderId, shard_of
from auction.older import OLDER, as_of_today
from auction.ports import LoggedEvent
from auction.sale import Sale
from tests.builders import SALE, SECRET, at
from tests.golden.make import FOLDER, LATEST, POSITION, before, outcome, readable

EVENTS = sorted((FOLDER / "events").glob("*.hex"))
SALES = sorted((FOLDER / "sales").glob("*.hex"))


def bodies(place: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in place.read_text(encoding="utf-8").splitlines()]


def beside(place: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    return said


def log_of(place: Path) -> list[Recorded]:
    return [decode_body(position, body) for position, body in enumerate(bodies(place), start=1)]


def version_of(recorded: Recorded) -> int:
    """The version in which an event was written."""
    header = unpack(recorded.private if recorded.public is None else recorded.public)
    return int(header["version"])


@pytest.mark.parametrize("place", EVENTS, ids=lambda place: place.stem)
def test_a_golden_event_says_what_it_said(place: Path) -> None:
    """In the words of today's version, which for an older one may be more."""
    (body,) = bodies(place)
    read, said = decode_body(POSITION, body), beside(place)
    said["event"] = dict(as_of_today(read.event.TYPE, version_of(read), said["event"]))
    assert readable(read) == said


@pytest.mark.parametrize(("tag", "kind"), EVENT_TYPES.items(), ids=list(EVENT_TYPES))
def test_every_version_that_was_ever_written_is_known_and_no_other(tag: str, kind: Any) -> None:
    golden = {int(place.stem.rpartition(".v")[2]) for place in EVENTS if place.match(f"{tag}.v*")}
    assert golden == set(range(1, kind.VERSION + 1))
    assert [version for version in range(9) if is_known(kind, version)] == sorted(golden)


@pytest.mark.parametrize(("tag", "version"), OLDER, ids=str)
def test_an_older_version_kept_apart_what_its_golden_file_does(tag: str, version: int) -> None:
    (body,) = bodies(FOLDER / "events" / f"{tag}.v{version}.hex")
    header = {"type", "version", "sale_id", "at_us", "owner_sequence"}
    private = unpack(decode_body(POSITION, body).private)
    assert private.keys() - header == OLDER[tag, version].private.keys()


@pytest.mark.parametrize("place", EVENTS, ids=lambda place: place.stem)
def test_a_golden_event_is_written_to_the_same_bytes(place: Path) -> None:
    (body,) = bodies(place)
    read = decode_body(POSITION, body)
    assert body_of(read) == body
    if place.stem == f"{read.event.__struct_config__.tag}.v{read.event.VERSION}":
        sale = before(read.sequence or 1, read.lot_sequence or 1, read.owner_sequence or 1)
        assert body_of(seal(sale, read.event, POSITION, at("15:58"))) == body


def test_every_event_type_has_a_golden_file_of_its_version() -> None:
    present = {f"{tag}.v{kind.VERSION}" for tag, kind in EVENT_TYPES.items()}
    assert present <= {place.stem for place in EVENTS}


def test_every_golden_file_has_its_reading_beside_it() -> None:
    for place in (*EVENTS, *SALES):
        assert place.with_suffix(".json").is_file()


@pytest.mark.parametrize("place", SALES, ids=lambda place: place.stem)
def test_a_golden_sale_folds_to_its_outcome(place: Path) -> None:
    sale = Sale(SALE)
    for recorded in log_of(place):
        apply(sale, recorded)
    assert outcome(sale) == beside(place)


@pytest.mark.parametrize("place", SALES, ids=lambda place: place.stem)
def test_the_chain_of_a_golden_sale_holds(place: Path) -> None:
    head = bytes(32)
    proofs: set[bytes] = set()
    for recorded in log_of(place):
        assert recorded.commitment == commitment_of(SECRET, recorded.position, recorded.private)
        assert set(recorded.carried) <= proofs
        if recorded.public is None:
            proofs.add(recorded.commitment)
            continue
        head = hashlib.sha256(head + recorded.public + recorded.commitment).digest()
        assert recorded.hash == head
    assert head.hex() == beside(place)["head"]


@pytest.mark.parametrize("place", SALES, ids=lambda place: place.stem)
def test_what_is_written_now_is_written_to_the_same_bytes_after_whatever_stood_there(
    place: Path,
) -> None:
    sale, now = Sale(SALE), 0
    for body, recorded in zip(bodies(place), log_of(place), strict=True):
        if version_of(recorded) == recorded.event.VERSION:
            again = seal(sale, recorded.event, recorded.position, recorded.at_us)
            assert body_of(again) == body
            now += 1
        apply(sale, recorded)
    assert now == len(bodies(place)) if place.stem == LATEST else now > 30


@pytest.mark.parametrize("place", SALES, ids=lambda place: place.stem)
def test_nothing_is_found_in_a_golden_sale(place: Path) -> None:
    """By staff with the whole log, and by an outsider with an export of it."""
    shard = ShardAudit(shard_of(SALE))
    exported, public = Export(SALE, BidderId("B")), PublicAudit()
    public.check(exported.start())
    for recorded in log_of(place):
        logged = LoggedEvent(shard.shard, recorded.position, 1, SALE, body_of(recorded))
        assert shard.check(logged) == []
        for line in exported.lines(recorded):
            public.check(line)
    public.check(exported.end())
    assert shard.end(len(bodies(place))) == []
    assert public.finish().findings == ()


def test_the_latest_sale_has_an_event_of_every_type() -> None:
    kinds = {type(recorded.event) for recorded in log_of(FOLDER / "sales" / f"{LATEST}.hex")}
    assert kinds == set(EVENT_TYPES.values())
