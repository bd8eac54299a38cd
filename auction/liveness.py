"""Whether the writer serves: it owns its shards, and a recent sign of life of it is durable.

The service is *dark* while none is. Bidders cannot tell a paused process from a lost one, so
a writer that finds itself dark recovers like one that was started anew.
"""

import asyncio

from auction.ports import Clock

# Each shard gets a durable sign of life this often, also while others are appended to: what a
# restart counts as dark is the time since the shard's own.
BEAT_EVERY_US = 500_000
# Without one for this long, the service counts as having been away. Engines that share the
# shards are less patient (`auction.leases`).
DARK_AFTER_US = 2_000_000


class Liveness:
    """Shared by the writer and what closes lots for it. ``wake`` asks the writer to look."""

    def __init__(
        self,
        clock: Clock,
        beat_every_us: int | None = None,
        dark_after_us: int = DARK_AFTER_US,
    ) -> None:
        self._clock = clock
        self.beat_every_us = BEAT_EVERY_US if beat_every_us is None else beat_every_us
        self._dark_after_us = dark_after_us
        self._alive_us = self._beat_us = clock.monotonic_us()
        self.serving = asyncio.Event()
        self.wake = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether commands may be judged now."""
        return self.serving.is_set() and not self.is_dark()

    def is_dark(self) -> bool:
        """Whether the last durable sign of life was sent too long ago."""
        return self._clock.monotonic_us() - self._alive_us >= self._dark_after_us

    def beat_is_due(self) -> bool:
        """Whether all shards should be given a sign of life, the quiet ones too."""
        return self._clock.monotonic_us() - self._beat_us >= self.beat_every_us

    def sign_of_life(self, sent_us: int) -> None:
        """What was sent at ``sent_us`` of the steady count is durable, and prolonged the lease."""
        self._alive_us = sent_us

    def beat(self, sent_us: int) -> None:
        """All owned shards have a durable sign of life that was sent at ``sent_us``."""
        self._alive_us = self._beat_us = sent_us

    def pause(self) -> None:
        """Judge nothing until the writer has recovered."""
        self.serving.clear()
        self.wake.set()
