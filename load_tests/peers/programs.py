"""The peers that are programs which speak on stdin and stdout."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from load_tests.cache import compiled, made, run_quietly
from load_tests.children import Child, child
from load_tests.debian import find_program
from load_tests.peers import SPEECH, Contender, Sender

FOLDER: Final = Path(__file__).parent
NODE: Final = FOLDER / "node_ws"


class ProgramPeer:
    """A peer that takes ``send COUNT BYTES``."""

    def __init__(self, program: Child, port: int) -> None:
        self.pid, self.port, self.speech = program.pid, port, SPEECH
        self._program = program

    async def send(self, count: int, size: int) -> int:
        """See `Sender`."""
        return int((await self._program.ask(f"send {count} {size}")).split()[1])

    def cpu_s(self) -> float:
        """See `Sender`."""
        return self._program.cpu_s()


@asynccontextmanager
async def _running(
    name: str, command: Sequence[str], core: int | None, folder: Path | None = None
) -> AsyncIterator[Sender]:
    async with child(name, command, core=core, folder=folder) as program:
        yield ProgramPeer(program, int(await program.line()))


@asynccontextmanager
async def raw_send(core: int | None) -> AsyncIterator[Sender]:
    """A send() for each socket, in C."""
    program = compiled("raw_send", [FOLDER / "raw_send.c"])
    async with _running("raw send loop", [str(program)], core) as sender:
        yield sender


@asynccontextmanager
async def node_ws(core: int | None) -> AsyncIterator[Sender]:
    """The npm package ws, on Node."""
    node = find_program("node", package="nodejs")
    folder = node_ws_folder()
    async with _running("node ws", [node, "server.js"], core, folder) as sender:
        yield sender


@asynccontextmanager
async def websockets_broadcast(core: int | None) -> AsyncIterator[Sender]:
    """The Python package websockets."""
    command = [sys.executable, "-m", "load_tests.peers.websockets_broadcast"]
    async with _running("websockets", command, core, FOLDER.parents[1]) as sender:
        yield sender


def node_ws_folder() -> Path:
    """Our server with the package, whose content npm has compared with the lock's hash."""
    sources = [NODE / name for name in ("package.json", "package-lock.json", "server.js")]

    def make(folder: Path) -> None:
        npm = find_program("npm", package="nodejs npm")
        for source in sources:
            (folder / source.name).write_bytes(source.read_bytes())
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        run_quietly([npm, "ci", *options], folder)

    return made("node_ws", [source.read_bytes() for source in sources], make)


RAW_SEND: Final = Contender("raw_c", "send() loop in C", raw_send)
NODE_WS: Final = Contender("node_ws", "node ws", node_ws)
WEBSOCKETS: Final = Contender("websockets", "websockets.broadcast", websockets_broadcast)
