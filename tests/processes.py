"""Real processes for tests of what an operator sees: run to the end, or kept until killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


def softclose(*words: str | Path, **variables: str) -> Ended:
    """Run the command line to its end with only these SOFTCLOSE variables."""
    done = subprocess.run(
        [sys.executable, "-c", "from softclose.cli import main; main()", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment(variables),
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def python(script: str, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a script, with its input and output; killed when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment({}),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that it prints, without its end; empty when it has closed its output."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def environment(variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOFTCLOSE_")}
    return kept | variables
