"""Restore: a backup is unpacked and verified beside the present data, and then takes its place.

The data folder is held throughout. What a crash leaves behind, step by step:

    while unpacking            postgres.restoring; the next restore throws it away
    once verified              postgres.restored beside the present data, which stays in force
    the present moved aside    postgres.restored alone: the next start puts it into place
"""

import os
import shutil
from pathlib import Path

from foundation.errors import OperatorError
from softclose.backup_archive import DATA, Header, read_archive, read_header
from softclose.backups import stamp, verify_copy
from softclose.postgres_binaries import Binaries
from softclose.postgres_cluster import embedded_folder
from softclose.progress import Report
from softclose.whole_file import sync_folder

RESTORING = "postgres.restoring"
RESTORED = "postgres.restored"


class RestoreRefused(OperatorError):
    """The restore was not done; the present data is as it was."""


def refuse_restore(data: Path, file: Path, binaries: Binaries, *, force: bool) -> None:
    """Raise `RestoreRefused` or `BadBackup` for what can be known before the work begins."""
    if embedded_folder(data).exists() and not force:
        raise RestoreRefused(
            f"{data} holds data; name another folder with --data, "
            "or move it aside (it is kept) with --force"
        )
    major = read_header(file).postgres_major
    if major != binaries.major:
        raise RestoreRefused(
            f"the backup is of PostgreSQL {major}, and this is {binaries.major}; "
            f"name the programs of version {major} with PG_BIN"
        )


def restore(
    data: Path, file: Path, binaries: Binaries, report: Report
) -> tuple[Header, Path | None]:
    """Put a backup in the place of the data, if any, in a held folder.

    Returns what the backup says of itself, and where the data that was there is now.
    """
    header = _unpack_verified(data, file, binaries, report)
    aside = _move_aside(embedded_folder(data))
    finish_restore(data)
    return header, aside


def finish_restore(data: Path) -> None:
    """Put verified data into its empty place, also when a crash came between the two moves."""
    present, restored = embedded_folder(data), data / RESTORED
    if restored.exists() and not present.exists():
        restored.rename(present)
        sync_folder(data)


def _unpack_verified(data: Path, file: Path, binaries: Binaries, report: Report) -> Header:
    unpacked = data / RESTORING
    for leftover in (unpacked, data / RESTORED):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        header = read_archive(file, unpacked, report)
        verify_copy(binaries, unpacked / DATA)
    except BaseException:
        shutil.rmtree(unpacked, ignore_errors=True)
        raise
    os.sync()  # thousands of small files: once for all of them
    unpacked.rename(data / RESTORED)
    sync_folder(data)
    return header


def _move_aside(present: Path) -> Path | None:
    if not present.exists():
        return None
    aside = present.with_name(f"postgres.before-restore-{stamp()}")
    present.rename(aside)
    return aside
