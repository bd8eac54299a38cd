"""The live view: the lots as the public sees them, and what just happened.

Nothing rests on colour alone: what flashes is also said in words, and NO_COLOR leaves bold and
reverse video.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from auction.ids import LotId
from auction.pricing import ReserveStatus
from auction.sale import LotStatus
from auction.terms import LotKind
from softclose.demo.catalogue import MINUTE_US, Catalogue
from softclose.demo.saleroom import PublicLot, Saleroom
from softclose.demo.words import Kind, Line, clock_time, countdown, dollars, percent

FRAME_S: Final = 0.1
FLASH_S: Final = {Kind.EXTENSION: 1.5, Kind.BID: 0.6}

# Lines that are neither lots nor events, besides the explanation: title, two rules, head, totals.
FRAME_LINES: Final = 5
LEAST_FEED: Final = 1

# The terminal's width from which there is room for a column.
ROOM_FOR_RESERVE, ROOM_FOR_BIDS, ROOM_FOR_LEADER = 48, 56, 64
ROOM_FOR_SHARE, ROOM_FOR_MSRP = 88, 104

COLOURS: Final = {
    Kind.SALE: "bold",
    Kind.BID: "",
    Kind.RESERVE: "cyan",
    Kind.EXTENSION: "bold yellow",
    Kind.SOLD: "bold green",
    Kind.PASSED: "red",
    Kind.REFUSED: "magenta",
}

RESERVES: Final = {
    ReserveStatus.NONE: Text("none", "dim"),
    ReserveStatus.NOT_MET: Text("not met"),
    ReserveStatus.MET: Text("met", "cyan"),
}


EXPLANATION: Final = (
    "Simulated resellers, the real engine: every bid is on disk before you see it.",
)


class Screen:
    """A terminal with the sale on it. ``now_us``: the sale's clock; ``pace``: how fast it runs."""

    def __init__(
        self,
        console: Console,
        saleroom: Saleroom,
        now_us: Callable[[], int],
        catalogue: Catalogue,
        pace: str,
        explanation: Callable[[], Sequence[str]] = lambda: EXPLANATION,
    ) -> None:
        self._console, self._saleroom, self._now_us = console, saleroom, now_us
        self._catalogue, self._pace, self._explanation = catalogue, pace, explanation
        self._feed: deque[Line] = deque(maxlen=200)
        self._flashes: dict[tuple[LotId | None, Kind], float] = {}

    def say(self, line: Line) -> None:
        """Show a line, and what it is about."""
        self._feed.append(line)
        if line.kind in FLASH_S:
            until_s = asyncio.get_running_loop().time() + FLASH_S[line.kind]
            self._flashes[line.lot_id, line.kind] = until_s

    async def run(self) -> None:
        """Draw until cancelled."""
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(self.picture(), refresh=True)
                await asyncio.sleep(FRAME_S)

    def picture(self) -> RenderableType:
        """The view as it is now."""
        width, height = self._console.size
        lots = self._saleroom.lots.values()
        said = self._explanation()
        feed = max(LEAST_FEED, height - FRAME_LINES - len(said) - len(lots))
        return Group(
            *self._head(said),
            self._table(width),
            Rule(style="dim"),
            *self._lines(feed),
            self._totals(width),
        )

    def _head(self, said: Sequence[str]) -> Iterator[RenderableType]:
        title = Table.grid(expand=True, padding=(0, 1))
        title.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        title.add_column(no_wrap=True, justify="right")
        title.add_row(
            Text.assemble(("Softclose", "bold"), "  ten pallets and a truckload, live"),
            Text(f"sale clock {clock_time(self._now_us())}", "bold"),
        )
        yield title
        for line in said:
            yield Text(line, "dim", no_wrap=True, overflow="ellipsis")
        yield Rule(style="dim")

    def _table(self, width: int) -> Table:
        table = Table(box=None, expand=True, pad_edge=False, header_style="bold")
        table.add_column("Lot", justify="right", no_wrap=True)
        table.add_column("Goods", no_wrap=True, overflow="ellipsis", ratio=1)
        if width >= ROOM_FOR_MSRP:
            table.add_column("Units", justify="right", no_wrap=True)
            table.add_column("MSRP", justify="right", no_wrap=True)
        table.add_column("Price", justify="right", no_wrap=True, min_width=7)
        if width >= ROOM_FOR_SHARE:
            table.add_column("of MSRP", justify="right", no_wrap=True)
        if width >= ROOM_FOR_BIDS:
            table.add_column("Bids", justify="right", no_wrap=True)
        if width >= ROOM_FOR_LEADER:
            table.add_column("Leader", justify="right", no_wrap=True)
        if width >= ROOM_FOR_RESERVE:
            table.add_column("Reserve", no_wrap=True, min_width=7)
        table.add_column("Ends in", no_wrap=True, min_width=14)
        for lot in self._saleroom.lots.values():
            table.add_row(*self._row(lot, width), style="dim" if not lot.is_live else "")
        return table

    def _row(self, lot: PublicLot, width: int) -> Iterator[RenderableType]:
        goods = self._catalogue.goods[lot.lot_id]
        price = lot.price_minor
        yield lot.lot_id
        truck = "TRUCKLOAD " if goods.kind is LotKind.TRUCKLOAD else ""
        yield Text.assemble((truck, "bold"), goods.title)
        if width >= ROOM_FOR_MSRP:
            yield f"{goods.units:,}"
            yield dollars(goods.msrp_minor)
        flash = "bold reverse" if self._flashes_now(lot, Kind.BID) else "bold" * lot.is_live
        yield Text("-" if price is None else dollars(price), flash)
        if width >= ROOM_FOR_SHARE:
            yield "" if price is None else percent(price, goods.msrp_minor)
        if width >= ROOM_FOR_BIDS:
            yield str(lot.bid_count or "-")
        if width >= ROOM_FOR_LEADER:
            yield "-" if lot.leader is None else str(lot.leader)
        if width >= ROOM_FOR_RESERVE:
            yield RESERVES[lot.reserve]
        yield self._end(lot)

    def _end(self, lot: PublicLot) -> Text:
        if lot.status is LotStatus.SOLD:
            return Text("SOLD", "bold green not dim")
        if lot.status is LotStatus.PASSED:
            return Text("NOT SOLD", "red not dim")
        left_us = lot.closes_at_us - self._now_us()
        extensions = f"  +{lot.extensions}" if lot.extensions else ""
        if self._flashes_now(lot, Kind.EXTENSION):
            return Text(f"{countdown(left_us):>5} EXTENDED", "bold reverse yellow")
        style = "bold yellow" if left_us < MINUTE_US else ""
        return Text(f"{countdown(left_us):>5}{extensions}", style)

    def _flashes_now(self, lot: PublicLot, kind: Kind) -> bool:
        until_s = self._flashes.get((lot.lot_id, kind), 0.0)
        return asyncio.get_running_loop().time() < until_s

    def _lines(self, room: int) -> Iterator[Text]:
        shown = list(self._feed)[-room:]
        for line in shown:
            yield Text(str(line), COLOURS[line.kind], no_wrap=True, overflow="ellipsis")
        for _ in range(room - len(shown)):
            yield Text("")

    def _totals(self, width: int) -> Text:
        lots = self._saleroom.lots.values()
        states = [lot.status for lot in lots]
        bids, extensions = sum(lot.bid_count for lot in lots), sum(lot.extensions for lot in lots)
        text = (
            f"{states.count(LotStatus.LIVE)} open  {states.count(LotStatus.SOLD)} sold  "
            f"{states.count(LotStatus.PASSED)} not sold   {bids} bids  {extensions} extensions   "
            f"{self._pace}, Ctrl-C ends it"
        )
        return Text(text.ljust(width), "reverse", no_wrap=True, overflow="ellipsis")
