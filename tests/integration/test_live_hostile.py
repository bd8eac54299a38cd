"""What hostile clients do on the wire, and what it costs them; the others notice nothing."""

import asyncio
import json
import os
import re
import resource
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import msgpack
import pytest
import uvloop
from msgspec.structs import replace

from auction.ids import BidderId, SaleId
from bidder_gateway import connection, following, gateway, hub, live, session
from bidder_gateway.bidding import NO_SUCH_LOT
from bidder_gateway.limits import Limits, Rate
from bidder_gateway.link import MAX_WAITING_BYTES
from bidder_gateway.live import PATH
from bidder_gateway.protocol import JSON, MAX_FRAME_BYTES, MSGPACK, CloseCode
from bidder_gateway.sight import Onlooker
from tests.builders import SALE, new_bid_id
from tests.live import LOT, LiveRoom, live_room, open_sale, participant
from tests.raw_sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawSocket,
    frame,
    handshake,
    raw_socket,
)
from tests.waiting import turns, until

BOTH = pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])


@asynccontextmanager
async def said_hello(
    room: LiveRoom, bidder: str | None = None, subprotocol: str = JSON, **options: Any
) -> AsyncIterator[RawSocket]:
    """A client that was welcomed."""
    async with raw_socket(room.port, **options) as client:
        assert await client.open(PATH, room.port, subprotocol) == 101
        client.say(type="hello", **({} if bidder is None else {"token": bidder}))
        await client.frame("welcome")
        yield client


async def still_serves(client: RawSocket) -> None:
    """The room answers this client."""
    client.say(type="time", c0=7)
    assert (await client.frame("time"))["c0"] == 7


def a_bid(**changes: Any) -> dict[str, Any]:
    offer = {"kind": "MAXIMUM", "amount_minor": 500_00, "currency": "USD"}
    names = {"type": "bid", "request": 1, "sale_id": SALE, "lot_id": "1"}
    return names | {"bid_id": new_bid_id(), "offer": offer} | changes


# --- The handshake --------------------------------------------------------------------------


