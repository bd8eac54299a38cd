"""What was once written can be read for ever, and what is written now is what was written then."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from auction.chain import apply, body_of, commitment_of, seal
from auction.codec import Recorded, decode_body
from auction.events import EVENT_TYPES
from auction.sale import Sale
from tests.builders import SALE, SECRET, at
from tests.golden.make import FOLDER, POSITION, before, outcome, readable

EVENTS = sorted((FOLDER / "events").glob("*.hex"))
SALES = sorted((FOLDER / "sales").glob("*.hex"))


def bodies(place: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in place.read_text(encoding="utf-8").splitlines()]


def beside(place: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    return said


def log_of(place: Path) -> list[Recorded]:
    return [decode_body(position, body) for position, body in enumerate(bodies(place), start=1)]


@pytest.mark.parametrize("place", EVENTS, ids=lambda place: place.stem)
def test_a_golden_event_says_what_it_said(place: Path) -> None:
    (body,) = bodies(place)
    assert readable(decode_body(POSITION, body)) == beside(place)


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
def test_a_golden_sale_is_written_to_the_same_bytes(place: Path) -> None:
    sale = Sale(SALE)
    for body, recorded in zip(bodies(place), log_of(place), strict=True):
        again = seal(sale, recorded.event, recorded.position, recorded.at_us)
        assert body_of(again) == body
        apply(sale, again)


def test_the_full_sale_has_an_event_of_every_type() -> None:
    kinds = {type(recorded.event) for recorded in log_of(FOLDER / "sales" / "full.hex")}
    assert kinds == set(EVENT_TYPES.values())
