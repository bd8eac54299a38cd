"""A client of the live protocol in Python: for tests, load tests and the demonstration's resellers.

It keeps the promises that a good client keeps: it reconnects with jitter and goes on where it
was, sends a bid that was not answered again under the same id, and believes nothing that it can
check: every sequence once, in order, and every hash of the chain. A broken promise of the server
raises `ProtocolBroken`.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Any, Final

import aiohttp
import msgpack
import msgspec
from aiohttp import WSMsgType
from msgspec import Struct, field

from auction.ids import BidId, LotId, SaleId
from bidder_gateway.protocol import JSON, MSGPACK

# Between attempts to connect: from a moment to ten seconds, each a random part of its bound.
RETRY_FIRST_S: Final = 0.2
RETRY_MOST_S: Final = 10.0
CONNECT_WITHIN_S: Final = 10.0
# A verdict takes milliseconds; after so long the bid is sent again under the same id.
VERDICT_WITHIN_S: Final = 5.0
# Before a bid that was not judged (BUSY, UNAVAILABLE) is sent again.
RESEND_S: Final = 0.1
# Frames that wait for whoever reads them; beyond, this client reads no further.
MAX_UNREAD: Final = 10_000
# Errors that sending the same again does not mend.
FINAL_ERRORS: Final = frozenset({"INVALID", "FORBIDDEN"})
# A close that means: do not come back.
FINAL_CLOSES: Final = frozenset({4401, 4440})

Frame = dict[str, Any]


class ProtocolBroken(Exception):
    """The server did what the protocol excludes: a gap, a repetition, a hash that is wrong."""


class LoginRefused(Exception):
    """The ticket or token is not good."""


class BidNotTaken(Exception):
    """The server does not take such a bid from this login: the code of its error, and why."""


class Followed(Struct):
    """A sale that is followed. ``sequence``: the last event that was seen, with its ``hash``."""

    sale_id: SaleId
    lots: tuple[LotId, ...] | None = None
    sequence: int | None = None
    hash: bytes | None = None  # None: not known, as after a conflated frame
    lot_sequences: dict[str, int] = field(default_factory=dict)


class LiveClient:
    """One client. ``frames`` yields what arrives; ``bid`` returns a verdict.

    ``login`` makes the fields of hello for each connection: a new ticket, or the token.
    """

    def __init__(
        self,
        url: str,
        login: Callable[[], Awaitable[Frame]] | None = None,
        *,
        http: aiohttp.ClientSession,
        subprotocol: str = MSGPACK,
        name: str = "softclose-client",
    ) -> None:
        self.url, self.name = url, name
        self.reconnects = 0
        self.viewer: Frame | None = None
        self._login, self._http, self._subprotocol = login, http, subprotocol
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._followed: dict[SaleId, Followed] = {}
        self._verdicts: dict[BidId, tuple[Frame, asyncio.Future[Frame]]] = {}
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(MAX_UNREAD)
        self._requests = 0
        self._welcomed = asyncio.Event()
        self._come_back_s: float | None = None
        self._ended: ProtocolBroken | LoginRefused | None = None
        self._random = random.Random()  # noqa: S311 - spreads, hides nothing

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LiveClient"]:
        """Connect, and stay connected for the block."""
        running = asyncio.create_task(self._run(), name=self.name)
        try:
            yield self
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def welcomed(self) -> None:
        """Return once hello was answered; raises what ended the client instead."""
        await self._welcomed.wait()
        if self._ended is not None:
            raise self._ended

    async def frames(self) -> AsyncIterator[Frame]:
        """What arrives, checked: events, snapshots, conflated frames, own events, notices.

        Raises what ended the client: `ProtocolBroken`, `LoginRefused`.
        """
        while (frame := await self._frames.get()) is not None:
            yield frame
        assert self._ended is not None, "only an error ends the frames"
        raise self._ended

    async def follow(
        self, sale_id: SaleId, lots: tuple[LotId, ...] | None = None, since: int | None = None
    ) -> None:
        """Follow a sale; after each reconnection too."""
        followed = self._followed[sale_id] = Followed(sale_id, lots, since)
        if self._welcomed.is_set():
            await self._send(self._subscription(followed))

    async def bid(
        self,
        sale_id: SaleId,
        lot_id: LotId,
        amount_minor: int,
        currency: str,
        bid_id: BidId | None = None,
    ) -> Frame:
        """The verdict on a bid, sent as often as it takes, always under the same id.

        Raises `BidNotTaken`, and what ended the client: `ProtocolBroken`, `LoginRefused`.
        """
        frame = {
            "type": "bid",
            "request": self._next_request(),
            "sale_id": sale_id,
            "lot_id": lot_id,
            "bid_id": bid_id or BidId(str(uuid.uuid4())),
            "offer": {"kind": "MAXIMUM", "amount_minor": amount_minor, "currency": currency},
        }
        while True:
            verdict = await self._asked(frame)
            if verdict is not None and verdict["code"] not in ("BUSY", "UNAVAILABLE"):
                return verdict
            await asyncio.sleep(RESEND_S)

    def drop(self) -> None:
        """Cut the connection as a broken network would; it comes back by itself."""
        if self._socket is not None:
            self._socket._writer.transport.abort()

    async def _asked(self, frame: Frame) -> Frame | None:
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._verdicts[frame["bid_id"]] = frame, future
        try:
            await self.welcomed()
            await self._send(frame)
            async with asyncio.timeout(VERDICT_WITHIN_S):
                return await future
        except TimeoutError:
            return None
        finally:
            self._verdicts.pop(frame["bid_id"], None)

    # The connection.

    async def _run(self) -> None:
        delay_s = RETRY_FIRST_S
        while True:
            try:
                await self._converse()
                delay_s = RETRY_FIRST_S
            except (aiohttp.ClientError, TimeoutError, OSError):
                delay_s = min(2 * delay_s, RETRY_MOST_S)
            except (ProtocolBroken, LoginRefused) as error:
                await self._end(error)
                return
            self._welcomed.clear()
            self._socket = None
            self.reconnects += 1
            wait_s, self._come_back_s = self._come_back_s, None
            await asyncio.sleep(self._random.uniform(0, delay_s) if wait_s is None else wait_s)

    async def _end(self, error: ProtocolBroken | LoginRefused) -> None:
        """Tell everybody who waits."""
        self._ended = error
        self._welcomed.set()
        for _, future in self._verdicts.values():
            if not future.done():
                future.set_exception(error)
        await self._frames.put(None)

    async def _converse(self) -> None:
        """One connection, from its handshake to its end."""
        hello: Frame = {"type": "hello", "client": self.name}
        if self._login is not None:
            hello |= await self._login()
        async with asyncio.timeout(CONNECT_WITHIN_S):
            socket = await self._http.ws_connect(
                self.url, protocols=[self._subprotocol], max_msg_size=64 * 2**20
            )
        async with socket:
            self._socket = socket
            await self._send(hello)
            async for message in socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                await self._receive(self._read(message.data))
            if socket.close_code in FINAL_CLOSES:
                raise LoginRefused(f"closed with {socket.close_code}")

    def _read(self, data: str | bytes) -> Frame:
        frame: Frame
        frame = msgpack.unpackb(data) if isinstance(data, bytes) else msgspec.json.decode(data)
        return frame

    async def _send(self, frame: Frame) -> None:
        socket = self._socket
        if socket is None or socket.closed:
            return  # what matters is sent again after the next welcome
        with suppress(ConnectionError, aiohttp.ClientError):
            if self._subprotocol == JSON:
                await socket.send_str(msgspec.json.encode(frame).decode())
            else:
                await socket.send_bytes(msgpack.packb(frame))

    def _next_request(self) -> int:
        self._requests += 1
        return self._requests

    def _subscription(self, followed: Followed) -> Frame:
        frame: Frame = {
            "type": "subscribe",
            "request": self._next_request(),
            "sale_id": followed.sale_id,
        }
        if followed.lots is not None:
            frame["lots"] = followed.lots
        if followed.sequence is not None:
            frame["since"] = followed.sequence
        return frame

    # What arrives.

    async def _receive(self, frame: Frame) -> None:  # noqa: C901 - dispatch
        match frame["type"]:
            case "welcome":
                self.viewer = frame["viewer"]
                for followed in self._followed.values():
                    await self._send(self._subscription(followed))
                for waiting, _ in list(self._verdicts.values()):
                    await self._send(waiting)
                self._welcomed.set()
                return
            case "verdict":
                asked = self._verdicts.get(BidId(frame["bid_id"]))
                if asked is not None and not asked[1].done():
                    asked[1].set_result(frame)
                return
            case "error":
                self._refused(frame)
            case "goodbye":
                self._come_back_s = frame["resume_after_ms"] / 1000
            case "subscribed":
                self._subscribed(frame)
            case "snapshot":
                self._snapshot(frame)
            case "event":
                self._check(frame)
            case "conflated":
                self._conflated(frame)
            case "unsubscribed" if frame["request"] is None:  # it is there for us no more
                self._followed.pop(frame["sale_id"], None)
        await self._frames.put(frame)

    def _refused(self, frame: Frame) -> None:
        if frame["code"] not in FINAL_ERRORS:
            return  # a bid is sent again when its time is over
        for bid, asked in self._verdicts.values():
            if bid["request"] == frame["request"] and not asked.done():
                asked.set_exception(BidNotTaken(frame["code"], frame["message"]))

    def _subscribed(self, frame: Frame) -> None:
        followed = self._followed.get(frame["sale_id"])
        if followed is not None and not frame["recovered"]:
            followed.sequence = followed.hash = None

    def _snapshot(self, frame: Frame) -> None:
        followed = self._followed[frame["sale_id"]]
        followed.sequence = frame["sequence"]
        followed.hash = self._bytes(frame["sale"]["hash"])
        followed.lot_sequences = {lot["lot_id"]: lot["lot_sequence"] for lot in frame["lots"]}

    def _conflated(self, frame: Frame) -> None:
        followed = self._followed[frame["sale_id"]]
        first, seen = frame["from"], followed.sequence
        # Who follows chosen lots has not seen the events just before, if they were about others.
        if seen is not None and (first <= seen or (followed.lots is None and first > seen + 1)):
            raise ProtocolBroken(f"conflated from {first} after {seen}")
        followed.sequence = frame["to"]
        followed.hash = self._bytes(frame["sale"]["hash"])
        for lot in frame["lots"]:
            followed.lot_sequences[lot["lot_id"]] = lot["lot_sequence"]

    def _check(self, frame: Frame) -> None:
        """Every sequence once, in order; and the chain, as far as it is followed as a whole."""
        event = frame["event"]
        followed = self._followed.get(event["sale_id"])
        if followed is None:
            return
        sequence = event["sequence"]
        if followed.sequence is not None and sequence <= followed.sequence:
            raise ProtocolBroken(f"event {sequence} again, after {followed.sequence}")
        if followed.lots is not None:
            self._check_lot(followed, event)
        elif followed.sequence is not None and sequence != followed.sequence + 1:
            raise ProtocolBroken(
                f"event {sequence} of {followed.sale_id} after {followed.sequence}"
            )
        elif self._subprotocol == MSGPACK:
            self._check_hash(followed, frame)
        followed.sequence = sequence
        followed.hash = self._bytes(frame["hash"])

    def _check_lot(self, followed: Followed, event: Frame) -> None:
        lot_id = event.get("lot_id")
        if lot_id is None or event["lot_sequence"] is None:
            return
        known = followed.lot_sequences.get(lot_id)
        if known is not None and event["lot_sequence"] != known + 1:
            raise ProtocolBroken(f"event {event['lot_sequence']} of lot {lot_id} after {known}")
        followed.lot_sequences[lot_id] = event["lot_sequence"]

    def _check_hash(self, followed: Followed, frame: Frame) -> None:
        if followed.hash is None:
            return
        public = msgpack.packb(frame["event"])
        expected = sha256(followed.hash + public + frame["commitment"]).digest()
        if frame["hash"] != expected:
            raise ProtocolBroken(f"the hash of event {frame['event']['sequence']} is wrong")

    def _bytes(self, value: bytes | str) -> bytes:
        return value if isinstance(value, bytes) else msgspec.convert(value, bytes)