HERE = "http://127.0.0.1:{port}"
COOKIE = {"Cookie": "__Host-session=x"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        (COOKIE | {"Origin": HERE}, 101),
        (COOKIE | {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, 101),
        (COOKIE, 403),
        (COOKIE | {"Origin": "https://evil.example"}, 403),
        (COOKIE | {"Origin": "null"}, 403),
        (COOKIE | {"Origin": HERE + ".evil.example"}, 403),
        (COOKIE | {"Origin": "http://evil.example/" + HERE}, 403),
        (COOKIE | {"Origin": HERE.replace("//", "//x@")}, 403),
        (COOKIE | {"Origin": HERE + "/"}, 403),
        (COOKIE | {"Origin": "http://127.0.0.1"}, 403),
        (COOKIE | {"Origin": "http://127.0.0.2:{port}"}, 403),
        (COOKIE | {"Origin": "file://127.0.0.1:{port}"}, 403),
        (COOKIE | {"Origin": HERE, "Sec-Fetch-Site": "cross-site"}, 403),
        (COOKIE | {"Origin": HERE + "\r\nOrigin: https://evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-WebSocket-Protocol": "softclose.v2+json"}, 400),
        ({"Sec-WebSocket-Protocol": ""}, 400),
        ({"Sec-WebSocket-Protocol": "chat, softclose.v1+json"}, 101),
        ({"Upgrade": "h2c"}, 426),
        ({"Upgrade": ""}, 426),
        ({"Connection": "close"}, 400),
        ({"Sec-WebSocket-Version": "12"}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Host": "a\r\nHost: b"}, 400),
    ],
)
async def test_who_may_shake_hands(headers: dict[str, str], status: int) -> None:
    async with live_room() as room, raw_socket(room.port) as client:
        named = {name: value.replace("{port}", str(room.port)) for name, value in headers.items()}
        assert (
            await client.open(PATH, room.port, **({"subprotocol": JSON} | _spelled(named)))
            == status
        )


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


@pytest.mark.parametrize("query", ["?ticket=secret", "?token=secret", "?x", "?a=b&ticket=c"])
async def test_a_secret_in_the_address_is_refused_and_repeated_nowhere(query: str) -> None:
    async with live_room() as room, raw_socket(room.port) as client:
        client.write(handshake(PATH + query, f"127.0.0.1:{room.port}", Connection="close, Upgrade"))
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"secret" not in answer


async def test_a_ticket_is_good_once() -> None:
    async with live_room() as room:
        room.tokens.tickets["t-1"] = participant("a")
        async with raw_socket(room.port) as first, raw_socket(room.port) as second:
            for client in (first, second):
                await client.open(PATH, room.port)
                client.say(type="hello", ticket="t-1")
            assert (await first.frame("welcome"))["viewer"]["bidder_id"] == "a"
            goodbye = await second.frame("goodbye")
            assert goodbye["code"] == 4401
            assert await second.closed() == 4401
            await still_serves(first)


async def test_while_logins_cannot_be_looked_up_the_client_is_told_to_come_back() -> None:
    async def away(_: str) -> None:
        raise ConnectionError("the database is away")

    async with live_room() as room, raw_socket(room.port) as client:
        room.tokens.redeem = away  # type: ignore[method-assign, assignment]
        await client.open(PATH, room.port)
        client.say(type="hello", ticket="t-1")
        assert (await client.frame("goodbye"))["resume_after_ms"] >= 500
        assert await client.closed() == 1013


def test_a_link_dies_with_its_line_whatever_is_being_waited_for() -> None:
    """Else what is sent next goes to whoever is given the number of its socket."""

    async def scenario() -> None:
        never = asyncio.Event()

        async def waits(_: str) -> None:
            await never.wait()

        async with live_room() as room:
            room.tokens.redeem = waits  # type: ignore[method-assign, assignment]
            async with raw_socket(room.port) as client:
                await client.open(PATH, room.port)
                client.say(type="hello", ticket="t-1")
                await until(lambda: room.gateway.connections)
                (conversation,) = (one for group in room.gateway._groups for one in group)
            await until(lambda: conversation.link.dead, deadline_s=5)
            assert room.gateway.connections == 1, "it would be dead anyway"
            never.set()

    on_uvloop(scenario)


async def test_who_says_no_hello_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session.HELLO_WITHIN_S <= 5
    monkeypatch.setattr(session, "HELLO_WITHIN_S", 0.3)
    monkeypatch.setattr(gateway, "ROUND_S", 0.1)
    async with live_room() as room, said_hello(room) as other:
        async with (
            raw_socket(room.port) as silent,
            raw_socket(room.port) as busy,
            raw_socket(room.port) as halfway,
        ):
            for client in (silent, busy, halfway):
                await client.open(PATH, room.port)
            busy.write(frame(b"", PING) + frame(b"", PONG) + frame(b'{"type":"time","c0":1}'))
            halfway.write(frame(b'{"type":"hello"}')[:-1])
            for client in (silent, busy, halfway):
                assert await client.closed() == 4408
        await still_serves(other)


async def test_a_login_that_was_ended_is_sent_away_within_moments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert gateway.ENDED_EVERY_S + gateway.ROUND_S < 5
    monkeypatch.setattr(gateway, "ENDED_EVERY_S", 0.0)
    async with live_room() as room, said_hello(room, "a") as client, said_hello(room, "b") as other:
        room.tokens.over.add("login-a")
        assert (await client.frame("goodbye"))["code"] == 4440
        assert await client.closed() == 4440
        await still_serves(other)


# --- Frames ---------------------------------------------------------------------------------


VALID = b'{"type":"time","c0":1}'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b" " * (MAX_FRAME_BYTES + 1)), 1009),
        (frame(b" " * 17 * 1024), 1009),
        (frame(b"", length=2**63 - 1), 1009),
        (frame(b"", length=2**63), 1009),
        (frame(b"", length=2**64 - 1), 1009),
        (frame(b"x" * 12_000, final=False) + frame(b"x" * 12_000, CONTINUATION), 1009),
        (frame(VALID, reserved=0x40), 1002),
        (frame(VALID, reserved=0x20), 1002),
        (frame(VALID, reserved=0x10), 1002),
        (frame(b"", 3), 1002),
        (frame(b"", 11), 1002),
        (frame(b"x" * 126, PING), 1002),
        (frame(b"x" * 126, CLOSE), 1002),
        (frame(b"x", PING, final=False), 1002),
        (frame(b"x", CONTINUATION), 1002),
        (frame(b"x", final=False) + frame(VALID), 1002),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"\xed\xa0\x80"), 1007),
        (frame(b'{"type":"\xc0\xaf"}'), 1007),
        (frame(b"{", final=False) + frame(b"\xff}", CONTINUATION), 1007),
        (frame(b"\x03", CLOSE), 1002),
        (frame(struct.pack("!H", 1005), CLOSE), 1002),
        (frame(struct.pack("!H", 999), CLOSE), 1002),
        (frame(b"\x03\xe8\xff", CLOSE), 1007),
        (frame(struct.pack("!H", 1000) + b"bye", CLOSE), 1000),
        (frame(b"", CLOSE), 1000),
        (frame(VALID, BINARY), 1003),
    ],
)
async def test_frames_that_break_the_protocol_end_the_connection(data: bytes, code: int) -> None:
    async with live_room() as room, said_hello(room) as client, said_hello(room) as other:
        client.write(data + frame(VALID) * 3)
        assert await client.closed() == code
        await still_serves(other)
        await until(lambda: room.gateway.connections == 1)


