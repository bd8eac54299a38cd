"""A WebSocket server that sends exactly the bytes that a test wrote down, right or wrong."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

# The answer to the one key that the load tests' watchers use.
CONSENT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """A server's frame."""
    first = opcode | (0x80 if final else 0)
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    if len(payload) < 65_536:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload


class ScriptedSockets:
    """The n-th connection gets the n-th script, the last one for all further: pieces of bytes.

    ``heard`` holds each client's messages, unmasked, connection by connection.
    """

    def __init__(self, *scripts: Iterable[bytes]) -> None:
        self.port = 0
        self.heard: list[list[tuple[int, bytes]]] = []
        self._scripts = [list(script) for script in scripts]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client goes."""
        await reader.readuntil(b"\r\n\r\n")
        heard: list[tuple[int, bytes]] = []
        script = self._scripts[min(len(self.heard), len(self._scripts) - 1)]
        self.heard.append(heard)
        for piece in (CONSENT, *script):
            writer.write(piece)
            await writer.drain()
        try:
            while True:
                heard.append(await _message(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    length = second & 127
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    mask = await reader.readexactly(4)
    masked = await reader.readexactly(length)
    return first & 15, bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))


@asynccontextmanager
async def scripted_sockets(*scripts: Iterable[bytes]) -> AsyncIterator[ScriptedSockets]:
    """Serve on a free port for the block."""
    sockets = ScriptedSockets(*scripts)
    server = await asyncio.start_server(sockets.serve, "127.0.0.1", 0)
    sockets.port = server.sockets[0].getsockname()[1]
    try:
        yield sockets
    finally:
        server.close()
