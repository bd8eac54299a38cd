"""A process for the tests that kill it: an engine, and bidders who write down what they were told.

``python -m tests.acceptance.bidding_process DSN HISTORY SEED [--answer-early]``. Each line of
HISTORY is written before its bid is sent (``sent``) or after its verdict came (``told``), with a
plain ``write``: the kernel keeps it when the process is killed. What an earlier run sent is sent
again first. ``--answer-early`` is the defect that the harness must notice: verdicts leave before
their batch is durable.
"""

import asyncio
import json
import os
import random
import sys
from typing import Any

import uvloop
from msgspec.structs import asdict

from auction.clock import EngineClock
from auction.commands import PlaceBid, RegisterBidder, ScheduleSale
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, SaleId
from auction.increments import EBAY
from auction.log_postgres import PostgresLog
from auction.terms import LotListing, SoftClose, Terms
from auction.verdicts import Verdict
from auction.writer import Writer
from softclose.host import Host

SALES = [SaleId(f"sale-{number}") for number in range(4)]
LOTS = [LotId(str(number)) for number in range(1, 4)]
BIDDERS = [BidderId(f"bidder-{number}") for number in range(12)]
CLIENTS = 24
HOUR_US = 3_600_000_000


class History:
    """What was sent and told, one JSON line each."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, **line: Any) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def told(self, bid: PlaceBid, verdict: Verdict) -> None:
        receipt = verdict.receipt.hex() if verdict.receipt else None
        self.write(told=bid.bid_id, code=verdict.code, sequence=verdict.sequence, receipt=receipt)


async def open_sales(host: Host) -> None:
    """The sales and bidders of every run; those of an earlier run stand."""
    now_us = host.clock.now_us()
    lots = tuple(
        LotListing(
            lot_id=lot_id,
            opening_minor=100_00,
            opens_at_us=now_us,
            closes_at_us=now_us + HOUR_US,
        )
        for lot_id in LOTS
    )
    # The window is as long as the lot is open: every bid that changes the price moves the end.
    terms = Terms(increments=EBAY, soft_close=SoftClose(HOUR_US, 2 * HOUR_US))
    for sale_id in SALES:
        await host.engine.submit(
            ScheduleSale(
                sale_id=sale_id,
                liquidator_id=LiquidatorId("house"),
                terms=terms,
                lots=lots,
                secret=bytes(32),
                actor_id=ActorId("staff"),
            )
        )
        for bidder_id in BIDDERS:
            await host.engine.submit(
                RegisterBidder(sale_id=sale_id, bidder_id=bidder_id, terms_version=1)
            )


async def bid_for_ever(host: Host, history: History, chance: random.Random) -> None:
    """One client: bid what is due on some lot, a little more, and note each verdict."""
    least: dict[tuple[SaleId, LotId], int] = {}
    while True:
        sale_id, lot_id = chance.choice(SALES), chance.choice(LOTS)
        amount_minor = least.get((sale_id, lot_id), 100_00) + chance.randrange(5) * 100
        bid = PlaceBid(
            sale_id=sale_id,
            lot_id=lot_id,
            bidder_id=chance.choice(BIDDERS),
            bid_id=BidId(str(_uuid(chance))),
            amount_minor=amount_minor,
            currency="USD",
        )
        history.write(sent=asdict(bid))
        verdict = await host.engine.submit(bid)
        history.told(bid, verdict)
        if verdict.lot is not None:
            least[sale_id, lot_id] = verdict.lot.next_minimum_minor


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


async def main(dsn: str, path: str, seed: int) -> None:
    history = History(path)
    with open(path, encoding="utf-8") as lines:  # noqa: ASYNC230, PTH123 - before anything runs
        earlier = [json.loads(line) for line in lines]
    log = PostgresLog(dsn)
    host = Host(log, EngineClock())
    async with host.running():
        await host.writer.serving()
        await open_sales(host)
        again = [PlaceBid(**line["sent"]) for line in earlier if "sent" in line]
        for bid, verdict in zip(
            again, await asyncio.gather(*map(host.engine.submit, again)), strict=True
        ):
            history.told(bid, verdict)
        history.write(serving=seed)
        chances = [random.Random(f"{seed} {number}") for number in range(CLIENTS)]
        async with asyncio.TaskGroup() as group:
            for chance in chances:
                group.create_task(bid_for_ever(host, history, chance))


def answer_early() -> None:
    """Plant the defect: a verdict leaves when it is decided."""
    judge_and_wait = Writer._take

    def judge_and_tell(writer: Writer, shard: Any, command: Any, future: Any) -> None:
        judge_and_wait(writer, shard, command, future)
        for waiting, verdict, _ in writer._replies:
            if not waiting.done():
                waiting.set_result(verdict)

    setattr(Writer, "_take", judge_and_tell)  # noqa: B010 - a method is replaced on purpose


if __name__ == "__main__":
    if "--answer-early" in sys.argv:
        answer_early()
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
