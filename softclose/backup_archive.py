"""The file that a backup is: a compressed tar of the cluster's files behind a header.

    softclose-backup.json    format, versions, time, and the size of what follows
    password                 of the cluster's role
    data/...                 the files of pg_basebackup, with its manifest of SHA-256 hashes

Reading trusts nothing: only plain files and folders under these names, no more bytes than the
header says, with modes of our own.
"""

import gzip
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from foundation.errors import OperatorError
from softclose.progress import Report
from softclose.whole_file import sync_folder

FORMAT = 1
HEADER = "softclose-backup.json"
HEADER_BYTES = 4_096
PASSWORD = "password"  # noqa: S105 - a name in the archive
DATA = "data"
# Mostly half-empty pages: the fastest level already makes them a fifth.
COMPRESSION_LEVEL = 1
# A database keeps a file or two per table and index, and a log segment per 16 MB.
MAX_MEMBERS = 1_000_000
# A tar is filled up to a multiple of this.
PADDING_BYTES = tarfile.RECORDSIZE


class BadBackup(OperatorError):
    """The file is not a backup, or not a whole one."""


@dataclass(frozen=True)
class Header:
    """What a backup says of itself."""

    softclose: str
    postgres_major: int
    made_at: str
    bytes: int
    format: int = FORMAT


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(entry.stat().st_size for entry in folder.rglob("*") if entry.is_file())


def write_archive(file: Path, header: Header, password: str, data: Path, report: Report) -> None:
    """Write the whole file or none: it gets its name once it is on the disk."""
    partial = file.with_name(file.name + ".partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with (
                gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=COMPRESSION_LEVEL) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
            ):
                _add_bytes(archive, HEADER, json.dumps(asdict(header)).encode())
                _add_bytes(archive, PASSWORD, password.encode())
                _add_folder(archive, data, header.bytes, report)
            os.fsync(raw.fileno())
        partial.rename(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o600
    archive.addfile(member, io.BytesIO(content))


def _add_folder(archive: tarfile.TarFile, data: Path, whole: int, report: Report) -> None:
    done = 0
    for entry in (data, *sorted(data.rglob("*"))):
        archive.add(entry, str(PurePosixPath(DATA, entry.relative_to(data))), recursive=False)
        done += entry.stat().st_size if entry.is_file() else 0
        report(done, whole)


def read_archive(file: Path, folder: Path, report: Report) -> Header:
    """Unpack into ``folder``, which is made and left half-filled when this raises `BadBackup`."""
    with _damage_named(file), gzip.open(file) as packed:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            members = iter(archive)
            header = _read_header(archive, next(members, None))
            _refuse_without_room(folder.parent, header.bytes)
            folder.mkdir(mode=0o700)
            _unpack(archive, members, folder, header.bytes, report)
        _read_to_end(packed)
    if not (folder / PASSWORD).exists() or not (folder / DATA / "PG_VERSION").exists():
        raise BadBackup(f"{file} is not complete")
    return header


def read_header(file: Path) -> Header:
    """What a backup says of itself, without reading the rest."""
    with (
        _damage_named(file),
        gzip.open(file) as packed,
        tarfile.open(fileobj=packed, mode="r|") as archive,
    ):
        return _read_header(archive, next(iter(archive), None))


@contextmanager
def _damage_named(file: Path) -> Iterator[None]:
    try:
        yield
    except (
        tarfile.TarError,
        EOFError,
        gzip.BadGzipFile,
        zlib.error,
        ValueError,
        TypeError,
    ) as error:
        raise BadBackup(f"{file} is no backup of Softclose, or a damaged one: {error}") from error


def _read_header(archive: tarfile.TarFile, member: tarfile.TarInfo | None) -> Header:
    if member is None or member.name != HEADER or member.size > HEADER_BYTES:
        raise ValueError("it does not begin with a header")
    header = Header(**json.loads(_content(archive, member).read()))
    if header.format != FORMAT:
        raise ValueError(f"its format {header.format} is not known to this version")
    return header


def _read_to_end(packed: gzip.GzipFile) -> None:
    """The checksum of the whole stands behind the padding of the tar, and tar does not read it."""
    if len(packed.read(PADDING_BYTES + 1)) > PADDING_BYTES:
        raise ValueError("something follows after its end")


def _refuse_without_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise BadBackup(f"it unpacks to {wanted:,} bytes, and {folder} has {free:,} left")


def _unpack(
    archive: tarfile.TarFile,
    members: Iterator[tarfile.TarInfo],
    folder: Path,
    whole: int,
    report: Report,
) -> None:
    done = 0
    for number, member in enumerate(members):
        done += member.size
        if done > whole + HEADER_BYTES or number > MAX_MEMBERS:
            raise ValueError("it holds more than its header says")
        _unpack_member(archive, member, folder / _safe_path(member))
        report(done, whole)


def _safe_path(member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    named = member.name == PASSWORD or path.parts[:1] == (DATA,)
    if not named or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise ValueError(f"it holds {member.name!r}, which no backup does")
    return path


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(mode=0o700)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(target, flags, 0o600), "wb") as out:
        shutil.copyfileobj(_content(archive, member), out)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is not a file")
    return content
