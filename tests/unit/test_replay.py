"""Recorded auctions on virtual time: small ones, with results computed by hand.

The writer is the real one, the log is in memory; ``tests/acceptance/test_replay.py`` plays
through the command line and PostgreSQL.
"""

import asyncio
import csv
from pathlib import Path
from typing import Final

import pytest

from auction.audit import ShardAudit
from auction.ids import Shard
from auction.log_memory import MemoryLog
from auction.ports import Batch, OutcomeUnknown
from softclose.replay import ebay, maxsold
from softclose.replay.driver import Driver
from softclose.replay.input_csv import BadInput
from softclose.replay.outcomes import Outcomes, ReplayFailed
from softclose.replay.recording import Recording, safe_id
from softclose.replay.results import summary, write_ebay, write_maxsold

Table = list[list[str]]


def quiet(_done: int, _whole: int) -> None:
    """Nobody watches."""


async def play(recording: Recording) -> Outcomes:
    """The outcomes; the log that they came from must be sound."""
    log = MemoryLog()
    outcomes = await Driver(log, recording).play(quiet)
    for number, events in enumerate(log.events):
        audit = ShardAudit(Shard(number))
        assert [finding for event in events for finding in audit.check(event)] == []
        assert audit.end(len(events)) == []
    return outcomes


def read_table(file: Path, expected_header: str) -> Table:
    """The rows under a header, which must be this one."""
    with file.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == expected_header.split(",")
    return rows


async def ebay_results(
    folder: Path, bids: str, reserves: str | None = None, *, enforce_minimum: bool = False
) -> Table:
    """The results of rows auctionid,bid,bidtime,bidder,openbid and auctionid,reserve."""
    (folder / "bids.csv").write_text(f"auctionid,bid,bidtime,bidder,openbid\n{bids}")
    if reserves is not None:
        (folder / "reserves.csv").write_text(f"auctionid,reserve\n{reserves}")
    auctions = ebay.read_auctions(
        folder / "bids.csv", None if reserves is None else folder / "reserves.csv"
    )
    outcomes = await play(ebay.recording_of(auctions, enforce_minimum=enforce_minimum))
    write_ebay(folder / "results.csv", auctions.values(), outcomes)
    return read_table(folder / "results.csv", "auctionid,outcome,hammer_price,winner,bids")


async def maxsold_results(folder: Path, lots: str, bids: str) -> Table:
    """The results of rows item_id,starting_bid,scheduled_end and item_id,seq,time_of_bid,amount."""
    (folder / "lots.csv").write_text(f"item_id,starting_bid,scheduled_end\n{lots}")
    (folder / "bids.csv").write_text(f"item_id,seq,time_of_bid,amount\n{bids}")
    items = maxsold.read_items(folder / "lots.csv")
    prices = maxsold.read_prices(folder / "bids.csv", folder / "lots.csv", items)
    outcomes = await play(maxsold.recording_of(items, prices))
    write_maxsold(folder / "results.csv", items.values(), outcomes)
    header = "item_id,outcome,hammer_price,end_in_force,extensions"
    return read_table(folder / "results.csv", header)


# eBay

EBAY: Final = {
    "one bid: the opening bid": ("7,175,0.5,ann,99", ["7", "sold", "99.00", "ann", "1"]),
    "one increment over the second": (
        "7,500,0.1,ann,100\n7,300,0.2,bob,100",
        ["7", "sold", "305.00", "ann", "2"],
    ),
    "at most the winner's maximum": (
        "7,500,0.1,ann,100\n7,505,0.2,cy,100",
        ["7", "sold", "505.00", "cy", "2"],
    ),
    "the earlier of equal maxima": (
        "7,500,0.1,ann,100\n7,500,0.2,bob,100",
        ["7", "sold", "500.00", "ann", "2"],
    ),
    "cents, and an increment of 2.50": (
        "7,175,1,ann,99\n7,100,2,bob,99\n7,177.5,3,cy,99",
        ["7", "sold", "177.50", "cy", "3"],
    ),
    "an opening bid of a cent": (
        "7,0.01,1,ann,0.01\n7,0.99,2,bob,0.01",
        ["7", "sold", "0.06", "bob", "2"],
    ),
    "an opening bid of nothing": ("7,5,1,ann,0", ["7", "sold", "0.01", "ann", "1"]),
    "a raise of the own maximum": (
        "7,500,1,ann,100\n7,200,2,bob,100\n7,900,3,ann,100\n7,700,4,bob,100",
        ["7", "sold", "710.00", "ann", "4"],
    ),
    "a repeat that does not raise it is no bid": (
        "7,500,1,ann,100\n7,500,2,ann,100\n7,400,3,ann,100\n7,300,4,bob,100\n7,300,5,bob,100",
        ["7", "sold", "305.00", "ann", "2"],
    ),
    "a bid below the minimum is taken": (
        "7,500,1,ann,100\n7,101,2,bob,100\n7,102,3,cy,100",
        ["7", "sold", "104.50", "ann", "3"],
    ),
    "a bid below the opening bid is taken": (
        "7,80,1,ann,100\n7,90,2,bob,100",
        ["7", "sold", "90.00", "bob", "2"],
    ),
    "rows in any order": (
        "7,505,0.3,cy,100\n7,300,0.2,bob,100\n7,500,0.1,ann,100",
        ["7", "sold", "505.00", "cy", "3"],
    ),
    "equal times stay in the order of the file": (
        "7,500,0.5,bob,100\n7,500,0.5,ann,100",
        ["7", "sold", "500.00", "bob", "2"],
    ),
    "times that fall into one microsecond are in their order": (
        "7,500,0.50000000000001,bob,100\n7,500,0.5,ann,100",
        ["7", "sold", "500.00", "ann", "2"],
    ),
    "the first row's opening bid counts": (
        "7,175,0.5,ann,50\n7,20,0.6,bob,120",
        ["7", "sold", "50.00", "ann", "2"],
    ),
    "ids that the engine would not take": (
        'Ünlü "watch",500,1, a b ,100\nÜnlü "watch",300,2,"x,y",100',
        ['Ünlü "watch"', "sold", "305.00", " a b ", "2"],
    ),
}


