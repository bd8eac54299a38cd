"""Whatever await a process dies at: each notice is made once, and none is lost on its way."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest

from accounts.ids import PersonId
from auction.cursors_postgres import PostgresCursors
from auction.ids import BidderId, shard_of
from bidder_gateway.notices.kinds import DAY_US, MINUTE_US, Way
from bidder_gateway.notices.outbox import LEASE_US
from bidder_gateway.notices.room import Means, Notices
from foundation.database import Pool, transaction
from foundation.mail import Mail, Mailer
from tests.brittle import BrittlePool, Crash, Fate
from tests.builders import SALE
from tests.notices import NoticeRoom, notice_room
from tests.push_service import Browser

# More than there are awaits in what dies here; each death is about a lot of its own.
LOTS = 120


class Stage:
    """Ann's Kim is outbid by Bert on one lot after the other."""

    def __init__(self, room: NoticeRoom, ann: BidderId, bert: BidderId, kim: PersonId) -> None:
        self.room, self.ann, self.bert, self.kim = room, ann, bert, kim

    async def outbid(self, lot: int) -> None:
        await self.room.bid(self.ann, 100_00, str(lot))
        await self.room.bid(self.bert, 300_00, str(lot))

    async def rows(self, lot: int, query: str) -> list[Any]:
        async with transaction(self.room.pool) as connection:
            return await connection.fetch(query, self.kim, str(lot))


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with notice_room(database_url, lots=LOTS) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, _ = await room.reseller("joe@example.com")
        yield Stage(room, ann, bert, kim)


def brittle(pool: Pool, fate: Fate) -> Pool:
    return cast("Pool", BrittlePool(pool, fate))


_OUTBID = """
select notice_id from notice where person_id = $1 and lot_id = $2 and kind = 'OUTBID'
"""

_DELIVERIES = """
select way, state from notice_delivery join notice using (notice_id)
where notice.person_id = $1 and lot_id = $2 and kind = 'OUTBID' order by way
"""


async def test_a_notice_is_made_once_wherever_its_maker_dies(stage: Stage) -> None:
    room = stage.room
    await room.device(stage.kim)
    await room.follow()
    room.pages.here = {stage.kim}

    async def make(fate: Fate) -> None:
        """A process that begins, takes a step, and perhaps dies in it."""
        means = replace(room.means, pool=brittle(room.means.pool, fate))
        cursors = PostgresCursors(brittle(room.followers_pool, fate))
        with suppress(Crash):
            await Notices(means).follower(shard_of(SALE), cursors).step()

    await stage.outbid(1)
    counting = Fate()
    await make(counting)
    assert 20 < counting.steps < LOTS
    for number in range(1, counting.steps + 1):
        lot = number + 1
        await stage.outbid(lot)
        fate = Fate(number)
        await make(fate)
        assert fate.died
        await make(Fate())
        assert len(await stage.rows(lot, _OUTBID)) == 1
        waiting = [tuple(row) for row in await stage.rows(lot, _DELIVERIES)]
        assert waiting == [("MAIL", "WAITING"), ("PUSH", "WAITING")]
    told = Counter(frame["lot_id"] for _, frame in room.pages.frames)
    assert set(told.values()) == {1}
    # Only who dies between the commit and the telling takes the frame along.
    assert counting.steps - 2 <= len(told) - 1 <= counting.steps


class BrittleMailer:
    """Dies before or after a mail was taken."""

    def __init__(self, mailer: Mailer, fate: Fate) -> None:
        self._mailer, self._fate = mailer, fate

    async def send(self, mail: Mail) -> None:
        await self._fate.around(lambda: self._mailer.send(mail))


async def carry(means: Means, way: Way) -> None:
    """A process that begins, carries what is due, and perhaps dies."""
    lanes = [lane for lane in Notices(means).lanes if lane.way is way and lane.urgent]
    with suppress(Crash):
        for lane in lanes:
            while await lane.round():
                pass


def pushes_about(browser: Browser, lot: int) -> int:
    return len([push for push in browser.pushes if f"/lots/{lot}?" in push["url"]])


