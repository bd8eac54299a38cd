"""JSON from strangers: what other parsers let through is refused here.

Refused are duplicate keys (two readers could take different ones), NaN and infinities, numbers
beyond a double, integers beyond 64 bits, lone surrogates, NUL characters (PostgreSQL's text does
not hold them), and nesting that would exhaust the stack.
"""

import json
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# PostgreSQL's bigint, which every integer of ours ends up as.
LEAST, MOST = -(2**63), 2**63 - 1
# Deeper than anything that we take, and far from the interpreter's limit.
MAX_DEPTH: Final = 32


class BadJson(ValueError):
    """The text is not JSON as we take it; the message says why, ``place`` where if known."""

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.place = place


def parse(raw: bytes) -> Json:
    """The value in ``raw``. Raises `BadJson`."""
    try:
        value: Json = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadJson(f"is not JSON: {error}") from None
    except RecursionError:
        raise BadJson("is nested too deep") from None
    refuse_unstorable(value)
    # msgspec keeps the last of two equal keys in silence; the text is bounded, so read it again.
    json.loads(raw, object_pairs_hook=_refuse_duplicates)
    return value


def refuse_unstorable(value: object, place: str = "", depth: int = 0) -> None:
    """Raise `BadJson` for what no column holds, anywhere in plain values."""
    if depth > MAX_DEPTH:
        raise BadJson("is nested too deep", place)
    match value:
        case str() if "\0" in value:
            raise BadJson("holds a NUL character", place)
        case bool():
            pass
        case int() if not LEAST <= value <= MOST:
            raise BadJson("is out of range", place)
        case dict():
            for key, part in value.items():
                refuse_unstorable(key, place, depth)
                refuse_unstorable(part, f"{place}/{pointer_token(str(key))}", depth + 1)
        case list():
            for index, part in enumerate(value):
                refuse_unstorable(part, f"{place}/{index}", depth + 1)


def pointer_token(key: str) -> str:
    """A key as part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _refuse_duplicates(pairs: Iterable[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadJson(f"holds the key {key[:40]!r} twice in one object")
        seen.add(key)
