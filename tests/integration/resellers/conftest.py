"""One market a test."""

from collections.abc import AsyncIterator

import pytest

from tests import market as markets
from tests.market import Market


@pytest.fixture
async def market(database_url: str) -> AsyncIterator[Market]:
    """The resellers' side over a database of its own."""
    async with markets.market(database_url) as running:
        yield running
