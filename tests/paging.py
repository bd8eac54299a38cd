"""Lists, page by page."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from foundation.http.cursors import Listing, Paging

T = TypeVar("T")


async def walked(page: Callable[[Paging], Awaitable[Listing[T]]], limit: int = 1) -> list[T]:
    """Everything, in pages of so many."""
    found: list[T] = []
    paging = Paging(limit=limit)
    while True:
        this = await page(paging)
        assert len(this.items) <= limit
        found += this.items
        assert len(found) < 500, "it never ends"
        if this.next_cursor is None:
            return found
        paging = Paging(limit=limit, cursor=this.next_cursor)
