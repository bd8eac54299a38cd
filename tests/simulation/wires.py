"""Connections between clients and gateways: bounded, slow, and cut wherever it hurts.

``Wires`` stands in for the kernel: it gives out descriptors, the lowest free one first, and
``send`` does what that of ``bidder_gateway.sending`` does. A `Wire` is one connection: to the
gateway it is asyncio's transport and aiohttp's WebSocket, to the client a stream of bytes.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Final, NamedTuple

from aiohttp import WSMessage, WSMsgType

from bidder_gateway.encodings import header
from bidder_gateway.link import Link
from bidder_gateway.sending import GONE
from tests.simulation.tape import Tape
from tests.simulation.virtual_loop import Process, VirtualLoop

CLOSE: Final = 0x88
# As the endpoint: a client that does not answer the close is not waited for longer.
CLOSE_TIMEOUT_S: Final = 1.0
# A client that went without a word, when nothing was to be sent: the next ping, and what follows.
NOTICED_S: Final = 30.0
_GONE: Final = WSMessage(WSMsgType.CLOSED, None, None)


class Leave(NamedTuple):
    """Why a connection must come to its end."""

    why: str
    since_us: int
    within_s: float


class Wires:
    """All open connections by their descriptor."""

    def __init__(self, loop: VirtualLoop, tape: Tape) -> None:
        self.loop, self.tape = loop, tape
        self._open: dict[int, Wire] = {}

    def open(self, process: Process, capacity: int) -> "Wire":
        """A new connection to a process, which holds so much of what is not read."""
        fd = next(number for number in count(3) if number not in self._open)
        wire = self._open[fd] = Wire(self, fd, process, capacity)
        process.on_death.append(wire.server_died)
        return wire

    def __iter__(self) -> "Iterator[Wire]":
        return iter(self._open.values())

    def close(self, fd: int) -> None:
        """The number may be given out again."""
        del self._open[fd]

    def send(self, fd: int, data: bytes) -> int:
        """See ``bidder_gateway.sending``."""
        wire = self._open.get(fd)
        if wire is None:
            self.tape.broken("fd", f"written to {fd}, which is closed")
            return GONE
        return wire.take(data)


class Wire:
    """One connection. ``kernel``: what the gateway sent and the client has not read.

    ``link``: the gateway's, which learns that the connection is lost before its descriptor may
    be another's, as ``live`` has it.
    """

    link: Link

    def __init__(self, wires: Wires, fd: int, process: Process, capacity: int) -> None:
        self.fd, self.process = fd, process
        self.kernel = bytearray()
        self.ended = False  # on the gateway's side: nothing more comes
        self.leave: Leave | None = None
        self.read_us = wires.loop.now_us  # when the client last read something
        self._wires, self._capacity = wires, capacity
        self._rest = bytearray()  # what the transport keeps until the kernel takes it
        self._closing = self._closed = self._cut = False
        self._inbox: deque[WSMessage] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._readable = asyncio.Event()

    # The kernel.

    def take(self, data: bytes | bytearray) -> int:
        """As much as there is room for; ``GONE``: nobody is there."""
        if self._cut:
            return GONE
        part = bytes(data[: max(0, self._capacity - len(self.kernel))])
        self.kernel += part
        self._readable.set()
        return len(part)

    def server_died(self) -> None:
        """The gateway's process was killed: what the kernel has still arrives, nothing more."""
        if not self.ended:
            self._end()

    def _end(self) -> None:
        self.ended = self._closing = True
        self._rest.clear()
        self._wires.close(self.fd)
        self._readable.set()

    # asyncio's transport, for the gateway.

    def write(self, data: bytes | memoryview) -> None:
        """See ``asyncio.WriteTransport``."""
        if self._closing:
            return
        self._rest += data
        self._pump()

    def get_write_buffer_size(self) -> int:
        """See ``asyncio.WriteTransport``."""
        return len(self._rest)

    def abort(self) -> None:
        """See ``asyncio.WriteTransport``."""
        self._rest.clear()
        self._closing = True
        self._wires.loop.call_soon(self._lost)

    def close_transport(self) -> None:
        """What the transport keeps is still sent."""
        if not self._closing:
            self._closing = True
            if not self._rest:
                self._wires.loop.call_soon(self._lost)

    def _pump(self) -> None:
        taken = self.take(self._rest)
        if taken == GONE:
            self.abort()
            return
        del self._rest[:taken]
        if self._closing and not self._rest:
            self._lost()

    def _lost(self) -> None:
        if not self.ended:
            self.link.die()
            self._end()
        self._wake()

    # aiohttp's WebSocket, for the gateway.

    async def receive(self) -> WSMessage:
        """The client's next message."""
        while not self._inbox:
            if self.ended:
                return _GONE
            self._arrived = self._wires.loop.create_future()
            await self._arrived
        message = self._inbox.popleft()
        if message.type is WSMsgType.CLOSE and not self._closed:
            self._closed = True
            self.link.die()
            self.write(header(CLOSE, 2) + int(message.data).to_bytes(2, "big"))
            self._shut()
        return message

    async def close(self, *, code: int, message: bytes) -> bool:
        """Shake hands on the end."""
        if self._closed or self._closing:
            return False
        self._closed = True
        self.link.die()
        payload = code.to_bytes(2, "big") + message
        self.write(header(CLOSE, len(payload)) + payload)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while (await self.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                    pass
        except TimeoutError:
            pass
        self._shut()
        return True

    def _shut(self) -> None:
        self.close_transport()
        if self._rest:
            self.link.abort()  # as in `live`

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _deliver(self, message: WSMessage) -> None:
        if not self.ended:
            self._inbox.append(message)
            self._wake()

    # The client.

    def must_end(self, why: str, within_s: float) -> None:
        """From now on the gateway has a reason to end it, and so long to find that out."""
        if self.leave is None:
            self.leave = Leave(why, self._wires.loop.now_us, within_s)

    def send(self, kind: WSMsgType, data: object) -> None:
        """A message that the gateway's process will see when it runs."""
        if not (self.ended or self._cut):
            self.process.call(self._deliver, WSMessage(kind, data, None))

    async def read(self, most: int) -> bytes:
        """Some of what has come; empty: nothing more will."""
        while not self.kernel:
            if self.ended or self._cut:
                return b""
            self._readable.clear()
            await self._readable.wait()
        self.read_us = self._wires.loop.now_us
        data = bytes(self.kernel[:most])
        del self.kernel[:most]
        if self._rest:
            self.process.call(self._pump)
        return data

    def cut(self, *, noticed: bool, room: int = 0) -> None:
        """The client is gone, in the middle of whatever was sent. ``noticed``: by the gateway too,
        as after a reset; otherwise what it sends goes nowhere, until no ``room`` is left for it."""
        if noticed and not self.ended:
            self._cut = True
            self.process.call(self._lost)
        self.must_end("the client is gone", NOTICED_S)
        self._capacity = len(self.kernel) + room
        self._readable.set()
