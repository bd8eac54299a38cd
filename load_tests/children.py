"""Processes of a load test: started on a core, asked line by line, measured, ended by their id."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from foundation.errors import OperatorError

STOP_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 60.0
LINE_BYTES: Final = 1 << 20
PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") / 1024


class ChildFailed(OperatorError):
    """A process of a load test ended, or did not answer in time."""


class Child:
    """A running process that takes commands on stdin and answers each with a line."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name, self.pid, self._process = name, process.pid, process

    async def ask(self, command: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
        """Send a command; the line that answers it. Raises `ChildFailed`."""
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        return await self.line(timeout_s=timeout_s, asked=command)

    async def line(self, *, timeout_s: float = ANSWER_TIMEOUT_S, asked: str = "starting") -> str:
        """The next line that it says."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ChildFailed(f"{self.name}: {asked}: no answer in {timeout_s:g} s") from None
        if not line:
            code = await self._process.wait()
            raise ChildFailed(f"{self.name} ended (code {code}) while: {asked}")
        return line.decode().rstrip("\n")

    async def ask_json(self, command: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
        """`ask`, where the answer is a JSON value."""
        return json.loads(await self.ask(command, timeout_s=timeout_s))

    def cpu_s(self) -> float:
        """CPU time of all its threads so far, in user code and for it in the kernel."""
        return cpu_s(self.pid)

    async def end(self) -> None:
        """End it: politely, then by force."""
        if self._process.returncode is not None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._signal("terminate")
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._signal("kill")
            await self._process.wait()

    def _signal(self, name: str) -> None:
        try:
            getattr(self._process, name)()
        except ProcessLookupError:
            return  # it has ended by itself


def cpu_s(pid: int) -> float:
    """CPU time of a process: what /proc/PID/stat has as utime and stime, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # Linux's number of a process's own clock


def cpu_of_tree_s(pid: int) -> float:
    """CPU time of a process and those that it started, as far as they still run."""
    total, pids = 0.0, [pid]
    while pids:
        pid = pids.pop()
        try:
            total += cpu_s(pid)
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                pids.extend(map(int, path.read_text("ascii").split()))
        except OSError:
            continue  # it has just ended
    return total


def resident_kib(pid: int) -> float:
    """Memory of a process that is its own: private pages, shared ones by their share.

    Exact, and slow: the process waits meanwhile. `quick_resident_kib` counts shared pages whole.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise ChildFailed(f"no memory figures for process {pid}")


def quick_resident_kib(pid: int) -> float:
    """Memory of a process, for looking often while something is measured."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE_KIB


@asynccontextmanager
async def child(
    name: str, command: Sequence[str], *, core: int | None = None, folder: Path | None = None
) -> AsyncIterator[Child]:
    """Run a program for the block, on one core if it is named (the how-manieth of ours)."""
    with _on_core(core):
        process = await asyncio.create_subprocess_exec(
            *_ending_with_us(),
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
    running = Child(name, process)
    try:
        yield running
    finally:
        await running.end()


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """A process keeps the cores of the thread that starts it."""
    ours = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {sorted(ours)[core % len(ours)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def _ending_with_us() -> list[str]:
    """What asks the kernel to end the process when we are killed, where there is such a thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
