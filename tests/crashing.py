"""A process that dies at a chosen await: nothing that it does after that reaches anybody.

Everything that waits is counted, in every task: a statement on its way to PostgreSQL, the turn
before Stripe takes effect and the one after it, a lock, a queue. At the chosen count the life is
over: its connections are cut, its provider answers nobody, and its tasks are ended. What they still
do on their way out (``finally``, ``except``) finds no door open, as after a kill -9.
"""

import asyncio

# pytest asks it where a coroutine was made that nobody awaits. Who imports it for the first time in
# that moment may be interrupted by another one, and asks a module that is not there yet.
import tracemalloc  # noqa: F401
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, Final

# A life is some hundreds of awaits; one that never ends is a defect of ours.
LIFE_S: Final = 60.0


class Life:
    """Counts awaits, and ends at the ``last``; None: never."""

    def __init__(self, last: int | None = None) -> None:
        self._last = last
        self._doors: list[Callable[[], object]] = []
        self.awaits = 0
        self.over = False

    def shuts(self, door: Callable[[], object]) -> None:
        """Call this when the life is over: it cuts a connection to the outside, at once."""
        self._doors.append(door)

    def check(self) -> None:
        """For doors that are functions: raises when the life is over."""
        if self.over:
            raise ConnectionError("this process is dead")

    async def lived(self, doing: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do it, counting; whether it came to its end before the life did."""
        loop = asyncio.get_running_loop()
        before = loop.get_task_factory()
        loop.set_task_factory(self._task)
        try:
            task = loop.create_task(doing())
            done, _ = await asyncio.wait({task}, timeout=LIFE_S)
            assert done, "this life does not end"
            error = None if task.cancelled() else task.exception()
            if error is not None and not self.over:
                raise error
            return not self.over
        finally:
            loop.set_task_factory(before)
            await self._bury()

    def _task(self, loop: asyncio.AbstractEventLoop, coro: Any, **named: Any) -> Any:
        task = asyncio.Task(_counted(coro, self), loop=loop, **named)
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        return task

    def _suspended(self) -> None:
        if self.over:
            return
        self.awaits += 1
        if self.awaits == self._last:
            self.over = True
            for door in self._doors:
                door()
            for task in list(_tasks):
                task.cancel()

    async def _bury(self) -> None:
        left = [task for task in _tasks if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


_tasks: set["asyncio.Task[Any]"] = set()


@coroutine
def _counted(coro: Coroutine[Any, Any, Any], life: Life) -> Generator[Any, Any, Any]:
    """The coroutine, with a look at each of its suspensions."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            waited = coro.send(value) if error is None else coro.throw(error)
        except StopIteration as stopped:
            return stopped.value
        life._suspended()
        try:
            value, error = (yield waited), None
        except BaseException as raised:  # noqa: BLE001 - it is the coroutine's
            error = raised
