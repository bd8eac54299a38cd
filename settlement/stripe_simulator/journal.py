"""The journal: a file of records, a line each, that a process killed at any point leaves whole.

A line is written by one ``write`` to the kernel, so it survives the end of the process; it is not
forced to the disk, since this is no real money. A last line without its end was torn by the kill:
nobody got an answer for it, so it is dropped. A bad line before that is damage, and refused.
"""

import fcntl
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from foundation.errors import OperatorError
from settlement.stripe_simulator.store import Store

NAME: Final = "stripe_simulator.jsonl"
# Rewritten without history at a start beyond this.
COMPACT_BYTES: Final = 64 * 1024 * 1024

Json = dict[str, Any]


class Damaged(OperatorError):
    """The simulator's journal cannot be read."""


class Journal:
    """Open for writing; no other process may have it open."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise Damaged(f"{self._path} is in use by another simulator") from error

    def load(self, store: Store) -> None:
        """Replay all of it into an empty store."""
        whole = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    record = msgspec.json.decode(line)
                    store.apply(map(tuple, record["put"]), map(tuple, record["gone"]))
                except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
                    message = f"{self._path}, line {number} is damaged: move the file away"
                    raise Damaged(message) from error
                whole += len(line)
        os.ftruncate(self._file, whole)
        if whole > COMPACT_BYTES:
            self._compact(store)

    def append(self, record: Json) -> None:
        """Keep a record."""
        line = msgspec.json.encode(record) + b"\n"
        before = os.fstat(self._file).st_size
        written = 0
        try:
            written = os.write(self._file, line)
        finally:
            if written != len(line):
                # What comes next must not stand behind half a line.
                os.ftruncate(self._file, before)
        if written != len(line):
            raise Damaged(f"{self._path} cannot be written: the disk is full")

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._file)

    def _compact(self, store: Store) -> None:
        """The same state without its history, put in place at once."""
        fresh = self._path.with_suffix(".new")
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.fdopen(os.dup(file), "wb") as lines:
            for record in store.records():
                lines.write(msgspec.json.encode(record) + b"\n")
        fresh.replace(self._path)
        os.close(self._file)
        self._file = file
