"""Everything at work: who is outbid knows it within five seconds, on the page and on the phone."""

import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from auction.ids import PersonId
from auction.log_postgres import PostgresLog
from bidder_gateway.notices import lanes
from bidder_gateway.notices.maker import GATHER_S
from bidder_gateway.ports import Participant
from softclose.notices import at_work
from tests.live import LiveRoom, live_room, receive
from tests.notices import notice_room
from tests.waiting import until

LOTS = 20
WITHIN_S = 5.0


@pytest.fixture
async def live(database_url: str) -> AsyncIterator[LiveRoom]:
    log = PostgresLog(database_url)
    async with live_room(lots=LOTS, bidders="", log=log) as room:
        yield room
    await log.close()


def lose_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself: whatever happens in time was told, not found."""
    monkeypatch.setattr(lanes, "POLL_S", 3_600.0)
    monkeypatch.setattr("foundation.follower.POLL_S", 3_600.0)


async def test_outbid_is_on_the_page_and_at_the_push_service_in_time(
    database_url: str,
    live: LiveRoom,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    lose_no_time(monkeypatch)
    async with (
        notice_room(database_url, live=live) as room,
        at_work(room.notices, room.host, room.followers_pool),
    ):
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, _ = await room.reseller("joe@example.com")
        browser = await room.device(kim)
        live.tokens.tickets["kim"] = Participant(
            ann, PersonId(kim), "Kim", "login-kim", may_bid=True
        )
        async with live.socket() as socket:
            await socket.send_json({"type": "hello", "ticket": "kim"})
            await receive(socket, "welcome")
            page_s, push_s = [], []
            for lot in map(str, range(1, LOTS + 1)):
                await room.bid(ann, 100_00, lot)
                began_s = time.monotonic()
                await room.bid(bert, 300_00, lot)
                frame = await outbid_frame(socket)
                page_s.append(time.monotonic() - began_s)
                await until(lambda: len(browser.pushes) == int(lot))  # noqa: B023 - awaited here
                push_s.append(browser.got_at_s[-1] - began_s)
                assert frame["lot_id"] == lot
                assert frame["link"] == browser.pushes[-1]["url"]
    assert [push["url"].split("?")[0] for push in browser.pushes] == [
        f"/sales/S-1/lots/{lot}" for lot in range(1, LOTS + 1)
    ]
    record_property("page_ms", told(page_s))
    record_property("push_ms", told(push_s))
    assert max(*page_s, *push_s) < WITHIN_S


async def outbid_frame(socket: Any) -> dict[str, Any]:
    while True:
        notice: dict[str, Any] = (await receive(socket, "notice"))["notice"]
        if notice["kind"] == "OUTBID":
            return notice


def told(times_s: list[float]) -> str:
    return f"median {statistics.median(times_s) * 1e3:.0f} ms, most {max(times_s) * 1e3:.0f} ms"


async def test_ten_thousand_who_are_told_of_a_pause_do_not_hold_up_who_is_outbid(
    database_url: str, live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane of urgent pushes is free while the other one waits for a slow service."""
    lose_no_time(monkeypatch)
    async with notice_room(database_url, live=live) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, _ = await room.reseller("joe@example.com")
        browser = await room.device(kim)
        ordinary = next(lane for lane in room.notices.lanes if not lane.urgent)
        ordinary._busy = ordinary._at_once  # as if it carried as much as it can
        async with at_work(room.notices, room.host, room.followers_pool):
            await room.bid(ann, 100_00)
            began_s = time.monotonic()
            await room.bid(bert, 300_00)
            await until(lambda: browser.pushes)
            assert browser.got_at_s[0] - began_s < WITHIN_S


def test_a_waking_that_is_lost_costs_less_than_two_seconds() -> None:
    assert lanes.POLL_S + GATHER_S < 2.0


async def test_what_is_under_way_at_the_end_may_finish(database_url: str, live: LiveRoom) -> None:
    async with notice_room(database_url, live=live) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, _ = await room.reseller("joe@example.com")
        browser = await room.device(kim)
        room.service.hold.clear()
        async with at_work(room.notices, room.host, room.followers_pool):
            await room.bid(ann, 100_00)
            await room.bid(bert, 300_00)
            await until(lambda: room.service.asked)
            room.service.hold.set()
        assert len(browser.pushes) == 1
        assert ("OUTBID", "PUSH", "SENT", "") in await room.deliveries(kim)
