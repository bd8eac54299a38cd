"""From the book to devices and mailboxes: by whom it was chosen, while it is so, once."""

import dataclasses
from datetime import UTC, datetime

import msgspec
import pytest

from accounts.ids import PersonId
from auction.commands import PauseSale
from auction.ids import BidderId
from bidder_gateway.notices import outbox, subscriptions
from bidder_gateway.notices.kinds import HOUR_US, SECOND_US, Kind, Way
from bidder_gateway.notices.lists import mark_all_read
from bidder_gateway.notices.outbox import LEASE_US, MAX_TRIES
from bidder_gateway.notices.room import Notices
from foundation.database import transaction
from foundation.mail import MailNotSent, SmtpMailer
from foundation.outbound import Outbound
from tests.builders import SALE, STAFF_MEMBER, void
from tests.integration.test_mail import Postbox, mail_server
from tests.notices import NoticeRoom, notice_room


class Rivals:
    """Two resellers that outbid each other."""

    def __init__(
        self, room: NoticeRoom, ann: BidderId, bert: BidderId, kim: PersonId, joe: PersonId
    ) -> None:
        self.room, self.ann, self.bert, self.kim, self.joe = room, ann, bert, kim, joe
        self._amount_minor = dict[str, int]()

    async def outbids(self, lot: str = "1") -> None:
        """Kim leads the lot, is outbid, and the followers have seen it."""
        amount_minor = self._amount_minor.get(lot, 0)
        await self.room.bid(self.ann, amount_minor + 100_00, lot)
        await self.room.bid(self.bert, amount_minor + 300_00, lot)
        self._amount_minor[lot] = amount_minor + 500_00
        await self.room.follow()


@pytest.fixture
async def rivals(room: NoticeRoom) -> Rivals:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    return Rivals(room, ann, bert, kim, joe)


async def outbid_of(room: NoticeRoom, person_id: PersonId, way: Way) -> list[tuple[str, str]]:
    """What became of somebody's notices of being outbid."""
    return [
        (state, reason)
        for kind, on, state, reason in await room.deliveries(person_id)
        if kind == Kind.OUTBID and on == way
    ]


# Pushes.


async def test_a_push_is_encrypted_signed_and_leads_to_a_page_that_asks(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    await rivals.outbids()
    assert await room.carry(Way.PUSH) == 1
    (push,) = browser.pushes
    assert push["title"] == "Outbid on Mixed returns"
    assert push["url"].startswith("/sales/S-1/lots/1?bid=")
    assert push["urgent"]
    (headers,) = browser.headers
    assert headers["Urgency"] == "high"
    assert len(headers["Topic"]) <= 32
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("SENT", "")]
    assert await room.carry(Way.PUSH) == 0


async def test_each_device_gets_its_own(room: NoticeRoom, rivals: Rivals) -> None:
    browsers = [await room.device(rivals.kim) for _ in range(3)]
    await rivals.outbids()
    await room.carry(Way.PUSH)
    assert [len(browser.pushes) for browser in browsers] == [1, 1, 1]


async def test_a_device_that_is_gone_is_forgotten(room: NoticeRoom, rivals: Rivals) -> None:
    gone, there = await room.device(rivals.kim), await room.device(rivals.kim)
    room.service.plan[gone.name] = [410]
    await rivals.outbids()
    await room.carry(Way.PUSH)
    assert len(there.pushes) == 1
    assert len(await subscriptions.devices_of(room.pool, rivals.kim)) == 1
    assert sorted(await outbid_of(room, rivals.kim, Way.PUSH)) == [
        ("DROPPED", "GONE"),
        ("SENT", ""),
    ]
    asked = room.service.asked
    room.clock.advance(60)
    await rivals.outbids()
    await room.carry(Way.PUSH)
    assert room.service.asked == asked + 1


async def test_a_service_that_fails_is_asked_again_later_and_later(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    room.service.plan[browser.name] = [500, 503, 429]
    await rivals.outbids()
    for pause_s in (2, 4, 16):
        assert await room.carry(Way.PUSH) == 1
        assert await room.carry(Way.PUSH) == 0
        room.clock.advance(pause_s)
    assert await room.carry(Way.PUSH) == 1
    assert len(browser.pushes) == 1
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("SENT", "")]


