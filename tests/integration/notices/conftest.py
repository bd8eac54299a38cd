"""A room of notices over a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from tests.notices import NoticeRoom, notice_room


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[NoticeRoom]:
    """A sale with three open lots, nobody registered yet."""
    async with notice_room(database_url, lots=3) as opened:
        yield opened
