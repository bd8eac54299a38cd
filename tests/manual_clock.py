"""A ``Clock`` that stands still until a test moves it."""

import asyncio

from tests.builders import at


class ManualClock:
    """Engine time and the steady count, moved apart or together."""

    def __init__(self, clock: str = "10:00") -> None:
        self._now_us = at(clock)
        self._monotonic_us = 0
        self.skewed_us = 0
        self.followed: list[int] = []
        self._moved = asyncio.Event()

    def now_us(self) -> int:
        return self._now_us

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def follow(self, log_us: int) -> None:
        """Keep the test's time, but remember that the log's was taken over."""
        self.followed.append(log_us)
        self.skewed_us = 0

    def skew_us(self, log_us: int) -> int:
        return self.skewed_us if log_us else 0

    async def sleep_until(self, at_us: int) -> None:
        while self._now_us < at_us:
            await self._moved.wait()

    def reach(self, clock: str) -> None:
        """It is now this time of the day, and the service was alive all along."""
        self._move(at(clock) - self._now_us)

    def tick(self, passed_us: int) -> None:
        """So much time passed on both counts: the writer must give signs of life in it."""
        self._monotonic_us += passed_us
        self._move(passed_us)

    def pass_in_the_dark(self, passed_us: int) -> None:
        """So much time passed at once, as for a process that was suspended."""
        self.tick(passed_us)

    def _move(self, passed_us: int) -> None:
        assert passed_us >= 0, "time does not fall"
        self._now_us += passed_us
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
