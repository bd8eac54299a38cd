"""A room of accounts over a database of the test's own, and a site over it."""

from collections.abc import AsyncIterator

import pytest

from tests.accounts import House, house
from tests.accounts_site import Site, site_of


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[House]:
    """An empty room, its clock at noon."""
    async with house(database_url) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> AsyncIterator[Site]:
    """The room's site."""
    async with site_of(home) as running:
        yield running
