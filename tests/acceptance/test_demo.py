"""``softclose demo`` as a newcomer, a program and an impatient person run it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import environment, softclose
from tests.serving import eventually

_START = "from softclose.cli import main; main()"


@contextmanager
def demonstration(out: Path, *words: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A demonstration that prints into a file; killed when the block ends."""
    with out.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, "demo", *words],
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=environment(variables),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


SALE_FIGURES = {"lots", "sold", "passed", "bids", "extensions", "chain_ok"}
SETTLEMENT_FIGURES = {
    "awards", "invoices", "captured_minor", "paid_out_minor", "defaults", "claims",
    "ledger_sum_minor", "stripe_difference_minor",
}  # fmt: skip


def test_fast_writes_the_results_and_twice_the_same(tmp_path: Path) -> None:
    results = []
    for name in ("first.json", "second.json"):
        ended = softclose("demo", "--fast", "--json", tmp_path / name)
        assert ended.code == 0, ended.err
        results.append(json.loads((tmp_path / name).read_text()))
    first, second = results
    assert first == second
    assert first.keys() == SALE_FIGURES | SETTLEMENT_FIGURES
    assert first["lots"] == 11 == first["sold"] + first["passed"]
    assert first["passed"] >= 1 and first["extensions"] >= 1 and first["bids"] >= 100
    assert first["chain_ok"] is True
    # One buyer does not pay, and the runner-up takes the lot: one award more than lots were sold.
    assert first["defaults"] == 1
    assert first["awards"] == first["sold"] + 1
    assert first["invoices"] >= 2 and first["claims"] == 1
    assert first["captured_minor"] > first["paid_out_minor"] > 0
    assert first["ledger_sum_minor"] == first["stripe_difference_minor"] == 0


def test_another_seed_is_another_sale_on_standard_output() -> None:
    ended = softclose("demo", "--fast", "--seed", "8", "--json", "-")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["lots"] == 11  # and nothing else is on standard output
    assert "SOLD" not in ended.out
    assert "Try next" in ended.err


def test_without_a_terminal_it_prints_lines(tmp_path: Path) -> None:
    ended = softclose("demo", "--speed", "1000", TMPDIR=str(tmp_path))
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    happened = [line for line in lines if re.match(r"\d\d:\d\d:\d\d  lot ", line)]
    assert len(happened) > 150
    assert any("SOFT CLOSE" in line for line in happened)
    assert any("SOLD to" in line for line in happened)
    assert any("NOT SOLD: reserve not met" in line for line in happened)
    assert any("alone is told: LIMIT_EXCEEDED" in line for line in happened)
    assert any("checked" in line and line.endswith("sound.") for line in lines)
    assert any(line.startswith("The books balance: ") for line in lines)
    assert "\x1b" not in ended.out
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_the_sale_can_be_kept_and_its_log_verified(tmp_path: Path) -> None:
    folder = tmp_path / "sale"
    kept = softclose("demo", "--fast", "--data", folder)
    assert kept.code == 0, kept.err
    verified = softclose("--data", folder, "log", "verify")
    assert verified.code == 0, verified.err
    again = softclose("demo", "--fast", "--data", folder)
    assert again.code == 1
    assert again.err == (
        f"softclose: {folder} holds sales already, and the demonstration's clock is not life's; "
        "name a new folder with --data\n"
    )
    house = softclose("demo", "--data", folder, SOFTCLOSE_HTTP_PORT="0")
    assert house.code == 1
    assert (
        f"{folder} holds sales already; `softclose --data {folder} serve` shows them" in house.err
    )
    assert "Traceback" not in house.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_happened_so_far(tmp_path: Path, number: int) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    words = ("--speed", "14", "--json", str(tmp_path / "no.json"))
    with demonstration(out, *words, TMPDIR=str(scratch)) as process:
        eventually(lambda: "bids and leads" in out.read_text())
        process.send_signal(number)
        assert process.wait() == 128 + number
    said = out.read_text()
    assert "11 lots: 0 sold, 0 not sold, 11 still open when you ended it." in said
    assert "Traceback" not in said
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "no.json").exists()


def test_a_signal_before_the_sale_leaves_nothing_behind(tmp_path: Path) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    with demonstration(out, "--speed", "14", TMPDIR=str(scratch)) as process:
        eventually(lambda: any(scratch.iterdir()))  # PostgreSQL is being made
        process.send_signal(signal.SIGINT)
        assert process.wait() == 128 + signal.SIGINT
    assert list(scratch.iterdir()) == []
    assert "Traceback" not in out.read_text()


def test_a_json_file_that_cannot_be_written_is_refused_before_the_sale(tmp_path: Path) -> None:
    ended = softclose("demo", "--fast", "--json", tmp_path / "nowhere" / "out.json")
    assert ended.code == 2
    assert ended.err.startswith("softclose: ") and ended.err.count("\n") == 1
    assert ended.out == ""


def on_terminal(rows: int, columns: int, *words: str, **variables: str) -> tuple[int, str]:
    """The exit code of a demonstration on a terminal of this size, and all that it wrote to it."""
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (rows, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", _START, "demo", *words],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment({"TERM": "xterm-256color"} | variables),
    )
    os.close(its)
    written = bytearray()
    with contextlib.suppress(OSError):  # the end of a terminal, on Linux
        while chunk := os.read(ours, 65_536):
            written += chunk
    os.close(ours)
    return process.wait(), written.decode()


def test_on_a_terminal_it_shows_the_live_view_and_then_the_results() -> None:
    code, shown = on_terminal(24, 80, "--speed", "1000", NO_COLOR="1")
    assert code == 0
    live, _, after = shown.partition("\x1b[?1049l")  # back from the alternate screen
    assert "sale clock 14:" in live and "TRUCKLOAD" in live
    assert "\x1b[3" not in live  # no colour was asked for
    assert "Try next" in after


def test_the_readme_shows_what_it_prints() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    said = softclose("demo", "--fast").out
    for before in ("and at its end:", "the money has gone its ways:"):
        excerpt = readme.partition(f"{before}\n\n```\n")[2].partition("\n```\n")[0]
        assert excerpt.count("\n") == 3
        assert excerpt in said
