"""What the engine needs of the world, and what the rooms above need of the engine.

Each docstring states guarantees; the behaviour suites of ``tests/contract`` hold every
adapter to them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from auction.codec import Recorded
from auction.commands import Command
from auction.ids import SaleId, Shard
from auction.verdicts import Verdict


class OutcomeUnknown(Exception):
    """The log did not answer: what was sent to it may be durable, or not."""


class UnsafeLog(Exception):
    """The database's settings could lose what it has acknowledged."""


class ShardHead(Struct, frozen=True):
    """Where a shard stands: its last position, its owner's epoch, and the last sign of life.

    ``beat_at_us``: engine time of the last durable append or heartbeat, ``None`` if there
    never was one. Taking a shard is no sign of life. ``let_go``: its owner before had let it go.
    """

    shard: Shard
    position: int
    epoch: int
    beat_at_us: int | None
    let_go: bool = False


class ShardAppend(Struct):
    """What one batch does to one shard: from (position, epoch) on by ``count`` events."""

    shard: Shard
    position: int
    epoch: int
    count: int = 0


class Batch(Struct):
    """Events of any owned shards, in the order in which they were decided.

    Columns, not rows, since that is how they travel. ``at_us``: engine time, the heartbeat.
    """

    at_us: int = 0
    appends: dict[Shard, ShardAppend] = field(default_factory=dict)
    shards: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    sale_ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


class LoggedEvent(Struct, frozen=True):
    """An event as the log holds it."""

    shard: Shard
    position: int
    epoch: int
    sale_id: SaleId
    body: bytes


class Snapshot(Struct, frozen=True):
    """The state of a shard's sales after ``position``, and the bids accepted since ``after``.

    ``accepted`` is a segment: it adds to those up to ``after``, and replaces any later ones.
    """

    shard: Shard
    position: int
    after: int
    state: bytes
    accepted: bytes


class StoredSnapshot(Struct, frozen=True):
    """The latest state of a shard with all segments of accepted bids up to it, oldest first."""

    position: int
    state: bytes
    accepted: list[bytes]


class EventLog(Protocol):
    """The log. One writer per shard, fenced by its epoch.

    * Positions of a shard are gapless from 1, and a reader that has seen position p has seen
      all before it.
    * ``append`` is atomic, and durable when it returns. The shards whose (position, epoch) no
      longer match are left out of it and returned: nothing of theirs was written.
    * ``OutcomeUnknown`` may come from every call. From ``append`` it means just that; ``take``
      settles it: it waits for a lost append to end one way or the other, so that what is read
      after it is final.
    """

    async def take(self, shards: Iterable[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        """Own shards under a new epoch. ``back``: only those whose last owner was ``owner``; the
        others are missing in the answer. ``owner`` names one run of one process; an engine that
        was counted out (``auction.leases``) owns nothing."""
        ...

    async def append(self, batch: Batch) -> set[Shard]:
        """Write the batch; the shards that were lost. Not to be cancelled half-way."""
        ...

    async def beat(self, epochs: Mapping[Shard, int], at_us: int, owner: str) -> set[Shard]:
        """A durable sign of life for each shard still owned under its epoch; the lost others.

        It prolongs the owner's lease, if it has one; if it was counted out, all are lost.
        """
        ...

    async def read(self, shard: Shard, after: int, limit: int) -> list[LoggedEvent]:
        """Events of a shard after a position, in order."""
        ...

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        """Events of a sale after a position of its shard, in order."""
        ...

    async def heads(self) -> dict[Shard, int]:
        """The last position of every shard."""
        ...

    async def save_snapshot(self, snapshot: Snapshot, epoch: int) -> bool:
        """Keep a snapshot, if the shard is still owned under this epoch."""
        ...

    async def load_snapshot(self, shard: Shard) -> StoredSnapshot | None:
        """The latest snapshot."""
        ...

    async def clock_us(self) -> int:
        """The log's own clock: microseconds since the epoch, UTC."""
        ...


class Clock(Protocol):
    """Time for the engine. ``now_us`` is what lots open and close by; it never falls."""

    def now_us(self) -> int:
        """Engine time: microseconds since the epoch, UTC."""
        ...

    def monotonic_us(self) -> int:
        """A steady count that goes on while the machine sleeps; only differences mean anything."""
        ...

    def follow(self, log_us: int) -> None:
        """Take over the log's clock. Engine time does not fall: it stands until overtaken."""
        ...

    def skew_us(self, log_us: int) -> int:
        """How far the log's clock is from where it is believed to be since ``follow``.

        Engine time may be further: while it stands, it waits for the log's clock.
        """
        ...

    async def sleep_until(self, at_us: int) -> None:
        """Return at or after this engine time; possibly early, so compare again."""
        ...


Listener = Callable[[Shard, Sequence[Recorded]], None]


class Bus(Protocol):
    """Tells listeners what was written down. Not the truth: who missed something reads the log."""

    def publish(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """Announce durable events of a shard, in order. Never blocks, never fails the caller."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with what is announced from now on; the answer ends that.

        Of each shard in order, each event once. What was lost on the way shows as a gap before the
        next batch, if there is one. A listener must not block, and one that fails is dropped.
        """
        ...


class Engine(Protocol):
    """All that a gateway or the desk knows of the engine."""

    async def submit(self, command: Command) -> Verdict:
        """Have a command judged. The verdict comes when what it rests on is durable.

        Nothing is lost by cancelling the wait: the command may still take effect, and the same
        bid id asks for its verdict again.
        """
        ...
