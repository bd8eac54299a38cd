"""One process a folder, and no folder of other people's files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from softclose.data_folder import DataFolderHeld, DataFolderRefused, hold, holder

HOLD_UNTIL_CLOSED = """
import sys
from pathlib import Path
from softclose.data_folder import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    with hold(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_read_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir(mode=0o755)
    with hold(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_CLOSED, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        assert holder(folder) == first.pid
        refused = pytest.raises(DataFolderHeld, match=rf"process {first.pid}\) uses {folder}")
        with refused, hold(folder):
            pass
        first.kill()
    with hold(folder):
        assert holder(folder) == os.getpid()
    assert holder(folder) is None


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataFolderRefused, match="holds something else"), hold(tmp_path):
        pass
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DataFolderRefused, match="choose another with --data"), hold(file):
        pass
