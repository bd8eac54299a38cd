"""JSON from strangers: what other parsers let through is refused, and the place is named."""

import pytest

from foundation.strict_json import BadJson, parse, pointer_token, refuse_unstorable

GOOD = [
    (b'{"a": [1, -2.5, "x", null, true]}', {"a": [1, -2.5, "x", None, True]}),
    (b"9223372036854775807", 2**63 - 1),
    (b"-9223372036854775808", -(2**63)),
    (b'{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 2}}),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
]

BAD = [
    (b"", None),
    (b"{", None),
    (b"{}x", None),
    (b"NaN", None),
    (b"-Infinity", None),
    (b"1e400", None),
    (b"01", None),
    (b"1.", None),
    ("١٢".encode(), None),
    (b'{"a": 1, "a": 1}', None),
    (b'[{"x": {"b": 1, "b": 2}}]', None),
    (b'"\\ud800"', None),
    (b'"\xff"', None),
    (b'"\x00"', None),
    (b'{"a": [0, "x\\u0000y"]}', "/a/1"),
    (b'{"a/b": {"~c": 9223372036854775808}}', "/a~1b/~0c"),
    (b"[-9223372036854775809]", "/0"),
    (b'{"\\u0000": 1}', ""),
    (b"[" * 34 + b"]" * 34, "/0" * 33),
    (b"[" * 100_000, None),
    (b"9" * 5_000, ""),
]


@pytest.mark.parametrize(("raw", "value"), GOOD)
def test_plain_json_is_read(raw: bytes, value: object) -> None:
    assert parse(raw) == value


@pytest.mark.parametrize(("raw", "place"), BAD, ids=lambda it: repr(it)[:30])
def test_what_is_ambiguous_or_cannot_be_stored_is_refused(raw: bytes, place: str | None) -> None:
    with pytest.raises(BadJson) as refused:
        parse(raw)
    assert refused.value.place == place or (place == "" and refused.value.place is None)
    assert len(str(refused.value)) < 200


def test_true_is_no_number_and_no_range_is_asked_of_it() -> None:
    refuse_unstorable([True, False, 0.5])


def test_a_key_with_slashes_is_one_step_of_a_pointer() -> None:
    assert pointer_token("a/b~c") == "a~1b~0c"