async def test_a_frame_of_sixteen_kib_is_read() -> None:
    async with live_room() as room, said_hello(room) as client:
        client.write(frame(VALID.ljust(MAX_FRAME_BYTES)))
        assert (await client.frame("time"))["c0"] == 1


async def test_a_frame_in_pieces_with_pings_between_is_one_frame() -> None:
    async with live_room() as room, said_hello(room) as client:
        client.write(frame(VALID[:3], final=False) + frame(b"1", PING))
        client.write(frame(VALID[3:9], CONTINUATION, final=False) + frame(b"", PONG))
        client.write(frame(b"", CONTINUATION, final=False) + frame(VALID[9:], CONTINUATION))
        assert await client.message() == (PONG, b"1")
        assert (await client.frame("time"))["c0"] == 1


@BOTH
async def test_bytes_that_come_one_by_one_are_one_frame(subprotocol: str) -> None:
    async with live_room() as room, said_hello(room, None, subprotocol) as client:
        opcode, said = (
            (TEXT, VALID) if subprotocol == JSON else (BINARY, b"\x82\xa4type\xa4time\xa2c0\x01")
        )
        for byte in frame(said, opcode):
            client.write(bytes((byte,)))
            await client.written()
            await asyncio.sleep(0)
        assert (await client.frame("time"))["c0"] == 1


async def test_a_close_that_is_not_answered_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "CLOSE_TIMEOUT_S", 0.2)
    async with live_room() as room, said_hello(room) as client:
        client.write(frame(b"{}", BINARY))
        opcode, _ = await client.message()
        assert opcode == TEXT, "the goodbye"
        opcode, payload = await client.message()
        assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", 1003))
        assert await client.rest() == b""
        await until(lambda: not room.gateway.connections)


async def test_the_close_of_a_server_that_stops_arrives_though_the_client_goes_on_talking() -> None:
    async with live_room() as room, said_hello(room) as client:
        stopping = asyncio.create_task(room.gateway.stop())
        client.write(frame(VALID) * 20)
        assert (await client.frame("goodbye"))["code"] == 1012
        assert await client.closed() == 1012
        await stopping


# --- Messages -------------------------------------------------------------------------------


# Amounts that JSON can write and money cannot be.
AMOUNTS = [
    "10.005", "10.0", "1e3", '"10"', "true", "null", "-1", "0", "9223372036854775808",
    "9007199254740993", "9007199254740993000", "1e400", "-1e400", "NaN", "Infinity", "-0", "[]",
    "{}", "\u0661\u0662", "01", "0x10", "1_000", "10,5", "9" * 5_000,
]  # fmt: skip

# Frames that are none: deep, double, with a bidder or a time of their own, or unfinished.
TEXTS = [
    "[" * 10_000,
    '{"a":' * 2_000 + "1" + "}" * 2_000,
    '{"type":"time","c0":1,"c0":2}',
    '{"type":"time","c0":NaN}',
    '{"type":"time","c0":1e400}',
    '{"type":"\\ud800","c0":1}',
    '{"type":"time","\\ud800":1}',
    json.dumps(a_bid(lot_id="1\x00")),
    json.dumps(a_bid(bidder_id="b")),
    json.dumps(a_bid(person_id="b")),
    json.dumps(a_bid(at_us=1)),
    json.dumps(a_bid(now_us=1)),
    json.dumps(a_bid(freight_minor=0)),
    json.dumps(a_bid(sale_id="\ud800")),
    json.dumps(a_bid(sale_id="S-1'; drop table sale_listing; --")),
    json.dumps(a_bid(offer={"kind": "MAXIMUM", "amount_minor": 1_00, "currency": "\ud800bc"})),
    json.dumps(a_bid(offer={"kind": "MAXIMUM", "amount_minor": 1_00, "currency": "usd"})),
    json.dumps(a_bid(offer={"kind": "MAXIMUM", "amount_minor": 1_00})),
    json.dumps(a_bid(quote_id="x" * 201)),
    "null", "[]", "1", '"x"', "", "{", "\x00", "\ufeff{}",
]  # fmt: skip


