"""Clocks that keep real time."""

import asyncio
import time

# A sleeper looks again this often, so that a clock that was set does not oversleep an end.
LONGEST_SLEEP_US = 500_000


def steady_us() -> int:
    """A count that never steps and goes on while the machine sleeps (where the system has one)."""
    return time.clock_gettime_ns(_STEADY) // 1_000


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class EngineClock:
    """Engine time: the log's clock when it was set, plus what has passed since.

    A step of this machine's wall clock does not touch it. ``speed`` makes the engine's time
    run faster than life, for demonstrations.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._set_at_us = steady_us()
        self._base_us = time.time_ns() // 1_000
        self._last_us = 0
        self._is_set = False

    def now_us(self) -> int:
        """Engine time, never before an earlier answer.

        Before the log's clock was first taken over it is this machine's, and binds nobody: where
        that is ahead, a client who is told the time early would make the engine's stand.
        """
        if not self._is_set:
            return self._followed_us()
        self._last_us = max(self._last_us, self._followed_us())
        return self._last_us

    def _followed_us(self) -> int:
        """What the log's clock says by now; behind engine time while that stands."""
        return self._base_us + int((steady_us() - self._set_at_us) * self._speed)

    def monotonic_us(self) -> int:
        """The steady count, at the speed of life."""
        return steady_us()

    def follow(self, log_us: int) -> None:
        """Take over the log's clock; a clock that runs faster than life keeps its own time."""
        self._is_set = True
        if self._speed == 1.0:
            self._base_us, self._set_at_us = log_us, steady_us()

    def skew_us(self, log_us: int) -> int:
        """See ``Clock``; 0 for a clock that keeps its own time."""
        return self._followed_us() - log_us if self._speed == 1.0 else 0

    async def sleep_until(self, at_us: int) -> None:
        """Sleep at most until ``at_us``; shorter when that is far off.

        Time that stands just before ``at_us`` gets there when the log's clock does.
        """
        wait_us = (at_us - self._followed_us()) / self._speed
        await asyncio.sleep(max(0.0, min(wait_us, LONGEST_SLEEP_US)) / 1e6)
