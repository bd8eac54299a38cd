"""eBay auctions, recorded as each bidder's maxima with their times in days from the start.

An auction becomes a sale with one lot, under eBay's increments and without soft close, that
closes just after its last bid. All auctions run side by side from the same instant. A maximum
below the minimum was taken by eBay in its day and is taken here, unless the minimum is enforced.
"""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from auction.commands import Command, RegisterBidder
from auction.ids import BidderId, LotId, SaleId
from auction.increments import EBAY
from auction.terms import LotKind, LotListing, Terms
from softclose.replay.input_csv import BadInput, Row, days_us, instant_us, read_rows
from softclose.replay.recording import Recording, TimedBid, place, safe_id, scheduling

BID_COLUMNS = ("auctionid", "bid", "bidtime", "bidder", "openbid")
RESERVE_COLUMNS = ("auctionid", "reserve")
# Any instant does: the recordings hold no dates.
START_US = instant_us(datetime(2000, 1, 1, tzinfo=UTC))
LOT = LotId("1")


class RecordedBid(NamedTuple):
    """A row, in the order of the file."""

    bidtime: Decimal  # days
    amount_minor: int
    bidder: str


class Auction:
    """An auction of the file; ``opening_minor`` is that of its first row."""

    def __init__(self, auction_id: str, opening_minor: int) -> None:
        self.auction_id, self.opening_minor = auction_id, opening_minor
        self.sale_id = SaleId(safe_id(auction_id))
        self.reserve_minor: int | None = None
        self.bids: list[RecordedBid] = []
        self.bidders: dict[BidderId, str] = {}  # the engine's ids, and those of the file

    def add(self, row: Row) -> None:
        """Take a row of this auction."""
        bidder = row.name("bidder")
        self.bids.append(RecordedBid(row.days("bidtime"), row.positive_minor("bid"), bidder))
        self.bidders[BidderId(safe_id(bidder))] = bidder

    def listing(self) -> LotListing:
        """The auction's lot: open from the start until just after its last bid."""
        last = max(bid.bidtime for bid in self.bids)
        return LotListing(
            lot_id=LOT,
            kind=LotKind.CASE,
            opening_minor=self.opening_minor,
            reserve_minor=self.reserve_minor,
            opens_at_us=START_US,
            closes_at_us=START_US + days_us(last) + 1,
        )


def read_auctions(bids: Path, reserves: Path | None) -> dict[str, Auction]:
    """The auctions of the file in the order of their first rows. Raises `BadInput`."""
    auctions: dict[str, Auction] = {}
    for row in read_rows(bids, BID_COLUMNS):
        auction_id = row.name("auctionid")
        # An auction that starts at nothing opens at the least amount there is.
        opening_minor = max(1, row.amount_minor("openbid"))
        auctions.setdefault(auction_id, Auction(auction_id, opening_minor)).add(row)
    if not auctions:
        raise BadInput(f"{bids}:2: there are no bids after the header")
    if reserves is not None:
        _read_reserves(reserves, auctions, bids)
    return auctions


def _read_reserves(reserves: Path, auctions: dict[str, Auction], bids: Path) -> None:
    """A blank reserve is none."""
    seen: set[str] = set()
    for row in read_rows(reserves, RESERVE_COLUMNS):
        auction_id = row.name("auctionid")
        if auction_id not in auctions:
            raise row.fault("auctionid", f"{auction_id[:40]!r} has no bids in {bids}")
        if auction_id in seen:
            raise row.fault("auctionid", f"{auction_id[:40]!r} stands here a second time")
        seen.add(auction_id)
        if not row.is_blank("reserve"):
            auctions[auction_id].reserve_minor = row.positive_minor("reserve")


def recording_of(auctions: dict[str, Auction], *, enforce_minimum: bool) -> Recording:
    """The commands that play these auctions."""
    terms = Terms(increments=EBAY, soft_close=None, enforce_minimum=enforce_minimum)
    preparations: list[Command] = []
    timed: list[tuple[Decimal, TimedBid]] = []
    for auction in auctions.values():
        lot = auction.listing()
        preparations += scheduling(auction.sale_id, terms, [lot], secrets.token_bytes(32))
        preparations += [
            RegisterBidder(sale_id=auction.sale_id, bidder_id=bidder, terms_version=terms.version)
            for bidder in auction.bidders
        ]
        for bid in auction.bids:
            placed = place(auction.sale_id, lot, safe_id(bid.bidder), len(timed), bid.amount_minor)
            timed.append((bid.bidtime, TimedBid(START_US + days_us(bid.bidtime), placed)))
    timed.sort(key=lambda pair: pair[0])  # bids of one instant stay in the order of the file
    return Recording(START_US, preparations, [bid for _, bid in timed])
