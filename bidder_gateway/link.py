"""The way out to one client: bytes go straight to the socket, and wait only when it is full.

A link is *clear* while everything written so far is with the kernel. Then a write is one system
call, which is what fan-out costs. When the socket takes only a part, the rest goes to the
transport, and the link is *blocked*: the hub sends it no events meanwhile (it catches up by a
conflated frame), and what is personal waits here, within bounds.

All writes to the socket go through here, for the bytes of two writers would mix inside a
message; so pings and pongs are written here too, and the WebSocket library writes only the
closing handshake, before which this dies. Whoever makes a link has it ``die`` when the connection
is lost, which the event loop tells before it closes the descriptor; so no other socket is ever
written to by its number.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from bidder_gateway.encodings import PING, PONG, Encoding, header
from bidder_gateway.sending import GONE, send

# Personal frames that wait for a blocked link: verdicts, time samples, notices.
MAX_WAITING_BYTES = 64 * 1024
# What the kernel holds for one client before the link is blocked: a burst of some hundred events.
# Larger only hides for longer that a client does not read.
SEND_BUFFER_BYTES = 128 * 1024


class Transport(Protocol):
    """What a link needs of asyncio's transport."""

    def write(self, data: bytes | memoryview) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def abort(self) -> None: ...


class Link:
    """One connection, as the hub sees it. ``fd``: its socket, which the transport owns.

    ``on_blocked`` is called when it stops being clear; ``waiting`` beyond its bound, or a
    socket that is gone, makes it ``dead``, and then nothing is written any more.
    """

    __slots__ = (
        "_on_blocked",
        "_transport",
        "_waiting",
        "_waiting_bytes",
        "aborted",
        "dead",
        "encoding",
        "fd",
        "name",
        "pinged_at_event",
        "pinged_at_s",
        "ponged",
        "ready",
        "wrote",
    )

    def __init__(
        self,
        name: str,
        encoding: Encoding,
        fd: int,
        transport: Transport,
        on_blocked: Callable[["Link"], None],
    ) -> None:
        self.name, self.encoding, self.fd = name, encoding, fd
        self.ready = True  # neither blocked nor dead
        self.dead = self.aborted = False
        self.wrote = False  # since the last ping
        self.ponged = True
        self.pinged_at_s = 0.0
        self.pinged_at_event = 0  # of those of its sales, all counted together
        self._transport = transport
        self._on_blocked = on_blocked
        self._waiting: deque[bytes] | None = None
        self._waiting_bytes = 0
        if self.left:  # answers to requests before the handshake, which were not read
            self._block()

    @property
    def clear(self) -> bool:
        """Whether everything written so far is with the kernel."""
        return self._waiting is None

    @property
    def left(self) -> int:
        """Bytes that the socket has not taken yet, but for what waits here."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Send one or more whole messages, now or as soon as the client reads."""
        if self.dead:
            return
        if self._waiting is not None:
            self._wait(data)
            return
        self.wrote = True
        sent = send(self.fd, data)
        if sent != len(data):
            self.took(data, sent)

    def ping(self, now_s: float, events: int) -> None:
        """Ask whether the client still reads; the answer sets ``ponged``. ``events``: see above."""
        self.write(PING)
        self.pinged_at_s, self.pinged_at_event = now_s, events
        self.ponged, self.wrote = False, False

    def pong(self, data: bytes) -> None:
        """Answer the client's ping."""
        self.write(header(PONG, len(data)) + data)

    def took(self, data: bytes, sent: int) -> None:
        """The socket took only ``sent`` bytes: the transport keeps the rest."""
        if sent == GONE:  # the reader of the connection learns it too, and takes it away
            self.die()
            return
        self._transport.write(memoryview(data)[sent:])
        self._block()

    def _block(self) -> None:
        self._waiting = deque()
        self.ready = False
        self._on_blocked(self)

    def _wait(self, data: bytes) -> None:
        assert self._waiting is not None
        self._waiting_bytes += len(data)
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.die()
        else:
            self._waiting.append(data)

    def unblock(self) -> bool:
        """Send what waits, if the transport has got rid of its rest; whether it is clear now."""
        if self.dead:
            return False
        if self._waiting is None:
            return True
        if self._transport.get_write_buffer_size():
            return False
        data = b"".join(self._waiting)
        self._waiting, self._waiting_bytes, self.ready = None, 0, True
        if data:
            self.write(data)
        return self._waiting is None

    def die(self) -> None:
        """Write nothing any more."""
        self.dead, self.ready = True, False

    def abort(self) -> None:
        """Drop the connection without a word: whoever does not read would not see it."""
        self.die()
        self.aborted = True
        self._transport.abort()
