"""The engine across Redis: commands go into their shard's stream, verdicts come back by ours.

A command that Redis, the engine or the way back lost is answered UNAVAILABLE when its deadline
comes, ``ANSWER_WITHIN_US`` after it was submitted, and no engine judges it after that. Until then
a bid is sent again by itself: when no reply came for a while, and when its shard has moved. It is
judged at most once in the end, since its id is; any other command is sent once.

A bid that was refused leaves no trace, and another copy of it would be judged anew. So a refusal
counts only if it answers the last copy that was sent: those before it were read before it, as a
shard's stream is read in order, and nothing comes of them any more.

Nothing here outlives the process: a reply to a number that nobody waits for is passed over.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from msgspec import Raw, Struct

from auction.commands import Command, PlaceBid, WrongShape, checked
from auction.ids import SaleId, Shard, shard_of
from auction.ports import Clock
from auction.rejections import Rejection
from auction.streams import Patience, Streams
from auction.verdicts import Verdict
from auction.wire import (
    MOVED,
    Keys,
    Reply,
    Sent,
    Unreadable,
    commands_entry,
    encode_command,
    read_replies,
    verdict_of,
)
from auction.writer import BUSY, MAX_PLACES, UNAVAILABLE
from foundation.redis_client import BEFORE_ALL, RedisClient, RedisLost
from foundation.redis_client import Command as RedisCommand

# Who waits for a verdict is told in this time that there is none.
ANSWER_WITHIN_US: Final = 5_000_000
# A bid without a reply is sent again after this time: a take-over is done by then.
SEND_AGAIN_S: Final = 2.0
# A shard that moves is soon owned again: a bid that it turned away knocks again after these times.
KNOCK_FIRST_S, KNOCK_MOST_S = 0.02, 0.5
# Commands that wait for their verdicts; beyond, the sender is told BUSY. As the writer's inbox.
MAX_PENDING: Final = 10_000
# Commands in one entry, and in all that are sent in one go.
MAX_ENTRY_COMMANDS: Final = 64
MAX_SENT_COMMANDS: Final = 1_000
# Entries that a shard's stream keeps. Where it is read they are gone in milliseconds; where it is
# not, those beyond are older than anybody waits at a thousand bids a second.
KEPT_ENTRIES: Final = 2_000

_logger = structlog.get_logger(__name__)


class EngineFigures(Struct):
    """What the remote engine has done, for /metrics."""

    sent: int = 0  # commands, each copy
    sent_again: int = 0
    received: int = 0  # replies
    unanswered: int = 0  # commands whose deadline came
    moved: int = 0  # copies that met a shard on the move
    unreadable: int = 0  # replies


class _Pending(Struct, eq=False):
    """A command that waits for its verdict."""

    shard: Shard
    kind: str
    command: Raw
    deadline_us: int
    give_up_s: float
    future: "asyncio.Future[Verdict]"
    timer: asyncio.TimerHandle | None = None
    numbers: tuple[int, ...] = ()  # of the copies that were sent; the last one's refusal counts
    knocks: int = 0


class RemoteEngine:
    """An ``Engine`` whose shards are owned elsewhere. ``run`` owns its tasks.

    ``gateway`` names this run of this process: no other may ever have the same.
    """

    def __init__(self, redis: RedisClient, clock: Clock, gateway: str, keys: Keys) -> None:
        self._redis, self._clock, self._gateway, self._keys = redis, clock, gateway, keys
        self._loop = asyncio.get_running_loop()
        self._next_number = 1
        self._waiting = 0
        self._pending: dict[int, _Pending] = {}
        self._outbox: dict[Shard, list[int]] = {}
        self._woken = asyncio.Event()
        self._places: dict[SaleId, Shard] = {}
        self.reachable = True  # whether Redis took what was last sent
        self.figures = EngineFigures()

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine``."""
        try:
            command = checked(command)
        except WrongShape as fault:
            return Verdict(Rejection.INVALID, str(fault))
        if not self.reachable:
            return UNAVAILABLE
        if self._waiting >= MAX_PENDING:
            return BUSY
        pending = _Pending(
            self._place(command.sale_id),
            type(command).__name__,
            encode_command(command),
            self._clock.now_us() + ANSWER_WITHIN_US,
            self._loop.time() + ANSWER_WITHIN_US / 1e6,
            self._loop.create_future(),
        )
        self._waiting += 1
        try:
            self._send(pending)
            return await pending.future
        finally:
            self._forget(pending)

    def _send(self, pending: _Pending) -> None:
        """Put a copy of a command, under a number of its own, where it is taken from next."""
        number = self._next_number
        self._next_number += 1
        pending.numbers += (number,)
        self._pending[number] = pending
        self._outbox.setdefault(pending.shard, []).append(number)
        self._woken.set()
        self.figures.sent += 1
        self.figures.sent_again += len(pending.numbers) > 1
        wait_s = pending.give_up_s - self._loop.time()
        if pending.kind == PlaceBid.__name__:
            wait_s = min(wait_s, SEND_AGAIN_S)
        self._look_in(pending, wait_s)

    def _look_in(self, pending: _Pending, wait_s: float) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
        pending.timer = self._loop.call_later(wait_s, self._look, pending)

    def _look(self, pending: _Pending) -> None:
        """No verdict has come: send the bid again, or give up."""
        if self._loop.time() >= pending.give_up_s - 1e-3:
            self.figures.unanswered += 1
            _resolve(pending, UNAVAILABLE)
        else:
            self._send(pending)

    def _forget(self, pending: _Pending) -> None:
        self._waiting -= 1
        if pending.timer is not None:
            pending.timer.cancel()
        for number in pending.numbers:
            self._pending.pop(number, None)

    def _place(self, sale_id: SaleId) -> Shard:
        shard = self._places.get(sale_id)
        if shard is None:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            shard = self._places[sale_id] = shard_of(sale_id)
        return shard

    async def run(self) -> None:
        """Send and receive until cancelled; who waits then is told UNAVAILABLE."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_all())
                tasks.create_task(self._receive())
        finally:
            self.reachable = False
            for pending in list(self._pending.values()):
                _resolve(pending, UNAVAILABLE)

    # --- There ------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        """Send what gathered while the last was on its way.

        What may not have arrived is not sent again from here: its senders wait for a reply.
        """
        patience = Patience("send commands")
        while True:
            await self._woken.wait()
            self._woken.clear()
            while entries := self._next_entries():
                try:
                    answers = await self._redis.pipeline([command for command, _ in entries])
                except RedisLost as error:
                    await self._until_reachable(patience, error)
                    continue
                refused = self._refused(entries, answers)
                if refused is None:
                    patience.over()
                else:
                    await self._until_reachable(patience, refused)

    def _refused(
        self, entries: Sequence[tuple[RedisCommand, list[Sent]]], answers: Sequence[object]
    ) -> RedisLost | None:
        """Tell the senders of what Redis did not take; why it did not."""
        why = None
        for (_, sent), answer in zip(entries, answers, strict=True):
            if not isinstance(answer, Exception):
                continue
            why = RedisLost(str(answer))
            for one in sent:
                pending = self._pending.get(one.number)
                if pending is not None and pending.numbers[-1] == one.number:
                    _resolve(pending, UNAVAILABLE)
        return why

    async def _until_reachable(self, patience: Patience, error: RedisLost) -> None:
        """Redis is away: refuse at once, until it answers again."""
        self.reachable = False
        while not self.reachable:
            self._outbox.clear()
            await patience.wait(error)
            try:
                await self._redis.last_ids([self._keys.commands(Shard(0))])
                self.reachable = True
            except RedisLost as still:
                error = still

    def _next_entries(self) -> list[tuple[RedisCommand, list[Sent]]]:
        """Entries of what waits, for each shard in the order in which it was submitted."""
        entries: list[tuple[RedisCommand, list[Sent]]] = []
        taken = 0
        for shard, numbers in list(self._outbox.items()):
            while numbers and taken < MAX_SENT_COMMANDS:
                sent = self._still_wanted(numbers[:MAX_ENTRY_COMMANDS])
                del numbers[:MAX_ENTRY_COMMANDS]
                taken += len(sent)
                if sent:
                    entries.append((self._entry(shard, sent), sent))
            if not numbers:
                del self._outbox[shard]
        return entries

    def _still_wanted(self, numbers: Sequence[int]) -> list[Sent]:
        found = ((number, self._pending.get(number)) for number in numbers)
        return [
            Sent(number, pending.deadline_us, pending.kind, pending.command)
            for number, pending in found
            if pending is not None
        ]

    def _entry(self, shard: Shard, sent: Sequence[Sent]) -> RedisCommand:
        key = self._keys.commands(shard)
        return ["XADD", key, "MAXLEN", "~", KEPT_ENTRIES, "*", *commands_entry(self._gateway, sent)]

    # --- And back ---------------------------------------------------------------------------

    async def _receive(self) -> None:
        patience = Patience("receive verdicts")
        streams = Streams(self._redis, {self._keys.replies(self._gateway): BEFORE_ALL})
        while True:
            try:
                for _, entries in await streams.read():
                    for _, fields in entries:
                        self._take_replies(fields)
                patience.over()
            except RedisLost as error:
                streams.distrust()
                await patience.wait(error)

    def _take_replies(self, fields: Mapping[bytes, bytes]) -> None:
        try:
            replies = read_replies(fields)
        except Unreadable as error:
            self.figures.unreadable += 1
            _logger.error("replies_unreadable", error=str(error))
            return
        self.figures.received += len(replies)
        for reply in replies:
            pending = self._pending.get(reply.number)
            if pending is not None:
                self._take_reply(pending, reply)

    def _take_reply(self, pending: _Pending, reply: Reply) -> None:
        is_last = reply.number == pending.numbers[-1]
        if reply.code == MOVED:
            self.figures.moved += 1
            if is_last:
                self._turned_away(pending)
            return
        verdict = verdict_of(reply)
        if verdict is None:
            self.figures.unreadable += 1
            _logger.error("verdict_unknown", code=reply.code)
        elif verdict.accepted or is_last:
            _resolve(pending, verdict)

    def _turned_away(self, pending: _Pending) -> None:
        """The shard is on its way to another owner: a bid knocks again, a little later each time.

        Another command may have been judged by the owner before, whose reply is still to come:
        what became of it is not known here.
        """
        if pending.kind != PlaceBid.__name__:
            _resolve(pending, UNAVAILABLE)
            return
        wait_s: float = min(KNOCK_FIRST_S * 2**pending.knocks, KNOCK_MOST_S)
        pending.knocks += 1
        self._look_in(pending, min(wait_s, pending.give_up_s - self._loop.time()))


def _resolve(pending: _Pending, verdict: Verdict) -> None:
    if not pending.future.done():
        pending.future.set_result(verdict)