@pytest.mark.parametrize("name", EBAY)
async def test_an_ebay_auction_ends_as_computed(name: str, tmp_path: Path) -> None:
    bids, expected = EBAY[name]
    assert await ebay_results(tmp_path, bids) == [expected]


async def test_auctions_run_side_by_side_and_keep_their_order(tmp_path: Path) -> None:
    bids = "b,10,3,ann,5\na,20,1,bob,5\nb,30,1,cy,5\na,15,2,ann,5\nc,7,0,ann,6\n"
    assert await ebay_results(tmp_path, bids) == [
        ["b", "sold", "10.50", "cy", "2"],
        ["a", "sold", "15.50", "bob", "2"],
        ["c", "sold", "6.00", "ann", "1"],
    ]


RESERVES: Final = {
    "met: at once the price": ("7,1000", "1500", ["7", "sold", "1000.00", "ann", "1"]),
    "met to the cent": ("7,1500", "1500", ["7", "sold", "1500.00", "ann", "1"]),
    "not met: passed at the highest price": (
        "7,1500.01",
        "1500",
        ["7", "passed", "1500.00", "", "1"],
    ),
    "blank: none": ("7,", "1500", ["7", "sold", "100.00", "ann", "1"]),
    "no row: none": ("", "1500", ["7", "sold", "100.00", "ann", "1"]),
}


@pytest.mark.parametrize("name", RESERVES)
async def test_a_reserve_sells_or_passes(name: str, tmp_path: Path) -> None:
    reserves, bid, expected = RESERVES[name]
    assert await ebay_results(tmp_path, f"7,{bid},1,ann,100", reserves) == [expected]


async def test_the_minimum_is_enforced_when_asked_for(tmp_path: Path) -> None:
    bids = "7,500,1,ann,100\n7,102.49,2,bob,100\n7,102.50,3,cy,100\n8,99.99,1,ann,100\n"
    assert await ebay_results(tmp_path, bids, enforce_minimum=True) == [
        ["7", "sold", "105.00", "ann", "2"],
        ["8", "passed", "", "", "0"],
    ]


@pytest.mark.parametrize(
    ("reserves", "says"),
    [
        ("7,1000\n9,5\n", "reserves.csv:3: column auctionid: '9' has no bids in "),
        ("7,1000\n7,5\n", "reserves.csv:3: column auctionid: '7' stands here a second time"),
        ("7,many\n", "reserves.csv:2: column reserve: 'many' is not an amount such as 177.50"),
        ("7,0\n", "reserves.csv:2: column reserve: an amount must be more than 0"),
    ],
)
async def test_a_fault_in_the_reserves_is_named(reserves: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        await ebay_results(tmp_path, "7,500,1,ann,100\n", reserves)
    assert says in str(error.value)


async def test_a_file_without_bids_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"bids\.csv:2: there are no bids after the header"):
        await ebay_results(tmp_path, "")


async def test_an_opening_bid_is_read_in_every_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"bids\.csv:3: column openbid: 'x' is not an amount"):
        await ebay_results(tmp_path, "7,500,1,ann,100\n7,600,2,bob,x\n")


# MaxSold. Ends at 21:00, a bid in the last two minutes ends the lot two minutes after it.

