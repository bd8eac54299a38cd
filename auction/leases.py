"""Who may own which shard: what several engines on one log agree on.

An engine is counted on for the time of its *lease* after its last beat. It counts from before
it sent the beat; everybody else from when they first saw it, each by a steady clock of its own.
So an engine that was paused knows that its lease is over before another takes its shards,
whatever happens to the clocks that tell the time of day; and whatever it believes, its appends
are fenced by their epoch.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from auction.ids import Shard
from auction.ports import ShardHead

# An engine that shares the shards beats this often, and is counted on for this long: a database
# that stalls for a moment moves nothing, and a dead engine's bidders wait a second.
SHARED_BEAT_US = 250_000
SHARED_LEASE_US = 1_000_000


class AnotherEngine(Exception):
    """An engine that wants all shards to itself does not go with another one on the same log."""


class Member(Struct, frozen=True):
    """An engine that is counted on. ``beats``: how many signs of life it has given."""

    name: str
    beats: int
    lease_us: int
    alone: bool
    draining: bool
    joined_at_us: int
    beat_age_us: int


class Lease(Struct, frozen=True):
    """A shard: its owner, who may be gone, and who shall have it.

    ``free``: nobody owns it who is counted on. ``warm``: who has read its state in advance.
    """

    shard: Shard
    owner: str | None
    epoch: int
    position: int
    free: bool
    wanted: str | None
    warm: str | None
    pin: str | None


class View(Struct, frozen=True):
    """Engines in the order of their names, and all shards in theirs."""

    version: int
    engines: tuple[Member, ...]
    leases: tuple[Lease, ...]


class Leases(Protocol):
    """Every call is atomic, and may raise ``OutcomeUnknown``: then it is looked at again."""

    async def join(self, name: str, lease_us: int, *, alone: bool, certainly: bool) -> None:
        """Be counted on from now on, as before if it was counted out. A sign of life.

        ``certainly``: no other engine can be running on this log, whatever it says.
        Raises `AnotherEngine`.
        """
        ...

    async def look(self) -> View:
        """How things are."""
        ...

    async def count_out(self, name: str, beats: int) -> None:
        """This engine's lease is over, if it has given no sign of life since."""
        ...

    async def plan(self, wanted: Mapping[Shard, str | None], version: int) -> bool:
        """Want these owners, unless somebody has planned since this version."""
        ...

    async def take(self, claims: Mapping[Shard, int], owner: str) -> list[ShardHead]:
        """Own the shards that are free and still under these epochs, each under a new one."""
        ...

    async def warmed(self, shards: Iterable[Shard], name: str) -> None:
        """This engine has read the state of these."""
        ...

    async def let_go(self, epochs: Mapping[Shard, int], at_us: int) -> None:
        """Own these no more; with a sign of life at ``at_us``, after which nothing was judged."""
        ...

    async def drain(self, name: str, *, draining: bool) -> bool:
        """Whether an engine shall own nothing; false: there is no such engine."""
        ...

    async def pin(self, shards: Iterable[Shard], name: str | None) -> None:
        """Keep these with this engine for as long as it lives; ``None``: wherever they fit."""
        ...

    async def leave(self, name: str) -> None:
        """Be counted on no more; what it still owns is free."""
        ...