async def test_whatever_is_no_frame_is_invalid_and_changes_nothing() -> None:
    async with live_room() as room, said_hello(room, "a") as client:
        feed = await room.gateway.hub.feed(SALE)
        assert feed is not None
        before = (feed.replica.position, room.gateway.bidding.bids)
        text = json.dumps(a_bid())
        for hostile in [text.replace("50000", amount) for amount in AMOUNTS] + TEXTS:
            client.write(frame(hostile.encode("utf-8", "surrogatepass")))
            told = await client.frame()
            code = told["code"]
            assert (told["type"] in ("error", "verdict"), code) == (True, "INVALID"), hostile[:99]
        assert feed.replica.position == before[0]
        client.say(**a_bid())
        assert (await client.frame("verdict"))["code"] == "LEADING"


async def test_whatever_is_no_frame_in_messagepack_is_invalid_and_changes_nothing() -> None:
    async with live_room() as room, said_hello(room, "a", MSGPACK) as client:
        feed = await room.gateway.hub.feed(SALE)
        assert feed is not None
        before = feed.replica.position
        amounts = [10.5, 1e300, float("nan"), float("inf"), "10", True, None, -1, 0, 2**63, b"10"]
        offers = [
            {"kind": "MAXIMUM", "amount_minor": amount, "currency": "USD"}
            for amount in [
                *amounts,
                [],
                {},
                2**53 + 1,
                msgpack.Timestamp(1),
                msgpack.ExtType(5, b""),
            ]
        ]
        hostile = [msgpack.packb(a_bid(offer=offer)) for offer in offers]
        hostile += [
            msgpack.packb(a_bid(bidder_id="b")),
            msgpack.packb({b"type": b"time", b"c0": 1}),
            msgpack.packb({"type": "time", "c0": 1}) + b"\x01",
            b"\x82\xa4type\xa4time\xa4type\xa4time",
            b"\x91" * 10_000,
            b"\xdf\xff\xff\xff\xff",
            b"\xdb\xff\xff\xff\xff",
            b"\xc1",
            b"\x81\xa4type\xa2\xff\xfe",
            b"\x81\xa4type\xa3\xed\xa0\x80",
            b"\xd6\xff\x00\x00\x00\x01",
        ]
        for data in hostile:
            client.write(frame(data, BINARY))
            assert (await client.frame("error"))["code"] == "INVALID", data[:99]
        assert feed.replica.position == before
        client.say(**a_bid())
        assert (await client.frame("verdict"))["code"] == "LEADING"


class Hides:
    """`SalesInSight`, with one sale that is hidden."""

    async def may_be_seen(self, sale_id: SaleId, who: Onlooker) -> bool:
        return sale_id != SALE

    async def may_be_bid_in(self, sale_id: SaleId, bidder_id: BidderId) -> bool:
        return sale_id != SALE


@pytest.mark.parametrize("bidder", ["a", "nobody-registered"])
async def test_a_sale_that_one_may_not_see_is_answered_as_one_that_does_not_exist(
    bidder: str,
) -> None:
    answers: list[bytes] = []
    async with (
        live_room(sight=Hides()) as room,
        said_hello(room, bidder) as client,
    ):
        for sale_id, lot_id in ((SALE, "1"), (SALE, "99"), ("S-99", "1")):
            client.say(
                **a_bid(
                    sale_id=sale_id, lot_id=lot_id, bid_id="0" * 8 + "-0000" * 3 + "-" + "0" * 12
                )
            )
            client.say(type="subscribe", request=5, sale_id=sale_id)
            client.say(type="subscribe", request=5, sale_id=sale_id, lots=[lot_id], since=2)
            client.say(type="unsubscribe", request=5, sale_id=sale_id)
            got = sorted([await client.payload() for _ in range(4)])
            answers.append(re.sub(rb"S-\d+", b"S", b"\n".join(got)))
    assert answers[0].count(b"NOT_FOUND") == 3
    assert answers[0] == answers[1] == answers[2]


async def test_a_lot_that_does_not_exist_is_answered_in_the_same_words_wherever_it_is_not() -> None:
    async with live_room() as room, said_hello(room, "a") as client:
        answers = set()
        for wrong in ({"lot_id": "99"}, {"sale_id": "S-99"}, {"sale_id": "S-99", "lot_id": "99"}):
            client.say(**a_bid(**wrong))
            verdict = await client.frame("verdict")
            assert verdict.pop("bid_id")
            answers.add(json.dumps(verdict))
        (answer,) = answers
        assert json.loads(answer)["message"] == NO_SUCH_LOT


