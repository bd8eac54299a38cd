"""No notice tells a rival's name or maximum, or a reserve: markers are planted, bytes searched."""

import json
from typing import Any

from structlog.testing import capture_logs

from accounts.ids import PersonId
from auction.ids import BidderId
from bidder_gateway.notices.kinds import Kind, Way
from tests.builders import void, withdraw
from tests.live import open_sale
from tests.notices import NoticeRoom, notice_room

MAXIMA = {"ann": 7_123_00, "bert": 9_321_00, "cora": 61_777_00}
RESERVE_MINOR = 88_555_00


def spellings(minor: int) -> list[str]:
    """An amount as it might be written."""
    return [str(minor), str(minor // 100), f"{minor // 100:,}"]


class Side:
    """A reseller, and all that reaches its one person."""

    def __init__(self, bidder_id: BidderId, person_id: PersonId, mail: str, browser: Any) -> None:
        self.bidder_id, self.person_id, self.mail, self.browser = (
            bidder_id,
            person_id,
            mail,
            browser,
        )

    async def seen(self, room: NoticeRoom) -> str:
        """Every byte that left for this person."""
        mails = [
            "\n".join((m.subject, m.text, m.html or "", *m.headers.values()))
            for m in room.mails_to(self.mail)
        ]
        frames = [frame for person, frame in room.pages.frames if person == self.person_id]
        listed = [repr(view) for view in await room.listed(self.person_id)]
        texts = [text for phone, text in room.texts.sent if phone == phone_of(self.mail)]
        return "\n".join(
            [json.dumps(self.browser.pushes), *mails, json.dumps(frames), *listed, *texts]
        )


def phone_of(mail: str) -> str:
    return "+1312555" + str(sum(mail.encode())).rjust(4, "0")


async def a_side(room: NoticeRoom, name: str) -> Side:
    mail = f"{name}-marker@example.com"
    bidder_id, (person_id,) = await room.reseller(mail)
    room.pages.here.add(person_id)
    async with room.pool.acquire() as connection:
        await connection.execute(
            "insert into notice_setting (person_id, phone) values ($1, $2)",
            person_id,
            phone_of(mail),
        )
    for kind in Kind:
        for way in (Way.PUSH, Way.MAIL, Way.SMS):
            await room.chooses(person_id, kind, way, wanted=True)
    return Side(bidder_id, person_id, mail, await room.device(person_id))


async def test_what_reaches_one_side_holds_nothing_of_the_others(database_url: str) -> None:
    sale = open_sale(lots=3)
    with capture_logs() as logs:
        async with notice_room(database_url, sale=sale, sms=True) as room:
            sides = {name: await a_side(room, name) for name in MAXIMA}
            for name in ("ann", "bert"):
                await room.bid(sides[name].bidder_id, MAXIMA[name], person=sides[name].person_id)
            await room.bid(sides["cora"].bidder_id, 200_00, lot="2")
            await room.follow()
            room.service.plan[sides["ann"].browser.name] = [500]
            await send_all(room)
            await room.submit(void(sides["bert"].bidder_id))
            await room.bid(sides["cora"].bidder_id, MAXIMA["cora"])
            await room.submit(withdraw("3"))
            await room.follow()
            await send_all(room)
            await room.ends()
            await send_all(room)
            seen = {name: await side.seen(room) for name, side in sides.items()}
            for name, bytes_seen in seen.items():
                assert "Mixed returns" in bytes_seen  # something came
                for other, side in sides.items():
                    markers = spellings(MAXIMA[other])
                    if other != name:
                        markers += [side.bidder_id, side.person_id, side.mail, f"{other}-marker"]
                    for marker in markers:
                        assert marker not in bytes_seen, (name, other, marker)
            assert "BIDS_VOIDED" in seen["bert"]
            said = json.dumps(logs, default=str)
            assert "notice_not_sent" in said
            for side in sides.values():
                assert side.browser.endpoint not in said
                assert side.browser.name not in said


async def send_all(room: NoticeRoom) -> None:
    room.clock.advance(700)
    for way in (Way.PUSH, Way.MAIL, Way.SMS):
        await room.carry(way)


async def test_a_reserve_is_in_no_notice(database_url: str) -> None:
    sale = open_sale(reserve_minor=RESERVE_MINOR)
    async with notice_room(database_url, sale=sale) as room:
        ann, bert = await a_side(room, "ann"), await a_side(room, "bert")
        await room.bid(ann.bidder_id, 300_00)
        await room.bid(bert.bidder_id, 500_00)
        await room.follow()
        await send_all(room)
        await room.ends()
        await send_all(room)
        for side in (ann, bert):
            seen = await side.seen(room)
            assert "LOT_LOST" in seen
            assert not any(marker in seen for marker in spellings(RESERVE_MINOR))
