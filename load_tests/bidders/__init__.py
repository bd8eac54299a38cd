"""Bidders: one C program that bids over many WebSockets, and times the verdicts.

Each lot of the load tests' sale has two bidders, each on a connection of its own that follows
that lot, as its page does. What they say is written down beforehand, so that bidding costs next to
nothing while the clock runs.
"""

import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bidder_gateway.live import PATH
from bidder_gateway.protocol import MSGPACK, Subscribed, VerdictFrame
from foundation.errors import OperatorError
from load_tests.cache import compiled
from load_tests.children import Child, child
from load_tests.gateway.sale import BIDDERS_A_LOT, OPENING_MINOR, SALE, STEP_MINOR, bidder, lot
from load_tests.gateway.speech import start_of

FOLDER: Final = Path(__file__).parent
SHARED: Final = FOLDER.parent / "watchers"
SOURCES: Final = [
    *sorted(FOLDER.glob("*.c")),
    *(SHARED / f"{name}.c" for name in ("websocket", "fields", "histogram")),
]
READY_TIMEOUT_S: Final = 60.0
# Beyond the time that is bid for: the program itself gives up after half a minute of silence.
SLACK_S: Final = 40.0

_encode = msgspec.msgpack.Encoder().encode


class BidsLost(OperatorError):
    """A bid was not answered, or twice."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The verdicts on some bids."""

    found: dict[str, Any]

    @property
    def accepted(self) -> int:
        """Bids that stand and lead."""
        return int(self.found["good"])

    @property
    def took_s(self) -> float:
        """From the first bid to the last verdict."""
        return float(self.found["took_s"])

    @property
    def per_s(self) -> float:
        """Accepted bids a second."""
        return self.accepted / self.took_s

    def ms(self, share: str) -> float:
        """A quantile, such as ``p99``, of the time from a bid to its verdict."""
        return float(self.found["latency_us"][share]) / 1e3

    @property
    def refused(self) -> int:
        """How many were refused: a higher bid on the lot, from elsewhere, was read before it."""
        return int(self.found["bad"])

    @property
    def refused_share(self) -> float:
        """Which part was refused."""
        return self.refused / (self.accepted + self.refused)

    def whole(self) -> "Answers":
        """This, if each bid was answered once; raises `BidsLost`."""
        wrong = {name: self.found[name] for name in ("unanswered", "twice") if self.found[name]}
        if wrong:
            raise BidsLost(f"beside {self.accepted} bids that stand: {wrong}")
        return self


class Bidders:
    """A running crowd."""

    def __init__(self, program: Child) -> None:
        self.program = program

    async def bid(self, count: int, per_s: int) -> Answers:
        """So many bids at a steady rate, however long verdicts take."""
        command = f"open {per_s} {count}"
        return Answers(await self.program.ask_json(command, timeout_s=count / per_s + SLACK_S))

    async def bid_at_once(self, seconds: int) -> Answers:
        """On every lot the next bid as soon as the last one has its verdict."""
        command = f"closed {seconds}"
        return Answers(await self.program.ask_json(command, timeout_s=seconds + SLACK_S))


@asynccontextmanager
async def bidding(port: int, folder: Path, lots: int, bids: int) -> AsyncIterator[Bidders]:
    """The program for the block, with at most ``bids`` bids to make; all are connected."""
    script = folder / "bids"
    script.write_bytes(b"".join(_script(lots, bids)))
    keys = [start_of(VerdictFrame), _encode("request"), _code("LEADING"), start_of(Subscribed)]
    command = [str(compiled("bidders", SOURCES)), str(port), PATH, MSGPACK, str(script)]
    async with child("bidders", [*command, *(key.hex() for key in keys)]) as program:
        await program.line(timeout_s=READY_TIMEOUT_S)
        yield Bidders(program)


def _code(value: str) -> bytes:
    return _encode("code") + _encode(value)


def _script(lots: int, bids: int) -> Iterator[bytes]:
    """The program's file: see script.h. A lot is a line; its two bidders are connections."""
    connections = lots * BIDDERS_A_LOT
    yield struct.pack("<4I", connections, lots, 2 * connections, bids)
    for number in range(lots):
        for turn in range(BIDDERS_A_LOT):
            hello = {"type": "hello", "token": bidder(number, turn), "client": "load test"}
            follow = {"type": "subscribe", "request": 0, "sale_id": SALE, "lots": [lot(number)]}
            for frame in (hello, follow):
                yield _message(number * BIDDERS_A_LOT + turn, number, frame)
    for request in range(bids):
        turn, number = divmod(request, lots)
        connection = number * BIDDERS_A_LOT + turn % BIDDERS_A_LOT
        yield _message(connection, number, _bid(request, turn, number))


def _bid(request: int, turn: int, number: int) -> dict[str, Any]:
    amount_minor = OPENING_MINOR + turn * STEP_MINOR
    return {
        "type": "bid",
        "request": request,
        "sale_id": SALE,
        "lot_id": lot(number),
        "bid_id": f"00000000-0000-4000-8000-{request:012x}",
        "offer": {"kind": "MAXIMUM", "amount_minor": amount_minor, "currency": "USD"},
    }


def _message(connection: int, line: int, frame: dict[str, Any]) -> bytes:
    payload = _encode(frame)
    return struct.pack("<3I", connection, line, len(payload)) + payload
