"""Virtual time, and processes that can be killed or stopped from outside.

``VirtualLoop`` is an asyncio event loop whose clock moves only when nothing is left to do, and
then at once to the next timer. It reads no clock of the machine and waits for no socket, so a
run depends on nothing but what runs in it.

A ``Process`` is a group of tasks that lives and dies together. Which process a callback belongs
to is carried by its context: a callback of a killed process is never called (no ``finally`` and
no ``except`` of it runs, as with kill -9), one of a stopped process waits (as with SIGSTOP).
"""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

# Several times what a run takes.
MOST_STEPS = 100_000

_process: ContextVar["Process | None"] = ContextVar("process", default=None)


class Standstill(Exception):
    """Nothing can ever happen again, but the run is not over."""


class Endless(Exception):
    """More steps than any run needs: something goes round in circles."""


class _Clockwork(selectors.SelectSelector):
    """A selector that waits for nobody: it moves the clock by the time it was to wait."""

    now_us = 0
    steps = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.steps > MOST_STEPS:
            raise Endless
        if timeout is None:
            raise Standstill
        if timeout > 0:  # what is left of the float after the microseconds is noise
            self.now_us += max(1, math.ceil(timeout * 1e6 - 1e-3))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is ``now_us``, from 0."""

    def __init__(self) -> None:
        self._clockwork = _Clockwork()
        super().__init__(self._clockwork)

    @property
    def now_us(self) -> int:
        """Microseconds since the loop was made."""
        return self._clockwork.now_us

    @property
    def steps(self) -> int:
        """How many callbacks have run."""
        return self._clockwork.steps

    def forget_steps(self) -> None:
        """Count anew."""
        self._clockwork.steps = 0

    def count_step(self) -> None:
        """One more callback runs."""
        self._clockwork.steps += 1

    def time(self) -> float:
        """See ``asyncio``: the same, in seconds."""
        return self._clockwork.now_us / 1e6

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See ``asyncio``."""
        context = copy_context() if context is None else context
        entry = _Entry(self, context.get(_process), callback, args, context)
        entry.handle = super().call_soon(entry.run, context=context)
        return entry.handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See ``asyncio``."""
        context = copy_context() if context is None else context
        entry = _Entry(self, context.get(_process), callback, args, context)
        entry.handle = timer = super().call_at(when, entry.run, context=context)
        return timer

    def resume(self, entry: "_Entry") -> None:
        """Run what a stopped process was to run, soon, and unless it is cancelled before."""
        super().call_soon(entry.run_if_wanted, context=entry.context)


class _Entry:
    """A callback with the process that it belongs to."""

    __slots__ = ("_args", "_callback", "_loop", "_process", "context", "handle")

    def __init__(
        self,
        loop: VirtualLoop,
        process: "Process | None",
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context,
    ) -> None:
        self._loop, self._process = loop, process
        self._callback, self._args, self.context = callback, args, context
        self.handle: asyncio.Handle | None = None

    def run_if_wanted(self) -> None:
        if self.handle is not None and not self.handle.cancelled():
            self.run()

    def run(self) -> None:
        self._loop.count_step()
        if self._process is None or self._process.enters(self):
            self._callback(*self._args)


class Process:
    """Tasks that live and die together. ``dies_at``: the step at which it is killed.

    ``freezes_at``: the step at which it is stopped, for ``freezes_us``.
    """

    def __init__(self, loop: VirtualLoop, name: str) -> None:
        self.name = name
        self.alive, self.stopped = True, False
        self.steps = 0
        self.dies_at: int | None = None
        self.freezes_at: int | None = None
        self.freezes_us = 0
        self.tasks: list[asyncio.Task[Any]] = []  # also keeps those of the dead from `finally`
        self.on_death: list[Callable[[], None]] = []
        self._loop = loop
        self._held: list[_Entry] = []
        self._context = copy_context()
        self._context.run(_process.set, self)

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something in this process."""
        task = self._loop.create_task(coroutine, context=self._context.copy())
        self.tasks.append(task)
        return task

    def call(self, callback: Callable[..., object], *args: Any) -> None:
        """Call a function in this process, soon."""
        self._loop.call_soon(callback, *args, context=self._context.copy())

    def kill(self) -> None:
        """Nothing of it ever runs again."""
        if not self.alive:
            return
        self.alive = False
        for listener in self.on_death:
            listener()

    def stop(self) -> None:
        """Hold everything until ``go_on``."""
        self.stopped = True

    def go_on(self) -> None:
        """What was held runs now, in its order; timers that fell due among it."""
        self.stopped = False
        held, self._held = self._held, []
        for entry in held:
            self._loop.resume(entry)

    def enters(self, entry: _Entry) -> bool:
        """Whether the process runs this now; if it is stopped, it will later, if dead, never."""
        self.steps += 1
        if self.alive and self.steps == self.dies_at:
            self.kill()
        if self.alive and self.steps == self.freezes_at:
            self.stop()
            self._loop.call_later(self.freezes_us / 1e6, self.go_on, context=outside())
        if not self.alive or self.stopped:
            self._held.append(entry)
            return False
        return True

    def revive_to_be_cleaned_up(self) -> None:
        """After the run, when nothing that it does matters any more: let its tasks be cancelled."""
        self.alive, self.dies_at, self.freezes_at = True, None, None
        self.go_on()


def outside() -> Context:
    """A context that belongs to no process."""
    return Context()
