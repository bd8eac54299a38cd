"""Pages of long lists: a cursor says where the next page begins, and is opaque to clients.

A cursor holds the sort key of the last row, not a count, so that rows which come and go in
between neither repeat nor vanish. It gives no right to anything: the query that uses it filters
by what the caller may see. So it is not signed, but it is refused unless it is, bit for bit,
what we would have made for this very list.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

import msgspec

from foundation.http.problems import INVALID, Problem
from foundation.http.reading import Input
from foundation.strict_json import BadJson, refuse_unstorable

MAX_LIMIT: Final = 200
MAX_CURSOR_CHARS: Final = 1_000


DEFAULT_LIMIT: Final = 50

Limit: TypeAlias = Annotated[
    int, msgspec.Meta(ge=1, le=MAX_LIMIT, description="How many items at most.")
]
Cursor: TypeAlias = (
    Annotated[
        str,
        msgspec.Meta(
            max_length=MAX_CURSOR_CHARS,
            description="`next_cursor` of the page before; without it, the first page.",
        ),
    ]
    | None
)


class Paging(Input):
    """The query of a list: base the list's own query on it."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")
KeyT = TypeVar("KeyT", bound=msgspec.Struct)


class Listing(msgspec.Struct, Generic[ItemT], frozen=True, kw_only=True):
    """One page of a list."""

    items: Sequence[ItemT]
    next_cursor: str | None


def listing(
    rows: Sequence[RowT],
    limit: int,
    item_of: Callable[[RowT], ItemT],
    key_of: Callable[[RowT], msgspec.Struct],
) -> Listing[ItemT]:
    """One page of rows of which the query fetched ``limit + 1``, to see whether more follow."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Listing(
        items=[item_of(row) for row in shown],
        next_cursor=cursor_of(key_of(shown[-1])) if more else None,
    )


def cursor_of(key: msgspec.Struct) -> str:
    """The cursor behind a row with this sort key."""
    packed = msgspec.msgpack.encode((type(key).__name__, *msgspec.structs.astuple(key)))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def key_of_cursor(cursor: str | None, expected: type[KeyT]) -> KeyT | None:
    """The sort key in a cursor of this list, None for the first page. Raises `Problem` 422."""
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        name, *values = msgspec.msgpack.decode(packed, type=list)
        refuse_unstorable(values)
        names = [field.name for field in msgspec.structs.fields(expected)]
        key = msgspec.convert(dict(zip(names, values, strict=True)), expected)
    except (ValueError, binascii.Error, BadJson, msgspec.MsgspecError, RecursionError):
        raise _not_ours() from None
    if name != expected.__name__ or cursor_of(key) != cursor:
        raise _not_ours()
    return key


def _not_ours() -> Problem:
    return INVALID("This is no cursor of this list; begin again without it.", place="?cursor")
