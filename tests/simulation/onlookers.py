"""Clients of the gateways: they follow sales, bid, read slowly or not at all, are cut off, and come
back where they were. Everything that they are told is held against the durable log (I14 to I16).
"""

import asyncio
import json
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any, Final

import msgpack
from aiohttp import WSMsgType

from auction.ids import BidderId, SaleId
from bidder_gateway.encodings import Encoding
from tests.links import message
from tests.simulation.gateway_hosts import GatewayHost
from tests.simulation.logins import Logins
from tests.simulation.people import Room
from tests.simulation.public_record import PublicRecord, Scope
from tests.simulation.salerooms import BIDDERS
from tests.simulation.tape import Tape
from tests.simulation.told import Asked, Broken, Told
from tests.simulation.wires import Wire

# Whatever a gateway says, no client may see these: nobody's identity but its own.
SECRETS: Final = (*BIDDERS, "bidder-of-the-house", "of-bidder")
CLOSE, PING = 8, 9
# Who says nothing, or may not be here any more, is sent away within this time.
SENT_AWAY_S: Final = 8.0


class Onlooker:
    """One client, which comes back for ever, and does mischief until it is to be ``calm``."""

    def __init__(
        self,
        name: str,
        bidder_id: BidderId | None,
        encoding: Encoding,
        room: Room,
        record: PublicRecord,
        logins: Logins,
        tape: Tape,
        rng: Random,
    ) -> None:
        self.name, self.bidder_id = name, bidder_id
        self.calm = asyncio.Event()
        self._encoding, self._room, self._record = encoding, room, record
        self._logins, self._tape, self._rng = logins, tape, rng
        self._login = count(1)
        self._token = f"{bidder_id}/{next(self._login)}"
        self._requests = count(1)
        self._seen: dict[SaleId, tuple[Scope, int]] = {}  # where it was, over all connections
        self._verdicts: dict[str, tuple[Any, ...]] = {}
        self._bids: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}
        self._wire: Wire | None = None
        self._stalled_until_s = 0.0
        self._forget()

    def _forget(self) -> None:
        """What belongs to a connection."""
        self._told = Told(self.bidder_id, self._encoding, self._record, self._seen)
        self._stream = bytearray()
        self._parsed = 0
        self._welcomed = False
        self._is_over = self._was_closed = False

    # --- Connecting -------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            host = self._room.network(None)
            wire = host.connect(self._encoding) if isinstance(host, GatewayHost) else None
            if wire is not None:
                await self._converse(wire)
            await asyncio.sleep(self._rng.random() * (0.3 if self.calm.is_set() else 1.0))

    async def _converse(self, wire: Wire) -> None:
        self._forget()
        self._wire = wire
        self._count("connections")
        self._say_hello(wire)
        acting = asyncio.create_task(self._act(wire))
        try:
            while data := await wire.read(self._appetite()):
                self._stream += data
                self._listen()
                if self._is_over:
                    break
                await self._pause()
        except Broken as broken:
            where = f"{self.name} at {wire.process.name}"
            self._tape.broken(broken.invariant, f"{where}: {broken}")
            wire.cut(noticed=True)
        finally:
            acting.cancel()
            self._wire = None
        self._must_hold_no_secret(wire)

    def _appetite(self) -> int:
        return 10**6 if self.calm.is_set() else self._rng.choice((40, 500, 5_000, 10**6))

    async def _pause(self) -> None:
        await asyncio.sleep(
            0.001 if self.calm.is_set() else self._rng.choice((0.0, 0.001, 0.01, 0.05))
        )
        if self._room.loop.time() < self._stalled_until_s:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._stalled_until_s):
                    await self.calm.wait()

    def _say(self, **fields: Any) -> None:
        if self._wire is None:
            return
        if self._encoding.text:
            self._wire.send(WSMsgType.TEXT, json.dumps(fields))
        else:
            self._wire.send(WSMsgType.BINARY, msgpack.packb(fields))

    def _say_hello(self, wire: Wire) -> None:
        if not self.calm.is_set() and self._rng.random() < 0.03:
            self._count("silences")
            wire.must_end("its client says nothing", SENT_AWAY_S)
        elif self.bidder_id is None:
            self._say(type="hello")
        else:
            self._say(type="hello", token=self._token)

    # --- What it does -----------------------------------------------------------------------

    async def _act(self, wire: Wire) -> None:
        habits = [
            (20, self._follow_anew),
            (25, self._bid),
            (6, self._bid_again),
            (4, self._stall),
            (4, self._vanish),
            (3, self._stop_following),
            (2, self._say_goodbye),
            (1, self._log_out),
            (2, self._ping),
            (6, self._ask_the_time),
        ]
        weights = [weight for weight, _ in habits]
        while True:
            await asyncio.sleep(0.3 if self.calm.is_set() else self._rng.expovariate(1.5))
            if not self._welcomed:
                continue
            if self.calm.is_set():
                self._follow_what_it_does_not()
            else:
                ((_, habit),) = self._rng.choices(habits, weights)
                habit(wire)

    def _come_back(self) -> None:
        """Go on where it was."""
        for sale_id, (scope, since) in self._seen.items():
            self._follow(sale_id, scope, since)

    def _follow_what_it_does_not(self) -> None:
        waited_for = {asked.sale_id for asked in self._told.asked.values()}
        for sale_id in self._room.sales:
            if sale_id not in self._told.followed and sale_id not in waited_for:
                self._follow(sale_id, None, None)

    def _follow_anew(self, _: Wire) -> None:
        rng = self._rng
        sale = rng.choice(list(self._room.sales.values()))
        scope: Scope = None
        if rng.random() < 0.4:
            some = rng.sample(sale.lots, rng.randrange(1, len(sale.lots) + 1))
            scope = frozenset(lot.lot_id for lot in some)
        last = self._record.of(sale.sale_id).sequence
        since = rng.choice((None, 0, last, max(0, last - rng.randrange(30)), last + 1))
        self._follow(sale.sale_id, scope, since)

    def _follow(self, sale_id: SaleId, scope: Scope, since: int | None) -> None:
        request = next(self._requests)
        self._told.asked[request] = Asked(sale_id, scope, since)
        lots = {} if scope is None else {"lots": sorted(scope)}
        after = {} if since is None else {"since": since}
        self._say(type="subscribe", request=request, sale_id=sale_id, **lots, **after)

    def _stop_following(self, _: Wire) -> None:
        if self._told.followed:
            sale_id = self._rng.choice(list(self._told.followed))
            self._say(type="unsubscribe", request=next(self._requests), sale_id=sale_id)

    def _bid(self, _: Wire) -> None:
        rng = self._rng
        sale_id, lot = rng.choice(self._room.lots)
        views = self._record.of(sale_id).lots[-1]
        view = views.get(lot.lot_id)
        if self.bidder_id is None or view is None:
            return
        digits = f"{rng.getrandbits(128):032x}"
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        amount_minor = view.next_minimum_minor + rng.choice((-10_00, 0, 0, 20_00, 200_00))
        self._bids.append(
            {
                "type": "bid",
                "request": next(self._requests),
                "sale_id": sale_id,
                "lot_id": lot.lot_id,
                "bid_id": "-".join(parts),
                "offer": {
                    "kind": "MAXIMUM",
                    "amount_minor": max(1, amount_minor),
                    "currency": "USD",
                },
            }
        )
        self._say(**self._bids[-1])

    def _bid_again(self, _: Wire) -> None:
        if self._bids:
            self._say(**self._rng.choice(self._bids))

    def _stall(self, _: Wire) -> None:
        self._stalled_until_s = self._room.loop.time() + self._rng.choice((0.5, 2.0, 15.0))

    def _vanish(self, wire: Wire) -> None:
        self._count("cuts")
        wire.cut(noticed=self._rng.random() < 0.6, room=self._rng.choice((1_000, 10**6)))
        self._is_over = True

    def _say_goodbye(self, wire: Wire) -> None:
        wire.send(WSMsgType.CLOSE, 1000)
        wire.must_end("its client said goodbye", SENT_AWAY_S)

    def _log_out(self, wire: Wire) -> None:
        """Somewhere else, and in again: this connection is not for those who know the old token."""
        if self.bidder_id is not None:
            self._count("logouts")
            self._logins.ended.add(self._token)
            self._token = f"{self.bidder_id}/{next(self._login)}"
            wire.must_end("its login has ended", SENT_AWAY_S)

    def _ping(self, wire: Wire) -> None:
        wire.send(WSMsgType.PING, b"here")

    def _ask_the_time(self, _: Wire) -> None:
        for number in range(self._rng.choice((1, 1, 10, 40))):
            self._say(type="time", c0=number)

    # --- What it is told --------------------------------------------------------------------

    def _listen(self) -> None:
        while (found := message(bytes(self._stream), self._parsed)) is not None:
            opcode, payload, self._parsed = found
            if self._was_closed:
                raise Broken("I15", "something came after the close")
            if opcode == PING and self._wire is not None:
                self._wire.send(WSMsgType.PONG, payload)
            elif opcode == CLOSE:
                self._is_over = self._was_closed = True
                if self._wire is not None:
                    self._wire.send(WSMsgType.CLOSE, 1000)
            elif opcode == (1 if self._encoding.text else 2):
                decode = json.loads if self._encoding.text else msgpack.unpackb
                self._take(decode(payload))

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        self._count(kind)
        self._tape.note(self.name, "is told", kind, _number(frame))
        if kind == "welcome":
            self._welcomed = True
            self._come_back()
        elif kind == "verdict":
            self._verdict(frame)
        else:
            self._told.take(frame)
        if frame.get("recovered"):
            self._count("recovered")

    def _verdict(self, frame: dict[str, Any]) -> None:
        bid_id, code = frame["bid_id"], frame["code"]
        if bid_id not in {bid["bid_id"] for bid in self._bids}:
            raise Broken("I16", f"a verdict on another's bid: {frame}")
        if code in ("LEADING", "OUTBID"):
            told = (code, frame["sequence"], frame["receipt"])
            if self._verdicts.setdefault(bid_id, told) != told:
                raise Broken("I3", f"{told}, told before: {self._verdicts[bid_id]}")

    # --- In the end -------------------------------------------------------------------------

    def _must_hold_no_secret(self, wire: Wire) -> None:
        stream = bytes(self._stream)
        for secret in SECRETS:
            mine = self.bidder_id is not None and secret in (self.bidder_id, "of-bidder")
            if not mine and secret.encode() in stream:
                place = stream.index(secret.encode())
                about = stream[max(0, place - 200) : place + 60]
                self._tape.broken("I16", f"{self.name} at {wire.process.name}: {about!r}")

    def falls_behind(self) -> str | None:
        """What it does not know though all is well; ``None``: nothing."""
        return self._told.falls_behind(self._room.sales) if self._welcomed else "is not connected"

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _number(frame: dict[str, Any]) -> object:
    """What tells a frame from others of its kind, for a reader of the trace."""
    about = frame.get("event", frame)
    return [about[name] for name in ("sale_id", "from", "to", "sequence") if name in about]