async def test_a_push_is_sent_once_or_twice_wherever_its_sender_dies(stage: Stage) -> None:
    room = stage.room
    browser = await room.device(stage.kim)

    async def outbid(lot: int) -> None:
        await stage.outbid(lot)
        await room.follow()

    def dying(fate: Fate) -> Means:
        return replace(room.means, pool=brittle(room.means.pool, fate))

    await outbid(1)
    counting = Fate()
    await carry(dying(counting), Way.PUSH)
    assert pushes_about(browser, 1) == 1
    assert 20 < counting.steps < LOTS
    times = []
    for number in range(1, counting.steps + 1):
        lot = number + 1
        await outbid(lot)
        await carry(dying(Fate(number)), Way.PUSH)
        await carry(room.means, Way.PUSH)
        room.clock.now_us += LEASE_US
        await carry(room.means, Way.PUSH)
        assert ("PUSH", "SENT") in [tuple(row) for row in await stage.rows(lot, _DELIVERIES)]
        times.append(pushes_about(browser, lot))
    assert set(times) == {1, 2}


async def test_a_mail_is_sent_once_or_twice_and_the_second_is_known_by_its_name(
    stage: Stage,
) -> None:
    room = stage.room
    await room.follow()
    room.clock.advance(60)
    await carry(room.means, Way.MAIL)
    await room.carry(Way.MAIL)

    def dying(fate: Fate) -> Means:
        mailer = BrittleMailer(room.means.mailer, fate)
        return replace(room.means, pool=brittle(room.means.pool, fate), mailer=mailer)

    async def mails_of(lot: int, fate: Fate) -> list[Mail]:
        before = len(room.mails.sent)
        await stage.outbid(lot)
        await room.follow()
        room.clock.advance(600)  # the last mail is long ago
        await carry(dying(fate), Way.MAIL)
        room.clock.now_us += LEASE_US
        await carry(room.means, Way.MAIL)
        sent = room.mails.sent[before:]
        return [mail for mail in sent if f"/lots/{lot}?" in mail.text]

    counting = Fate()
    assert len(await mails_of(1, counting)) == 1
    assert 20 < counting.steps < LOTS
    times = []
    for number in range(1, counting.steps + 1):
        mails = await mails_of(number + 1, Fate(number))
        times.append(len(mails))
        assert len({mail.headers["Message-ID"] for mail in mails}) == 1
        assert ("MAIL", "SENT") in [tuple(row) for row in await stage.rows(number + 1, _DELIVERIES)]
    assert set(times) == {1, 2}


async def test_an_end_that_is_near_is_told_once_wherever_the_source_dies(stage: Stage) -> None:
    room = stage.room
    for lot in range(1, LOTS + 1):
        async with transaction(room.pool) as connection:
            await connection.execute(
                "insert into watched_lot values ($1, $2, $3, true, 0)", stage.kim, SALE, str(lot)
            )
    await room.follow()
    async with transaction(room.pool) as connection:
        await connection.execute("update notice_lot set closes_at_us = closes_at_us + $1", DAY_US)

    async def near(lot: int, fate: Fate) -> None:
        async with transaction(room.pool) as connection:
            await connection.execute(
                "update notice_lot set closes_at_us = $1 where lot_id = $2",
                room.means.now_us() + 14 * MINUTE_US,
                str(lot),
            )
        for one in (fate, Fate()):
            means = replace(room.means, pool=brittle(room.means.pool, one))
            with suppress(Crash):
                await Notices(means).sources[0].step()

    counting = Fate()
    await near(1, counting)
    assert 10 < counting.steps < LOTS
    for number in range(1, counting.steps + 1):
        await near(number + 1, Fate(number))
    async with transaction(room.pool) as connection:
        rows = await connection.fetch("select lot_id from notice where kind = 'CLOSING_SOON'")
    assert Counter(row[0] for row in rows) == {str(lot): 1 for lot in range(1, counting.steps + 2)}