@BOTH
async def test_a_bid_that_is_sent_again_byte_by_byte_gets_the_same_verdict_and_no_second_event(
    subprotocol: str,
) -> None:
    async with (
        live_room() as room,
        said_hello(room, "a", subprotocol) as client,
        said_hello(room, "b", subprotocol) as rival,
    ):
        bid = a_bid()
        said = (
            frame(json.dumps(bid).encode())
            if subprotocol == JSON
            else frame(msgpack.packb(bid), BINARY)
        )
        client.write(said * 3)
        verdicts: list[tuple[int, bytes]] = []
        while len(verdicts) < 3:
            opcode, payload = await client.message()
            if opcode != PING:
                verdicts.append((opcode, payload))
        assert len(set(verdicts)) == 1
        feed = await room.gateway.hub.feed(SALE)
        assert feed is not None
        assert feed.sale.lots[next(iter(feed.sale.lots))].bid_count == 1
        rival.write(said)  # overheard, and sent as one's own
        assert (await rival.frame("verdict"))["receipt"] != verdicts[0]
        assert feed.sale.lots[next(iter(feed.sale.lots))].leader == "a"


class SlowQuotes:
    """A `BidFreight` that does not answer before it may."""

    def __init__(self) -> None:
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def of_quote(self, *_: object) -> int:
        self.asked.set()
        await self.may.wait()
        return 0


async def test_bids_are_judged_in_the_order_in_which_they_came() -> None:
    """Also where what the first one names has to be looked up, and the second names nothing."""
    quotes = SlowQuotes()
    async with live_room() as room, said_hello(room, "a") as client, said_hello(room, "b") as rival:
        room.gateway.bidding._freight = quotes
        offer = a_bid()["offer"]
        client.say(**a_bid(request=1, quote_id="q-1"))
        client.say(**a_bid(request=2, offer=offer | {"amount_minor": 600_00}))
        await quotes.asked.wait()
        await still_serves(client)
        rival.say(**a_bid(offer=offer | {"amount_minor": 400_00}))
        assert (await rival.frame("verdict"))["code"] == "LEADING", "others do not wait for it"
        quotes.may.set()
        verdicts = [await client.frame("verdict") for _ in range(2)]
        assert [verdict["request"] for verdict in verdicts] == [1, 2]
        maxima = [verdict["lot"]["own_maximum_minor"] for verdict in verdicts]
        assert maxima == [500_00, 600_00]


# --- Floods ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flood",
    [frame(VALID), frame(b"", PING), frame(b"x" * 125, PING), frame(b"", PONG), frame(b"nonsense")],
    ids=["frames", "pings", "large pings", "pongs", "nonsense"],
)
async def test_a_flood_is_told_to_slow_down_and_sent_away_and_the_others_notice_nothing(
    flood: bytes,
) -> None:
    limits = Limits()
    async with (
        live_room(limits=limits) as room,
        said_hello(room, "a") as other,
        said_hello(room, "b") as client,
    ):
        sent = round(limits.frames.burst + limits.patience.burst) + 40
        client.write(flood * sent)
        told, answered = 0, 0
        while True:
            opcode, payload = await client.message()
            if opcode == CLOSE:
                break
            told += b"SLOW_DOWN" in payload
            answered += 1
        assert struct.unpack("!H", payload[:2]) == (4429,)
        assert told == 1
        assert answered < limits.frames.burst + 20
        await still_serves(other)


