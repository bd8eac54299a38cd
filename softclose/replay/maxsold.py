"""A MaxSold sale, recorded as the prices that its pages showed, lot after lot.

One sale under open outcry (each row is a price that somebody bid), each row by a new bidder,
with MaxSold's soft close: a bid in the last two minutes sets the end to two minutes after it.
The recorded times of a lot's rows step back now and then; a row counts as made at the latest
time so far.
"""

import secrets
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from auction.commands import Command, RegisterBidder
from auction.ids import BidderId, LotId, SaleId
from auction.increments import EBAY
from auction.terms import LotKind, LotListing, PriceRule, SoftClose, Terms
from softclose.replay.input_csv import BadInput, instant_us, read_rows
from softclose.replay.recording import Recording, TimedBid, place, safe_id, scheduling

BID_COLUMNS = ("item_id", "seq", "time_of_bid", "amount")
LOT_COLUMNS = ("item_id", "starting_bid", "scheduled_end")
SALE = SaleId("maxsold")
TWO_MINUTES_US = 120_000_000
TERMS = Terms(
    increments=EBAY,
    price_rule=PriceRule.AT_MAXIMUM,
    enforce_minimum=False,
    soft_close=SoftClose(TWO_MINUTES_US, TWO_MINUTES_US),
)


class RecordedPrice(NamedTuple):
    """A row of a lot. They sort by ``seq``, which no two rows of a lot share."""

    seq: int
    at_us: int
    amount_minor: int


class Item(NamedTuple):
    """A lot of the sale."""

    item_id: str
    opening_minor: int
    scheduled_end: datetime

    @property
    def lot_id(self) -> LotId:
        """Its id in the engine."""
        return LotId(safe_id(self.item_id))


def read_items(lots: Path) -> dict[str, Item]:
    """The lots of the file, in its order. Raises `BadInput`."""
    items: dict[str, Item] = {}
    for row in read_rows(lots, LOT_COLUMNS):
        item_id = row.name("item_id")
        if item_id in items:
            raise row.fault("item_id", f"{item_id[:40]!r} stands here a second time")
        # A lot that starts at nothing opens at the least amount there is.
        opening_minor = max(1, row.amount_minor("starting_bid"))
        items[item_id] = Item(item_id, opening_minor, row.time("scheduled_end"))
    if not items:
        raise BadInput(f"{lots}:2: there are no lots after the header")
    return items


def read_prices(bids: Path, lots: Path, items: dict[str, Item]) -> dict[str, list[RecordedPrice]]:
    """The rows of each lot by ``seq``. Raises `BadInput`."""
    prices: dict[str, list[RecordedPrice]] = defaultdict(list)
    seen: set[tuple[str, int]] = set()
    for row in read_rows(bids, BID_COLUMNS):
        item_id, seq = row.name("item_id"), row.whole("seq")
        if item_id not in items:
            raise row.fault("item_id", f"{item_id[:40]!r} is not in {lots}")
        if (item_id, seq) in seen:
            raise row.fault("seq", f"{seq} stands a second time for lot {item_id[:40]!r}")
        seen.add((item_id, seq))
        at_us = instant_us(row.time("time_of_bid"))
        prices[item_id].append(RecordedPrice(seq, at_us, row.positive_minor("amount")))
    for rows in prices.values():
        rows.sort()
    return prices


def recording_of(items: dict[str, Item], prices: dict[str, list[RecordedPrice]]) -> Recording:
    """The commands that play this sale, which opens just before its first bid."""
    times = [price.at_us for rows in prices.values() for price in rows]
    ends = [instant_us(item.scheduled_end) for item in items.values()]
    start_us = min(times + ends) - 1
    listings = {item.item_id: _listing(item, start_us) for item in items.values()}
    timed: list[TimedBid] = []
    for item_id, rows in prices.items():
        at_us = start_us
        for price in rows:
            at_us = max(at_us, price.at_us)
            number = len(timed)
            bid = place(SALE, listings[item_id], bidder(number), number, price.amount_minor)
            timed.append(TimedBid(at_us, bid))
    preparations = scheduling(SALE, TERMS, list(listings.values()), secrets.token_bytes(32))
    preparations += [_register(number) for number in range(len(timed))]
    timed.sort(key=lambda bid: bid.at_us)  # lots of one instant in the order of the file
    return Recording(start_us, preparations, timed)


def bidder(number: int) -> str:
    """Who made the row of this number: nobody else's."""
    return f"row-{number}"


def _listing(item: Item, start_us: int) -> LotListing:
    return LotListing(
        lot_id=item.lot_id,
        kind=LotKind.CASE,
        opening_minor=item.opening_minor,
        opens_at_us=start_us,
        closes_at_us=instant_us(item.scheduled_end),
    )


def _register(number: int) -> Command:
    return RegisterBidder(
        sale_id=SALE, bidder_id=BidderId(bidder(number)), terms_version=TERMS.version
    )
