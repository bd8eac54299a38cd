"""What a backup's file may hold: anything else is refused before it can do harm."""

import io
import json
import tarfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from softclose.backup_archive import (
    HEADER,
    BadBackup,
    Header,
    folder_bytes,
    read_archive,
    read_header,
    write_archive,
)

HEADER_OF_A_MEGABYTE = Header("0.1.0", 18, "2026-11-22T00:00:00+00:00", 1_000_000)


def ignore(_done: int, _whole: int) -> None:
    """A report that nobody reads."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole backup of a small cluster."""
    data = tmp_path / "cluster"
    (data / "base").mkdir(parents=True)
    (data / "pg_notify").mkdir()
    (data / "PG_VERSION").write_text("18\n")
    (data / "base" / "1").write_bytes(bytes(range(256)) * 40)
    header = replace(HEADER_OF_A_MEGABYTE, bytes=folder_bytes(data))
    write_archive(tmp_path / "backup.tar.gz", header, "password of the role", data, ignore)
    return tmp_path / "backup.tar.gz"


def archive(file: Path, *members: tuple[str | tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(file, "w:gz") as out:
        for name, body in members:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(body)
            out.addfile(member, io.BytesIO(body))
    return file


def header(**change: object) -> bytes:
    return json.dumps(asdict(HEADER_OF_A_MEGABYTE) | change).encode()


def complaint(file: Path, folder: Path) -> str:
    with pytest.raises(BadBackup) as raised:
        read_archive(file, folder, ignore)
    return str(raised.value)


def test_what_was_packed_is_unpacked_empty_folders_too(file: Path, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    unpacked = tmp_path / "unpacked"
    read = read_archive(file, unpacked, lambda done, whole: progress.append((done, whole)))
    assert read == read_header(file)
    assert (unpacked / "data" / "base" / "1").read_bytes() == bytes(range(256)) * 40
    assert (unpacked / "data" / "pg_notify").is_dir()
    assert (unpacked / "password").read_text() == "password of the role"
    assert progress[-1][0] >= progress[-1][1] == read.bytes


def test_only_its_owner_may_read_a_backup_and_what_comes_out_of_it(
    file: Path, tmp_path: Path
) -> None:
    unpacked = tmp_path / "unpacked"
    read_archive(file, unpacked, ignore)
    assert file.stat().st_mode & 0o777 == 0o600
    modes = {path.stat().st_mode & 0o777 for path in unpacked.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in unpacked.rglob("*/")} <= {0o700, 0o600}


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def full_disk(_done: int, _whole: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "cluster").mkdir()
    with pytest.raises(OSError, match="No space left"):
        write_archive(
            tmp_path / "backup", HEADER_OF_A_MEGABYTE, "", tmp_path / "cluster", full_disk
        )
    assert [path.name for path in tmp_path.iterdir()] == ["cluster"]


def test_a_backup_that_was_cut_off_anywhere_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        assert str(cut) in complaint(cut, tmp_path / f"unpacked-{length}")


def test_a_backup_with_a_changed_byte_is_refused(file: Path, tmp_path: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    file.write_bytes(whole)
    assert "a damaged one" in complaint(file, tmp_path / "unpacked")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (header(format=2), "its format 2 is not known to this version"),
        (header(bytes=10**18), "it unpacks to 1,000,000,000,000,000,000 bytes"),
        (header(nonsense=1), "no backup of Softclose"),
        (header() + b" " * 5_000, "it does not begin with a header"),
        (b"[]", "no backup of Softclose"),
        (b"{", "no backup of Softclose"),
        (b"\xff", "no backup of Softclose"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(
    tmp_path: Path, written: bytes, expected: str
) -> None:
    odd = archive(tmp_path / "odd.tar.gz", (HEADER, written))
    assert expected in complaint(odd, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_more_than_the_header_says_is_refused(tmp_path: Path) -> None:
    large = archive(
        tmp_path / "large.tar.gz",
        (HEADER, header(bytes=10)),
        ("data/base", bytes(10_000)),
    )
    assert "it holds more than its header says" in complaint(large, tmp_path / "unpacked")


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "data/../../outside", "other", "passwords", "data2/x"]
)
def test_a_name_that_no_backup_has_is_refused(tmp_path: Path, name: str) -> None:
    hostile = archive(tmp_path / "hostile.tar.gz", (HEADER, header()), (name, b"x"))
    assert "which no backup does" in complaint(hostile, tmp_path / "unpacked")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.tar.gz", "unpacked"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("data")
    link.type, link.linkname = kind, str(tmp_path)
    hostile = archive(tmp_path / "hostile.tar.gz", (HEADER, header()), (link, b""))
    assert "which no backup does" in complaint(hostile, tmp_path / "unpacked")


def test_a_backup_without_its_password_is_refused(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("data")
    folder.type = tarfile.DIRTYPE
    lame = archive(
        tmp_path / "lame.tar.gz", (HEADER, header()), (folder, b""), ("data/PG_VERSION", b"18")
    )
    assert "is not complete" in complaint(lame, tmp_path / "unpacked")