async def test_floods_of_half_frames_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty pieces of a frame are not seen by us; the library reads a million in a second."""
    monkeypatch.setattr(gateway, "PONG_WITHIN_S", 60.0)
    async with live_room() as room, said_hello(room) as client, said_hello(room) as other:
        client.write(frame(b"{", final=False) + frame(b"", CONTINUATION, final=False) * 50_000)
        await client.written()
        await still_serves(other)
        client.write(frame(b"}", CONTINUATION))
        assert (await client.frame("error"))["code"] == "INVALID"


async def test_subscriptions_are_rarer_than_other_frames() -> None:
    limits = Limits(subscribes=Rate(0, 3))
    async with live_room(limits=limits) as room, said_hello(room) as client:
        for request in range(5):
            client.say(type="subscribe", request=request, sale_id=SALE)
        told = [await client.frame() for _ in range(8)]
        refused = [frame["request"] for frame in told if frame["type"] == "error"]
        assert refused == [3, 4]
        assert sum(frame["type"] == "snapshot" for frame in told) == 3


async def test_the_guests_of_an_address_share_a_rate_and_bidders_do_not_suffer() -> None:
    limits = Limits(address_frames=Rate(0, 12))
    async with (
        live_room(limits=limits) as room,
        said_hello(room, "a") as bidder,
        said_hello(room) as first,
        said_hello(room) as second,
    ):
        answered = 3  # the hellos
        for client in (first, second):
            client.write(frame(VALID) * 16)
        for client in (first, second):
            while (told := await client.frame())["type"] == "time":
                answered += 1
            assert told["code"] == "SLOW_DOWN"
        assert answered == 12
        await still_serves(bidder)


async def test_an_address_and_an_account_may_have_so_many_connections() -> None:
    limits = Limits(connections_per_address=3, connections_per_account=1)
    async with (
        live_room(limits=limits) as room,
        said_hello(room, "a"),
        said_hello(room, "b") as other,
        raw_socket(room.port) as third,
        raw_socket(room.port) as fourth,
    ):
        await third.open(PATH, room.port)
        third.say(type="hello", token="a")
        assert (await third.frame("goodbye"))["code"] == 4430
        assert await fourth.open(PATH, room.port) == 429
        assert await third.closed() == 4430
        await until(lambda: room.gateway.connections == 2)
        async with said_hello(room):
            await still_serves(other)


async def test_who_goes_makes_room_for_the_next() -> None:
    limits = Limits(connections_per_address=1, connections_per_account=1)
    async with live_room(limits=limits) as room:
        for _ in range(3):
            async with said_hello(room, "a") as client:
                await still_serves(client)
            await until(lambda: not room.gateway.connections)


# --- Readers that do not read ---------------------------------------------------------------


def test_a_reader_that_never_reads_is_found_within_ten_seconds() -> None:
    assert hub.STALLED_S + hub.LOOK_S + gateway.ROUND_S < 10
    looked_at_s = 2 * gateway.ROUND_S  # when it is due, and when its answer is
    to_its_end_s = gateway.PONG_WITHIN_S + live.CLOSE_TIMEOUT_S
    assert gateway.PING_ACTIVE_S + looked_at_s + to_its_end_s <= 10


async def test_who_does_not_answer_a_ping_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ROUND_S", 0.1)
    monkeypatch.setattr(gateway, "PING_IDLE_S", 0.0)
    monkeypatch.setattr(gateway, "PONG_WITHIN_S", 0.3)
    async with live_room() as room, said_hello(room) as client:
        opcode, _ = await client.message()
        assert opcode == PING
        client.write(frame(VALID) * 5)  # talking is no answer
        assert (await client.frame("goodbye"))["code"] == 4413
        assert await client.closed() == 4413


class Looks:
    """The looks that a gateway takes at its one client, at the times that a test says."""

    def __init__(self, room: LiveRoom, client: RawSocket) -> None:
        self._room, self._client = room, client
        (self.conversation,) = (one for group in room.gateway._groups for one in group)
        self.link = self.conversation.link

    def pings_after(self, since_s: float) -> bool:
        """Whether it is pinged by a look so long after the last ping."""
        self.look_after(since_s)
        return not self.link.ponged

    def look_after(self, since_s: float) -> None:
        self._room.gateway._look_at(self.conversation, self.link.pinged_at_s + since_s)

    async def answers(self) -> None:
        """Have the client answer, and be a member of its sale's audience."""
        while not self.link.ponged:
            self._client.say(type="time", c0=1)
            await self._client.frame("time")
        self.link.wrote = False

    async def hears(self, events: int) -> None:
        """Have so many events reach the client and nothing besides."""
        for _ in range(events):
            lot = self._room.gateway.hub._sales[SALE].channel.feed.sale.lots[LOT]
            await self._room.bid("b" if lot.leader == "a" else "a", lot.next_minimum_minor + 100_00)
            while (await self._client.frame())["type"] != "event":
                pass


async def test_who_is_sent_something_is_pinged_sooner_than_who_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    active, idle, within = gateway.PING_ACTIVE_S, gateway.PING_IDLE_S, gateway.PONG_WITHIN_S
    monkeypatch.setattr(gateway, "ROUND_S", 1e6)  # no looks but ours
    async with live_room() as room, said_hello(room) as client:
        client.say(type="subscribe", request=1, sale_id=SALE)
        await client.frame("snapshot")
        looks = Looks(room, client)
        assert looks.pings_after(active + 0.5), "it may never have read anything"
        await looks.answers()
        assert not looks.pings_after(idle - 0.5)
        await looks.hears(gateway.MANY_EVENTS - 1)
        assert not looks.pings_after(idle - 0.5), "a few events"
        await looks.hears(1)
        assert not looks.pings_after(active - 0.5)
        assert looks.pings_after(active + 0.5), "many events"
        await looks.answers()
        await still_serves(client)
        assert looks.pings_after(active + 0.5), "something of its own"
        await looks.answers()
        looks.link.took(b"", 0)  # as if it had not read
        assert not looks.pings_after(idle + 0.5), "the ping would stand behind what it has to read"
        await until(lambda: looks.link.clear)
        assert looks.pings_after(idle + 0.5), "nothing"
        looks.look_after(within - 0.5)
        assert looks.conversation.ended is None
        looks.look_after(within + 0.5)
        assert looks.conversation.ended is CloseCode.TOO_SLOW


