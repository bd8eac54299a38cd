"""``websockets.broadcast``, as its documentation has it, on uvloop: run as a program.

Prints its port, and takes ``send COUNT BYTES`` on stdin, as all peers do.
"""

import asyncio
import sys
import time
from typing import Final

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from load_tests.peers import message

BACKLOG: Final = 4096

_connections: set[ServerConnection] = set()


async def _watcher(connection: ServerConnection) -> None:
    _connections.add(connection)
    try:
        await connection.wait_closed()
    finally:
        _connections.remove(connection)


async def _commands() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sequence = 0
    while line := await reader.readline():
        count, size = map(int, line.split()[1:])
        for _ in range(count):
            sequence += 1
            text = message(sequence, time.time_ns() // 1_000, size).decode()
            broadcast(_connections, text)
        print(f"sent {sequence}", flush=True)


async def _serve() -> None:
    # Without time-outs of its own: it is told when to end.
    async with serve(
        _watcher, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=BACKLOG
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await _commands()


if __name__ == "__main__":
    uvloop.run(_serve())
