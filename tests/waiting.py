"""Waiting for a condition, bounded; never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

# Far beyond what anything here takes on a busy machine; only a failure waits so long.
DEADLINE_S = 30.0
LOOK_EVERY_S = 0.002
# Who is asked over a socket has something else to do too.
ASK_EVERY_S = 0.05


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return once the condition holds; a failure if it does not come to hold."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(LOOK_EVERY_S)


async def answered(question: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S) -> T:
    """The first answer of a service that says something; a failure if it never does."""
    async with asyncio.timeout(deadline_s):
        while not (answer := await question()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(ASK_EVERY_S)
    return answer


async def turns(count: int = 50) -> None:
    """Let everything that can run now run: after this, what has not happened waits for us."""
    for _ in range(count):
        await asyncio.sleep(0)