async def test_one_who_is_sent_away_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ROUND_S", 0.02)
    monkeypatch.setattr(gateway, "PING_IDLE_S", 0.0)
    monkeypatch.setattr(gateway, "PONG_WITHIN_S", 0.1)
    monkeypatch.setattr(live, "CLOSE_TIMEOUT_S", 0.3)
    async with live_room() as room, said_hello(room):
        await until(lambda: room.gateway.hub.figures.stalled)
        await until(lambda: not room.gateway.connections)
        assert room.gateway.hub.figures.stalled == 1


async def test_a_long_answer_does_not_keep_pongs_from_being_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a resume waits for its reader, pings go on and their answers count."""
    monkeypatch.setattr(gateway, "ROUND_S", 0.05)
    monkeypatch.setattr(gateway, "PING_IDLE_S", 0.0)
    monkeypatch.setattr(gateway, "PING_ACTIVE_S", 0.0)
    monkeypatch.setattr(gateway, "PONG_WITHIN_S", 0.5)
    gate = asyncio.Event()
    async with live_room() as room, said_hello(room) as client:
        until_clear = room.gateway.hub.until_clear

        async def slowly(link: Any) -> bool:
            await gate.wait()
            return await until_clear(link)

        room.gateway.hub.until_clear = slowly  # type: ignore[method-assign]
        client.say(type="subscribe", request=1, sale_id=SALE)
        pings = 0
        while pings < 15:
            opcode, payload = await client.message()
            assert opcode == PING, payload
            client.write(frame(payload, PONG))
            pings += 1
        gate.set()
        assert (await client.frame("subscribed"))["request"] == 1


async def test_who_asks_for_more_than_it_reads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_ASKED", 4)
    gate = asyncio.Event()
    async with live_room() as room, said_hello(room) as client:
        until_clear = room.gateway.hub.until_clear

        async def slowly(link: Any) -> bool:
            await gate.wait()
            return await until_clear(link)

        room.gateway.hub.until_clear = slowly  # type: ignore[method-assign]
        for request in range(6):
            client.say(type="subscribe", request=request, sale_id=SALE)
        refused = [await client.frame("error") for _ in range(2)]
        assert [told["request"] for told in refused] == [4, 5]
        assert {told["code"] for told in refused} == {"TOO_MANY"}
        gate.set()
        for request in range(4):
            assert (await client.frame("subscribed"))["request"] == request
        await still_serves(client)


async def test_two_large_sales_can_be_followed_at_once_on_a_slow_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is large waits for its reader, and is not too much for the little that may wait."""
    monkeypatch.setattr(live, "SEND_BUFFER_BYTES", 8 * 1024)
    async with live_room(lots=200) as room:
        other = replace(open_sale(200), sale_id=SaleId("S-2"))
        await room.submit(other)
        async with said_hello(room, buffer_bytes=4 * 1024) as client:
            for request, sale_id in enumerate((SALE, "S-2", SALE, "S-2")):
                client.say(type="subscribe", request=request, sale_id=sale_id)
            for request, sale_id in enumerate((SALE, "S-2", SALE, "S-2")):
                assert (await client.frame("subscribed"))["request"] == request
                snapshot = await client.frame("snapshot")
                assert (snapshot["sale_id"], len(snapshot["lots"])) == (sale_id, 200)
            await still_serves(client)


async def test_a_long_resume_waits_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads slowly gets all of it, and is not given more at once than may wait."""
    monkeypatch.setattr(live, "SEND_BUFFER_BYTES", 8 * 1024)
    monkeypatch.setattr(following, "PAGE", 16)
    async with live_room() as room:
        for step in range(1, 401):
            await room.bid("ab"[step % 2], step * 1_000_00)
        async with said_hello(room, buffer_bytes=4 * 1024) as client:
            client.say(type="subscribe", request=1, sale_id=SALE, since=0)
            await until(lambda: room.gateway.hub.full)
            await client.frame("subscribed")
            told = [await client.frame("event") for _ in range(402)]
            assert [frame["event"]["sequence"] for frame in told] == list(range(1, 403))
            assert len(client.seen) > 2 * MAX_WAITING_BYTES


# --- Crowds ---------------------------------------------------------------------------------


CROWD = 1_000
# What one client may cost: the kernel's buffers are its own, and not counted here.
MOST_BYTES_EACH = 16 * 1024


def on_uvloop(scenario: Callable[[], Awaitable[None]]) -> None:
    """As the program runs; asyncio's own loop copies what a transport keeps."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())  # type: ignore[arg-type]


