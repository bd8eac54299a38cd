"""Links over socket pairs: what the gateway writes arrives at a peer in the test's hand."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgpack

from auction.chain import body_of
from auction.codec import Recorded
from auction.ids import SaleId, shard_of
from auction.log_memory import MemoryLog
from auction.ports import LoggedEvent
from bidder_gateway.encodings import AS_JSON, Encoding
from bidder_gateway.link import Link

# The kernel holds about so much of what is not read.
BUFFER_BYTES = 8 * 1024


class Peer:
    """The client's end. ``stream`` holds every byte that was read."""

    def __init__(self, sock: socket.socket, encoding: Encoding) -> None:
        self.stream = b""
        self._socket, self._encoding, self._parsed = sock, encoding, 0

    def read(self, most: int = 2**24) -> bytes:
        """What has arrived."""
        data = b""
        try:
            while len(data) < most and (more := self._socket.recv(min(2**16, most - len(data)))):
                data += more
        except BlockingIOError:
            pass
        self.stream += data
        return data

    def close(self) -> None:
        """Go away without a word."""
        self._socket.close()

    def frames(self) -> list[dict[str, Any]]:
        """The frames that have arrived whole since the last time; pings are passed over."""
        self.read()
        frames = []
        while (found := message(self.stream, self._parsed)) is not None:
            opcode, payload, self._parsed = found
            if opcode == 1:
                frames.append(json.loads(payload))
            elif opcode == 2:
                frames.append(msgpack.unpackb(payload))
        return frames


def message(stream: bytes, start: int) -> tuple[int, bytes, int] | None:
    """The server's message from ``start`` on: opcode, payload and its end."""
    if len(stream) < start + 2:
        return None
    assert stream[start] & 0xF0 == 0x80, "whole, without extension"
    size, begin = stream[start + 1], start + 2
    for mark, width in ((126, 2), (127, 8)):
        if stream[start + 1] == mark:
            begin = start + 2 + width
            size = int.from_bytes(stream[start + 2 : begin], "big")
    if len(stream) < begin + size:
        return None
    return stream[start] & 15, stream[begin : begin + size], begin + size


class _Line(asyncio.Protocol):
    """Tells its link when the connection is lost, as the gateway's does."""

    link: Link

    def connection_lost(self, exc: Exception | None) -> None:
        self.link.die()


class Ends:
    """Makes links on the running loop, and puts them away."""

    def __init__(self) -> None:
        self.blocked: list[Link] = []
        self.sockets: list[socket.socket] = []
        self.transports: list[asyncio.Transport] = []

    async def link(
        self,
        on_blocked: Any = None,
        encoding: Encoding = AS_JSON,
        name: str = "c",
        before: bytes = b"",
    ) -> tuple[Link, Peer]:
        """A link and its other end. ``before``: what its transport had to send before that."""
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.settimeout(0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_connection(_Line, sock=ours)
        self.sockets.append(theirs)
        self.transports.append(transport)
        transport.write(before)
        notice = on_blocked or self.blocked.append
        link = line.link = Link(name, encoding, ours.fileno(), transport, notice)
        return link, Peer(theirs, encoding)


@contextmanager
def link_ends() -> Iterator[Ends]:
    """Links for the block."""
    ends = Ends()
    yield ends
    for transport in ends.transports:
        transport.abort()
    for sock in ends.sockets:
        sock.close()


def fill(link: Link) -> None:
    """Write pongs until the socket takes no more."""
    while link.clear:
        link.pong(b"x" * 125)


def store(log: MemoryLog, recorded: Recorded, sale_id: SaleId | None = None) -> None:
    """Make an event durable, as if a writer had appended it."""
    sale_id = sale_id or recorded.sale_id
    shard = shard_of(sale_id)
    event = LoggedEvent(shard, recorded.position, 1, sale_id, body_of(recorded))
    log.events[shard].append(event)
