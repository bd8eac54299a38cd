"""``softclose serve``, from an empty process to a clean stop.

What goes up first comes down last: the socket, PostgreSQL, the log, the writer, the site. A
signal at any point, during the start too, cancels what runs there, and each layer puts its own
things away: the site says goodbye while verdicts still come, the writer takes no more commands,
appends and answers what was decided, and only then do the connections close and PostgreSQL
stop. A kill -9 leaves the same log to the next start, and PostgreSQL gets its stop from the
kernel. Until there is a database a small site answers that Softclose is starting.
"""

import asyncio
import os
import signal
import socket
import time
from contextlib import AsyncExitStack
from importlib.metadata import version

import structlog

from foundation.http.connections import answering
from softclose.data_folder import hold
from softclose.databases import serving_database
from softclose.host import Host, calm_collector
from softclose.house import open_house
from softclose.listener import address_of, listen
from softclose.settings import Settings
from softclose.signals import until_signal
from softclose.site import starting_site

_logger = structlog.get_logger("softclose.serve")


async def serve(settings: Settings) -> None:
    """Serve until a signal. Raises `OperatorError` for what a person has to mend first."""
    began_s = time.monotonic()
    if settings.database_url is None:
        with hold(settings.data):
            pass  # who uses the folder is a better answer than who uses the port
    with listen(settings.http_host, settings.http_port) as listener:
        serving = Serving(settings, listener)
        stopped_by = await until_signal(serving.run(), serving.note_signal)
    if stopped_by is not None:
        served_s = round(time.monotonic() - began_s, 1)
        _logger.info("stopped", signal=stopped_by.name, served_s=served_s)


class Serving:
    """One run of ``softclose serve``."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._host: Host | None = None
        self._stopping = False

    def note_signal(self, number: signal.Signals) -> None:
        """Say on /readyz and in the log that the end has begun."""
        self._stopping = True
        _logger.info("stops", signal=number.name, hint="a second signal ends it at once")

    async def run(self) -> None:
        """Put the layers up, and wait for ever."""
        began_s = time.monotonic()
        settings = self._settings
        async with AsyncExitStack() as layers, AsyncExitStack() as early:
            starting = starting_site(settings, self._reasons_not_ready)
            await early.enter_async_context(answering(self._listener, starting))
            database = await layers.enter_async_context(serving_database(settings))
            # Not before: a start that is refused leaves one line, the refusal.
            _logger.info(
                "starts",
                version=version("softclose"),
                data=str(settings.data) if database.embedded else None,
                address=address_of(self._listener),
                pid=os.getpid(),
            )
            await early.aclose()
            house = await layers.enter_async_context(
                open_house(
                    settings,
                    database.dsn,
                    self._listener,
                    self._reasons_not_ready,
                    database.keep_running(),
                    certainly=database.embedded is not None,
                )
            )
            self._host = house.host
            await house.host.serving()
            self._say_ready(house.host, began_s)
            await asyncio.Event().wait()

    def _reasons_not_ready(self) -> list[str]:
        if self._stopping:
            return ["stopping"]
        if self._host is None:
            return ["starting: PostgreSQL is not ready yet"]
        return self._host.reasons_not_ready()

    def _say_ready(self, host: Host, began_s: float) -> None:
        states = host.writer.owned.values()
        _logger.info(
            "ready",
            took_ms=round((time.monotonic() - began_s) * 1000),
            shards=len(states),
            sales=sum(len(state.sales) for state in states),
            events=sum(state.position for state in states),
            events_folded=sum(state.position - state.snapshot_position for state in states),
        )
        calm_collector()
