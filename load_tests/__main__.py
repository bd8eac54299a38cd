"""``python -m load_tests NAME``: run a load test, print its tables, draw its plot.

To add one: a package here with ``SUMMARY``, ``steps(quick=...)`` and ``measure(folder, say,
quick=...)``, and its name in `TESTS`. It is imported only when it is asked for.
"""

import sys
from collections.abc import Awaitable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol, cast

import click
import uvloop
from rich.console import Console

from foundation.errors import OperatorError
from foundation.logs import LogFormat, LogLevel, configure_logs
from load_tests.machine import Others, keep_to_cores
from load_tests.report import Report
from load_tests.steps import Say, steps_shown
from softclose.signals import until_signal

TESTS: Final = ("engine", "fanout", "bids", "remote", "connections", "storm", "settlement")
RESULTS: Final = Path(__file__).parent / "results"
# On the disk, while /tmp may be memory, where a flush costs nothing.
SCRATCH: Final = "/var/tmp"  # noqa: S108 - a fresh folder of our own inside it
SCRATCH_HELP: Final = f"Where the databases are made for the time; on the disk. [{SCRATCH}]"


class LoadTest(Protocol):
    """What a load test's package offers."""

    SUMMARY: str

    def steps(self, *, quick: bool) -> int: ...

    def measure(self, folder: Path, say: Say, *, quick: bool) -> Awaitable[Report]: ...


class _Tests(click.Group):
    """A group whose commands are packages, found by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(TESTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name) if cmd_name in TESTS else None


def _command(name: str) -> click.Command:
    test = cast("LoadTest", import_module(f"load_tests.{name}"))

    @click.command(name, help=test.SUMMARY)
    @click.option("--quick", is_flag=True, help="Under a minute; the figures are rougher.")
    @click.option("--json", "json_file", type=click.Path(path_type=Path), help="Figures to a file.")
    @click.option("--plot", type=click.Path(path_type=Path), help="PNG or SVG, by its name.")
    @click.option("--scratch", type=click.Path(path_type=Path), help=SCRATCH_HELP)
    def command(
        quick: bool, json_file: Path | None, plot: Path | None, scratch: Path | None
    ) -> None:
        report = run(name, test, scratch, quick=quick)
        report.show(Console())
        if json_file is not None:
            report.write_json(json_file)
        _draw(report, plot or RESULTS / f"{name}.png")

    return command


def run(name: str, test: LoadTest, scratch: Path | None, *, quick: bool) -> Report:
    """Run a load test in a folder of its own; a signal ends it early, its servers with it."""
    keep_to_cores()
    configure_logs(LogLevel.WARNING, LogFormat.AUTO)
    reports: list[Report] = []
    others = Others()
    if scratch is None and Path(SCRATCH).is_dir():
        scratch = Path(SCRATCH)
    with (
        TemporaryDirectory(prefix="softclose-load-", dir=scratch) as folder,
        steps_shown(f"load test {name}", test.steps(quick=quick)) as say,
    ):

        async def measure() -> None:
            reports.append(await test.measure(Path(folder), say, quick=quick))

        stopped_by = uvloop.run(until_signal(measure(), lambda _: None))
    if stopped_by is not None:
        sys.exit(128 + stopped_by)
    reports[0].machine["cores_used_by_others"] = round(others.cores(), 2)
    return reports[0]


def _draw(report: Report, path: Path) -> None:
    from load_tests.plots import draw

    draw(report, path)
    click.echo(f"plot: {path}", err=True)


@click.group(cls=_Tests, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """How fast it is, beside systems as they are usually written."""


def main() -> None:
    """Run; a broken world is one line and an exit code."""
    try:
        cli.main(prog_name="python -m load_tests", standalone_mode=False)
    except OperatorError as error:
        click.echo(f"load_tests: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
