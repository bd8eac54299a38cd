"""The line between a browser and the site: slow, more so one way, silent, or cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65_536


class _Way:
    """One direction of one connection: what comes in goes out later, in order."""

    def __init__(self, line: "Line", reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._line, self._reader, self._writer = line, reader, writer
        self._waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def carry(self, *, to_server: bool) -> None:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send())
            try:
                while data := await self._reader.read(CHUNK):
                    line = self._line
                    delay_s = line.there_s if to_server else line.back_s
                    due_s = asyncio.get_running_loop().time() + delay_s
                    self._waiting.put_nowait((due_s, data))
            except ConnectionError:
                pass
            finally:
                sending.cancel()
                self._writer.close()

    async def _send(self) -> None:
        while True:
            due_s, data = await self._waiting.get()
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
            await self._line.speaks.wait()
            with suppress(ConnectionError):
                self._writer.write(data)
                await self._writer.drain()


class Line:
    """A proxy. ``there_s`` and ``back_s``: how long what is sent takes to and from the site."""

    def __init__(self, host: str, port: int) -> None:
        self.there_s = self.back_s = 0.0
        self.speaks = asyncio.Event()
        self.speaks.set()
        self._host, self._port = host, port
        self._links: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._host, self._port)
        self._links[writer] = there[1]
        try:
            await asyncio.gather(
                _Way(self, reader, there[1]).carry(to_server=True),
                _Way(self, there[0], writer).carry(to_server=False),
            )
        finally:
            self._links.pop(writer, None)

    def silence(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self.speaks.clear()

    def restore(self) -> None:
        """The line is well; what was open on it is gone, as after a change of networks."""
        self.cut()
        self.speaks.set()

    def cut(self) -> None:
        """End every connection."""
        for writer, there in list(self._links.items()):
            writer.transport.abort()
            there.transport.abort()


@asynccontextmanager
async def line_to(origin: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to the site, and the origin that goes through it."""
    address = urlsplit(origin)
    assert address.hostname and address.port
    line = Line(address.hostname, address.port)
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield line, f"http://127.0.0.1:{port}"
    finally:
        line.speaks.set()
        line.cut()
        server.close()
        await server.wait_closed()
