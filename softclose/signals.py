"""How a process is asked to end: once politely, twice at once."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

POLITE = (signal.SIGTERM, signal.SIGINT)


async def until_signal(
    work: Coroutine[Any, Any, None], on_signal: Callable[[signal.Signals], None]
) -> signal.Signals | None:
    """Do the work until it ends or SIGTERM or SIGINT comes; which came.

    The signal cancels the work, which puts its things away at its own pace. A second signal
    ends the process on the spot: the kernel then stops an embedded PostgreSQL.
    """
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        _restore(loop)
        on_signal(number)
        working.cancel()

    for number in POLITE:
        loop.add_signal_handler(number, stop, number)
    try:
        await working
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        _restore(loop)
    return received[0] if received else None


def _restore(loop: asyncio.AbstractEventLoop) -> None:
    for number in POLITE:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
