"""nats-server's WebSocket: a publisher sends to its ordinary port, subscribers hear on the other.

The publisher is ours and outside the measured process. Watchers speak NATS's own protocol inside
their WebSocket messages, of which one may hold many.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from load_tests.children import Child, ChildFailed, child
from load_tests.debian import find_program
from load_tests.peers import SPEECH, Contender, Sender, message

SUBJECT: Final = b"lot"
READY_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.02

CONFIGURATION: Final = """
listen: "127.0.0.1:-1"
max_connections: 65536
ports_file_dir: "{folder}"
write_deadline: "30s"
websocket {{ listen: "127.0.0.1:-1", no_tls: true, compression: false }}
"""

CONNECT: Final = b'CONNECT {"verbose":false,"pedantic":false}\r\n'
NATS_SPEECH: Final = replace(
    SPEECH, nats=True, text=False, greetings=[CONNECT + b"SUB %s 1\r\nPING\r\n" % SUBJECT]
)


class NatsPeer:
    """A running nats-server with a publisher."""

    def __init__(
        self, server: Child, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid, self.port, self.speech = server.pid, port, NATS_SPEECH
        self._server, self._reader, self._writer = server, reader, writer
        self._sequence = 0

    async def send(self, count: int, size: int) -> int:
        """See `Sender`: handed to the server in one write."""
        said = bytearray()
        for _ in range(count):
            self._sequence += 1
            payload = message(self._sequence, time.time_ns() // 1_000, size)
            said += b"PUB %s %d\r\n%s\r\n" % (SUBJECT, len(payload), payload)
        self._writer.write(bytes(said))
        await self._writer.drain()
        return self._sequence

    def cpu_s(self) -> float:
        """See `Sender`."""
        return self._server.cpu_s()

    async def greet(self) -> None:
        """Introduce the publisher, and wait until the server knows it."""
        self._writer.write(CONNECT + b"PING\r\n")
        async with asyncio.timeout(READY_TIMEOUT_S):
            while (await self._reader.readline()) != b"PONG\r\n":
                pass


@asynccontextmanager
async def nats(core: int | None) -> AsyncIterator[Sender]:
    """Debian's nats-server for the block."""
    program = find_program("nats-server", package="nats-server")
    with TemporaryDirectory(prefix="softclose-nats-") as name:
        folder = Path(name)
        (folder / "nats.conf").write_text(CONFIGURATION.format(folder=folder), "utf-8")
        command = [program, "-c", "nats.conf", "-l", "nats.log"]
        async with child("nats-server", command, core=core, folder=folder) as server:
            ports = await _ports(server, folder)
            reader, writer = await asyncio.open_connection("127.0.0.1", ports["nats"])
            peer = NatsPeer(server, ports["websocket"], reader, writer)
            try:
                await peer.greet()
                yield peer
            finally:
                writer.close()


async def _ports(server: Child, folder: Path) -> dict[str, int]:
    """The ports that it has chosen, from the file that it writes."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while True:
                for path in folder.glob("*.ports"):
                    if text := path.read_text("utf-8"):
                        return _by_name(json.loads(text))
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise ChildFailed(f"{server.name} did not start; see its log") from None


def _by_name(found: dict[str, Any]) -> dict[str, int]:
    return {name: int(urls[0].rpartition(":")[2]) for name, urls in found.items() if urls}


NATS: Final = Contender("nats", "nats-server", nats)
