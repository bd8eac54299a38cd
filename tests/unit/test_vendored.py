"""Other people's files in the repository are the ones that were looked at, with their licences."""

import re
from pathlib import Path

import pytest

from foundation.vendoring import faults, read_list

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "foundation" / "vendor", ROOT / "tests" / "vendor"]
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["']([^"'\s]+)["']\s*;""")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_each_file_is_as_its_list_says(folder: Path) -> None:
    assert faults(folder) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_each_package_comes_with_its_licence(folder: Path) -> None:
    entries = read_list(folder)
    with_licence = {entry.package for entry in entries if entry.file.endswith("LICENSE")}
    assert with_licence == {entry.package for entry in entries}


def test_what_the_browser_loads_imports_only_its_neighbours() -> None:
    for entry in read_list(FOLDERS[0]):
        if entry.file.endswith(".js"):
            text = (FOLDERS[0] / entry.file).read_text()
            assert all(name.startswith("./") for name in IMPORT.findall(text)), entry.file
            assert "eval(" not in text
            assert "new Function" not in text


def test_a_changed_missing_or_strange_file_is_found(tmp_path: Path) -> None:
    for path in FOLDERS[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "htm.js").write_text("something else")
    (tmp_path / "preact.js").unlink()
    (tmp_path / "more.js").write_text("")
    assert faults(tmp_path) == [
        "more.js is not in vendor.json",
        "preact.js is missing",
        "htm.js is not the file of vendor.json",
    ]