async def test_a_service_says_when_to_come_back(room: NoticeRoom, rivals: Rivals) -> None:
    browser = await room.device(rivals.kim)
    room.service.plan[browser.name] = [429]
    room.service.extra = {"Retry-After": "120"}
    await rivals.outbids()
    await room.carry(Way.PUSH)
    room.clock.advance(119)
    assert await room.carry(Way.PUSH) == 0
    room.clock.advance(1)
    assert await room.carry(Way.PUSH) == 1


async def test_tries_are_bounded(room: NoticeRoom, rivals: Rivals) -> None:
    browser = await room.device(rivals.kim)
    room.service.plan[browser.name] = [500] * 100
    await rivals.outbids()
    for _ in range(100):
        room.clock.advance(700)
        await room.carry(Way.PUSH)
    assert room.service.asked == MAX_TRIES
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [
        ("FAILED", "the push service answered 500")
    ]


async def test_what_a_service_does_not_take_is_not_tried_again(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    room.service.plan[browser.name] = [413]
    await rivals.outbids()
    await room.carry(Way.PUSH)
    room.clock.advance(3_600)
    assert await room.carry(Way.PUSH) == 0
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [
        ("FAILED", "the push service answered 413")
    ]


async def test_a_service_that_nobody_reaches_rests_and_is_no_try(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    async with transaction(room.pool) as connection:
        await connection.execute("update push_subscription set endpoint = 'http://127.0.0.1:9/x'")
    await rivals.outbids()
    assert await room.carry(Way.PUSH) == 1
    await rivals.outbids("2")
    assert await room.carry(Way.PUSH) == 1  # looked at, and left until the rest is over
    assert await room.carry(Way.PUSH) == 0
    assert browser.pushes == []
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("WAITING", ""), ("WAITING", "")]


async def test_an_address_that_is_not_public_is_refused_and_dropped(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    await rivals.outbids()
    async with Outbound(schemes=frozenset({"http"})) as public_only:
        notices = Notices(dataclasses.replace(room.means, outbound=public_only))
        room.notices = notices
        await room.carry(Way.PUSH)
    assert browser.pushes == []
    assert room.service.asked == 0
    assert await subscriptions.devices_of(room.pool, rivals.kim) == []


async def test_a_bidding_war_is_a_push_in_three_seconds(room: NoticeRoom, rivals: Rivals) -> None:
    browser = await room.device(rivals.kim)
    await rivals.outbids()
    await room.carry(Way.PUSH)
    for _ in range(5):
        await rivals.outbids()
        assert await room.carry(Way.PUSH) == 0
        room.clock.advance(0.5)
    room.clock.advance(0.5)
    assert await room.carry(Way.PUSH) == 1
    assert len(browser.pushes) == 2
    first, last = browser.pushes
    assert int(last["url"].partition("=")[2]) > int(first["url"].partition("=")[2])
    assert first["tag"] == last["tag"]  # the device shows the newer in place of the older


async def test_what_is_not_so_any_more_is_not_sent(room: NoticeRoom, rivals: Rivals) -> None:
    browser = await room.device(rivals.kim)
    await rivals.outbids()
    await room.submit(void(rivals.bert))
    await room.follow()
    await room.carry(Way.PUSH)
    assert [push["title"] for push in browser.pushes] == ["You lead again on Mixed returns"]
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("DROPPED", "STALE")]


async def test_what_was_seen_on_the_page_is_not_sent(room: NoticeRoom, rivals: Rivals) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()
    await mark_all_read(room.pool, rivals.kim, 2**53, room.clock())
    await room.carry(Way.PUSH)
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("DROPPED", "SEEN")]


async def test_what_waited_too_long_is_not_sent(room: NoticeRoom, rivals: Rivals) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()
    engine_us = room.means.now_us
    late = dataclasses.replace(room.means, now_us=lambda: engine_us() + HOUR_US)
    room.notices = Notices(late)
    await room.carry(Way.PUSH)
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("DROPPED", "LATE")]


async def test_what_was_turned_off_meanwhile_is_not_sent(room: NoticeRoom, rivals: Rivals) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()
    await room.chooses(rivals.kim, Kind.OUTBID, Way.PUSH, wanted=False)
    await room.carry(Way.PUSH)
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("DROPPED", "UNWANTED")]


