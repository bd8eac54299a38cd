"""How far long work is, on stderr: a bar on a terminal, one line at the end elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[int, int], None]
"""Called with what is done and the whole, in any unit, as often as it is known."""


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show ``what`` with its progress for the block."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, whole: int) -> None:
            bar.update(task, completed=min(done, whole), total=max(whole, 1))

        yield report
        bar.update(task, completed=1, total=1)
