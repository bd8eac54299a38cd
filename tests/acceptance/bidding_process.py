"""A process for the tests that kill it: an engine, bidders, and a history of what they were told.

``python -m tests.acceptance.bidding_process``, with its orders as one JSON line on standard
input. What was sent is written to the history before it is sent, what was told after it was
told, with plain writes: the kernel keeps them when the process is killed. On standard output
goes one letter for each thing that the parent waits for (``Mark``).
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import uvloop
from msgspec import Struct

from auction.commands import PlaceBid
from auction.ids import Shard
from auction.log_postgres import PostgresLog
from auction.ports import Batch
from auction.verdicts import Verdict
from auction.writer import Writer
from foundation.database import connect
from softclose.databases import embedded_server, prepare
from softclose.host import Host
from tests.acceptance.salerooms import FastClock, Salerooms
from tests.builders import SECOND_US, at

CLIENTS = 24
AT_ONCE = 500
# Small, so that most starts go by a snapshot and a tail.
SNAPSHOT_EVERY = 1_000
# What the body of an event of an accepted bid holds, and no other
ACCEPTED_BIDS = (b"bid_placed", b"maximum_raised")


class Mark:
    """What the process is at; each is written when it is so."""

    SERVING = b"S"
    BIDDING = b"B"  # what was sent before has been sent again
    APPENDING = b">"
    APPENDED = b"<"  # durable, and nobody has been told
    DONE = b"D"


class Orders(Struct, kw_only=True):
    """What the parent wants of this run.

    ``dsn``, or ``data``: the folder of an embedded PostgreSQL. ``again``: bids to send again.
    ``die``: kill yourself at this mark, once there were so many appends and this one holds an
    accepted bid. ``bid``: go on with new bids.
    """

    history: str
    seed: int
    dsn: str | None = None
    data: str | None = None
    again: list[PlaceBid] = []
    bid: bool = True
    die: tuple[str, int] | None = None
    answer_early: bool = False
    unchecked: bool = False


class History:
    """A JSON line for each bid that was sent and each verdict that was told."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def sent(self, bid: PlaceBid) -> None:
        self._write({"sent": bid})

    def told(self, bid: PlaceBid, verdict: Verdict) -> None:
        self._write({"told": bid.bid_id, "verdict": place_of(verdict)})

    def misused(self, bid: PlaceBid, verdict: Verdict) -> None:
        """An id that was accepted came with another amount."""
        self._write({"misused": bid.bid_id, "verdict": place_of(verdict)})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, msgspec.json.encode(line) + b"\n")


def place_of(verdict: Verdict) -> tuple[str, int | None, str | None]:
    """The part of a verdict that never changes."""
    receipt = None if verdict.receipt is None else verdict.receipt.hex()
    return verdict.code, verdict.sequence, receipt


class MarkedLog(PostgresLog):
    """The log, telling the parent when an append is under way, and dying where it is ordered."""

    def __init__(self, dsn: str, marks: int, die: tuple[str, int] | None) -> None:
        super().__init__(dsn)
        self._marks, self._die, self._appends = marks, die, 0

    async def append(self, batch: Batch) -> set[Shard]:
        self._appends += 1
        fatal = any(kind in body for body in batch.bodies for kind in ACCEPTED_BIDS)
        await self._at(Mark.APPENDING, fatal)
        lost = await super().append(batch)
        await self._at(Mark.APPENDED, fatal)
        return lost

    async def _at(self, mark: bytes, fatal: bool) -> None:
        os.write(self._marks, mark)
        if fatal and self._die and self._die[0] == mark.decode() and self._appends >= self._die[1]:
            for _ in range(5):  # whoever could be told something now is told
                await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGKILL)


def answer_early() -> None:
    """The defect that the tests must notice: a verdict leaves when it is decided."""
    judge_and_wait = Writer._take

    def judge_and_tell(writer: Writer, shard: Any, command: Any, future: Any) -> None:
        judge_and_wait(writer, shard, command, future)
        for waiting, verdict, _ in writer._replies:
            if not waiting.done():
                waiting.set_result(verdict)

    setattr(Writer, "_take", judge_and_tell)  # noqa: B010 - a method is replaced on purpose


@asynccontextmanager
async def database(orders: Orders) -> AsyncIterator[str]:
    """The database, as every process that serves prepares it."""
    if orders.dsn is not None:
        await prepare(orders.dsn)
        yield orders.dsn
        return
    assert orders.data is not None
    async with embedded_server(Path(orders.data)) as postgres:
        if not orders.unchecked:
            await prepare(postgres.dsn)
        yield postgres.dsn


async def last_sign_of_life(dsn: str) -> int:
    """Engine time when the run before was alive last."""
    connection = await connect(dsn, name="bidding")
    beat_at_us: int | None = await connection.fetchval("select max(beat_at_us) from log_shard")
    await connection.close()
    return beat_at_us or at("10:00")


async def main(orders: Orders, marks: int) -> None:
    chance = random.Random(orders.seed)
    history = History(orders.history)
    async with database(orders) as dsn:
        away_us = chance.choice((1, 5, 60)) * SECOND_US
        clock = FastClock(await last_sign_of_life(dsn) + away_us)
        log = MarkedLog(dsn, marks, orders.die)
        host = Host(log, clock)
        async with host.running():
            await host.writer.serving()
            os.write(marks, Mark.SERVING)
            await send_again(host, history, orders.again)
            os.write(marks, Mark.BIDDING)
            if orders.bid:
                await Salerooms(host, history).busy(orders.seed, CLIENTS)
        await log.close()
    os.write(marks, Mark.DONE)


async def send_again(host: Host, history: History, bids: list[PlaceBid]) -> None:
    """In the order in which they were first sent, many at once."""
    for begin in range(0, len(bids), AT_ONCE):
        some = bids[begin : begin + AT_ONCE]
        for bid, verdict in zip(
            some, await asyncio.gather(*map(host.engine.submit, some)), strict=True
        ):
            history.told(bid, verdict)


if __name__ == "__main__":
    marks = os.dup(1)
    os.dup2(2, 1)  # what is logged does not go among the marks
    line = sys.stdin.readline()
    if line:  # else it was never needed
        orders = msgspec.json.decode(line, type=Orders)
        if orders.answer_early:
            answer_early()
        with patch("auction.judge.SNAPSHOT_EVERY", SNAPSHOT_EVERY):
            uvloop.run(main(orders, marks))
