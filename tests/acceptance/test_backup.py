"""A backup is whole and verified, or there is none; a restore changes all, or nothing."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from softclose.restores import RESTORED
from tests.acceptance.test_embedded_installation import SERVE, execute
from tests.processes import line_of, python, softclose


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup, made while the installation served, of a table that holds 42."""
    folder = tmp_path_factory.mktemp("source")
    file = folder / "backup.tar.gz"
    with python(SERVE, folder / "data") as serving:
        execute(line_of(serving), "CREATE TABLE kept AS SELECT 42 AS number")
        done = softclose("--data", folder / "data", "backup", file)
    assert done.code == 0, done.err
    assert done.out.startswith(f"wrote {file} (")
    assert names(folder) == ["backup.tar.gz", "data"]
    return file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def number_kept(data: Path) -> object:
    with python(SERVE, data) as serving:
        return execute(line_of(serving), "SELECT number FROM kept")


def rewritten(backup: Path, target: Path, name: str, body: bytes) -> Path:
    """The backup with another content for one member."""
    with (
        tarfile.open(backup) as old,
        gzip.open(target, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as new,
    ):
        for member in old:
            content = old.extractfile(member)
            changed = body if member.name == name else content.read() if content else b""
            member.size = len(changed)
            new.addfile(member, io.BytesIO(changed))
    return target


def test_present_data_is_kept_from_a_restore(backup: Path, tmp_path: Path) -> None:
    softclose("--data", tmp_path, "migrate")
    refused = softclose("--data", tmp_path, "restore", backup)
    assert refused.code == 1
    assert "holds data; name another folder with --data, or move it aside" in refused.err
    forced = softclose("--data", tmp_path, "restore", "--force", backup)
    assert forced.code == 0, forced.err
    assert number_kept(tmp_path) == 42
    (aside,) = tmp_path.glob("postgres.before-restore-*")
    assert (aside / "data" / "PG_VERSION").exists()
    assert str(aside) in forced.out


def test_an_installation_that_does_not_run_is_backed_up_too(backup: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    softclose("--data", data, "restore", backup)
    done = softclose("--data", data, "backup", tmp_path)
    assert done.code == 0, done.err
    (file,) = tmp_path.glob("softclose-*.tar.gz")
    softclose("--data", tmp_path / "again", "restore", file)
    assert number_kept(tmp_path / "again") == 42


def test_a_restore_that_a_crash_cut_between_its_moves_is_finished_by_the_next_start(
    backup: Path, tmp_path: Path
) -> None:
    softclose("--data", tmp_path, "restore", backup)
    (tmp_path / "postgres").rename(tmp_path / RESTORED)
    assert number_kept(tmp_path) == 42


def test_a_file_that_was_cut_off_changes_nothing(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    refused = softclose("--data", tmp_path / "data", "restore", cut)
    assert refused.code == 1
    assert f"{cut} is no backup of Softclose, or a damaged one" in refused.err
    assert names(tmp_path / "data") == ["lock"]


def test_a_database_file_that_was_changed_is_found(backup: Path, tmp_path: Path) -> None:
    control = "data/global/pg_control"
    changed = rewritten(backup, tmp_path / "changed.tar.gz", control, b"0" * 8192)
    refused = softclose("--data", tmp_path / "data", "restore", changed)
    assert refused.code == 1
    assert "the copy is damaged" in refused.err
    assert names(tmp_path / "data") == ["lock"]


def test_a_backup_of_another_major_version_is_refused(backup: Path, tmp_path: Path) -> None:
    header = {"softclose": "0", "postgres_major": 12, "made_at": "then", "bytes": 1}
    name = "softclose-backup.json"
    older = rewritten(backup, tmp_path / "older.tar.gz", name, json.dumps(header).encode())
    refused = softclose("--data", tmp_path / "data", "restore", older)
    assert refused.code == 1
    assert "the backup is of PostgreSQL 12" in refused.err
    assert names(tmp_path / "data") == ["lock"]


def test_a_backup_never_overwrites_and_needs_something_to_copy(
    backup: Path, tmp_path: Path
) -> None:
    nothing = softclose("--data", tmp_path / "none", "backup", tmp_path)
    assert nothing.err == f"softclose: there is nothing to back up in {tmp_path / 'none'}\n"
    refused = softclose("--data", backup.parent / "data", "backup", backup)
    assert "exists already" in refused.err
    elsewhere = softclose("--data", backup.parent / "data", "backup", tmp_path / "no" / "file")
    assert elsewhere.err == f"softclose: cannot write in {tmp_path / 'no'}\n"


def test_a_database_of_ones_own_is_not_for_this_backup(tmp_path: Path) -> None:
    url = "postgresql://someone@127.0.0.1:1/x"
    refused = softclose("backup", tmp_path, SOFTCLOSE_DATABASE_URL=url)
    assert "back up a PostgreSQL of your own with its own tools" in refused.err
