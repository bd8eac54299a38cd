"""The database goes, or its disk is full: bids are refused, none is lost, it goes on by itself."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from auction.clock import EngineClock
from auction.codec import decode_body
from auction.events import BidPlaced, EndsMoved, MaximumRaised, MoveReason
from auction.ids import BidId, SaleId, shard_of
from auction.log_postgres import PostgresLog
from auction.rejections import Rejection
from auction.terms import LotListing
from auction.verdicts import Verdict
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.host import Host
from tests.builders import EBAY_TERMS, MINUTE_US, SALE, bid, register, schedule

# A cluster takes some 60 MB with its first WAL segment; the rest is for the log.
DISK = "160m"
LEFT_FREE = 512 * 1024
MOST_BIDS = 100_000
# A bid that is refused because the database is away is told so in this time, on a busy machine.
TOLD_WITHIN_S = 20.0


@dataclass
class Bidding:
    """Bids of two rivals on one lot, ever higher, and what they were told."""

    host: Host
    told: dict[BidId, Verdict] = field(default_factory=dict)
    amounts: Iterator[int] = field(default_factory=lambda: count(200_00, 500_00))

    async def open(self) -> None:
        now_us = self.host.clock.now_us()
        lot = LotListing(
            lot_id=bid("A", 1).lot_id,
            opening_minor=100_00,
            opens_at_us=now_us,
            closes_at_us=now_us + 3 * MINUTE_US,
        )
        for command in (schedule(lot, terms=EBAY_TERMS), register("A"), register("B")):
            assert (await self.host.engine.submit(command)).accepted

    async def once(self) -> Verdict:
        amount_minor = next(self.amounts)
        command = bid("AB"[amount_minor // 500_00 % 2], amount_minor)
        async with asyncio.timeout(TOLD_WITHIN_S):
            verdict = await self.host.engine.submit(command)
        self.told[command.bid_id] = verdict
        return verdict

    async def until(self, accepted: bool) -> None:
        """Bid until a bid is accepted, or until one is not."""
        for _ in range(MOST_BIDS // 50):
            verdicts = await asyncio.gather(*(self.once() for _ in range(50)))
            assert {v.code for v in verdicts if not v.accepted} <= {Rejection.UNAVAILABLE}
            if any(verdict.accepted is accepted for verdict in verdicts):
                return
            if accepted:
                await asyncio.sleep(0.05)  # nothing tells a bidder that the service is back
        pytest.fail(f"no bid came to be {'accepted' if accepted else 'refused'}")


@asynccontextmanager
async def bidding_on(postgres: EmbeddedPostgres) -> AsyncIterator[Bidding]:
    """An engine on a server of its own, and an open lot."""
    await prepare(postgres.dsn)
    log = PostgresLog(postgres.dsn)
    host = Host(log, EngineClock())
    try:
        async with host.running():
            await host.writer.serving()
            bidding = Bidding(host)
            await bidding.open()
            yield bidding
    finally:
        await log.close()
        await postgres.stop()


async def assert_all_are_in_the_log(bidding: Bidding) -> None:
    """Each accepted bid stands in the log with the receipt that its verdict gave."""
    places: dict[BidId, bytes] = {}
    log, after = bidding.host.log, 0
    while rows := await log.read(shard_of(SALE), after, 5_000):
        for row in rows:
            recorded, after = decode_body(row.position, row.body), row.position
            if isinstance(recorded.event, BidPlaced | MaximumRaised):
                places[recorded.event.bid_id] = recorded.receipt
    accepted = {bid_id: v.receipt for bid_id, v in bidding.told.items() if v.accepted}
    assert accepted.items() <= places.items()


async def test_a_lost_database_refuses_bids_and_takes_them_when_it_is_back(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres", scratch=True)
    await postgres.start()
    async with bidding_on(postgres) as bidding:
        await bidding.until(accepted=True)
        assert postgres.pid is not None
        os.kill(postgres.pid, signal.SIGQUIT)  # what `pg_ctl stop -m immediate` sends
        await bidding.until(accepted=False)
        before = sum(verdict.accepted for verdict in bidding.told.values())
        await postgres.stop()
        assert not (await bidding.once()).accepted
        await postgres.restart_if_ended()
        await bidding.until(accepted=True)
        assert sum(verdict.accepted for verdict in bidding.told.values()) > before
        await assert_all_are_in_the_log(bidding)


async def test_a_lot_that_ends_while_the_database_is_away_gets_its_time_back(
    tmp_path: Path,
) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres", scratch=True)
    await postgres.start()
    async with bidding_on(postgres) as bidding:
        soon = LotListing(
            lot_id=bid("A", 1).lot_id,
            opening_minor=100_00,
            opens_at_us=bidding.host.clock.now_us(),
            closes_at_us=bidding.host.clock.now_us() + 5_000_000,
        )
        other = SaleId("S-ends-soon")
        command = replace(schedule(soon), sale_id=other)
        assert (await bidding.host.engine.submit(command)).accepted
        assert postgres.pid is not None
        os.kill(postgres.pid, signal.SIGQUIT)
        await bidding.until(accepted=False)
        await postgres.stop()
        await postgres.restart_if_ended()
        await bidding.until(accepted=True)
        rows = await bidding.host.log.read_sale(other, 0, 10)
        events = [decode_body(row.position, row.body).event for row in rows]
        (moved,) = [event for event in events if isinstance(event, EndsMoved)]
        assert moved.reason is MoveReason.OUTAGE
        assert moved.ends[0].closes_at_us > soon.closes_at_us


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, of ``DISK`` bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "none", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        reason = f"a small disk cannot be mounted here: {mounted.stderr.strip()}"
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S607 - as is mount


def fill(disk: Path) -> Path:
    """A file that takes what is free but for ``LEFT_FREE``."""
    filler = disk / "filler"
    space = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - LEFT_FREE)
    return filler


async def test_a_full_disk_refuses_bids_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        postgres = EmbeddedPostgres(disk / "postgres", scratch=True)
        await postgres.start()
        async with bidding_on(postgres) as bidding:
            keeper = asyncio.create_task(postgres.keep_running())
            await bidding.until(accepted=True)
            filler = fill(disk)
            await bidding.until(accepted=False)
            filler.unlink()
            await bidding.until(accepted=True)
            await assert_all_are_in_the_log(bidding)
            keeper.cancel()
