"""``softclose demo``, from an empty folder to the last page."""

import asyncio
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from auction.log_postgres import PostgresLog
from softclose.databases import embedded_server, prepare
from softclose.demo.after_hammer import AfterHammer, furnish
from softclose.demo.catalogue import catalogue
from softclose.demo.closing_words import Course, show_next_steps, show_results, show_settled
from softclose.demo.pace import Pace
from softclose.demo.play import DemoFailed, Play
from softclose.demo.resellers import resellers
from softclose.demo.results import Results, read_results
from softclose.demo.screen import Screen
from softclose.demo.settled import Settled
from softclose.demo.settlement_house import settlement_house
from softclose.demo.stopwatch import process_age_s
from softclose.demo.words import Kind, Line, Narrator
from softclose.host import Host
from softclose.scratch_database import scratch_database
from softclose.settings import Settings
from softclose.virtual_clock import VirtualClock

# How long the live view stays after the last hammer.
LAST_LOOK_S = 3.0

INTRODUCTION = """\
Softclose runs live liquidation auctions. This is a sale of ten pallets and a
truckload, made up by the project.

Simulated resellers, each under a bidder number, bid what the goods are worth
to them. A bid is a maximum: the price is only what it takes to lead. Some lots
have a secret reserve. A bid in a lot's last minute moves its end, so that
nobody wins by being late: that is the soft close.

When the hammer has fallen the winners pay by card or bank, one of them does not,
the goods are fetched, a claim is credited, and the seller gets its money.

Starting PostgreSQL and the engine...
"""

AFTERWARDS = "\nThe sale is over. Three weeks go by: the winners pay, fetch and claim..."


@dataclass(frozen=True)
class Options:
    """What was asked for. ``speed``: ``None`` to wait for nothing; ``data``: keep it there."""

    seed: int
    speed: float | None
    data: Path | None
    live: bool


class Demonstration:
    """One sale, shown on a console. ``results`` are there when it has run, or was ended early."""

    def __init__(self, settings: Settings, options: Options, console: Console) -> None:
        self._settings, self._options, self._console = settings, options, console
        self._sale = catalogue(options.seed)
        self._clock = VirtualClock(self._sale.opens_at_us)
        self._interrupted = False
        self._first_bid_s: float | None = None
        self.results: Results | None = None
        self.settled: Settled | None = None

    def interrupt(self, _number: signal.Signals) -> None:
        """Its task is cancelled because the person has seen enough."""
        self._interrupted = True

    async def run(self) -> None:
        """Put up the engine, play the sale, and show what came of it."""
        self._console.print(Text(INTRODUCTION))
        async with self._empty_log() as (dsn, log):
            host = Host(log, self._clock)
            play = self._new_play(host)
            began_s = time.monotonic()
            async with (
                host.running(),
                settlement_house(dsn, log, host, self._clock) as house,
            ):
                await host.writer.serving()
                await self._until_interrupted(play)
                took_s = time.monotonic() - began_s
                if not self._interrupted:
                    self._console.print(Text(AFTERWARDS))
                    cast = await furnish(house, self._sale, play.resellers)
                    self.settled = await AfterHammer(house, cast).run()
            self.results = await read_results(log, self._sale.sale_id)
        course = Course(
            acknowledged=play.acknowledged,
            refused=play.refused,
            first_bid_s=self._first_bid_s,
            took_s=took_s,
            interrupted=self._interrupted,
            names=play.names(),
        )
        show_results(self._console, self._sale, self.results, course)
        if self.settled is not None:
            show_settled(self._console, self.settled)
        show_next_steps(self._console, self._sale, self._options.data)

    @asynccontextmanager
    async def _empty_log(self) -> AsyncIterator[tuple[str, PostgresLog]]:
        async with AsyncExitStack() as stack:
            if self._options.data is None:
                dsn = await stack.enter_async_context(scratch_database(self._settings))
            else:
                dsn = (await stack.enter_async_context(embedded_server(self._options.data))).dsn
                await prepare(dsn)
            log = PostgresLog(dsn)
            stack.push_async_callback(log.close)
            if any((await log.heads()).values()):
                raise DemoFailed(
                    f"{self._options.data} holds sales already, and the demonstration's clock is "
                    "not life's; name a new folder with --data"
                )
            yield dsn, log

    def _new_play(self, host: Host) -> Play:
        seed, pace = self._options.seed, Pace(self._clock, self._options.speed)
        return Play(host, self._clock, self._sale, resellers(self._sale, seed), pace, seed)

    async def _until_interrupted(self, play: Play) -> None:
        try:
            await self._play(play)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._interrupted or task is None or not play.saleroom.lots:
                raise
            task.uncancel()  # what happened so far is still to be shown

    async def _play(self, play: Play) -> None:
        speed = self._options.speed
        if speed is None:
            await self._narrated(play, _nobody_listens)
        elif not self._options.live:
            await self._narrated(play, self._print)
        else:
            pace = f"{speed:g} x life"
            screen = Screen(self._console, play.saleroom, self._clock.now_us, self._sale, pace)
            async with asyncio.TaskGroup() as tasks:
                drawing = tasks.create_task(screen.run())
                await self._narrated(play, screen.say)
                await asyncio.sleep(LAST_LOOK_S)
                drawing.cancel()

    async def _narrated(self, play: Play, say: Callable[[Line], None]) -> None:
        def note(line: Line) -> None:
            if self._first_bid_s is None and line.kind is Kind.BID:
                self._first_bid_s = process_age_s()
            say(line)

        narrator = Narrator(self._sale, note)
        play.listen(narrator.public, narrator.refusal)
        await play.open(secrets.token_bytes(32))
        await play.run()

    def _print(self, line: Line) -> None:
        self._console.print(Text(str(line)), soft_wrap=True)


def _nobody_listens(_line: Line) -> None:
    pass
