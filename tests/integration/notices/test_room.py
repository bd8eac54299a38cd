"""What goes on beside: the key, what is put away, what is counted."""

import asyncio

from prometheus_client import CollectorRegistry, generate_latest

from bidder_gateway.notices.figures import NoticeFigures
from bidder_gateway.notices.housekeeping import put_away
from bidder_gateway.notices.kinds import DAY_US, Way
from bidder_gateway.notices.push_key import kept_scalar
from foundation.database import transaction
from tests.notices import NoticeRoom


async def counts(room: NoticeRoom, *tables: str) -> list[int]:
    async with transaction(room.pool) as connection:
        return [
            await connection.fetchval(f"select count(*) from {table}")  # noqa: S608
            for table in tables
        ]


async def test_of_many_who_need_a_key_at_once_all_get_the_same(room: NoticeRoom) -> None:
    made = await asyncio.gather(*(kept_scalar(room.pool) for _ in range(5)))
    assert len(set(made)) == 1
    assert await kept_scalar(room.pool) == made[0]


async def test_what_is_over_is_put_away_and_the_rest_stays(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    await room.device(kim)
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    room.clock.advance(60)
    await room.carry(Way.PUSH)
    await room.carry(Way.MAIL)
    tables = ("notice", "notice_delivery", "notice_envelope", "push_subscription")
    before = await counts(room, *tables)
    await put_away(room.pool, room.clock())
    assert await counts(room, *tables) == before
    await put_away(room.pool, room.clock() + 2 * DAY_US)
    notices, deliveries, _, devices = before
    assert await counts(room, *tables) == [notices, deliveries, 0, devices]
    await put_away(room.pool, room.clock() + 91 * DAY_US)
    assert await counts(room, *tables) == [0, 0, 0, devices]
    async with transaction(room.pool) as connection:
        await connection.execute("update push_subscription set failures = 20")
    await put_away(room.pool, room.clock() + 91 * DAY_US)
    assert await counts(room, *tables) == [0, 0, 0, 0]


async def test_what_waits_is_not_put_away(room: NoticeRoom) -> None:
    ann, _ = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    (before,) = await counts(room, "notice_envelope")
    await put_away(room.pool, room.clock() + 2 * DAY_US)
    assert await counts(room, "notice_envelope") == [before]


async def test_lanes_are_counted(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    browser = await room.device(kim)
    room.service.plan[browser.name] = [500]
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    await room.carry(Way.PUSH)
    room.clock.advance(10)
    await room.carry(Way.PUSH)
    registry = CollectorRegistry()
    NoticeFigures(room.notices.lanes, registry)
    told = generate_latest(registry).decode()
    labels = 'urgent="yes",way="PUSH"'
    assert f'softclose_notice_deliveries_total{{outcome="sent",{labels}}} 1.0' in told, told
    assert f"softclose_notice_retries_total{{{labels}}} 1.0" in told
