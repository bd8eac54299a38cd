"""What every command gets: the settings, and a way to run async work to a clean end."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
import uvloop

from foundation.logs import configure_logs
from softclose.settings import Settings, load

P = ParamSpec("P")
T = TypeVar("T")


def with_settings(command: Callable[Concatenate[Settings, P], None]) -> Callable[P, None]:
    """Give a command its settings: the options before its name, then the environment."""

    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        settings = load(**click.get_current_context().ensure_object(dict))
        configure_logs(settings.log_level, settings.log_format)
        command(settings, *args, **kwargs)

    return update_wrapper(run, command)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on uvloop; Ctrl-C cancels it and waits until it has put things away."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