MAXSOLD: Final = {
    "no bids": ("", ["11", "passed", "", "2025-11-20T21:00:00-05:00", "0"]),
    "before the window": (
        "11,1,2025-11-20T20:57:59-0500,8",
        ["11", "sold", "8.00", "2025-11-20T21:00:00-05:00", "0"],
    ),
    "as the window opens": (
        "11,1,2025-11-20T20:58:00-0500,8",
        ["11", "sold", "8.00", "2025-11-20T21:00:00-05:00", "0"],
    ),
    "a second later": (
        "11,1,2025-11-20T20:58:01-0500,8",
        ["11", "sold", "8.00", "2025-11-20T21:00:01-05:00", "1"],
    ),
    "again and again": (
        "11,1,2025-11-20T20:59:59-0500,8\n11,2,2025-11-20T21:01:58-0500,9\n"
        "11,3,2025-11-20T21:03:57.5-0500,10",
        ["11", "sold", "10.00", "2025-11-20T21:05:57.500000-05:00", "3"],
    ),
    "at the end it is too late": (
        "11,1,2025-11-20T20:50:00-0500,8\n11,2,2025-11-20T21:00:00-0500,9",
        ["11", "sold", "8.00", "2025-11-20T21:00:00-05:00", "0"],
    ),
    "an equal price changes nothing and moves no end": (
        "11,1,2025-11-20T20:50:00-0500,8\n11,2,2025-11-20T20:59:00-0500,8",
        ["11", "sold", "8.00", "2025-11-20T21:00:00-05:00", "0"],
    ),
    "a time that steps back counts as the latest so far": (
        "11,1,2025-11-20T20:59:30-0500,8\n11,2,2025-11-20T20:40:00-0500,9",
        ["11", "sold", "9.00", "2025-11-20T21:01:30-05:00", "1"],
    ),
    "rows in any order are taken by seq": (
        "11,10,2025-11-20T20:59:30-0500,9\n11,9,2025-11-20T20:30:00-0500,8",
        ["11", "sold", "9.00", "2025-11-20T21:01:30-05:00", "1"],
    ),
    "other offsets": (
        "11,1,2025-11-21T01:59:30Z,8\n11,2,2025-11-20T20:59:40.000-05:00,9",
        ["11", "sold", "9.00", "2025-11-20T21:01:40-05:00", "2"],
    ),
}


@pytest.mark.parametrize("name", MAXSOLD)
async def test_a_maxsold_lot_ends_as_computed(name: str, tmp_path: Path) -> None:
    bids, expected = MAXSOLD[name]
    rows = await maxsold_results(tmp_path, "11,1.0,2025-11-20T21:00:00-0500\n", bids)
    assert rows == [expected]


async def test_lots_of_one_sale_are_merged_by_time(tmp_path: Path) -> None:
    """Lot 2 closes while lot 1, scheduled earlier, is still extended; each by its own bids."""
    lots = "1,1,2025-11-20T21:00:00Z\n2,1,2025-11-20T21:01:00Z\n3,1,2025-11-20T21:02:00+01:00\n"
    bids = (
        "1,1,2025-11-20T20:59:00Z,5\n1,2,2025-11-20T21:00:59Z,6\n1,3,2025-11-20T21:02:58Z,7\n"
        "2,1,2025-11-20T20:59:01Z,5\n2,2,2025-11-20T21:01:01Z,9\n"
    )
    assert await maxsold_results(tmp_path, lots, bids) == [
        ["1", "sold", "7.00", "2025-11-20T21:04:58+00:00", "3"],
        ["2", "sold", "5.00", "2025-11-20T21:01:01+00:00", "1"],
        ["3", "passed", "", "2025-11-20T21:02:00+01:00", "0"],
    ]


async def test_a_sale_of_more_lots_than_one_command_takes(tmp_path: Path) -> None:
    lots = "".join(f"{n},0,2025-11-20T21:00:00Z\n" for n in range(450))
    bids = "".join(f"{n},1,2025-11-20T20:00:00Z,{n + 1}\n" for n in range(0, 450, 2))
    rows = await maxsold_results(tmp_path, lots, bids)
    assert [row[:3] for row in rows] == [
        [str(n), "passed" if n % 2 else "sold", "" if n % 2 else f"{n + 1}.00"] for n in range(450)
    ]


