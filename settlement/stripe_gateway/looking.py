"""Finding what an operation has made, by the key that it was made with.

Where a list can be narrowed to few objects it is read, since it shows what was made a moment ago.
Stripe's search does not, and knows only some kinds: it is asked where no list is short enough.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import OP_ID, Page
from settlement.stripe_gateway.connection import Answered, Json, answer

ParamsT = TypeVar("ParamsT", bound=Any)
RowT = TypeVar("RowT")

A_PAGE: Final = 100  # the most that Stripe gives at once
# Objects of one customer, charge or transfer, or of some days: beyond it, something else is wrong.
MOST_PAGES: Final = 20
SECOND_US: Final = 1_000_000


class LookedTooLong(Exception):
    """An object was sought among more than anybody can have made."""


def page_of(params: ParamsT, after: str | None, limit: int = A_PAGE) -> ParamsT:
    """Which page of a list."""
    page = {**params, "limit": limit} | ({"starting_after": after} if after else {})
    return cast("ParamsT", page)


def since(since_us: int, before_us: int | None = None) -> dict[str, int]:
    """A window of ``created``: whole seconds, from one and before the other."""
    window = {"gte": since_us // SECOND_US}
    return window if before_us is None else window | {"lt": -(-before_us // SECOND_US)}


def paged(answered: Json, read: Callable[[Json], RowT]) -> Page[RowT]:
    """A page of a list as ours."""
    rows = answered["data"]
    more = answered["has_more"] and rows
    return Page(tuple(map(read, rows)), StripeId(rows[-1]["id"]) if more else None)


async def by_op_id(page: Callable[[str | None], Awaitable[Answered]], key: str) -> Json | None:
    """The object that was made with a key, in a list from its newest on."""
    after: str | None = None
    for _ in range(MOST_PAGES):
        answered = await answer(_coroutine(page(after)))
        for row in answered["data"]:
            if (row.get("metadata") or {}).get(OP_ID) == key:
                assert isinstance(row, dict)
                return row
        if not answered["has_more"]:
            return None
        after = answered["data"][-1]["id"]
    raise LookedTooLong(f"{key}: not among the latest {MOST_PAGES * A_PAGE}")


async def in_search(
    search: Callable[[Any], Awaitable[stripe.SearchResultObject[Any]]], key: str
) -> Json | None:
    """The object that was made with a key, a minute ago or earlier."""
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    query = f"metadata['{OP_ID}']:'{quoted}'"
    answered = await answer(_coroutine(search({"query": query, "limit": 2})))
    for row in answered["data"]:
        assert isinstance(row, dict)
        if (row.get("metadata") or {}).get(OP_ID) == key:
            return row
    return None


async def _coroutine(asked: Awaitable[Answered]) -> Answered:
    return await asked
