"""What came of the sale, read back from the log: nothing here was kept by the demonstration."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auction.codec import Recorded, decode_body
from auction.events import (
    BidPlaced,
    EndExtended,
    LotPassed,
    LotScheduled,
    LotSold,
    MaximumRaised,
    PassReason,
)
from auction.ids import LotId, Paddle, SaleId
from auction.log_postgres import PostgresLog
from softclose.log_checks import check_sale
from softclose.open_log import sale_events
from softclose.whole_file import whole_file


@dataclass
class LotResult:
    """One lot. ``passed``: why it was not sold; neither that nor a winner: still open."""

    title: str
    price_minor: int | None = None
    winner: Paddle | None = None
    passed: PassReason | None = None
    bids: int = 0
    extensions: int = 0


@dataclass
class Results:
    """The sale. ``bids`` are all that were accepted, ``private`` those that nobody else saw."""

    lots: dict[LotId, LotResult] = field(default_factory=dict)
    private: int = 0
    events: int = 0
    chain_ok: bool = True

    @property
    def sold(self) -> list[LotResult]:
        return [lot for lot in self.lots.values() if lot.winner is not None]

    @property
    def passed(self) -> list[LotResult]:
        return [lot for lot in self.lots.values() if lot.passed is not None]

    @property
    def bids(self) -> int:
        return sum(lot.bids for lot in self.lots.values())

    @property
    def extensions(self) -> int:
        return sum(lot.extensions for lot in self.lots.values())

    def as_json(self) -> dict[str, int | bool]:
        """What ``--json`` writes."""
        return {
            "lots": len(self.lots),
            "sold": len(self.sold),
            "passed": len(self.passed),
            "bids": self.bids,
            "extensions": self.extensions,
            "chain_ok": self.chain_ok,
        }


async def read_results(log: PostgresLog, sale_id: SaleId) -> Results:
    """The results of a sale, with everything that the log claims checked from its bytes."""
    results = Results()
    async for logged in sale_events(log, sale_id):
        _count(results, decode_body(logged.position, logged.body))
    checked = await check_sale(log, sale_id)
    results.events, results.chain_ok = checked.events, checked.sound
    return results


def _count(results: Results, recorded: Recorded) -> None:
    match recorded.event:
        case LotScheduled(lot_id=lot_id, title=title):
            results.lots[lot_id] = LotResult(title)
        case BidPlaced(lot_id=lot_id, price_minor=price_minor):
            results.lots[lot_id].bids += 1
            results.lots[lot_id].price_minor = price_minor
        case MaximumRaised(lot_id=lot_id):
            results.lots[lot_id].bids += 1
            results.private += 1
        case EndExtended(lot_id=lot_id):
            results.lots[lot_id].extensions += 1
        case LotSold() as sold:
            lot = results.lots[sold.lot_id]
            lot.price_minor = sold.hammer_price_minor
            lot.winner = sold.allocations[0].paddle
        case LotPassed(lot_id=lot_id, reason=reason):
            results.lots[lot_id].passed = reason
        case _:
            pass


def write_json(target: Path | None, found: Mapping[str, int | bool]) -> None:
    """One object; into a file whole or not at all, or ``None``: to standard output."""
    text = json.dumps(found) + "\n"
    if target is None:
        sys.stdout.write(text)
        return
    with whole_file(target) as out:
        out.write(text)
