"""No byte that leaves for a client holds what is a rival's, the seller's or our own.

Whatever is secret in a sale is planted with a value that stands nowhere else, and every byte of
every connection is searched for it: as text, as a number in JSON, MessagePack and words, and
inside base64.
"""

import base64
import json
import struct
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any, TypeAlias

import msgpack
import pytest
from msgspec.structs import replace

from auction.commands import (
    AddLots,
    AnswerCounter,
    CounterIfBid,
    DeclineIfBid,
    MoveEndsAfterOutage,
    PauseSale,
    RecordFunding,
    ResumeSale,
    SetLimit,
    VoidBids,
    WithdrawalCause,
    WithdrawLot,
)
from auction.events import EVENT_TYPES
from auction.ids import ActorId, BidderId, LotId, PersonId, shard_of
from auction.log_memory import MemoryLog
from auction.terms import ClosingMode, Premium, PremiumTier, SaleAudience, Terms
from bidder_gateway import feeds
from bidder_gateway.gateway import Gateway
from bidder_gateway.live import PATH
from bidder_gateway.ports import NoFreight
from bidder_gateway.protocol import JSON, MSGPACK
from tests.builders import (
    FIVE_AND_FIVE,
    HOUR_US,
    SALE,
    Room,
    a_lot,
    admit,
    at,
    at_most_all_in,
    at_most_lots,
    bid,
    cancel,
    ceiling,
    change_reserve,
    dismiss,
    move_lots,
    new_bid_id,
    register,
    set_budgets,
)
from tests.links import store
from tests.live import WIDE, LiveRoom, Tokens, live_room, on_loopback, open_sale
from tests.raw_sockets import RawSocket, raw_socket
from tests.waiting import turns, until

ANN, BOB, CID, DAN = "bidder-qxann", "bidder-qxbob", "bidder-qxcid", "bidder-qxdan"


Secret: TypeAlias = str | int | bytes


# --- What is searched for -------------------------------------------------------------------


def traces(marker: Secret) -> set[bytes]:
    """How a secret would look on the wire."""
    if isinstance(marker, int):
        whole = [
            str(marker).encode(),
            f"{marker / 100:,.2f}".encode(),
            f"{marker / 100:.2f}".encode(),
        ]
        packed = msgpack.packb(marker)
        assert len(packed) > 4, "too short to stand nowhere else"
        return {
            *whole,
            packed,
            packed[1:],
            struct.pack("<Q", marker)[:4],
            *_inside_base64(packed),  # of fewer bytes, random ones would look alike
        }
    data = marker.encode() if isinstance(marker, str) else marker
    return {data, data.hex().encode(), data.hex().upper().encode(), *_inside_base64(data)}


