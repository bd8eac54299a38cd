"""Mistakes at the command line: one line, an exit code, no traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from softclose import cli
from tests.processes import line_of, python, softclose


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"softclose \d+\.\d+\.\d+\n", softclose("--version").out)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_is_listed_and_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--help"]) == 0
    assert re.search(rf"^  {command}  ", capsys.readouterr().out, re.MULTILINE)
    assert cli.run([command, "--help"]) == 0
    assert f"Usage: softclose {command} " in capsys.readouterr().out


def test_an_unknown_command_is_one_line() -> None:
    ended = softclose("oops")
    assert (ended.code, ended.err) == (2, "softclose: No such command 'oops'.\n")


def test_a_bad_setting_is_one_line_that_names_it(tmp_path: Path) -> None:
    ended = softclose("--data", tmp_path, "migrate", SOFTCLOSE_HTTP_PORT="eighty")
    assert ended.code == 2
    assert ended.err.startswith("softclose: SOFTCLOSE_HTTP_PORT: ")
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_setting_is_one_line_that_names_it() -> None:
    ended = softclose("settings", SOFTCLOSE_DATABSE_URL="postgresql://x")
    assert ended.code == 2
    assert ended.err == (
        "softclose: SOFTCLOSE_DATABSE_URL is not a setting; did you mean SOFTCLOSE_DATABASE_URL?\n"
    )


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = softclose("--data", tmp_path / "file", "migrate")
    assert ended.code == 1
    assert ended.err.startswith(f"softclose: cannot use the data folder {tmp_path / 'file'}: ")


def test_without_assertions_it_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-c", "import softclose"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "softclose: refuses to run without assertions; start it without -O and PYTHONOPTIMIZE\n"
    )


def test_settings_in_force_are_shown_without_secrets() -> None:
    url = "postgresql://someone:hunter2@host/db"
    shown = softclose("settings", SOFTCLOSE_HTTP_PORT="9000", SOFTCLOSE_DATABASE_URL=url)
    assert "SOFTCLOSE_HTTP_PORT=9000" in shown.out
    assert "hunter2" not in shown.out


INTERRUPTED = """
import asyncio, sys
import click
from softclose import cli, command_line

async def forever():
    print("working", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("put away", flush=True)

cli.cli.add_command(click.Command("work", callback=lambda: command_line.run_async(forever())))
cli._Commands.get_command = click.Group.get_command
sys.exit(cli.run(["work"]))
"""


def test_ctrl_c_puts_things_away_and_ends_with_130() -> None:
    with python(INTERRUPTED) as working:
        assert line_of(working) == "working"
        os.kill(working.pid, signal.SIGINT)
        assert line_of(working) == "put away"
        assert working.wait() == 130
