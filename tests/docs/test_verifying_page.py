"""docs/verifying.md: the script that it gives to outsiders does what the page says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.forgery import story_of
from tests.unit.test_audit import busy
from tests.unit.test_audit_export import export

PAGE = Path(__file__).parents[2] / "docs" / "verifying.md"


def run_the_script(lines: list[bytes], folder: Path) -> subprocess.CompletedProcess[str]:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (folder / "sale.jsonl").write_bytes(b"".join(lines))
    command = [sys.executable, "-c", script, str(folder / "sale.jsonl")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_script_of_the_page_checks_an_export(tmp_path: Path) -> None:
    room = busy()
    done = run_the_script(export(story_of(room), "B"), tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len([line for line in said if line.startswith("mine: ")]) == 3
    assert "5 bid_placed 1 90000" in said
    assert said[-1] == f"last hash {room.sale.head.hex()}"


def test_the_script_of_the_page_finds_a_changed_export(tmp_path: Path) -> None:
    lines = export(story_of(busy()))
    done = run_the_script([*lines[:3], *lines[4:]], tmp_path)
    assert done.returncode == 1
    assert "AssertionError: the chain is broken" in done.stderr
