"""Reading streams of Redis by cursor: each entry once, in order, as long as Redis keeps its own.

Redis may forget: it is flushed, restarts empty, or fails over to a copy that lacks the last
entries. Where ids are its own clock's it may then give ids below our cursor, and a read from there
would wait for ever. So a stream whose last id is below the cursor is read again from the start.
Who reads must know a repeat, and must not need what is gone.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from foundation.redis_client import BEFORE_ALL, Entry, EntryId, RedisClient, RedisLost

# Entries of one stream in one answer.
MAX_ENTRIES = 100
# How often cursors are compared with the streams' last ids.
COMPARE_EVERY_S = 1.0
# Between tries to reach a Redis that is away.
RETRY_FIRST_S, RETRY_MOST_S = 0.05, 1.0

_logger = structlog.get_logger(__name__)


class Streams:
    """Streams of one slot of Redis, each read on from its cursor."""

    def __init__(self, redis: RedisClient, cursors: Mapping[str, EntryId]) -> None:
        self._redis = redis
        self._cursors = dict(cursors)
        self._compare_at_s = asyncio.get_running_loop().time() + COMPARE_EVERY_S

    async def read(self) -> list[tuple[str, list[Entry]]]:
        """The next entries, waiting for them a moment; nothing if none came. `RedisLost`."""
        if asyncio.get_running_loop().time() >= self._compare_at_s:
            await self._compare()
        found = await self._redis.read(self._cursors, MAX_ENTRIES)
        for key, entries in found:
            self._cursors[key] = entries[-1][0]
        return found

    async def _compare(self) -> None:
        keys = list(self._cursors)
        for key, last in zip(keys, await self._redis.last_ids(keys), strict=True):
            if last < self._cursors[key]:
                _logger.warning("stream_begins_anew", stream=key)
                self._cursors[key] = BEFORE_ALL
        self._compare_at_s = asyncio.get_running_loop().time() + COMPARE_EVERY_S

    def distrust(self) -> None:
        """Redis was away: compare before the next read."""
        self._compare_at_s = 0.0


class Patience:
    """How long to wait before the next try: longer after each that failed, up to a second."""

    def __init__(self, what: str) -> None:
        self._what, self._pause_s = what, RETRY_FIRST_S

    async def wait(self, error: RedisLost) -> None:
        """A try failed. Only the first of a row of failures is logged."""
        if self._pause_s == RETRY_FIRST_S:
            _logger.warning("redis_lost", task=self._what, error=str(error))
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, RETRY_MOST_S)
        await asyncio.sleep(pause_s)

    def over(self) -> None:
        """A try went well."""
        if self._pause_s != RETRY_FIRST_S:
            _logger.info("redis_found", task=self._what)
        self._pause_s = RETRY_FIRST_S


async def at_their_ends(redis: RedisClient, keys: Iterable[str]) -> dict[str, EntryId]:
    """Cursors after what streams of one slot hold now. `RedisLost`."""
    keys = list(keys)
    return dict(zip(keys, await redis.last_ids(keys), strict=True))
