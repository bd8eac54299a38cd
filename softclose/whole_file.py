"""A file that is written whole or not at all: what stood there stays until the new one is safe."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, TextIO

from foundation.errors import OperatorError


class NotWritable(OperatorError):
    """The file that was asked for cannot be written there."""

    exit_code: ClassVar[int] = 2


def writable_target(file: Path, *sources: Path | None) -> Path:
    """The file to replace, links followed; refused before any work where it could not be."""
    target = file.resolve()
    if target.exists() and not target.is_file():
        raise NotWritable(f"{file} is not a file")
    if not target.parent.is_dir():
        raise NotWritable(f"{file}: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise NotWritable(f"{file}: the folder {target.parent} cannot be written in")
    for source in sources:
        if source is not None and target.exists() and source.exists() and target.samefile(source):
            raise NotWritable(f"{file} is also what is read; name another file")
    return target


@contextmanager
def whole_file(target: Path) -> Iterator[TextIO]:
    """Text that takes the place of ``target`` at the end of the block; nothing if that fails."""
    partial = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
