"""What anybody in the room may know of the sale: the public events, folded."""

from typing import Any

from msgspec import Struct

from auction.ids import LotId, Paddle
from auction.pricing import ReserveStatus
from auction.sale import LotStatus

Message = dict[str, Any]
"""An event as ``auction.views`` shows it to somebody."""


class PublicLot(Struct):
    """A lot as everybody sees it."""

    lot_id: LotId
    title: str
    opens_at_us: int
    closes_at_us: int
    next_minimum_minor: int
    reserve: ReserveStatus
    price_minor: int | None = None
    leader: Paddle | None = None
    bid_count: int = 0
    extensions: int = 0
    status: LotStatus = LotStatus.LIVE

    @property
    def is_live(self) -> bool:
        """Whether it has not ended yet."""
        return self.status is LotStatus.LIVE


class Saleroom:
    """The lots of the sale, as the public events tell."""

    def __init__(self) -> None:
        self.lots: dict[LotId, PublicLot] = {}
        self.closed = False

    def see(self, message: Message) -> list[PublicLot]:
        """Take in a public event; the lots that it changed."""
        match message["type"]:
            case "lot_scheduled":
                self.lots[message["lot_id"]] = _listed(message)
            case "bid_placed":
                lot = self.lots[message["lot_id"]]
                lot.price_minor, lot.leader = message["price_minor"], message["leader"]
                lot.next_minimum_minor = message["next_minimum_minor"]
                lot.reserve = ReserveStatus(message["reserve"])
                lot.bid_count = message["bid_count"]
            case "end_extended":
                lot = self.lots[message["lot_id"]]
                lot.closes_at_us, lot.extensions = message["closes_at_us"], message["extensions"]
            case "ends_moved":
                for moved in message["ends"]:
                    self.lots[moved["lot_id"]].closes_at_us = moved["closes_at_us"]
                return [self.lots[moved["lot_id"]] for moved in message["ends"]]
            case "lot_sold":
                lot = self.lots[message["lot_id"]]
                lot.status, lot.price_minor = LotStatus.SOLD, message["hammer_price_minor"]
            case "lot_passed":
                self.lots[message["lot_id"]].status = LotStatus.PASSED
            case "sale_closed":
                self.closed = True
        return [self.lots[message["lot_id"]]] if "lot_id" in message else []

    def stand(self, message: Message) -> list[PublicLot]:
        """Take in how lots stand, from a snapshot or in place of events that were passed over."""
        told = [_standing(lot) for lot in message["lots"]]
        self.lots |= {lot.lot_id: lot for lot in told}
        self.closed = message["sale"]["closed"]
        return told

    def next_end_us(self) -> int | None:
        """The earliest end in force of what has not ended."""
        return min((lot.closes_at_us for lot in self.lots.values() if lot.is_live), default=None)


def _listed(message: Message) -> PublicLot:
    return PublicLot(
        lot_id=message["lot_id"],
        title=message["title"],
        opens_at_us=message["opens_at_us"],
        closes_at_us=message["closes_at_us"],
        next_minimum_minor=message["opening_minor"],
        reserve=ReserveStatus(message["reserve"]),
    )


def _standing(lot: Message) -> PublicLot:
    return PublicLot(
        lot_id=lot["lot_id"],
        title=lot["title"],
        opens_at_us=lot["opens_at_us"],
        closes_at_us=lot["closes_at_us"],
        next_minimum_minor=lot["next_minimum_minor"],
        reserve=ReserveStatus(lot["reserve"]),
        price_minor=lot["price_minor"],
        leader=lot["leader"],
        bid_count=lot["bid_count"],
        extensions=lot["extensions"],
        status=LotStatus(lot["status"]),
    )
