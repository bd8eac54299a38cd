"""``softclose demo``: a live sale on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from foundation.logs import LogLevel, configure_logs
from softclose.command_line import run_async, with_settings
from softclose.settings import Settings
from softclose.whole_file import writable_target

if TYPE_CHECKING:
    from rich.console import Console

# A sale in which most lots run over their end, the truckload last.
DEFAULT_SEED = 7

# The chain of the log is broken, or the books do not balance.
NOT_SOUND = 1
SIGNALLED = 128  # plus the signal's number, as shells have it

DASH = Path("-")


@click.command()
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=1_000),
    help="One sale, so many times faster than life, on the terminal alone.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=DEFAULT_SEED,
    show_default=True,
    help="Another number, another sale; the same number, the same sale.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the sale in this new folder. Without it nothing is left behind.",
)
@click.option(
    "--sales",
    type=click.IntRange(min=1),
    help="End after so many sales. Without it sale follows sale until you end it.",
)
@click.option("--no-live", is_flag=True, help="Print lines instead of the live view.")
@click.option("--fast", is_flag=True, help="One sale on the terminal alone, in seconds.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the results there as JSON; - is standard output. With --fast or --speed.",
)
@with_settings
def demo(
    settings: Settings,
    speed: float | None,
    seed: int,
    data: Path | None,
    sales: int | None,
    no_live: bool,
    fast: bool,
    json_file: Path | None,
) -> None:
    """A house that is open: pages on http://127.0.0.1:8080, and a sale under way.

    Simulated resellers bid over the network through the real engine; every bid is in PostgreSQL
    before it is shown. The terminal says how to sign in and bid yourself. With --speed or --fast
    one sale is played on the terminal alone, faster than life and always the same.
    """
    from rich.console import Console

    if speed is None and not fast:
        if json_file is not None:
            raise click.UsageError("--json needs --fast or --speed: an open house has no end.")
    elif sales is not None:
        raise click.UsageError("--sales is for an open house, not for --fast or --speed.")
    if "log_level" not in settings.model_fields_set:
        configure_logs(LogLevel.WARNING, settings.log_format)
    to_stdout = json_file == DASH
    console = Console(stderr=to_stdout, highlight=False)
    live = console.is_terminal and not no_live
    kept = data or click.get_current_context().ensure_object(dict).get("data")
    if speed is None and not fast:
        _open_house(settings, seed, kept, console, live=live, sales=sales)
    else:
        _one_sale(settings, seed, None if fast else speed, kept, console, json_file, live=live)


def _open_house(
    settings: Settings,
    seed: int,
    kept: Path | None,
    console: "Console",
    *,
    live: bool,
    sales: int | None,
) -> None:
    from softclose.demo.opening import Opening, Visit
    from softclose.signals import until_signal

    opening = Opening(settings, Visit(seed=seed, data=kept, live=live, sales=sales), console)
    ended_by = run_async(until_signal(opening.run(), opening.interrupt))
    if ended_by is not None:
        click.get_current_context().exit(SIGNALLED + ended_by)


def _one_sale(
    settings: Settings,
    seed: int,
    speed: float | None,
    kept: Path | None,
    console: "Console",
    json_file: Path | None,
    *,
    live: bool,
) -> None:
    from softclose.demo.results import write_json
    from softclose.demo.show import Demonstration, Options
    from softclose.signals import until_signal

    target = None if json_file in (None, DASH) else writable_target(json_file)
    options = Options(seed=seed, speed=speed, data=kept, live=live)
    demonstration = Demonstration(settings, options, console)
    ended_by = run_async(until_signal(demonstration.run(), demonstration.interrupt))
    if ended_by is not None:
        click.get_current_context().exit(SIGNALLED + ended_by)
    results = demonstration.results
    assert results is not None, "a sale that was not ended early has results"
    settled = demonstration.settled
    if json_file is not None:
        write_json(target, results.as_json() | (settled.as_json() if settled else {}))
    if not results.chain_ok or (settled is not None and not settled.balanced):
        click.get_current_context().exit(NOT_SOUND)
