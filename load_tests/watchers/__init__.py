"""Watchers: one C program that is the client of every server that is measured.

It opens thousands of WebSockets from one thread and checks that each of them hears every event
once and in order. What a server's messages mean is told to it in bytes (`Speech`), so that ours
and the peers are watched by the very same code.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from foundation.errors import OperatorError
from load_tests.cache import compiled
from load_tests.children import Child, child

SOURCES: Final = sorted(Path(__file__).parent.glob("*.c"))
# Far more than any server needs for what it is asked; then the run fails.
OPEN_TIMEOUT_S: Final = 120.0
REACH_TIMEOUT_S: Final = 60.0
RUN_LIMIT_S: Final = 1_800
# Servers that count connections by address allow some hundred from each.
ADDRESSES: Final = 40


class EventsLost(OperatorError):
    """A watcher did not see every event once and in order."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What the bytes of a server mean. ``None``: there is no such thing.

    ``greetings`` are sent after the handshake, the last one as ``resume`` and the number seen last
    and ``resume_end`` when a watcher comes back. The rest are the first bytes of a message, or the
    bytes before a number.
    """

    sequence: bytes
    at_us: bytes | None = None
    text: bool = True
    packed: bool = False  # numbers are MessagePack
    nats: bool = False  # its protocol inside messages
    path: str = "/"
    protocol: str | None = None
    greetings: Sequence[bytes] = ()
    resume: bytes | None = None
    resume_end: bytes | None = None
    event: bytes | None = None
    ready: bytes | None = None
    conflated: bytes | None = None
    first: bytes | None = None
    last: bytes | None = None
    recovered: bytes | None = None

    def arguments(self) -> list[str]:
        """As the program takes it."""
        pairs: list[tuple[str, bytes | None]] = [
            *(("--greet", greeting) for greeting in self.greetings),
            ("--sequence", self.sequence),
            ("--at", self.at_us),
            ("--resume", self.resume),
            ("--resume-end", self.resume_end),
            ("--event", self.event),
            ("--ready", self.ready),
            ("--conflated", self.conflated),
            ("--first", self.first),
            ("--last", self.last),
            ("--recovered", self.recovered),
        ]
        words = ["--path", self.path]
        words += ["--protocol", self.protocol] if self.protocol else []
        for flag, given in (("text", self.text), ("packed", self.packed), ("nats", self.nats)):
            words += [f"--{flag}"] if given else []
        for name, value in pairs:
            words += [name, value.hex()] if value is not None else []
        return words


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watchers report. Counts of what went wrong are since the start, others by mark."""

    found: dict[str, Any]

    @property
    def events(self) -> int:
        """Events, over all watchers."""
        return int(self.found["events"])

    @property
    def bytes_per_event(self) -> float:
        """What came over the wire, headers and all."""
        return float(self.found["bytes"]) / max(1, self.events)

    def ms(self, what: str, share: str) -> float:
        """A quantile of ``latency``, ``spread`` or ``opened``, such as ``p99``."""
        return float(self.found[f"{what}_us"][share]) / 1e3

    def conflated_share(self, events: int) -> float:
        """Which part of so many events came to watchers only as the state after them."""
        return 1 - self.events / (events * int(self.found["ready"]))

    def whole(self, events: int | None = None, *, conflation: bool = False) -> "Seen":
        """This, if each watcher saw every event once and in order; raises `EventsLost`.

        ``conflation``: or was told which events it got only the result of.
        """
        wrongs = ["missing", "duplicates", "reordered", "unrecovered", "broken", "gone"]
        wrongs += [] if conflation else ["conflated"]
        wrong = {name: self.found[name] for name in wrongs if self.found[name]}
        if wrong:
            raise EventsLost(f"watchers saw {wrong}; closed with {self.found['close_codes']}")
        if events is not None and self.events != events:
            raise EventsLost(f"{self.events} deliveries, where {events} are right")
        return self


class Watchers:
    """A running crowd."""

    def __init__(self, program: Child) -> None:
        self.program = program

    async def open(self, count: int) -> None:
        """So many more; returns when all of them hear events."""
        await self._all_ready(f"open {count}", OPEN_TIMEOUT_S)

    async def reconnect(self, count: int) -> None:
        """Cut so many off and have them come back; returns when they have."""
        await self._all_ready(f"reconnect {count}", OPEN_TIMEOUT_S)

    async def cut(self, count: int) -> None:
        """Cut so many off, who stay away."""
        await self.program.ask(f"cut {count}")

    async def come_back(self) -> None:
        """Have those come back who were cut off; returns when they have."""
        await self._all_ready("return", OPEN_TIMEOUT_S)

    async def reach(self, sequence: int, *, timeout_s: float = REACH_TIMEOUT_S) -> None:
        """Returns when all have heard events up to a sequence."""
        await self.program.ask(f"reach {sequence}", timeout_s=timeout_s)

    async def stall(self, count: int) -> None:
        """Have so many read no more."""
        await self.program.ask(f"stall {count}")

    async def mark(self) -> None:
        """Count from here."""
        await self.program.ask("mark")

    async def seen(self) -> Seen:
        """What they have seen since the mark."""
        return Seen(await self.program.ask_json("report"))

    async def _all_ready(self, command: str, timeout_s: float) -> None:
        await self.program.ask(command, timeout_s=timeout_s)
        gone = (await self.seen()).found["gone"]
        if gone:
            raise EventsLost(f"{command}: {gone} watchers were not let in, or were sent away")


@asynccontextmanager
async def watching(
    port: int,
    speech: Speech,
    *,
    addresses: int = ADDRESSES,
    at_once: int = 256,
    receive_bytes: int = 0,
    core: int | None = None,
) -> AsyncIterator[Watchers]:
    """The program for the block, with nobody watching yet.

    ``addresses``: source addresses, 127.0.0.1 and on. ``at_once``: handshakes under way.
    ``receive_bytes``: each socket's receive buffer, 0 for the system's.
    """
    program = compiled("watchers", SOURCES)
    limits = {"port": port, "addresses": addresses, "at-once": at_once, "receive": receive_bytes}
    words = [word for name, value in limits.items() for word in (f"--{name}", str(value))]
    words += ["--seconds", str(RUN_LIMIT_S), *speech.arguments()]
    async with child("watchers", [str(program), *words], core=core) as running:
        yield Watchers(running)
