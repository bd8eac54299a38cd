"""Following a sale and bidding on it through the gateway, over real WebSockets."""

import asyncio
from typing import Any

import pytest

from auction.ids import LotId
from bidder_gateway import feeds, following, live
from bidder_gateway.client import BidNotTaken, LiveClient, LoginRefused
from bidder_gateway.live import PATH
from bidder_gateway.protocol import JSON, MSGPACK
from tests.builders import SALE, new_bid_id
from tests.live import LOT, follow, hello, live_room, receive
from tests.raw_sockets import raw_socket
from tests.waiting import until

BOTH = pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])


async def events(client: LiveClient, count: int) -> list[dict[str, Any]]:
    """The next so many events that the client sees."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        async for frame in client.frames():
            if frame["type"] == "event":
                seen.append(frame["event"])
                if len(seen) == count:
                    break
    return seen


async def next_frame(client: LiveClient, kind: str) -> dict[str, Any]:
    """The next frame of a type that the client sees."""
    async with asyncio.timeout(10):
        async for frame in client.frames():
            if frame["type"] == kind:
                return frame
    raise AssertionError("the frames ended")


@BOTH
async def test_a_bid_is_answered_and_everybody_sees_it(subprotocol: str) -> None:
    async with (
        live_room() as room,
        room.client("a", subprotocol) as bidder,
        room.client(None, subprotocol) as guest,
    ):
        for client in (bidder, guest):
            await client.follow(SALE)
            await next_frame(client, "snapshot")
        verdict = await bidder.bid(SALE, LOT, 500_00, "USD")
        assert (verdict["code"], verdict["lot"]["own_maximum_minor"]) == ("LEADING", 500_00)
        for client in (bidder, guest):
            (placed,) = await events(client, 1)
            assert (placed["type"], placed["sequence"]) == ("bid_placed", verdict["sequence"])
            assert placed["price_minor"] == verdict["lot"]["price_minor"]


async def test_the_owner_alone_is_told_the_maximum() -> None:
    async with (
        live_room() as room,
        room.client("a") as bidder,
        room.client("b") as rival,
    ):
        for client in (bidder, rival):
            await client.follow(SALE)
            await next_frame(client, "snapshot")
        await bidder.bid(SALE, LOT, 777_00, "USD")
        own = await next_frame(bidder, "own")
        assert own["event"]["maximum_minor"] == 777_00
        (public,) = await events(rival, 1)
        assert "maximum_minor" not in public
        assert "bidder_id" not in public


async def test_a_raise_in_private_reaches_its_owner_and_nobody_else() -> None:
    async with (
        live_room() as room,
        room.client("a") as bidder,
        room.client("b") as rival,
    ):
        for client in (bidder, rival):
            await client.follow(SALE)
            await next_frame(client, "snapshot")
        await bidder.bid(SALE, LOT, 500_00, "USD")
        raised = await bidder.bid(SALE, LOT, 900_00, "USD")
        assert raised["sequence"] is None
        await rival.bid(SALE, LOT, 600_00, "USD")
        seen = await events(rival, 2)
        assert [event["paddle"] for event in seen] == [101, 102]
        sequences = [event["sequence"] for event in seen]
        assert sequences[1] == sequences[0] + 1, "the raise left a gap that tells of it"


async def test_the_same_bid_again_has_the_same_verdict_and_one_event() -> None:
    async with live_room() as room, room.client("a") as bidder:
        bid_id = new_bid_id()
        first = await bidder.bid(SALE, LOT, 500_00, "USD", bid_id)
        again = await bidder.bid(SALE, LOT, 500_00, "USD", bid_id)
        assert (first["code"], first["sequence"], first["receipt"]) == (
            again["code"],
            again["sequence"],
            again["receipt"],
        )
        other = await bidder.bid(SALE, LOT, 600_00, "USD", bid_id)
        assert other["code"] == "BID_ID_REUSED"


@BOTH
async def test_a_cut_connection_goes_on_where_it_was(subprotocol: str) -> None:
    async with live_room() as room, room.client("a", subprotocol) as watcher:
        await watcher.follow(SALE)
        await next_frame(watcher, "snapshot")
        await room.bid("b", 100_00)
        await events(watcher, 1)
        watcher.drop()
        await until(lambda: watcher.reconnects == 1)
        for amount_minor in (200_00, 300_00, 400_00):
            await room.bid("b" if amount_minor == 300_00 else "a", amount_minor)
        assert (await next_frame(watcher, "subscribed"))["recovered"]
        seen = await events(watcher, 3)
        assert [event["lot_sequence"] for event in seen] == [3, 4, 5]


async def test_a_bid_whose_verdict_was_lost_is_asked_for_again_and_stands_once() -> None:
    async with live_room() as room, room.client("a") as bidder:
        asking = asyncio.create_task(bidder.bid(SALE, LOT, 500_00, "USD"))
        await asyncio.sleep(0)  # it is on its way
        bidder.drop()
        verdict = await asyncio.wait_for(asking, 10)
        assert verdict["code"] == "LEADING"
        feed = await room.gateway.hub.feed(SALE)
        assert feed is not None
        assert feed.sale.lots[LOT].bid_count == 1


async def test_a_resume_from_before_memory_is_served_from_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "RECENT", 8)
    monkeypatch.setattr(feeds, "MARK_EVERY", 4)
    monkeypatch.setattr(following, "PAGE", 3)
    async with live_room() as room, room.client() as late:
        for step in range(1, 31):
            await room.bid("ab"[step % 2], step * 100_00)
        await late.follow(SALE, since=5)
        assert (await next_frame(late, "subscribed"))["recovered"]
        seen = await events(late, 27)
        assert [event["sequence"] for event in seen] == list(range(6, 33))


async def test_a_crowd_that_comes_back_late_reads_the_log_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "RECENT", 8)
    monkeypatch.setattr(feeds, "MARK_EVERY", 4)
    monkeypatch.setattr(following, "PAGE", 4)
    async with live_room() as room:
        for step in range(1, 31):
            await room.bid("ab"[step % 2], step * 100_00)
        first = await room.gateway.hub.feed(SALE)
        assert first is not None and first.sequence == 32
        reads = 0
        read_sale = room.host.log.read_sale

        async def counted(*arguments: Any) -> Any:
            nonlocal reads
            reads += 1
            return await read_sale(*arguments)

        monkeypatch.setattr(room.host.log, "read_sale", counted)

        async def come_back(since: int) -> list[int]:
            async with room.client() as late:
                await late.follow(SALE, since=since)
                return [event["sequence"] for event in await events(late, 32 - since)]

        sequences = await asyncio.gather(*(come_back(4 + number % 4) for number in range(12)))
        assert sequences == [list(range(5 + number % 4, 33)) for number in range(12)]
        assert reads == 5, "a page each for 5-8, 9-12, 13-16, 17-20 and 21-24"


async def test_what_could_not_be_read_of_the_past_is_read_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "RECENT", 8)
    monkeypatch.setattr(feeds, "MARK_EVERY", 4)
    async with live_room() as room, room.client() as late:
        for step in range(1, 31):
            await room.bid("ab"[step % 2], step * 100_00)
        await room.gateway.hub.feed(SALE)
        read_sale = room.host.log.read_sale

        async def fails_once(*arguments: Any) -> Any:
            monkeypatch.setattr(room.host.log, "read_sale", read_sale)
            raise ConnectionError("the database is away")

        monkeypatch.setattr(room.host.log, "read_sale", fails_once)
        await late.follow(SALE, since=5)  # it is cut off, comes back, and asks again
        seen = await events(late, 27)
        assert [event["sequence"] for event in seen] == list(range(6, 33))


async def test_a_gateway_that_stops_reads_no_more_of_the_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "RECENT", 8)
    monkeypatch.setattr(feeds, "MARK_EVERY", 4)
    async with live_room() as room, room.socket() as late:
        for step in range(1, 31):
            await room.bid("ab"[step % 2], step * 100_00)
        await room.gateway.hub.feed(SALE)
        reading = asyncio.Event()

        async def waits(*_: Any) -> Any:
            reading.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(room.host.log, "read_sale", waits)
            await hello(late)
            await follow(late, 5)
            await reading.wait()
            before = asyncio.all_tasks()
            await room.gateway.stop()
        left = [task for task in before if "Past" in repr(task.get_coro()) and not task.done()]
        assert left == []


@pytest.mark.parametrize("since", [99, 2**53 - 1])
async def test_a_resume_from_the_future_gets_a_snapshot(since: int) -> None:
    async with live_room() as room, room.socket() as socket:
        await hello(socket)
        subscribed = await follow(socket, since)
        assert not subscribed["recovered"]
        assert (await receive(socket, "snapshot"))["sequence"] == subscribed["sequence"]


async def test_a_resume_from_too_far_back_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MAX_RESUME", 3)
    async with live_room() as room, room.socket() as socket:
        for step in range(1, 6):
            await room.bid("ab"[step % 2], step * 100_00)
        await hello(socket)
        assert not (await follow(socket, 1))["recovered"]


async def test_who_watches_chosen_lots_sees_them_and_what_concerns_the_whole_sale() -> None:
    async with live_room(lots=3) as room, room.client() as watcher:
        await watcher.follow(SALE, lots=(LotId("2"),))
        snapshot = await next_frame(watcher, "snapshot")
        assert [lot["lot_id"] for lot in snapshot["lots"]] == ["2"]
        await room.bid("a", 100_00, "1")
        await room.bid("a", 100_00, "2")
        await room.bid("b", 200_00, "3")
        await room.bid("b", 200_00, "2")
        seen = await events(watcher, 2)
        assert [(event["lot_id"], event["lot_sequence"]) for event in seen] == [("2", 2), ("2", 3)]


@pytest.mark.parametrize(
    "wanted", [{"sale_id": "no-such-sale"}, {"lots": ["99"]}, {"lots": ["1", "99"]}]
)
async def test_what_does_not_exist_is_answered_in_the_same_words(wanted: dict[str, Any]) -> None:
    async with live_room() as room, room.socket() as socket:
        await hello(socket)
        frame = {"type": "subscribe", "request": 7, "sale_id": SALE} | wanted
        await socket.send_json(frame)
        answer = await socket.receive_str()
        assert answer == (
            '{"type":"error","request":7,"code":"NOT_FOUND",'
            '"message":"there is no such sale or lot"}'
        )


async def test_events_between_snapshot_and_first_tick_are_not_lost() -> None:
    async with live_room() as room, room.client() as watcher:
        for step in range(1, 40):
            bidding = asyncio.create_task(room.bid("ab"[step % 2], step * 100_00))
            await watcher.follow(SALE)
            await bidding
        async with asyncio.timeout(10):
            async for frame in watcher.frames():  # the client itself refuses gaps and repetitions
                if frame["type"] == "event" and frame["event"]["sequence"] == 41:
                    break


async def test_a_guest_may_watch_but_not_bid() -> None:
    async with live_room() as room, room.socket() as socket:
        await hello(socket)
        offer = {"kind": "MAXIMUM", "amount_minor": 100_00, "currency": "USD"}
        bid = {"type": "bid", "request": 3, "sale_id": SALE, "lot_id": LOT, "offer": offer}
        await socket.send_json(bid | {"bid_id": new_bid_id()})
        error = await receive(socket, "error")
        assert (error["request"], error["code"]) == (3, "FORBIDDEN")


async def test_a_token_that_is_not_good_is_sent_away() -> None:
    async with live_room() as room:
        with pytest.raises(LoginRefused):
            async with room.client("bad"):
                pass


async def test_a_login_that_ends_ends_its_connections() -> None:
    async with live_room() as room, room.socket() as socket, room.socket() as other:
        await hello(socket, "a")
        await hello(other, "b")
        room.tokens.over.add("login-a")
        goodbye = await receive(socket, "goodbye")
        assert goodbye["code"] == 4440
        await other.send_json({"type": "time", "c0": 5})
        assert (await receive(other, "time"))["c0"] == 5


async def test_a_server_that_stops_says_when_to_come_back_and_from_where() -> None:
    async with live_room() as room, room.socket() as socket:
        await hello(socket)
        sequence = (await follow(socket))["sequence"]
        await receive(socket, "snapshot")
        stopping = asyncio.create_task(room.gateway.stop())
        goodbye = await receive(socket, "goodbye")
        assert (goodbye["code"], goodbye["resume"]) == (1012, {SALE: sequence})
        assert 500 <= goodbye["resume_after_ms"] <= 5_000
        await socket.receive()
        assert socket.close_code == 1012
        await stopping


async def test_one_who_does_not_read_is_dropped_and_the_others_see_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with live_room() as room, room.client() as healthy:
        await healthy.follow(SALE)
        await next_frame(healthy, "snapshot")
        monkeypatch.setattr(live, "SEND_BUFFER_BYTES", 8 * 1024)
        async with raw_socket(room.port, buffer_bytes=4 * 1024) as deaf:
            await deaf.open(PATH, room.port)
            deaf.say(type="hello")
            deaf.say(type="subscribe", request=1, sale_id=SALE)
            hub = room.gateway.hub
            await until(lambda: len(hub.links) == 2)
            seen, step = 0, 0
            while not hub.full:
                step += 1
                await asyncio.gather(
                    *(room.bid("ab"[n % 2], (step * 200 + n) * 1_000_00) for n in range(200))
                )
                await events(healthy, 200)
                seen += 200
            (link,) = [link for link in hub.links if not link.clear]
            hub._full[link].since_s -= 60  # it has been so for a minute
            await until(lambda: hub.connected == 1)
            assert hub.figures.stalled == 1
            await room.bid("a", 999_000_000_00)
            (last,) = await events(healthy, 1)
            assert last["sequence"] == seen + 3


async def test_a_client_learns_that_its_bid_is_not_taken() -> None:
    async with live_room() as room, room.client() as guest:
        with pytest.raises(BidNotTaken, match="FORBIDDEN"):
            await guest.bid(SALE, LOT, 500_00, "USD")


@BOTH
async def test_who_watches_chosen_lots_and_does_not_read_skips_and_goes_on(
    subprotocol: str,
) -> None:
    async with live_room(lots=2) as room, room.client(None, subprotocol) as watcher:
        await watcher.follow(SALE, lots=(LotId("2"),))
        await next_frame(watcher, "snapshot")
        await room.bid("a", 100_00, "1")  # of which the watcher is not told
        (link,) = room.gateway.hub.links
        await until(lambda: room.gateway.hub.followed(link) == {SALE: 4})
        link.took(b"", 0)  # as if it had not read
        await room.bid("a", 100_00, "2")
        await room.bid("b", 300_00, "1")
        conflated = await next_frame(watcher, "conflated")
        assert (conflated["from"], conflated["to"]) == (5, 6)
        assert [lot["lot_id"] for lot in conflated["lots"]] == ["2"]
        await room.bid("b", 300_00, "2")
        assert [event["lot_sequence"] for event in await events(watcher, 1)] == [3]
