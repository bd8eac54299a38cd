"""The bus between processes: a stream of Redis for each shard, whose ids are positions.

Redis refuses an id that is not above the last, so that a batch that is sent twice, or late by a
former owner, is in the stream once. A batch names its first position, so that a gap is seen. What
is lost on the way (Redis was slow, away, flushed, or failed over) is told to nobody here: listeners
see the gap, or find at their next look at the log that it is ahead of what they heard.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from auction.codec import CorruptLog, Recorded
from auction.ids import Shard
from auction.ports import Listener
from auction.streams import Patience, Streams, at_their_ends
from auction.wire import Keys, Unreadable, events_entry, lanes, read_events
from foundation.redis_client import (
    Command,
    Entry,
    RedisClient,
    RedisLost,
    is_repeat,
)

# Events that wait for Redis, some tens of megabytes; beyond, the oldest are not announced.
MAX_QUEUED: Final = 20_000
# Events in one entry, and in all entries that are sent in one go: a few milliseconds of Redis.
MAX_ENTRY_EVENTS: Final = 64
MAX_SENT_EVENTS: Final = 1_000
# Events that a stream keeps for listeners who were slow or away for a moment: 64 shards of them
# are some tens of megabytes. Who needs older ones reads the log.
KEPT_EVENTS: Final = 2_000

_logger = structlog.get_logger(__name__)


class BusFigures(Struct):
    """What the bus has done, for /metrics."""

    published: int = 0  # events that are in Redis
    repeated: int = 0  # events that Redis had already
    dropped: int = 0  # events that were not announced, since Redis was too slow
    heard: int = 0  # events that listeners were told of
    unreadable: int = 0  # entries


class RedisBus:
    """A ``Bus`` across processes. ``run`` owns its tasks; without listeners it reads nothing."""

    def __init__(self, redis: RedisClient, keys: Keys) -> None:
        self._redis, self._keys = redis, keys
        self._listeners: list[Listener] = []
        self._listening = asyncio.Event()
        self._queue: deque[tuple[Shard, Sequence[Recorded]]] = deque()
        self._queued = 0
        self._woken = asyncio.Event()
        self._heard: dict[Shard, int] = {}
        self._reading: set[int] = set()
        self.figures = BusFigures()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """See ``Bus``."""
        self._listeners.append(listener)
        self._listening.set()
        return lambda: self._forget(listener)

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def publish(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """See ``Bus``."""
        self._queue.append((shard, recorded))
        self._queued += len(recorded)
        while self._queued > MAX_QUEUED and len(self._queue) > 1:
            self._drop(*self._queue.popleft())
        self._woken.set()

    def _drop(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        if not self.figures.dropped:
            _logger.warning("announcements_dropped", shard=shard, first=recorded[0].position)
        self._queued -= len(recorded)
        self.figures.dropped += len(recorded)

    async def run(self) -> None:
        """Publish and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            await self._listening.wait()
            for lane, shards in enumerate(lanes()):
                tasks.create_task(self._listen(lane, shards))

    @property
    def hears(self) -> bool:
        """Whether every shard is read, so that what is published from now on is heard."""
        return len(self._reading) == len(lanes())

    def heard(self, shard: Shard) -> int:
        """The last position of a shard that listeners were told of; 0 if there is none yet."""
        return self._heard.get(shard, 0)

    # --- Publishing -------------------------------------------------------------------------

    async def _publish(self) -> None:
        """Send what gathered while the last was on its way. What Redis did not take is sent again:
        it may be there already, and is then refused."""
        patience = Patience("publish")
        while True:
            await self._woken.wait()
            self._woken.clear()
            while entries := self._next_entries():
                while True:
                    try:
                        await self._send(entries)
                        patience.over()
                        break
                    except RedisLost as error:
                        await patience.wait(error)

    def _next_entries(self) -> list[tuple[Shard, list[Recorded]]]:
        """Batches from the queue; what follows on in a shard is joined to one entry."""
        entries: list[tuple[Shard, list[Recorded]]] = []
        open_entry: dict[Shard, list[Recorded]] = {}
        taken = 0
        while self._queue and taken < MAX_SENT_EVENTS:
            shard, recorded = self._queue.popleft()
            self._queued -= len(recorded)
            taken += len(recorded)
            joined = open_entry.get(shard)
            follows = joined is not None and joined[-1].position + 1 == recorded[0].position
            if joined is None or not follows or len(joined) >= MAX_ENTRY_EVENTS:
                joined = open_entry[shard] = []
                entries.append((shard, joined))
            joined += recorded
        return entries

    async def _send(self, entries: Iterable[tuple[Shard, Sequence[Recorded]]]) -> None:
        """Add the entries; `RedisLost` if it is not known of each that it is there."""
        entries = list(entries)
        answers = await self._redis.pipeline([self._command(*entry) for entry in entries])
        for (_, recorded), answer in zip(entries, answers, strict=True):
            if is_repeat(answer):
                self.figures.repeated += len(recorded)
            elif isinstance(answer, Exception):
                raise RedisLost(str(answer)) from answer
            else:
                self.figures.published += len(recorded)

    def _command(self, shard: Shard, recorded: Sequence[Recorded]) -> Command:
        last = recorded[-1].position
        kept = ("MINID", "~", max(0, last - KEPT_EVENTS))
        return ["XADD", self._keys.events(shard), *kept, f"{last}-0", *events_entry(recorded)]

    # --- Listening --------------------------------------------------------------------------

    async def _listen(self, lane: int, shards: Sequence[Shard]) -> None:
        """Tell listeners what comes from now on. A Redis that was away is read on."""
        patience = Patience("listen")
        streams: Streams | None = None
        of_key = {self._keys.events(shard): shard for shard in shards}
        while True:
            try:
                if streams is None:
                    streams = Streams(self._redis, await at_their_ends(self._redis, of_key))
                    self._reading.add(lane)
                for key, entries in await streams.read():
                    for entry in entries:
                        self._tell(of_key[key], entry)
                patience.over()
            except RedisLost as error:
                if streams is not None:
                    streams.distrust()
                await patience.wait(error)

    def _tell(self, shard: Shard, entry: Entry) -> None:
        """Tell what of an entry was not told before."""
        (last, _), fields = entry
        heard = self._heard.get(shard, 0)
        if last <= heard:
            return
        self._heard[shard] = last
        try:
            announced = read_events(last, fields).after(heard)
        except Unreadable as error:
            self._unreadable(shard, last, error)
            return
        self.figures.heard += len(announced)
        for listener in list(self._listeners):
            try:
                listener(shard, announced)
            except CorruptLog as error:
                self._unreadable(shard, last, error)
            except Exception:  # the log line tells who fell out; it finds what it missed in the log
                _logger.exception("listener_failed", listener=repr(listener))
                self._forget(listener)

    def _unreadable(self, shard: Shard, last: int, error: Exception) -> None:
        """A newer version wrote it, which is no fault of a listener's: it sees a gap, and reads
        the log if it can."""
        self.figures.unreadable += 1
        _logger.error("announcement_unreadable", shard=shard, last=last, error=str(error))
