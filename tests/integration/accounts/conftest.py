"""A room of accounts over a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from tests.accounts import House, house


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[House]:
    """An empty room, its clock at noon."""
    async with house(database_url) as opened:
        yield opened