def _inside_base64(data: bytes) -> Iterator[bytes]:
    """What of it is seen wherever it begins in what was encoded."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        first = -(-shift * 8 // 6)
        whole = (shift + len(data)) * 8 // 6
        yield encoded[first:whole]


def found(markers: Iterable[Secret], stream: bytes) -> list[Secret]:
    """The markers that the stream tells of."""
    return [marker for marker in markers if any(trace in stream for trace in traces(marker))]


@pytest.mark.parametrize("marker", ["bidder-qxbob", 98_765_400, bytes(range(200, 232))])
def test_a_leak_would_be_found(marker: Any) -> None:
    for before in (b"", b"a", b"ab", b"abc"):
        data = marker.encode() if isinstance(marker, str) else marker
        if isinstance(marker, int):
            data = msgpack.packb(marker)
        encoded = base64.b64encode(before + data + b"tail")
        assert found([marker], b"{" + encoded + b"}") == [marker]
    assert found([marker], msgpack.packb({"x": marker})) == [marker]
    if not isinstance(marker, bytes):
        assert found([marker], json.dumps({"x": marker}).encode()) == [marker]
    assert found([marker], b"a reserve of 987,654.00") == ([marker] if marker == 98_765_400 else [])
    assert found([marker], b"nothing of it") == []


# --- A sale in which everything happens -----------------------------------------------------


class Story:
    """A sale with an event of every type. ``scale``: how much more the secret amounts are.

    Bidders are chosen only where not everybody may enter. Dan is, and never comes.
    """

    def __init__(self, scale: int = 1, audience: SaleAudience = SaleAudience.PUBLIC) -> None:
        self._scale, self._audience = scale, audience
        self.secrets: dict[str, set[Secret]] = {ANN: set(), BOB: set(), CID: set()}
        self.inner: set[Secret] = {"user-qx31", "user-qxhouse", "kin-qx", "retailer-qx3"}
        self.inner |= {"recalled-qx", "cancelled-qx", DAN, bytes(range(32))}
        for name, secrets in self.secrets.items():
            secrets |= {name, f"person-{name}", f"login-{name}"}
        self.room = self._open()
        self._all_happens()
        chosen = {"bidders_admitted", "bidders_dismissed"}
        wanted = set(EVENT_TYPES) - (chosen if audience is SaleAudience.PUBLIC else set())
        assert {recorded.event.TYPE for recorded in self.room.recorded} == wanted

    def seller_s(self, amount_minor: int) -> int:
        """A secret amount of the seller's."""
        self.inner.add(amount_minor * self._scale)
        return amount_minor * self._scale

    def of(self, bidder: str, amount_minor: int) -> int:
        """A secret amount of a bidder's."""
        self.secrets[bidder].add(amount_minor * self._scale)
        return amount_minor * self._scale

    def _open(self) -> Room:
        terms = Terms(
            soft_close=FIVE_AND_FIVE,
            closing=ClosingMode.CASCADE,
            if_bid_us=24 * HOUR_US,
            premium=Premium(tiers=(PremiumTier(0, 1_500),)),
        )
        room = Room(
            a_lot("1", "16:00"),
            a_lot("2", "16:02", latest_end_us=at("17:30")),
            a_lot("3", "16:04"),
            a_lot("4", "16:06", reserve_minor=self.seller_s(72_345_100)),
            a_lot("5", "16:08", reserve_minor=self.seller_s(73_456_100)),
            a_lot("6", "16:10", consignor_id=BidderId("retailer-qx3")),
            a_lot("8", "41:00", opens_at_us=at("40:30")),
            terms=terms,
            bidders="",
            sellers=("kin-qx",),
            audience=self._audience,
        )
        if self._audience is not SaleAudience.PUBLIC:
            room.does(admit(ANN, BOB, CID, DAN))
            room.does(dismiss(DAN))
        for bidder, amount_minor in ((ANN, 61_234_100), (BOB, 62_345_100), (CID, 63_456_100)):
            deposit_minor, limit_minor = (
                self.of(bidder, amount_minor),
                self.of(bidder, amount_minor * 30),
            )
            room.does(register(bidder, deposit_minor=deposit_minor, limit_minor=limit_minor))
        return room

    def bids(self, bidder: str, amount_minor: int, lot: str, when: str) -> None:
        """A bid of whose maximum nobody may know."""
        maximum_minor = self.of(bidder, amount_minor)
        bid_id = new_bid_id()
        self.secrets[bidder] |= {bid_id, bid_id.replace("-", "")}
        person = PersonId(f"person-{bidder}")
        freight_minor = self.of(bidder, 1_234_500 + amount_minor // 1_000)
        made = bid(bidder, maximum_minor, lot, bid_id=bid_id, freight_minor=freight_minor)
        self.room.does(replace(made, person_id=person), when)

    def opens_with(self, bidder: str, lot: str, when: str) -> None:
        """A first bid at the opening price, which everybody sees."""
        self.room.does(bid(bidder, 100_00, lot), when)

    def _all_happens(self) -> None:
        room = self.room
        by: dict[str, Any] = {"sale_id": SALE, "actor_id": ActorId("user-qx31")}
        everything = at_most_all_in(self.of(BOB, 400_345_100), name="tonight-qxbob")
        person = ceiling(f"person-{BOB}", self.of(BOB, 300_345_100))
        room.does(set_budgets(BOB, at_most_lots(4, "1", "2", "5", "6"), everything, person))
        self.secrets[BOB].add("tonight-qxbob")
        self.opens_with(ANN, "1", "11:00")
        self.bids(BOB, 81_234_100, "1", "11:05")  # with a reserve the price would be that or this
        self.bids(BOB, 82_345_100, "1", "11:06")  # in private
        self.opens_with(ANN, "2", "11:10")
        self.bids(CID, 83_456_100, "2", "11:11")
        limit_minor = self.of(ANN, 1_999_567_100)
        room.does(SetLimit(bidder_id=BidderId(ANN), limit_minor=limit_minor, **by))
        room.does(bid(ANN, 900_00, "4"), "12:00")
        room.does(bid(BOB, 700_00, "5"), "12:01")
        self.opens_with(ANN, "6", "12:02")
        self.bids(CID, 84_567_100, "6", "12:03")
        room.does(
            VoidBids(lot_id=LotId("6"), bidder_id=BidderId(CID), reason="mistyped-qx", **by),
            "12:30",
        )
        room.does(change_reserve(self.seller_s(72_999_100), "5"))
        room.does(change_reserve(700_00, "5"))
        self.secrets[CID].add("mistyped-qx")
        withdrawal: dict[str, Any] = {"cause": WithdrawalCause.RECALL, "reason": "recalled-qx"}
        room.does(WithdrawLot(lot_id=LotId("3"), **withdrawal, **by), "13:00")
        room.does(AddLots(lots=(a_lot("7", "16:12"),), **by), "13:10")
        room.does(PauseSale(reason="a fire alarm", **by), "15:50")
        room.does(ResumeSale(**by), "15:56")
        room.does(bid(ANN, 100_00 + 250_00, "2"), "16:06")
        room.does(MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("16:07")), "16:07:20")
        room.close("16:30")
        room.does(CounterIfBid(lot_id=LotId("4"), amount_minor=self.seller_s(71_777_100), **by))
        self.secrets[ANN].add(71_777_100 * self._scale)  # who is asked for it
        room.does(
            AnswerCounter(sale_id=SALE, lot_id=LotId("4"), bidder_id=BidderId(ANN), accepted=False)
        )
        room.does(DeclineIfBid(lot_id=LotId("4"), **by))
        room.does(RecordFunding(lot_id=LotId("2"), bidder_id=BidderId(CID), **by), "17:00")
        room.close("40:00")
        room.does(move_lots(("8", "40:20", "42:00")))
        cancelled = replace(cancel(), reason="cancelled-qx", actor_id=ActorId("user-qx31"))
        room.does(cancelled, "40:10")

    def kept_from(self, viewer: str | None) -> set[Secret]:
        """What this viewer may not learn."""
        mine = self.secrets.get(viewer or "", set())
        theirs = set[Secret]().union(*self.secrets.values())
        return (theirs | self.inner) - mine


