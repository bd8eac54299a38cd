"""The door: commands of an engine's shards are taken from Redis, and their verdicts go back.

A command is judged at the engine's time, never after its deadline, and at most once by this door:

* what was in the stream when the shard was taken (under its present epoch) is turned away, as the
  owner before may have judged it, and what it had to say is final now;
* what came after its deadline is passed over: its sender has given up;
* numbers of a gateway rise within a shard's stream, so that one that is not above all that were
  read is a repeat: Redis lost its end and we read it again, or a cluster sent it twice.

What a crash leaves: commands that nobody answers, whose senders wait until their deadline.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from msgspec import Struct, field

from auction.commands import WrongShape
from auction.ids import Shard
from auction.ports import Clock, Engine
from auction.rejections import Rejection
from auction.streams import Patience, Streams, at_their_ends
from auction.verdicts import Verdict
from auction.wire import (
    MOVED,
    Keys,
    Reply,
    Sent,
    Unreadable,
    decode_command,
    lanes,
    read_commands,
    replies_entry,
    reply_of,
)
from auction.writer import BUSY
from foundation.redis_client import BEFORE_ALL, Command, Entry, EntryId, RedisClient, RedisLost

# Commands that were handed to the engine and have no verdict yet; beyond, the sender is told BUSY.
# Above what the writer lets wait, so that mostly it is the writer who says so.
MAX_JUDGING: Final = 20_000
# Replies in one entry, entries that a gateway's stream keeps, and how long after the last: a
# gateway that is gone for so long is answered no more.
MAX_ENTRY_REPLIES: Final = 256
KEPT_ENTRIES: Final = 10_000
KEPT_S: Final = 60
# Replies that wait for Redis; beyond, the oldest are lost, and their senders ask again.
MAX_UNSENT: Final = 20_000
# Ownership is compared so often, besides whenever `look` is called.
LOOK_S: Final = 0.25
# Gateways that are gone are looked for so often.
FORGET_EVERY_US: Final = 1_000_000
# How far back a stream is read that was not read here before: a little more than a deadline.
READ_BACK_MS: Final = 6_000

_logger = structlog.get_logger(__name__)


class DoorFigures(Struct):
    """What the door has done, for /metrics."""

    judged: int = 0
    busy: int = 0
    moved: int = 0
    expired: int = 0
    repeated: int = 0
    replied: int = 0
    unreadable: int = 0  # entries
    lost: int = 0  # replies that Redis was too slow for


class _Highest(Struct):
    """The highest number of a gateway that was read, and when its last command expires."""

    number: int
    until_us: int


class _Taken(Struct):
    """A shard that is owned under ``epoch``. What is not after ``fence`` was there before."""

    epoch: int
    fence: EntryId
    cursor: EntryId
    highest: dict[str, _Highest] = field(default_factory=dict)


class CommandDoor:
    """Stands beside an engine. ``owned``: the shards that it owns now, each with its epoch."""

    def __init__(
        self,
        redis: RedisClient,
        engine: Engine,
        clock: Clock,
        owned: Callable[[], Mapping[Shard, int]],
        keys: Keys,
    ) -> None:
        self._redis, self._engine, self._clock, self._keys = redis, engine, clock, keys
        self._owned = owned
        self._taken: dict[Shard, _Taken] = {}
        self._looked = [asyncio.Event() for _ in lanes()]
        self._judging: set[asyncio.Task[None]] = set()
        self._forget_at_us = 0
        self._unsent: deque[tuple[str, Reply]] = deque()
        self._woken = asyncio.Event()
        self.figures = DoorFigures()

    def look(self) -> None:
        """Shards were taken or let go: do not wait for the next look."""
        for looked in self._looked:
            looked.set()

    def reads(self, shard: Shard) -> bool:
        """Whether commands of this shard that come from now on will be judged."""
        taken = self._taken.get(shard)
        return taken is not None and taken.epoch == self._owned().get(shard)

    async def run(self) -> None:
        """Take commands in and send verdicts out until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._answer())
                for lane, shards in enumerate(lanes()):
                    tasks.create_task(self._serve(shards, self._looked[lane]))
        finally:
            for task in self._judging:
                task.cancel()

    # --- In ---------------------------------------------------------------------------------

    async def _serve(self, shards: Sequence[Shard], looked: asyncio.Event) -> None:
        """Read the shards of a lane that are owned, anew whenever those are others."""
        patience = Patience("take commands")
        while True:
            looked.clear()
            owned = self._owned()
            epochs = {shard: owned[shard] for shard in shards if shard in owned}
            reading = asyncio.create_task(self._read(epochs, patience)) if epochs else None
            try:
                while not looked.is_set() and not self._has_changed(shards, epochs):
                    if reading is not None and reading.done():
                        reading.result()
                    await _wait(looked, LOOK_S)
            finally:
                if reading is not None:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)

    def _has_changed(self, shards: Sequence[Shard], epochs: Mapping[Shard, int]) -> bool:
        owned = self._owned()
        return any(owned.get(shard) != epochs.get(shard) for shard in shards)

    async def _read(self, epochs: Mapping[Shard, int], patience: Patience) -> None:
        """Hand on what comes for these shards, until cancelled; that loses nothing, since an
        entry is handed on in the same turn in which the cursor moves."""
        streams: Streams | None = None
        of_key = {self._keys.commands(shard): shard for shard in epochs}
        while True:
            try:
                if streams is None:
                    await self._take(epochs)
                    cursors = {key: self._taken[shard].cursor for key, shard in of_key.items()}
                    streams = Streams(self._redis, cursors)
                for key, entries in await streams.read():
                    self._admit_all(of_key[key], entries)
                patience.over()
                self._forget_gone()
            except RedisLost as error:
                if streams is not None:
                    streams.distrust()
                await patience.wait(error)

    async def _take(self, epochs: Mapping[Shard, int]) -> None:
        """Fence the shards that were taken: what is in their streams by now came before."""
        new = [
            shard
            for shard, epoch in epochs.items()
            if shard not in self._taken or self._taken[shard].epoch != epoch
        ]
        if not new:
            return
        fences = await at_their_ends(self._redis, map(self._keys.commands, new))
        for shard, fence in zip(new, fences.values(), strict=True):
            before = self._taken.get(shard)
            back = max(BEFORE_ALL, (fence[0] - READ_BACK_MS, 0))
            if before is None:
                self._taken[shard] = _Taken(epochs[shard], fence, back)
            else:
                # A cursor above the end is of a stream that was lost.
                cursor = before.cursor if back <= before.cursor <= fence else back
                self._taken[shard] = _Taken(epochs[shard], fence, cursor, before.highest)

    def _admit_all(self, shard: Shard, entries: Sequence[Entry]) -> None:
        taken = self._taken[shard]
        is_owned = self._owned().get(shard) == taken.epoch
        for entry_id, fields in entries:
            if entry_id < taken.cursor:
                taken.fence = BEFORE_ALL  # the stream began anew, after it was taken
            taken.cursor = entry_id
            try:
                gateway, commands = read_commands(fields)
            except Unreadable as error:
                self.figures.unreadable += 1
                _logger.error("commands_unreadable", shard=shard, error=str(error))
                continue
            may_judge = is_owned and entry_id > taken.fence
            for sent in self._fresh(taken, gateway, commands):
                self._admit(gateway, sent, may_judge=may_judge)

    def _fresh(self, taken: _Taken, gateway: str, commands: Sequence[Sent]) -> list[Sent]:
        """Those that are no repeats and whose senders still wait."""
        now_us = self._clock.now_us()
        highest = taken.highest.setdefault(gateway, _Highest(0, 0))
        fresh = []
        for sent in commands:
            if sent.number <= highest.number:
                self.figures.repeated += 1
                continue
            highest.number = sent.number
            highest.until_us = max(highest.until_us, sent.deadline_us)
            if now_us >= sent.deadline_us:
                self.figures.expired += 1
            else:
                fresh.append(sent)
        return fresh

    def _admit(self, gateway: str, sent: Sent, *, may_judge: bool) -> None:
        if not may_judge:
            self.figures.moved += 1
            self._reply(gateway, Reply(sent.number, MOVED))
        elif len(self._judging) >= MAX_JUDGING:
            self.figures.busy += 1
            self._reply(gateway, reply_of(sent.number, BUSY))
        else:
            judging = asyncio.create_task(self._judge(gateway, sent))
            self._judging.add(judging)
            judging.add_done_callback(self._judging.discard)

    async def _judge(self, gateway: str, sent: Sent) -> None:
        """Have a command judged, and reply. Tasks begin in the order in which they were made."""
        self.figures.judged += 1
        try:
            verdict = await self._engine.submit(decode_command(sent))
        except WrongShape as fault:
            verdict = Verdict(Rejection.INVALID, str(fault))
        self._reply(gateway, reply_of(sent.number, verdict))

    def _forget_gone(self) -> None:
        """Gateways of which nothing is left that could be judged; looked for now and then."""
        now_us = self._clock.now_us()
        if now_us < self._forget_at_us:
            return
        self._forget_at_us = now_us + FORGET_EVERY_US
        for taken in self._taken.values():
            gone = [name for name, highest in taken.highest.items() if highest.until_us <= now_us]
            for name in gone:
                del taken.highest[name]

    # --- Out --------------------------------------------------------------------------------

    def _reply(self, gateway: str, reply: Reply) -> None:
        self._unsent.append((gateway, reply))
        self.figures.replied += 1
        if len(self._unsent) > MAX_UNSENT:
            self._unsent.popleft()
            self.figures.lost += 1
        self._woken.set()

    async def _answer(self) -> None:
        """Send what gathered while the last was on its way. What may not have arrived is not sent
        again: who waits for it asks again, or gives up."""
        patience = Patience("send verdicts")
        while True:
            await self._woken.wait()
            self._woken.clear()
            while commands := self._next_replies():
                try:
                    await self._redis.pipeline(commands)
                    patience.over()
                except RedisLost as error:
                    await patience.wait(error)

    def _next_replies(self) -> list[Command]:
        """Entries of what waits, and for each gateway's stream when it ends."""
        of_gateway: dict[str, list[Reply]] = {}
        for _ in range(min(len(self._unsent), MAX_ENTRY_REPLIES)):
            gateway, reply = self._unsent.popleft()
            of_gateway.setdefault(gateway, []).append(reply)
        commands: list[Command] = []
        for gateway, replies in of_gateway.items():
            key = self._keys.replies(gateway)
            kept = ("MAXLEN", "~", KEPT_ENTRIES, "*")
            commands.append(["XADD", key, *kept, *replies_entry(replies)])
            commands.append(["EXPIRE", key, KEPT_S])
        return commands


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass  # time for a look of one's own
