"""Cursors: what we made is taken back, anything else is refused."""

import base64
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from foundation.http.cursors import Listing, cursor_of, key_of_cursor, listing
from foundation.http.problems import Problem
from foundation.strict_json import LEAST, MOST


class LotKey(Struct):
    """A sort key."""

    closes_at_us: int
    lot_id: Annotated[str, Meta(max_length=20)]


class BidKey(Struct):
    """Another list's sort key, of the same shape."""

    closes_at_us: int
    lot_id: str


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.integers(LEAST, MOST), STORABLE)
def test_a_cursor_holds_its_key(closes_at_us: int, lot_id: str) -> None:
    key = LotKey(closes_at_us, lot_id)
    assert key_of_cursor(cursor_of(key), LotKey) == key


def test_without_a_cursor_it_is_the_first_page() -> None:
    assert key_of_cursor(None, LotKey) is None


def forged(*values: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(values)).decode().rstrip("=")


GOOD = cursor_of(LotKey(1, "a"))
FORGED = {
    "empty": "",
    "no base64": "!!!",
    "a part": GOOD[:-1],
    "more": GOOD + "AA",
    "other alphabet": GOOD[:-1] + "+",
    "padded": GOOD + "=",
    "other bits at the end": GOOD[:-1] + chr(ord(GOOD[-1]) + 1),
    "another list's": cursor_of(BidKey(1, "a")),
    "another type": forged("LotKey", "1", "a"),
    "too few": forged("LotKey", 1),
    "too many": forged("LotKey", 1, "a", "b"),
    "no name": forged(1, "a"),
    "nothing": forged(),
    "a map": base64.urlsafe_b64encode(msgspec.msgpack.encode({"a": 1})).decode().rstrip("="),
    "beyond 64 bits": forged("LotKey", 2**63, "a"),
    "NUL": forged("LotKey", 1, "a\0"),
    "too long": forged("LotKey", 1, "a" * 21),
    "deep": base64.urlsafe_b64encode(b"\x91" * 700).decode(),
    "long way to write a number": base64.urlsafe_b64encode(
        b"\x93" + msgspec.msgpack.encode("LotKey") + b"\xcf" + b"\0" * 7 + b"\x01" + b"\xa1a"
    ).decode().rstrip("="),
}  # fmt: skip


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_what_we_did_not_make_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        key_of_cursor(cursor, LotKey)
    assert (refused.value.kind.code, refused.value.place) == ("INVALID", "?cursor")


def test_a_page_says_whether_more_follow() -> None:
    def page(rows: list[int]) -> Listing[str]:
        return listing(rows, 2, str, lambda row: LotKey(row, ""))

    assert page([]) == Listing(items=[], next_cursor=None)
    assert page([1, 2]) == Listing(items=["1", "2"], next_cursor=None)
    assert page([1, 2, 3]) == Listing(items=["1", "2"], next_cursor=cursor_of(LotKey(2, "")))
