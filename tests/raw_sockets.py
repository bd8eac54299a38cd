"""A WebSocket client that does what it is told, right or wrong: bytes out, frames in."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgpack

from bidder_gateway.protocol import JSON, MSGPACK

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x11\x22\x33\x44"


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length: int | None = None,
) -> bytes:
    """A client's frame; ``length``: what it claims to be, if not what it is."""
    first = opcode | (0x80 if final else 0) | reserved
    claimed = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if claimed < 126:
        header = bytes((first, bit | claimed))
    elif claimed < 65_536:
        header = struct.pack("!BBH", first, bit | 126, claimed)
    else:
        header = struct.pack("!BBQ", first, bit | 127, claimed)
    if not masked:
        return header + payload
    repeated = MASK * (len(payload) // 4 + 1)
    return header + MASK + bytes(a ^ b for a, b in zip(payload, repeated, strict=False))


def handshake(path: str, host: str, **headers: str) -> bytes:
    """The request that opens a WebSocket; a header with the value "" is left out."""
    lines = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": JSON,
    }
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"GET {path} HTTP/1.1\r\n{text}\r\n".encode()


class RawSocket:
    """One connection. ``seen`` holds every byte that came after the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen = bytearray()
        self.packed = False
        self._reader, self._writer = reader, writer

    async def open(self, path: str, port: int, subprotocol: str = JSON, **headers: str) -> int:
        """Shake hands; the status of the answer."""
        self.packed = subprotocol == MSGPACK
        headers = {"Sec_WebSocket_Protocol": subprotocol} | headers
        self._writer.write(handshake(path, f"127.0.0.1:{port}", **headers))
        async with asyncio.timeout(10):
            answer = await self._reader.readuntil(b"\r\n\r\n")
        return int(answer.split()[1])

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        async with asyncio.timeout(10):
            try:
                rest = await self._reader.read()
            except ConnectionResetError:
                return b""
        self.seen += rest
        return rest

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    async def written(self) -> None:
        """Wait until the kernel has taken nearly all that was sent."""
        await self._writer.drain()

    def say(self, **fields: Any) -> None:
        """Send a frame of the protocol."""
        if self.packed:
            self.write(frame(msgpack.packb(fields), BINARY))
        else:
            self.write(frame(json.dumps(fields).encode()))

    async def message(self) -> tuple[int, bytes]:
        """The server's next message: opcode and payload."""
        async with asyncio.timeout(10):
            first, second = await self._take(2)
            assert first & 0x70 == 0, "a reserved bit"
            assert first & 0x80, "the server does not fragment"
            assert second & 0x80 == 0, "a server does not mask"
            length = second
            if second == 126:
                (length,) = struct.unpack("!H", await self._take(2))
            elif second == 127:
                (length,) = struct.unpack("!Q", await self._take(8))
            return first & 15, await self._take(length)

    async def payload(self) -> bytes:
        """The bytes of the next frame of the protocol; pings are answered."""
        while True:
            opcode, payload = await self.message()
            if opcode == PING:
                self.write(frame(payload, PONG))
                continue
            assert opcode == (BINARY if self.packed else TEXT), (opcode, payload)
            return payload

    async def frame(self, kind: str | None = None) -> dict[str, Any]:
        """The next frame (of this type) of the protocol."""
        while True:
            payload = await self.payload()
            told: dict[str, Any]
            told = msgpack.unpackb(payload) if self.packed else json.loads(payload)
            if kind is None or told["type"] == kind:
                return told

    async def closed(self) -> int:
        """The code that the server closes with; what came before is passed over.

        Nothing may come after it but the end of the connection.
        """
        while True:
            opcode, payload = await self.message()
            if opcode == CLOSE:
                break
        (code,) = struct.unpack("!H", payload[:2])
        self.write(frame(payload[:2], CLOSE))
        assert await self.rest() == b"", "something came after the close"
        return int(code)

    async def _take(self, count: int) -> bytes:
        data = await self._reader.readexactly(count)
        self.seen += data
        return data


@asynccontextmanager
async def raw_socket(port: int, *, buffer_bytes: int | None = None) -> AsyncIterator[RawSocket]:
    """A TCP connection to the gateway that has said nothing yet.

    ``buffer_bytes``: what the kernel holds of what is not read.
    """
    sock = socket.socket()
    if buffer_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    sock.settimeout(0)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    # A small limit, so that what this client does not read stays in the kernel.
    limit = 2**16 if buffer_bytes is None else 4_096
    reader, writer = await asyncio.open_connection(sock=sock, limit=limit)
    try:
        yield RawSocket(reader, writer)
    finally:
        writer.transport.abort()
