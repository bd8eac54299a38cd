"""How far a load test is, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# Called with what begins now.
Say = Callable[[str], None]


@contextmanager
def steps_shown(name: str, count: int) -> Iterator[Say]:
    """Show which of ``count`` steps is under way, for the block."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn(name))
    with Progress(
        *columns, TextColumn("{task.description}"), console=Console(stderr=True)
    ) as shown:
        task = shown.add_task("starting", total=count)
        begun = 0

        def say(what: str) -> None:
            nonlocal begun
            shown.update(task, description=what, completed=begun)
            begun += 1

        yield say
        shown.update(task, description="done", completed=count)
