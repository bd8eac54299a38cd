"""A running ``softclose serve``, as an operator has it: its log lines, its health, its signals."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.processes import environment

WITHIN_S = 30.0
POLL_S = 0.005

_START = "from softclose.cli import main; main()"


class Served:
    """The process, and what it said so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.address = ""  # where its HTTP is, once it has told

    @property
    def said(self) -> list[dict[str, Any]]:
        """Its log so far."""
        *whole, _ = self._log.read_text().split("\n")
        return [json.loads(line) for line in whole]

    def says(self, event: str) -> dict[str, Any]:
        """The first log line with this event; fails when the process ends without it."""

        def find() -> bool:
            ended = self.process.poll() is not None
            found.extend(line for line in self.said if line["event"] == event)
            assert found or not ended, f"ended without {event!r}: {self._log.read_text()}"
            return bool(found)

        found: list[dict[str, Any]] = []
        eventually(find)
        return found[0]

    def gets_ready(self) -> dict[str, Any]:
        """Wait until it says ``ready``; what it says with it."""
        self.address = self.says("starts")["address"]
        return self.says("ready")

    def readiness(self) -> tuple[int, list[str]]:
        """The status of /readyz, and the reasons."""
        try:
            with urlopen(f"{self.address}/readyz", timeout=5) as answer:  # noqa: S310 - ours
                return answer.status, json.load(answer)["reasons"]
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)["reasons"]

    def answers(self) -> bool:
        """Whether /healthz says that it is alive."""
        try:
            with urlopen(f"{self.address}/healthz", timeout=5) as answer:  # noqa: S310 - ours
                return bool(json.load(answer) == {"alive": True})
        except URLError:
            return False


@contextmanager
def serving(data: Path, **variables: str) -> Iterator[Served]:
    """Start it on any free port; killed when the block ends."""
    with NamedTemporaryFile(prefix="softclose-serve-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, "--data", str(data), "serve"],
            stderr=log,
            env=environment({"SOFTCLOSE_HTTP_PORT": "0"} | variables),
        )
        try:
            yield Served(process, Path(log.name))
        finally:
            process.kill()
            process.wait()


def eventually(done: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Ask again and again until it is so; fails when the time is over."""
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(POLL_S)
