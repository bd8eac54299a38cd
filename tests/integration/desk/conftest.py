"""The desk's services over a database of its own."""

from collections.abc import AsyncIterator

import pytest

from accounts.clock import wall_clock
from auction.desk.lots import Lots
from auction.desk.seller import Seller
from auction.ids import LiquidatorId
from foundation.database import Pool, open_pool
from tests.builders import STAFF_MEMBER
from tests.desk import SELLER


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="desk")
    yield pool
    pool.terminate()


@pytest.fixture
def lots(pool: Pool) -> Lots:
    return Lots(pool, wall_clock)


@pytest.fixture
def seller() -> Seller:
    return Seller(SELLER, STAFF_MEMBER)


@pytest.fixture
def rival() -> Seller:
    return Seller(LiquidatorId("rival"), STAFF_MEMBER)
