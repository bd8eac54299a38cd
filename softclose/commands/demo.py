"""``softclose demo``: a live sale on the terminal."""

from pathlib import Path

import click

from foundation.logs import LogLevel, configure_logs
from softclose.command_line import run_async, with_settings
from softclose.settings import Settings
from softclose.whole_file import writable_target

# A sale of about seventeen minutes in five quarters of a minute.
DEFAULT_SPEED = 14.0
# A sale in which most lots run over their end, the truckload last.
DEFAULT_SEED = 7

CHAIN_BROKEN = 1
SIGNALLED = 128  # plus the signal's number, as shells have it

DASH = Path("-")


@click.command()
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=1_000),
    default=DEFAULT_SPEED,
    show_default=True,
    help="How many times faster than life the sale's clock runs.",
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
@click.option("--no-live", is_flag=True, help="Print lines instead of the live view.")
@click.option("--fast", is_flag=True, help="Do not wait for anything: the results in seconds.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the results there as JSON; - is standard output.",
)
@with_settings
def demo(
    settings: Settings,
    speed: float,
    seed: int,
    data: Path | None,
    no_live: bool,
    fast: bool,
    json_file: Path | None,
) -> None:
    """A sale of ten pallets and a truckload, live on your terminal.

    Simulated resellers bid through the real engine; every bid is in PostgreSQL before it is
    shown. On a terminal you get a live view, elsewhere a line for each thing that happens.
    """
    from rich.console import Console

    from softclose.demo.results import write_json
    from softclose.demo.show import Demonstration, Options
    from softclose.signals import until_signal

    to_stdout = json_file == DASH
    target = None if json_file is None or to_stdout else writable_target(json_file)
    if "log_level" not in settings.model_fields_set:
        configure_logs(LogLevel.WARNING, settings.log_format)
    console = Console(stderr=to_stdout, highlight=False)
    options = Options(
        seed=seed,
        speed=None if fast else speed,
        data=data or click.get_current_context().ensure_object(dict).get("data"),
        live=console.is_terminal and not no_live,
    )
    demonstration = Demonstration(settings, options, console)
    ended_by = run_async(until_signal(demonstration.run(), demonstration.interrupt))
    if ended_by is not None:
        click.get_current_context().exit(SIGNALLED + ended_by)
    results = demonstration.results
    assert results is not None, "a sale that was not ended early has results"
    if json_file is not None:
        write_json(target, results)
    if not results.chain_ok:
        click.get_current_context().exit(CHAIN_BROKEN)