async def test_who_has_left_is_sent_nothing(room: NoticeRoom, rivals: Rivals) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()
    async with transaction(room.pool) as connection:
        await connection.execute(
            "update person set left_at_us = 1 where person_id = $1", rivals.kim
        )
    await room.carry(Way.PUSH)
    assert await outbid_of(room, rivals.kim, Way.PUSH) == [("DROPPED", "LEFT")]


async def test_the_browser_of_somebody_else_takes_nothing_of_whoever_was_there_before(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    await rivals.outbids()
    new = msgspec.convert(browser.subscription, subscriptions.NewSubscription)
    await subscriptions.keep(room.pool, room.outbound, rivals.joe, new, "a browser", 1)
    await room.carry(Way.PUSH)
    assert browser.pushes == []
    assert await subscriptions.devices_of(room.pool, rivals.kim) == []


async def test_lots_of_one_sale_that_end_together_are_one_push(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    pause = PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER)
    await room.bid(rivals.ann, 100_00)
    await room.submit(pause)
    await room.follow()
    assert await room.carry(Way.PUSH) == 0  # others may follow
    room.clock.advance(2)
    assert await room.carry(Way.PUSH) == 1
    assert browser.pushes[0]["title"] == "Sale S-1 is paused"


# Leases.


async def test_an_envelope_is_leased_to_one_and_comes_back_when_the_lease_is_over(
    room: NoticeRoom, rivals: Rivals
) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()

    async def claimed() -> int:
        now_us = room.clock()
        return len(await outbox.claim(room.pool, Way.PUSH, urgent=True, limit=10, now_us=now_us))

    assert [await claimed(), await claimed()] == [1, 0]
    room.clock.now_us += LEASE_US
    assert await claimed() == 1


async def test_who_was_asleep_beyond_the_lease_settles_nothing_of_the_next(
    room: NoticeRoom, rivals: Rivals
) -> None:
    await room.device(rivals.kim)
    await rivals.outbids()
    (asleep,) = await outbox.claim(room.pool, Way.PUSH, urgent=True, limit=1, now_us=room.clock())
    room.clock.now_us += LEASE_US
    (awake,) = await outbox.claim(room.pool, Way.PUSH, urgent=True, limit=1, now_us=room.clock())
    await outbox.settle(room.pool, asleep, outbox.Outcome(), room.clock())
    assert await room.carry(Way.PUSH) == 0  # the other one still carries it
    await outbox.settle(room.pool, awake, outbox.Outcome(), room.clock())
    assert await room.carry(Way.PUSH) == 1


# Quiet hours.


def at_clock(room: NoticeRoom, hour: int) -> None:
    """It is that hour in Chicago, where people of tests live."""
    day = datetime(2026, 11, 23, (hour + 6) % 24, tzinfo=UTC)
    if hour + 6 >= 24:
        day = day.replace(day=24)
    room.clock.now_us = round(day.timestamp()) * SECOND_US


async def test_in_quiet_hours_a_push_waits_for_the_morning(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    await room.sets(rivals.kim, quiet_from=22 * 60, quiet_until=7 * 60)
    at_clock(room, 2)
    await rivals.outbids()
    await room.carry(Way.PUSH)
    assert browser.pushes == []
    at_clock(room, 7)
    assert await room.carry(Way.PUSH) == 1
    assert len(browser.pushes) == 1


async def test_who_wants_urgent_ones_gets_them_in_quiet_hours(
    room: NoticeRoom, rivals: Rivals
) -> None:
    browser = await room.device(rivals.kim)
    await room.sets(rivals.kim, quiet_from=22 * 60, quiet_until=7 * 60, urgent_in_quiet=True)
    at_clock(room, 2)
    await rivals.outbids()
    await room.submit(void(rivals.bert))
    await rivals.outbids("2")
    await room.carry(Way.PUSH)
    assert [push["title"] for push in browser.pushes] == ["Outbid on Mixed returns"]


# Mail.


async def test_a_mail_gathers_what_somebody_was_outbid_on(room: NoticeRoom, rivals: Rivals) -> None:
    await rivals.outbids("1")
    await rivals.outbids("2")
    assert not room.mails_to("kim@example.com")
    room.clock.advance(31)
    await room.carry(Way.MAIL)
    mails = [mail for mail in room.mails_to("kim@example.com") if "utbid" in mail.subject]
    (mail,) = mails
    assert mail.subject == "Outbid on 2 lots"
    assert mail.html is not None
    for lot in ("1", "2"):
        assert f"http://127.0.0.1:8080/sales/S-1/lots/{lot}?bid=" in mail.text
        assert f"http://127.0.0.1:8080/sales/S-1/lots/{lot}?bid=" in mail.html


async def test_the_next_mail_of_a_war_comes_after_five_minutes(
    room: NoticeRoom, rivals: Rivals
) -> None:
    def outbid_mails() -> int:
        return len([m for m in room.mails_to("kim@example.com") if "utbid" in m.subject])

    await rivals.outbids()
    room.clock.advance(31)
    await room.carry(Way.MAIL)
    for _ in range(9):
        await rivals.outbids()
        room.clock.advance(30)
        await room.carry(Way.MAIL)
    assert outbid_mails() == 1
    room.clock.advance(31)
    await room.carry(Way.MAIL)
    assert outbid_mails() == 2


async def test_each_mail_says_how_no_more_come(room: NoticeRoom, rivals: Rivals) -> None:
    await rivals.outbids()
    room.clock.advance(31)
    await room.carry(Way.MAIL)
    mail = room.mails_to("kim@example.com")[-1]
    link = mail.headers["List-Unsubscribe"]
    assert link.startswith("<http://127.0.0.1:8080/notices/unsubscribe/")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.strip("<>") in mail.text


async def test_a_mail_server_that_is_away_is_tried_again(room: NoticeRoom, rivals: Rivals) -> None:
    await rivals.outbids()
    room.clock.advance(31)
    room.mails.failures = [MailNotSent("away")] * 3  # all that there are
    await room.carry(Way.MAIL)
    before = len(room.mails.sent)
    room.clock.advance(10)
    await room.carry(Way.MAIL)
    assert len(room.mails.sent) > before
    assert await outbid_of(room, rivals.kim, Way.MAIL) == [("SENT", "")]


async def test_an_address_that_no_server_takes_is_given_up(
    room: NoticeRoom, rivals: Rivals
) -> None:
    await rivals.outbids()
    room.clock.advance(31)
    room.mails.failures = [MailNotSent("no such mailbox", permanent=True)] * 3
    await room.carry(Way.MAIL)
    assert await outbid_of(room, rivals.kim, Way.MAIL) == [("FAILED", "no such mailbox")]


async def test_a_mail_goes_through_smtp_with_both_its_texts(database_url: str) -> None:
    postbox = Postbox()
    async with mail_server(postbox) as port:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", "Softclose <notices@example.com>")
        async with notice_room(database_url, mailer=mailer) as room:
            ann, (kim,) = await room.reseller("kim@example.com")
            bert, (joe,) = await room.reseller("joe@example.com")
            for person_id in (kim, joe):
                await room.chooses(person_id, Kind.REGISTERED, Way.MAIL, wanted=False)
            await Rivals(room, ann, bert, kim, joe).outbids()
            room.clock.advance(31)
            await room.carry(Way.MAIL)
    mail = postbox.message()
    assert mail["To"] == "kim@example.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(mail["Message-ID"]).endswith("@example.com>")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "/sales/S-1/lots/1?bid=" in plain.get_content()
    assert "<h1" in html.get_content()


# Text messages.


async def test_a_text_message_goes_to_a_confirmed_number(database_url: str) -> None:
    async with notice_room(database_url, sms=True) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, (joe,) = await room.reseller("joe@example.com")
        await room.chooses(kim, Kind.OUTBID, Way.SMS, wanted=True)
        await room.chooses(joe, Kind.OUTBID, Way.SMS, wanted=True)
        async with transaction(room.pool) as connection:
            await connection.execute(
                "insert into notice_setting (person_id, phone) values ($1, '+13125550123')", kim
            )
        await Rivals(room, ann, bert, kim, joe).outbids()
        await room.carry(Way.SMS)
        ((phone, text),) = room.texts.sent
        assert phone == "+13125550123"
        assert text.startswith("Outbid on Mixed returns. ")
        assert "http://127.0.0.1:8080/sales/S-1/lots/1?bid=" in text
