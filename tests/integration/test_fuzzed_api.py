"""Random requests to the small room: whatever comes, the answer is one that is described."""

import pytest

from tests.fuzzing import fuzz
from tests.http_room import serving_shelf


async def test_whatever_comes_is_answered_as_described() -> None:
    async with serving_shelf() as (host, port):
        made = await fuzz(f"http://{host}:{port}", without="breaks|away|csv")
    assert made > 100


async def test_a_fault_of_ours_is_found() -> None:
    async with serving_shelf() as (host, port):
        with pytest.raises(AssertionError, match="Server error"):
            await fuzz(f"http://{host}:{port}", without="away|csv|crates")
