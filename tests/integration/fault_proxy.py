"""A TCP proxy before PostgreSQL that loses answers, loses questions and cuts lines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.waiting import turns

CHUNK = 65_536


class Link:
    """One connection through the proxy."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.deaf = False  # what the client says does not arrive
        self.mute = False  # what the server says does not arrive
        self._writers = writers

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, question: bool
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                if not (self.deaf if question else self.mute):
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass  # the other end of it tells
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class FaultProxy:
    """Passes everything on; each link can be made deaf or mute, or be cut. New ones are well."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.links: list[Link] = []
        self._accepting: set[asyncio.Task[None] | None] = set()
        self._closed = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepting.add(asyncio.current_task())
        server_reader, server_writer = await asyncio.open_connection(self._host, self._port)
        link = Link([writer, server_writer])
        self.links.append(link)
        if self._closed:
            link.cut()
        await asyncio.gather(
            link.carry(reader, server_writer, question=True),
            link.carry(server_reader, writer, question=False),
        )

    def lose_answers(self) -> None:
        """Nothing more comes back on the links there are."""
        for link in self.links:
            link.mute = True

    def lose_questions(self) -> None:
        """Nothing more arrives on the links there are."""
        for link in self.links:
            link.deaf = True

    def cut(self) -> None:
        """End the links there are."""
        for link in self.links:
            link.cut()
        self.links.clear()

    async def close(self) -> None:
        """End all links, and return when nothing of them is left."""
        self._closed = True
        await turns()  # a client that knocked just now is let in, and out again
        self.cut()
        await asyncio.gather(*filter(None, self._accepting), return_exceptions=True)
        await turns()


@asynccontextmanager
async def fault_proxy(dsn: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy before a database, and the dsn that goes through it."""
    address = urlsplit(dsn)
    assert address.hostname and address.port
    proxy = FaultProxy(address.hostname, address.port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, dsn.replace(f":{address.port}/", f":{port}/")
    finally:
        await proxy.close()
        server.close()  # only now: Python 3.11 leaks who is being let in when this is called
        await server.wait_closed()