@pytest.mark.parametrize(
    ("lots", "bids", "says"),
    [
        (
            "11,1,2025-11-20T21:00:00Z\n11,1,2025-11-20T21:00:00Z\n",
            "",
            "lots.csv:3: column item_id",
        ),
        ("", "", "lots.csv:2: there are no lots after the header"),
        ("11,1,2025-11-20T21:00:00\n", "", "lots.csv:2: column scheduled_end: "),
        ("11,one,2025-11-20T21:00:00Z\n", "", "lots.csv:2: column starting_bid: "),
        (None, "12,1,2025-11-20T20:00:00Z,5\n", "bids.csv:2: column item_id: '12' is not in "),
        (None, "11,1,2025-11-20T20:00:00Z,5\n" * 2, "bids.csv:3: column seq: 1 stands a second"),
        (None, "11,x,2025-11-20T20:00:00Z,5\n", "bids.csv:2: column seq: 'x' is not a whole"),
        (None, "11,1,2025-11-20 20:00,5\n", "bids.csv:2: column time_of_bid: "),
        (None, "11,1,2025-11-20T20:00:00Z,0\n", "bids.csv:2: column amount: "),
    ],
)
async def test_a_fault_in_a_sale_is_named(
    lots: str | None, bids: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as error:
        await maxsold_results(
            tmp_path, lots or "11,1,2025-11-20T21:00:00Z\n" * (lots is None), bids
        )
    assert says in str(error.value)


# The driver


class ShortAbsence(MemoryLog):
    """A database whose every third append is durable, and its answer lost."""

    appends = 0

    async def append(self, batch: Batch) -> set[Shard]:
        lost = await super().append(batch)
        self.appends += 1
        if self.appends % 3 == 0:
            raise OutcomeUnknown("the answer was lost")
        return lost


async def test_an_outage_ends_the_replay_rather_than_move_its_ends(tmp_path: Path) -> None:
    (tmp_path / "bids.csv").write_text(
        "auctionid,bid,bidtime,bidder,openbid\n"
        + "".join(f"7,{n + 5},{n / 1_000},ann,1\n" for n in range(40))
    )
    auctions = ebay.read_auctions(tmp_path / "bids.csv", None)
    driver = Driver(ShortAbsence(), ebay.recording_of(auctions, enforce_minimum=False))
    with pytest.raises(ReplayFailed):
        await driver.play(quiet)


async def test_the_same_recording_gives_the_same_log(tmp_path: Path) -> None:
    (tmp_path / "bids.csv").write_text(
        "auctionid,bid,bidtime,bidder,openbid\n"
        + "".join(f"{n % 7},{n % 50 + 1},{n / 100},b{n % 5},1\n" for n in range(600))
    )
    auctions = ebay.read_auctions(tmp_path / "bids.csv", None)
    recording = ebay.recording_of(auctions, enforce_minimum=False)
    logs = [MemoryLog(), MemoryLog()]
    for log in logs:
        await Driver(log, recording).play(quiet)
    assert logs[0].events == logs[1].events


class FailingLog(MemoryLog):
    """A database that goes away at its n-th append and does not come back."""

    def __init__(self, appends: int) -> None:
        super().__init__()
        self._left = appends

    async def append(self, batch: Batch) -> set[Shard]:
        self._left -= 1
        if self._left < 0:
            raise OutcomeUnknown("the connection was lost")
        return await super().append(batch)


@pytest.mark.parametrize("appends", [0, 1, 5])
async def test_a_database_that_goes_away_ends_the_replay(appends: int, tmp_path: Path) -> None:
    (tmp_path / "bids.csv").write_text(
        "auctionid,bid,bidtime,bidder,openbid\n"
        + "".join(f"{n},5,{n / 100},ann,1\n" for n in range(20))
    )
    auctions = ebay.read_auctions(tmp_path / "bids.csv", None)
    driver = Driver(FailingLog(appends), ebay.recording_of(auctions, enforce_minimum=False))
    with pytest.raises(ReplayFailed, match="UNAVAILABLE"):
        async with asyncio.timeout(20):
            await driver.play(quiet)


def test_an_id_is_kept_if_it_can_be_and_stands_for_itself_alone() -> None:
    names = ["u1b94ce4f4d17", "1638893549", "a.b:c-d_e"]
    assert [safe_id(name) for name in names] == names
    strange = ["", " ", "a b", "x-1", "é", "a" * 61, "A\n", "-a", safe_id("a b")]
    stand_ins = [safe_id(name) for name in strange]
    assert len(set(stand_ins)) == len(strange)
    assert all(name.startswith("x-") and len(name) == 34 for name in stand_ins)


async def test_the_summary_tells_what_happened(tmp_path: Path) -> None:
    (tmp_path / "bids.csv").write_text(
        "auctionid,bid,bidtime,bidder,openbid\n7,5,1,ann,1\n7,5,2,ann,1\n8,5,1,ann,1\n"
    )
    (tmp_path / "reserves.csv").write_text("auctionid,reserve\n8,50\n")
    auctions = ebay.read_auctions(tmp_path / "bids.csv", tmp_path / "reserves.csv")
    outcomes = await play(ebay.recording_of(auctions, enforce_minimum=False))
    assert summary(outcomes, 3, 1.26, Path("out.csv")) == (
        "2 lots: 1 sold, 1 passed; 3 bids, 2 accepted; 0 extensions; 1.3 s; wrote out.csv"
    )
