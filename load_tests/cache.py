"""What load tests make once and keep: programs compiled from our C, and a peer's npm package.

Kept outside the checkout, each under a name that holds the hash of what it was made from, so that
nothing stale is ever used and two runs at once do not disturb each other.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from foundation.errors import OperatorError
from load_tests.debian import find_program

FLAGS: Final = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")
TIMEOUT_S: Final = 300.0


class NotMade(OperatorError):
    """What a load test needs could not be made."""


def compiled(name: str, sources: Sequence[Path]) -> Path:
    """The program that the C files make; headers beside them count too."""
    headers = {header for source in sources for header in source.parent.glob("*.h")}
    texts = [path.read_bytes() for path in sorted({*sources, *headers})]

    def make(folder: Path) -> None:
        compiler = find_program("gcc", package="gcc libc6-dev")
        run_quietly([compiler, *FLAGS, "-o", str(folder / name), *map(str, sources)], folder)

    return made(name, [" ".join(FLAGS).encode(), *texts], make) / name


def made(name: str, ingredients: Sequence[bytes], make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills, from the cache if it was made from the same ingredients."""
    digest = hashlib.sha256()
    for ingredient in ingredients:
        digest.update(hashlib.sha256(ingredient).digest())
    folder = _root() / f"{name}-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        try:
            make(fresh)
            _put(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _root() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "softclose" / "load_tests"


def _put(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():  # unless another run was first, with the same
            raise


def run_quietly(command: Sequence[str], folder: Path) -> None:
    """Run a tool to its end in a folder; raises `NotMade` with what it said if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        raise NotMade(f"{Path(command[0]).name} failed (code {done.returncode}); see above")