# --- Everything that a gateway says of it ---------------------------------------------------


class Ear:
    """A client that writes down every byte, and asks for everything."""

    def __init__(self, viewer: str | None, socket: RawSocket) -> None:
        self.viewer, self.socket = viewer, socket
        self._asked = 0

    async def ask(self, last: int) -> None:
        """Follow anew, each time in another way, until all is there."""
        self._asked += 1
        wanted: list[dict[str, Any]] = [
            {},
            {"since": 0},
            {"lots": ["1", "4"]},
            {"lots": ["2", "6"], "since": max(0, last - 3)},
            {"since": last},
            {"lots": ["77"]},
        ]
        self.socket.say(
            type="subscribe", request=self._asked, sale_id=SALE, **wanted[self._asked % len(wanted)]
        )
        while (await self.socket.frame()).get("request") != self._asked:
            pass
        self.socket.say(type="time", c0=self._asked)
        await self.socket.frame("time")


@asynccontextmanager
async def ears(port: int, tokens: Iterable[str | None]) -> AsyncIterator[list[Ear]]:
    """A connection in each encoding for each of these, and for a guest."""
    async with AsyncExitStack() as opened:
        made = []
        for subprotocol in (JSON, MSGPACK):
            for viewer in tokens:
                socket = await opened.enter_async_context(raw_socket(port))
                await socket.open(PATH, port, subprotocol)
                socket.say(type="hello", **({"token": viewer} if viewer else {}))
                await socket.frame("welcome")
                made.append(Ear(viewer, socket))
        yield made


class NoEngine:
    """An engine that is not asked."""

    async def submit(self, command: Any) -> Any:
        raise AssertionError("nobody bids here")


class Told:
    """A gateway over a log that a story is written to, piece by piece."""

    def __init__(self, story: Story) -> None:
        log = MemoryLog()
        clock: Any = None
        self.gateway = Gateway(log, NoEngine(), clock, Tokens(), NoFreight(), WIDE)
        self.gateway.now_us = lambda: 5  # type: ignore[method-assign]
        self._log, self._left = log, list(story.room.recorded)

    def happens(self, count: int) -> bool:
        """Make so many more events durable, and say so; whether there were any left."""
        news, self._left = self._left[:count], self._left[count:]
        for recorded in news:
            store(self._log, recorded)
        if news:
            self.gateway.hear(shard_of(SALE), news)
        return bool(news)


