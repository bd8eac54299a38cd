"""The demonstration's sale: the same for the same seed, and seen only as the public sees it."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from auction.codec import decode_body
from auction.events import EndExtended, LotPassed, LotSold, PassReason, SaleClosed
from auction.ids import shard_of
from auction.log_memory import MemoryLog
from auction.rejections import Rejection
from softclose.demo.catalogue import Catalogue, catalogue
from softclose.demo.pace import Pace
from softclose.demo.play import Play
from softclose.demo.resellers import resellers
from softclose.demo.saleroom import Message, Saleroom
from softclose.demo.screen import Screen
from softclose.demo.words import Line, Narrator, countdown, dollars
from softclose.host import Host
from softclose.virtual_clock import VirtualClock

SECRET = bytes(32)


class Played:
    """A sale that was played to its end, without a database."""

    def __init__(self, seed: int) -> None:
        self.catalogue: Catalogue = catalogue(seed)
        self.clock = VirtualClock(self.catalogue.opens_at_us)
        self.log = MemoryLog()
        self.messages: list[Message] = []
        self.lines: list[Line] = []
        asyncio.run(self._run(seed))

    async def _run(self, seed: int) -> None:
        host, pace = Host(self.log, self.clock), Pace(self.clock, None)
        room = resellers(self.catalogue, seed)
        self.play = Play(host, self.clock, self.catalogue, room, pace, seed)
        narrator = Narrator(self.catalogue, self.lines.append)
        self.play.listen(narrator.public, narrator.refusal)
        self.play.listen(lambda message, _: self.messages.append(message), lambda *_: None)
        async with host.running():
            await host.writer.serving()
            await self.play.open(SECRET)
            await self.play.run()

    @property
    def bodies(self) -> list[bytes]:
        """The log of the sale."""
        return [event.body for event in self.log.events[shard_of(self.catalogue.sale_id)]]


@pytest.fixture(scope="module")
def played() -> Played:
    return Played(seed=7)


def test_the_same_seed_makes_the_same_log_byte_for_byte(played: Played) -> None:
    assert Played(seed=7).bodies == played.bodies
    assert Played(seed=8).bodies != played.bodies


def test_the_sale_has_something_of_everything(played: Played) -> None:
    events = [decode_body(number, body).event for number, body in enumerate(played.bodies, 1)]
    assert isinstance(events[-1], SaleClosed)
    assert {event.reason for event in events if isinstance(event, LotPassed)} == {
        PassReason.NO_BIDS,
        PassReason.RESERVE_NOT_MET,
    }
    extended = {event.lot_id for event in events if isinstance(event, EndExtended)}
    sold = {event.lot_id for event in events if isinstance(event, LotSold)}
    assert len(sold) == 9
    assert len(extended & sold) >= 4
    told = [line.text for line in played.lines]
    assert any(Rejection.LIMIT_EXCEEDED in text for text in told)
    assert any("the reserve is met" in text for text in told)


def test_nobody_is_shown_a_maximum_a_reserve_or_a_name(played: Played) -> None:
    private = {"maximum_minor", "reserve_minor", "bidder_id", "bid_id", "winners", "secret"}
    assert len(played.messages) > 100
    for message in played.messages:
        assert not private & message.keys()
    names = [str(reseller.bidder_id) for reseller in resellers(played.catalogue, 7)]
    said = "\n".join(map(str, played.lines))
    assert not any(name in said for name in names)


def test_the_public_lots_end_as_the_log_says(played: Played) -> None:
    lots = played.play.saleroom.lots
    assert sum(lot.extensions for lot in lots.values()) == sum(
        message["type"] == "end_extended" for message in played.messages
    )
    assert played.play.saleroom.closed
    assert [lot.lot_id for lot in lots.values() if lot.leader is None] == ["10"]


@pytest.mark.parametrize(("width", "height"), [(40, 18), (58, 20), (80, 24), (120, 40), (250, 60)])
async def test_the_view_fits_the_terminal(played: Played, width: int, height: int) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, width=width, height=height)
    screen = Screen(console, played.play.saleroom, played.clock.now_us, played.catalogue, "14 x")
    for line in played.lines:
        screen.say(line)
    lines = console.render_lines(screen.picture())
    assert len(lines) == height
    text = "\n".join("".join(segment.text for segment in line) for line in lines)
    assert "TRUCKLOAD" in text and "NOT SOLD" in text and "9 sold" in text


async def test_an_extension_is_said_in_words_while_it_flashes(played: Played) -> None:
    saleroom, clock = Saleroom(), VirtualClock(0)
    screen = Screen(Console(width=80, height=24), saleroom, clock.now_us, played.catalogue, "14 x")
    narrator = Narrator(played.catalogue, screen.say)
    for message in played.messages:
        narrator.public(message, saleroom.see(message))
        clock.advance_to(message["at_us"])
        if message["type"] == "end_extended":
            break
    assert "1:00 EXTENDED" in text_of(screen)
    assert "SOFT CLOSE: a late bid, so the end moves to" in text_of(screen)


def text_of(screen: Screen) -> str:
    out = StringIO()
    Console(file=out, width=80, height=24).print(screen.picture())
    return out.getvalue()


@pytest.mark.parametrize(
    ("left_us", "shown"), [(0, "0:00"), (1, "0:01"), (60_000_000, "1:00"), (-5, "0:00")]
)
def test_a_countdown_shows_zero_only_at_the_end(left_us: int, shown: str) -> None:
    assert countdown(left_us) == shown


def test_dollars_have_cents_only_where_there_are_any() -> None:
    assert [dollars(5_00), dollars(1_250_00), dollars(1_250_05)] == ["$5", "$1,250", "$1,250.05"]
