"""Our gateway as a contender: started on a core, sending as the peers do."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from load_tests.children import Child, child
from load_tests.gateway.speech import AS_MSGPACK
from load_tests.peers import Contender, Sender
from load_tests.watchers import Speech

LOTS: Final = 20
CHECKOUT: Final = Path(__file__).parents[2]


class OurGateway:
    """The running process."""

    def __init__(self, program: Child, port: int, speech: Speech) -> None:
        self.pid, self.port, self.speech = program.pid, port, speech
        self._program = program

    async def send(self, count: int, size: int) -> int:
        """See `Sender`: so many bids at once, an event each; their size is what it is."""
        return int((await self._program.ask(f"send {count} {size}")).split()[1])

    async def sequence(self) -> int:
        """The last event of the sale."""
        return int((await self._program.ask("sequence")).split()[1])

    def cpu_s(self) -> float:
        """See `Sender`: all of the engine and the gateway, not PostgreSQL; without an engine that
        is a process of its own."""
        return self._program.cpu_s()


@asynccontextmanager
async def our_gateway(
    core: int | None,
    *,
    lots: int = LOTS,
    dsn: str | None = None,
    redis_url: str | None = None,
    speech: Speech = AS_MSGPACK,
) -> AsyncIterator[OurGateway]:
    """The gateway for the block, on a log in PostgreSQL or in memory; its engine in its process,
    or across this Redis."""
    command = [sys.executable, "-m", "load_tests.gateway.serve", str(lots)]
    command += [] if dsn is None else [dsn]
    command += [] if redis_url is None else [redis_url]
    async with child("gateway", command, core=core, folder=CHECKOUT) as program:
        yield OurGateway(program, int(await program.line()), speech)


@asynccontextmanager
async def _sender(core: int | None) -> AsyncIterator[Sender]:
    async with our_gateway(core) as gateway:
        yield gateway


OURS: Final = Contender("ours", "our gateway", _sender)


@asynccontextmanager
async def our_remote_engine(dsn: str, redis_url: str) -> AsyncIterator[Child]:
    """An engine across Redis for the block, once it judges."""
    command = [sys.executable, "-m", "load_tests.gateway.rooms", dsn, redis_url]
    async with child("engine", command, folder=CHECKOUT) as program:
        await program.line()
        yield program
