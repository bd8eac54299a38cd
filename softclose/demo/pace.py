"""How fast the sale's clock runs beside life's."""

import asyncio

from softclose.virtual_clock import VirtualClock

# How often the clock is moved on, so that countdowns run smoothly.
TICK_S = 0.04


class Pace:
    """Moves a clock on at ``speed`` times life; ``None``: nobody watches, so it does not wait."""

    def __init__(self, clock: VirtualClock, speed: float | None) -> None:
        self._clock, self._speed = clock, speed
        self._origin: tuple[float, int] | None = None  # of life, and of the sale

    async def until(self, at_us: int) -> None:
        """Return when it is time for what happens at ``at_us``; the clock is then close to it."""
        if self._speed is None:
            return
        loop = asyncio.get_running_loop()
        if self._origin is None:
            self._origin = (loop.time(), self._clock.now_us())
        began_s, began_us = self._origin
        while True:
            reached_us = began_us + int((loop.time() - began_s) * self._speed * 1e6)
            if reached_us >= at_us:
                return
            self._clock.advance_to(reached_us)
            await asyncio.sleep(min(TICK_S, (at_us - reached_us) / 1e6 / self._speed))
