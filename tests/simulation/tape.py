"""What happened in a run, in order: for the checker, for a reader, and as a fingerprint.

Every entry has a number. Time alone does not order what happens at the same microsecond.
"""

import hashlib
from collections.abc import Callable

from msgspec import Struct, field

from auction.codec import Recorded
from auction.commands import Command
from auction.ids import Shard
from auction.ports import LoggedEvent, ShardHead
from auction.verdicts import Verdict
from tests.simulation.virtual_loop import VirtualLoop


class Call(Struct):
    """A call to the log. A number of 0: that did not happen (yet).

    ``shards``: what it did to each shard that it touched, as (position before, position after).
    """

    kind: str
    host: str
    sent_no: int
    sent_us: int
    effect_no: int = 0
    effect_us: int = 0
    answer_no: int = 0
    answer_us: int = 0
    ok: bool = False
    at_us: int = 0
    shards: dict[Shard, tuple[int, int]] = field(default_factory=dict)
    heads: list[ShardHead] = field(default_factory=list)


class Attempt(Struct):
    """A command that was handed to a host, and its answer, if one came. Times by its clock."""

    no: int
    us: int
    host: str
    command: Command
    engine_us: int
    answer_no: int = 0
    answer_us: int = 0
    answer_engine_us: int = 0
    verdict: Verdict | None = None


class Ready(Struct, frozen=True):
    """A host took over the log's clock: from here on it serves under the heads it was given."""

    no: int
    us: int
    host: str
    engine_us: int
    standing: bool  # its time is ahead of the log's, and stands until overtaken
    heads: tuple[ShardHead, ...]
    adopted: bool = False  # single shards, beside those that it serves


class Published(Struct, frozen=True):
    """A host told its listeners."""

    no: int
    host: str
    shard: Shard
    recorded: tuple[Recorded, ...]


class Tape:
    """The record of a run."""

    def __init__(self, loop: VirtualLoop, *, keep_lines: bool = False) -> None:
        self._loop, self._keep = loop, keep_lines
        self._hash = hashlib.sha256()
        self._no = 0
        self.lines: list[str] = []
        self.calls: list[Call] = []
        self.attempts: list[Attempt] = []
        self.readies: list[Ready] = []
        self.published: list[Published] = []
        self.sick: list[tuple[int, int]] = []  # when not everything was well, in virtual time
        self.faults: list[str] = []
        self.handed_over: dict[Shard, list[tuple[int, int]]] = {}  # when, in virtual time
        self.written: dict[Shard, list[LoggedEvent]] = {}
        self.findings: list[tuple[str, str]] = []  # (invariant, what was seen), while it ran
        self.on_finding: Callable[[], object] = lambda: None
        self.dark_us = 2_000_000  # after its last sign of life a host is dark
        self.checked_us = 0  # engine time when the last look was taken
        self.ended_well = False

    def note(self, *words: object) -> int:
        """Add a line; its number."""
        self._no += 1
        line = " ".join(map(str, (self._loop.now_us, *words)))
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)
        return self._no

    def was_sick(self, from_us: int, to_us: int) -> bool:
        """Whether not everything was well at some time in between."""
        return any(start <= to_us and from_us <= end for start, end in self.sick)

    def is_on_its_way(self, shard: Shard, us: int) -> bool:
        """Whether a shard was handed over around this time."""
        return any(start <= us <= end for start, end in self.handed_over.get(shard, ()))

    def broken(self, invariant: str, text: str) -> None:
        """Something was seen while it ran that must not be."""
        self.findings.append((invariant, f"at {self._loop.now_us / 1e6:.6f} s: {text}"))
        self.on_finding()

    @property
    def fingerprint(self) -> str:
        """The hash of all lines so far."""
        return self._hash.hexdigest()
