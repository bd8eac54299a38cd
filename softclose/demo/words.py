"""What happens in the saleroom, in plain words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from auction.events import PassReason
from auction.ids import LotId
from auction.money import format_minor
from auction.pricing import ReserveStatus
from auction.verdicts import Verdict
from softclose.demo.catalogue import CURRENCY, Catalogue
from softclose.demo.resellers import Reseller
from softclose.demo.saleroom import Message, PublicLot

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

PASSED: Final = {
    PassReason.NO_BIDS: "no bids",
    PassReason.RESERVE_NOT_MET: "reserve not met",
}


class Kind(StrEnum):
    """What a line is about, for its colour."""

    SALE = "sale"
    BID = "bid"
    RESERVE = "reserve"
    EXTENSION = "extension"
    SOLD = "sold"
    PASSED = "passed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """One thing that happened; ``lot_id`` is ``None`` for the sale as a whole."""

    at_us: int
    kind: Kind
    lot_id: LotId | None
    text: str

    def __str__(self) -> str:
        lot = "" if self.lot_id is None else f"lot {self.lot_id:<2}  "
        return f"{clock_time(self.at_us)}  {lot}{self.text}"


class Narrator:
    """Turns public events, and refusals that a reseller was told, into lines."""

    def __init__(self, catalogue: Catalogue, say: Callable[[Line], None]) -> None:
        self._catalogue, self._say = catalogue, say
        self._reserve_met: set[LotId] = set()

    def public(self, message: Message, changed: Sequence[PublicLot]) -> None:
        """A listener to the public events."""
        at_us = message["at_us"]
        if message["type"] == "ends_moved":
            text = f"the ends of {len(changed)} lots move"
            self._say(Line(at_us, Kind.SALE, None, text))
        for lot in changed:
            told = self._told(message, lot)
            if told is not None:
                self._say(Line(at_us, told[0], lot.lot_id, told[1]))
            if lot.reserve is ReserveStatus.MET and lot.lot_id not in self._reserve_met:
                self._reserve_met.add(lot.lot_id)
                self._say(Line(at_us, Kind.RESERVE, lot.lot_id, "the reserve is met: it will sell"))

    def refusal(self, reseller: Reseller, lot: PublicLot, verdict: Verdict, at_us: int) -> None:
        """What one reseller alone was told."""
        text = f"{reseller.paddle} alone is told: {verdict.code}, {verdict.message}"
        self._say(Line(at_us, Kind.REFUSED, lot.lot_id, text))

    def _told(self, message: Message, lot: PublicLot) -> tuple[Kind, str] | None:
        match message["type"]:
            case "bid_placed":
                return Kind.BID, _bid_in_words(message)
            case "end_extended":
                end = clock_time(message["closes_at_us"])
                return Kind.EXTENSION, f"SOFT CLOSE: a late bid, so the end moves to {end}"
            case "lot_sold":
                paddle = message["allocations"][0]["paddle"]
                price_minor = message["hammer_price_minor"]
                share = percent(price_minor, self._catalogue.goods[lot.lot_id].msrp_minor)
                text = f"SOLD to {paddle} for {dollars(price_minor)}, {share} of its MSRP"
                return Kind.SOLD, text
            case "lot_passed":
                why = PASSED[PassReason(message["reason"])]
                best = lot.price_minor
                at = "" if best is None else f" at {dollars(best)}"
                return Kind.PASSED, f"NOT SOLD: {why}{at}"
        return None


def _bid_in_words(message: Message) -> str:
    paddle, leader = message["paddle"], message["leader"]
    price = dollars(message["price_minor"])
    if paddle == leader:
        return f"{paddle} bids and leads at {price}"
    return f"{paddle} bids, {leader} still leads at {price}"


def dollars(amount_minor: int) -> str:
    """``$1,250``; cents only where there are any."""
    whole, _, cents = format_minor(amount_minor, CURRENCY).partition(".")
    return f"${int(whole):,}" + (f".{cents}" if int(cents) else "")


def percent(part: int, whole: int) -> str:
    """``23 %``."""
    return f"{round(100 * part / whole)} %"


def clock_time(at_us: int) -> str:
    """The time of day of the sale: ``14:07:31``."""
    return f"{_EPOCH + timedelta(microseconds=at_us):%H:%M:%S}"


def countdown(left_us: int) -> str:
    """``9:05``, rounded up, so that 0:00 is the end."""
    seconds = max(0, -(-left_us // 1_000_000))
    return f"{seconds // 60}:{seconds % 60:02}"