@pytest.mark.parametrize("audience", [SaleAudience.PUBLIC, SaleAudience.INVITE])
@pytest.mark.parametrize("recent", [4, 4_096], ids=["from the log", "from memory"])
async def test_nobody_is_told_what_is_another_s(
    recent: int, audience: SaleAudience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RECENT", recent)
    monkeypatch.setattr(feeds, "MARK_EVERY", 4)
    story = Story(audience=audience)
    told = Told(story)
    hub = told.gateway.hub
    guests = (None,) if audience is SaleAudience.PUBLIC else ()
    viewers = (ANN, BOB, CID, *guests)
    async with on_loopback(told.gateway) as port, ears(port, viewers) as everybody:
        told.happens(14)
        for step in count():
            for link in hub.links[step % 3 :: 3]:
                link.took(b"", 0)  # as if it had not read: it skips
            if not told.happens(2):
                break
            feed = await hub.feed(SALE)
            assert feed is not None
            for ear in everybody:
                await ear.ask(feed.sequence)
            await until(lambda: not hub.full)
        await until(lambda: not hub.full)
        await told.gateway.stop()
        for ear in everybody:
            await ear.socket.rest()
    for ear in everybody:
        stream = bytes(ear.socket.seen)
        assert found(story.kept_from(ear.viewer), stream) == [], ear.viewer
        for kind in (b"event", b"snapshot", b"conflated", b"subscribed", b"error", b"goodbye"):
            assert kind in stream
        if ear.viewer is not None:
            mine = found(story.secrets[ear.viewer], stream)
            assert ear.viewer in mine, "it is told about itself, so this would find it"
            assert [secret for secret in mine if isinstance(secret, int)]
            assert b"standing" in stream
            assert b"own" in stream


async def frames_of(story: Story) -> list[dict[str, Any]]:
    """What a guest sees of it, without what only hides, and with the size of each frame."""
    told = Told(story)
    seen: list[dict[str, Any]] = []
    async with on_loopback(told.gateway) as port, ears(port, (None,)) as (first, second):
        told.happens(1)
        for ear in (first, second):
            ear.socket.say(type="subscribe", request=1, sale_id=SALE)
            await ear.socket.frame("snapshot")
        while told.happens(1):
            await turns()
        for ear in (first, second):
            last = told.gateway.hub._sales[SALE].channel.feed.sequence
            while True:
                _, payload = await ear.socket.message()
                frame = msgpack.unpackb(payload) if ear.socket.packed else json.loads(payload)
                event = frame["event"]
                seen.append({"size": len(payload)} | event)
                for name in ("commitments", "hash"):
                    event.pop(name, None)
                if event["sequence"] == last:
                    break
    return seen


async def test_what_everybody_sees_does_not_depend_on_how_high_the_secret_amounts_are() -> None:
    low, high = await frames_of(Story()), await frames_of(Story(scale=3))
    assert [frame["size"] for frame in low] == [frame["size"] for frame in high]
    assert [_without_commitments(f) for f in low] == [_without_commitments(f) for f in high]
    assert len(low) > 60


def _without_commitments(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in frame.items() if name != "commitments"}


# --- Verdicts -------------------------------------------------------------------------------


async def test_verdicts_and_refusals_tell_of_the_own_bids_only() -> None:
    """The engine's words too, for every reason that a bid can be refused for."""
    listed = open_sale(3, reserve_minor=91_234_100, consignor_id=BidderId("retailer-qx3"))
    sale = replace(
        listed,
        lots=(replace(listed.lots[0], reserve_minor=None), *listed.lots[1:]),
        seller_ids=(BidderId("kin-qx"),),
        actor_id=ActorId("user-qx31"),
    )
    async with live_room(bidders="", sale=sale, limits=WIDE) as room:
        await _admit(room)
        async with ears(room.port, (ANN, BOB, "kin-qx", "stranger-qx")) as everybody:
            bobs = [ear for ear in everybody if ear.viewer == BOB]
            for ear in everybody:
                ear.socket.say(type="subscribe", request=1, sale_id=SALE)
            for bob, amount_minor in zip(bobs, (81_234_100, 82_345_100), strict=True):
                assert (await _bid(bob, amount_minor))["code"] == "LEADING"
            for ear in everybody:
                if ear.viewer != BOB:
                    for amount_minor in (100_00, 200_00, 150_00, 1, 30_000_100, 60_000_000, 2**52):
                        for lot in ("1", "99") if amount_minor > 200_00 else ("1", "2", "99"):
                            await _bid(ear, amount_minor, lot)
            await room.gateway.stop()
            for ear in everybody:
                await ear.socket.rest()
        inner: set[Secret] = {"user-qx31", "retailer-qx3", 91_234_100, sale.secret}
        for ear in everybody:
            stream = bytes(ear.socket.seen)
            assert b"verdict" in stream
            kept = set(inner)
            if ear.viewer == BOB:
                kept.update((ANN, f"person-{ANN}", "kin-qx", "stranger-qx", 30_000_100))
            else:
                kept.update((BOB, f"person-{BOB}", f"login-{BOB}", 81_234_100, 82_345_100))
            assert found(kept, stream) == [], ear.viewer


async def _admit(room: LiveRoom) -> None:
    await room.submit(register(ANN, limit_minor=50_000_000))
    await room.submit(register(BOB))


async def _bid(ear: Ear, amount_minor: int, lot: str = "1") -> dict[str, Any]:
    offer = {"kind": "MAXIMUM", "amount_minor": amount_minor, "currency": "USD"}
    names = {"type": "bid", "request": 3, "sale_id": SALE, "lot_id": lot, "bid_id": new_bid_id()}
    ear.socket.say(**names, offer=offer)
    while (frame := await ear.socket.frame())["type"] not in ("verdict", "error"):
        pass
    return frame