def resident_bytes() -> int:
    """The memory of this process."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize()


async def crowd(
    room: LiveRoom, count: int, *, buffer_bytes: int | None = None
) -> list[socket.socket]:
    """So many clients that have shaken hands, without anything of asyncio's on their side."""
    loop = asyncio.get_running_loop()
    opened: list[socket.socket] = []
    for number in range(count):
        sock = socket.socket()
        if buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        sock.settimeout(0)
        await loop.sock_connect(sock, ("127.0.0.1", room.port))
        await loop.sock_sendall(sock, handshake(PATH, f"127.0.0.1:{room.port}"))
        opened.append(sock)
        if number % 50 == 49:
            for one in opened[-50:]:
                answer = await loop.sock_recv(one, 4_096)
                assert answer.startswith(b"HTTP/1.1 101"), answer
    return opened


WIDE = Limits(
    frames=Rate(1e6, 1e6),
    address_frames=Rate(1e6, 1e6),
    connections_per_address=2 * CROWD,
)


@pytest.mark.timeout(300)
def test_a_thousand_who_send_byte_by_byte_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HELLO_WITHIN_S", 120.0)

    async def scenario() -> None:
        async with live_room(limits=WIDE) as room:
            opened = await crowd(room, CROWD)
            before = resident_bytes()
            begun = frame(b"x" * (MAX_FRAME_BYTES - 1))
            loop = asyncio.get_running_loop()
            for sock in opened:
                await loop.sock_sendall(sock, begun[:8_000])
            for place in range(8_000, 8_020):
                for sock in opened:
                    await loop.sock_sendall(sock, begun[place : place + 1])
            async with said_hello(room, "a") as other:
                await still_serves(other)
            assert resident_bytes() - before < CROWD * MOST_BYTES_EACH
            for sock in opened:
                sock.close()
            await until(lambda: not room.gateway.connections)

    on_uvloop(scenario)


@pytest.mark.parametrize("cancelled", [False, True])
def test_who_has_no_room_for_the_closing_frame_is_closed_all_the_same(
    cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with live_room() as room:
            (sock,) = await crowd(room, 1)
            await until(lambda: room.gateway.connections)
            (conversation,) = (one for group in room.gateway._groups for one in group)
            fd = conversation.link.fd
            inode = Path(f"/proc/self/fd/{fd}").readlink()
            await until(lambda: _fill(fd) < 10)  # until the other end takes nothing more either
            monkeypatch.setattr(conversation, "_send", lambda _: None)  # the goodbye just fitted
            serving = conversation._reading
            assert serving is not None
            conversation.end(CloseCode.TOO_SLOW, "a ping was not answered")
            if cancelled:
                await turns()  # it waits for the client's answer now
                serving.cancel()
            try:
                await until(lambda: inode not in _open_files(), deadline_s=10)
            finally:
                sock.close()

    on_uvloop(scenario)


def _fill(fd: int) -> int:
    """Write until there is no room; the number of writes."""
    for written in count():
        try:
            os.write(fd, b"x")
        except BlockingIOError:
            return written
    raise AssertionError


def _open_files() -> set[Path]:
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(fd.readlink())
    return found


@pytest.mark.timeout(300)
def test_a_thousand_who_do_not_read_cost_little_and_are_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "STALLED_S", 3.0)
    monkeypatch.setattr(live, "SEND_BUFFER_BYTES", 8 * 1024)

    async def scenario() -> None:
        async with live_room(limits=WIDE, lots=200) as room:
            opened = await crowd(room, CROWD, buffer_bytes=2_048)
            hello = frame(b'{"type":"hello"}')
            follow = json.dumps({"type": "subscribe", "request": 1, "sale_id": SALE}).encode()
            before = resident_bytes()
            for sock in opened:
                sock.send(hello + frame(follow) + frame(VALID) * 20)
            await until(lambda: room.gateway.hub.connected == CROWD)
            async with said_hello(room, "a") as other:
                await until(lambda: room.gateway.hub.full > CROWD // 2)
                for sock in opened:
                    with suppress(OSError):
                        sock.recv(1)
                await still_serves(other)
                for step in range(20):
                    await room.bid("ab"[step % 2], (step + 1) * 1_000_00, str(step + 1))
                await still_serves(other)
                # What a snapshot takes is there once; what is personal is bounded.
                assert resident_bytes() - before < CROWD * MOST_BYTES_EACH
                await until(lambda: room.gateway.connections == 1)
            assert room.gateway.hub.figures.stalled == CROWD
            for sock in opened:
                sock.close()

    assert MAX_WAITING_BYTES <= 64 * 1024
    on_uvloop(scenario)
