"""Peers: servers that send each message to every watcher, as it is usually written elsewhere.

Each is a process of its own that prints the port of its WebSockets, and on ``send COUNT BYTES``
sends so many messages of that size, one after the other, to every connection. Messages are
numbered from 1 and say when they were made::

    {"sequence":1,"at_us":1790000000000000,"text":"xxxx..."}
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from load_tests.watchers import Speech

SPEECH: Final = Speech(sequence=b'"sequence":', at_us=b'"at_us":')


class Sender(Protocol):
    """A running server that is measured: a peer, or ours."""

    pid: int
    port: int
    speech: Speech

    async def send(self, count: int, size: int) -> int:
        """Send ``count`` messages of ``size`` bytes to everybody; the last one's number."""
        ...

    def cpu_s(self) -> float:
        """The server's CPU time so far."""
        ...


# Starts it on one of our cores.
Start = Callable[[int | None], AbstractAsyncContextManager[Sender]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server by name: ``name`` in figures, ``label`` in plots."""

    name: str
    label: str
    start: Start


def message(sequence: int, at_us: int, size: int) -> bytes:
    """A peer's message, of exactly ``size`` bytes if that is room enough."""
    head = b'{"sequence":%d,"at_us":%d,"text":"' % (sequence, at_us)
    return head + b"x" * (size - len(head) - 2) + b'"}'
