"""``softclose demo`` at the pace of life: the whole house on an address of this machine.

Sale follows sale until somebody ends it. The simulated resellers are programs like anybody's: they
register over HTTP with their tokens, and bid over WebSockets; the pages, the accounts and the
engine are those of ``softclose serve``.
"""

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog
from rich.console import Console
from rich.text import Text

from accounts.second_factor import code_at
from auction.desk.lot_drafts import LotDraft
from auction.ids import LotId, SaleId
from bidder_gateway.live import PATH
from softclose.demo.bidding import now_us
from softclose.demo.catalogue import SECOND_US, Catalogue, catalogue
from softclose.demo.closing_words import show_settled
from softclose.demo.consigning import consigned, consigning
from softclose.demo.desk import furnish, photograph
from softclose.demo.filling import NotDrawn, fill_catalogue
from softclose.demo.opening import Visit
from softclose.demo.people import People, settle_in
from softclose.demo.registering import register
from softclose.demo.resellers import resellers
from softclose.demo.sale_day import Course, hold
from softclose.demo.screen import Screen
from softclose.demo.stopwatch import process_age_s
from softclose.demo.winners import Winners
from softclose.demo.words import Kind, Line, Narrator
from softclose.house import House, open_house
from softclose.listener import address_of
from softclose.settings import Settings

# A visitor finds a sale that is under way: its first lot ends three minutes later.
UNDER_WAY_US: Final = 4 * 60 * SECOND_US
# Between the last hammer of a sale and the next sale, in which to read the results.
INTERVAL_S: Final = 20.0

_logger = structlog.get_logger(__name__)


class OpenHouse:
    """The house with its sales, shown on a console."""

    def __init__(self, settings: Settings, visit: Visit, console: Console) -> None:
        self._settings, self._visit, self._console = settings, visit, console
        self._first_bid_s: float | None = None
        self.stopping = False  # the person has seen enough
        self._sales = self._accepted = 0
        self._on_desk: Mapping[LotId, str] = {}
        self._whose = LotDraft()
        self._photographing: asyncio.Task[None] | None = None
        self._furnishing: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None

    async def run(self, dsn: str, listener: socket.socket) -> None:
        """Hold sale after sale, on this database and this socket."""
        async with open_house(self._settings, dsn, listener, self._reasons_not_ready) as house:
            await house.host.serving()
            await self._receive(house, address_of(listener))

    async def _receive(self, house: House, address: str) -> None:
        seed = self._visit.seed
        people = await settle_in(house.resources.accounts, resellers(catalogue(seed), seed))
        self._on_desk = await furnish(house.desk, seed, now_us())
        self._whose = await consigning(house.desk, people.consignor)
        self._say_where(address, people)
        try:
            while self._visit.sales is None or self._sales < self._visit.sales:
                if self._sales:
                    await asyncio.sleep(INTERVAL_S)
                await self._sale(house, address, people, seed + self._sales)
                self._sales += 1
            if self._settling is not None:
                await self._settling
        finally:
            besides = (self._photographing, self._furnishing, self._settling)
            under_way = [task for task in besides if task is not None]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            self._console.print(Text(self._summary()), soft_wrap=True)

    async def _sale(self, house: House, address: str, people: People, seed: int) -> None:
        opens_at_us = now_us() - UNDER_WAY_US
        sale = replace(catalogue(seed), opens_at_us=opens_at_us, sale_id=SaleId(f"pallets-{seed}"))
        await fill_catalogue(house.resources.pool, sale)
        command = await consigned(
            house.resources.pool, sale.schedule(secrets.token_bytes(32)), self._whose
        )
        verdict = await house.host.engine.submit(command)
        assert verdict.accepted, verdict
        await register(address, sale.sale_id, people.tokens)
        if self._photographing is None:  # the cores are free for it now
            self._photographing = asyncio.create_task(self._photograph(house), name="photographing")
        simulator = house.stripe.simulator
        winners = Winners(house, simulator.engine, people) if simulator is not None else None
        if self._furnishing is None and winners is not None:
            self._furnishing = asyncio.create_task(winners.furnish(), name="furnishing")
        course = Course()
        try:
            if self._visit.live:
                await self._on_screen(address, people, sale, seed, course)
            else:
                await self._held(address, people, sale, seed, course, self._print)
        finally:
            self._accepted += course.accepted
        if winners is not None:
            if self._settling is not None:
                await self._settling
            settling = self._see_through(winners, sale.sale_id)
            self._settling = asyncio.create_task(settling, name="settling")

    async def _see_through(self, winners: Winners, sale_id: SaleId) -> None:
        """The simulated winners pay and fetch, and the terminal says what it came to."""
        try:
            if self._furnishing is not None:
                await self._furnishing
            show_settled(self._console, await winners.settle(sale_id))
        except Exception:  # whatever it is, the house stays open and the next sale is held
            _logger.warning("demonstration_is_not_settled", sale_id=sale_id, exc_info=True)

    async def _photograph(self, house: House) -> None:
        """Photos of what is on the desk, which is whole without them."""
        with suppress(NotDrawn):
            await photograph(house.resources.pool, self._on_desk, self._visit.seed, now_us())

    async def _on_screen(
        self, address: str, people: People, sale: Catalogue, seed: int, course: Course
    ) -> None:
        def explanation() -> Sequence[str]:
            return _where(address, people)

        screen = Screen(
            self._console, course.saleroom, now_us, sale, "the pace of life", explanation
        )
        async with asyncio.TaskGroup() as tasks:
            drawing = tasks.create_task(screen.run())
            await self._held(address, people, sale, seed, course, screen.say)
            await asyncio.sleep(INTERVAL_S / 4)
            drawing.cancel()

    async def _held(
        self,
        address: str,
        people: People,
        sale: Catalogue,
        seed: int,
        course: Course,
        say: Callable[[Line], None],
    ) -> None:
        def note(line: Line) -> None:
            if self._first_bid_s is None and line.kind is Kind.BID:
                self._first_bid_s = process_age_s()
            say(line)

        narrator = Narrator(sale, note)
        await hold(
            f"{address}{PATH}",
            sale,
            people.tokens,
            seed,
            course,
            narrator.public,
            narrator.refusal,
        )

    def _say_where(self, address: str, people: People) -> None:
        for line in _where(address, people):
            self._console.print(Text(line), soft_wrap=True)
        self._console.print()

    def _print(self, line: Line) -> None:
        self._console.print(Text(str(line)), soft_wrap=True)

    def _summary(self) -> str:
        first = self._first_bid_s
        began = (
            "" if first is None else f"; the first bid was durable {first:.1f} s after the start"
        )
        kept = (
            "nothing is left behind" if self._visit.data is None else f"kept in {self._visit.data}"
        )
        return f"\n{self._sales} sales held, {self._accepted} bids accepted{began}; {kept}."

    def _reasons_not_ready(self) -> list[str]:
        return ["stopping"] if self.stopping else []


def _where(address: str, people: People) -> list[str]:
    """Where to go, and how to sign in."""
    lines = [f"Open {address} in a browser. Sign in as"]
    for login in people.logins:
        code = ""
        if login.code_secret is not None:
            code = f"   code now {code_at(login.code_secret, now_us())}"
        lines.append(f"  {login.what:<13} {login.mail:<24} {login.password}{code}")
    return lines
