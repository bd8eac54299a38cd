"""The first seconds of the open house: PostgreSQL starts while the program itself is loaded.

Loading takes about as long as making and starting a database, and needs another core. So nothing
heavy is imported here.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from foundation.database import connect
from foundation.errors import OperatorError
from softclose.databases import embedded_server, prepare
from softclose.listener import listen
from softclose.scratch_database import scratch_database
from softclose.settings import Settings

if TYPE_CHECKING:
    from softclose.demo.open_house import OpenHouse

INTRODUCTION: Final = """\
Softclose runs live liquidation auctions. This is a house of its own, made up by
the project: a sale of ten pallets and a truckload is under way, and simulated
resellers bid in it over the network. Join them in a browser.

Starting PostgreSQL, the engine and the pages...
"""


class HeldAlready(OperatorError):
    """There are sales in the folder; those of the demonstration begin with none."""


@dataclass(frozen=True)
class Visit:
    """What was asked for. ``sales``: end after so many, ``None`` for until somebody ends it."""

    seed: int
    data: Path | None
    live: bool
    sales: int | None


class Opening:
    """Opens the house and holds its sales, on a console."""

    def __init__(self, settings: Settings, visit: Visit, console: Console) -> None:
        self._settings, self._visit, self._console = settings, visit, console
        self._house: OpenHouse | None = None

    def interrupt(self, _number: signal.Signals) -> None:
        """Its task is cancelled because the person has seen enough."""
        if self._house is not None:
            self._house.stopping = True

    async def run(self) -> None:
        """Until somebody ends it, or all sales that were asked for are held."""
        settings = self._settings
        with listen(settings.http_host, settings.http_port) as listener:
            self._console.print(Text(INTRODUCTION))
            loading = asyncio.create_task(asyncio.to_thread(_load))
            async with self._place() as (data, dsn):
                settings = settings.model_copy(update={"data": data})
                self._house = (await loading)(settings, self._visit, self._console)
                await self._house.run(dsn, listener)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[tuple[Path, str]]:
        """The data folder and the database of this visit: never those of the installation."""
        if self._visit.data is None:
            with TemporaryDirectory(prefix="softclose-demo-", ignore_cleanup_errors=True) as folder:
                async with scratch_database(self._settings) as dsn:
                    yield Path(folder), dsn
        else:
            async with embedded_server(self._visit.data) as server:
                await prepare(server.dsn)
                await _must_be_empty(server.dsn, self._visit.data)
                yield self._visit.data, server.dsn


async def _must_be_empty(dsn: str, folder: Path) -> None:
    connection = await connect(dsn, name="demo")
    try:
        used = await connection.fetchval(
            "select exists (select from organisation) or exists (select from log_event)"
        )
    finally:
        await connection.close()
    if used:
        raise HeldAlready(
            f"{folder} holds sales already; `softclose --data {folder} serve` shows them, "
            "or name a new folder with --data"
        )


def _load() -> "type[OpenHouse]":
    house: type[OpenHouse] = import_module("softclose.demo.open_house").OpenHouse
    return house
