"""A clock that moves only when it is told to: for sales that run faster than life.

Whoever advances it decides what happens at which instant, so that the same steps give the same
log every time. The steady count stands still: on this clock a slow machine is no outage.
"""

import asyncio
import heapq
from itertools import count


class VirtualClock:
    """A ``Clock`` at ``now_us`` until ``advance_to`` moves it."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()  # sleepers of one instant wake in the order in which they came

    def now_us(self) -> int:
        """See ``Clock``."""
        return self._now_us

    def monotonic_us(self) -> int:
        """Stands still."""
        return 0

    def follow(self, log_us: int) -> None:
        """Keeps its own time."""

    def skew_us(self, log_us: int) -> int:
        """None that matters: it keeps its own time."""
        return 0

    async def sleep_until(self, at_us: int) -> None:
        """Return once the clock was advanced to ``at_us`` or past it."""
        if at_us <= self._now_us:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at_us, next(self._numbers), woken))
        await woken

    def advance_to(self, at_us: int) -> None:
        """Move to ``at_us``, or stay if that is past; wakes those who slept until then.

        They run when the caller next waits for something.
        """
        self._now_us = max(self._now_us, at_us)
        while self._sleepers and self._sleepers[0][0] <= self._now_us:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():  # a sleeper that was cancelled
                woken.set_result(None)
