"""The one folder with everything that an embedded installation keeps, held by one process.

The hold is a kernel lock on a file in it: it goes with the process however that ends, so there
is no stale lock to clean up, and the number written into the file is only for people.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foundation.errors import OperatorError

LOCK_FILE = "lock"
# What a folder may hold besides and still be taken as new: a fresh disk has it.
_IGNORED = frozenset({"lost+found"})


class DataFolderRefused(OperatorError):
    """The data folder cannot be used as it is."""


class DataFolderHeld(DataFolderRefused):
    """Another process works on this folder."""


def default_folder() -> Path:
    """Where the system wants programs of this user to keep their data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "softclose"
    base = os.environ.get("XDG_DATA_HOME", "")
    data = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return data / "softclose"


@contextmanager
def hold(folder: Path) -> Iterator[Path]:
    """Make the folder if need be and keep every other process out of it for the block.

    Raises `DataFolderHeld` when another process has it, `DataFolderRefused` when it is not
    ours to use or cannot be written.
    """
    try:
        _prepare(folder)
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataFolderRefused(
            f"cannot use the data folder {folder}: {error.strerror}; choose another with --data"
        ) from error
    try:
        _lock(lock, folder)
        folder.chmod(0o700)
        yield folder
    finally:
        os.close(lock)


def holder(folder: Path) -> int | None:
    """The number of the process that holds the folder, 0 if it did not say; None if nobody does."""
    try:
        lock = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written_pid(lock)
    finally:
        os.close(lock)
    return None


def _prepare(folder: Path) -> None:
    """A folder of other people's files is not taken over: its mode would be changed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {entry.name for entry in folder.iterdir()} - _IGNORED
    if names and LOCK_FILE not in names:
        raise DataFolderRefused(
            f"{folder} holds something else than Softclose's data; "
            "choose an empty or a new folder with --data"
        )


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataFolderHeld(
            f"another softclose (process {_written_pid(lock)}) uses {folder}; "
            "stop it, or choose another folder with --data"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _written_pid(lock: int) -> int:
    text = os.pread(lock, 32, 0).strip()
    return int(text) if text.isdigit() else 0
