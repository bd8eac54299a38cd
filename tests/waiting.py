"""Waiting for a condition, bounded; never for time to pass."""

import asyncio
from collections.abc import Callable

# Far beyond what anything here takes on a busy machine; only a failure waits so long.
DEADLINE_S = 30.0
LOOK_EVERY_S = 0.002


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return once the condition holds; a failure if it does not come to hold."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(LOOK_EVERY_S)


async def turns(count: int = 50) -> None:
    """Let everything that can run now run: after this, what has not happened waits for us."""
    for _ in range(count):
        await asyncio.sleep(0)
