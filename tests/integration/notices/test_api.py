"""Notices over HTTP: the list, preferences, devices, numbers, and the way out of mails."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar
from aiohttp.test_utils import TestServer

import bidder_gateway
from accounts.http.guard import Door
from accounts.identity import OrganisationKind
from accounts.ids import PersonId
from bidder_gateway.notices.api import NoticesRoom
from bidder_gateway.notices.kinds import Kind, Way
from bidder_gateway.notices.phones import MAX_CODES, MAX_TRIES
from bidder_gateway.notices.routes import notice_routes
from bidder_gateway.notices.unsubscribing import token_of
from bidder_gateway.refusals import Refusal
from foundation.database import transaction
from foundation.http.application import application
from foundation.http.routes import Mount
from softclose.api_description import about
from tests.notices import NoticeRoom, notice_room

HERE = Path(bidder_gateway.__file__).parent
V1 = "/api/v1"


@dataclass(frozen=True)
class Caller:
    """Somebody who calls, by a session's cookie or as a guest."""

    http: ClientSession
    origin: str
    cookie: str | None = None
    person_id: PersonId | None = None

    async def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        own = dict(headers)
        if self.cookie is not None:
            own |= {"Cookie": self.cookie, "Origin": self.origin}
        async with self.http.request(
            method, f"{self.origin}{path}", json=body, headers=own
        ) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, await (response.json() if is_json else response.text())

    async def get(self, path: str) -> Any:
        status, value = await self.send("GET", path)
        assert status == 200, (status, value)
        return value

    async def does(self, method: str, path: str, body: object = None) -> Any:
        status, value = await self.send(method, path, body)
        assert status < 300, (status, value)
        return value


@dataclass(frozen=True)
class Served:
    """The room with its routes."""

    room: NoticeRoom
    http: ClientSession
    origin: str

    @property
    def guest(self) -> Caller:
        return Caller(self.http, self.origin)

    async def signed_in(self, person_id: PersonId) -> Caller:
        secret, _ = await self.room.home.session(person_id)
        return Caller(self.http, self.origin, f"__Host-session={secret}", person_id)


@asynccontextmanager
async def serving(database_url: str, **options: Any) -> AsyncIterator[Served]:
    async with notice_room(database_url, **options) as room:
        api = NoticesRoom(room.pool, room.means.key, room.outbound, room.means.sms, room.clock)
        mount = Mount(
            "bidder_gateway",
            notice_routes(api),
            templates=HERE / "templates",
            static=HERE / "static",
        )
        guard = Door(room.pool, room.clock).guard
        app = application([mount], guard=guard, about=about())
        async with TestServer(app) as server, ClientSession(cookie_jar=DummyCookieJar()) as http:
            yield Served(room, http, str(server.make_url("")).rstrip("/"))


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Served]:
    async with serving(database_url, lots=4) as opened:
        yield opened


@pytest.fixture
async def kim(served: Served) -> Caller:
    """Of a reseller that was outbid on three lots."""
    room = served.room
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    for lot in ("1", "2", "3"):
        await room.bid(ann, 100_00, lot)
        await room.bid(bert, 300_00, lot)
    await room.follow()
    return await served.signed_in(kim)


async def stranger(served: Served) -> Caller:
    person_id = await served.room.home.member(OrganisationKind.RESELLER, mail="eve@example.com")
    return await served.signed_in(person_id)


# The list.


async def test_the_list_comes_a_page_at_a_time_the_newest_first(kim: Caller) -> None:
    first = await kim.get(f"{V1}/notices?limit=3")
    assert [one["lot_id"] for one in first["items"]] == ["3", "2", "1"]
    assert first["items"][0]["kind"] == "OUTBID"
    rest = await kim.get(f"{V1}/notices?limit=3&cursor={first['next_cursor']}")
    assert [one["kind"] for one in rest["items"]] == ["REGISTERED"]
    assert rest["next_cursor"] is None


async def test_what_was_read_is_counted_no_more(kim: Caller) -> None:
    assert await kim.get(f"{V1}/notices/count") == {"unread": 4}
    newest = (await kim.get(f"{V1}/notices"))["items"][0]
    for _ in range(2):
        await kim.does("POST", f"{V1}/notices/{newest['notice_id']}/read")
    assert await kim.get(f"{V1}/notices/count") == {"unread": 3}
    unread = (await kim.get(f"{V1}/notices?unread=true"))["items"]
    assert newest["notice_id"] not in {one["notice_id"] for one in unread}
    assert len(unread) == 3


async def test_all_up_to_a_time_are_read_at_once(kim: Caller) -> None:
    items = (await kim.get(f"{V1}/notices"))["items"]
    await kim.does("POST", f"{V1}/notices/read", {"until_us": items[1]["at_us"]})
    assert await kim.get(f"{V1}/notices/count") == {"unread": 1}


async def test_nobody_elses_notice_is_there(served: Served, kim: Caller) -> None:
    notice_id = (await kim.get(f"{V1}/notices"))["items"][0]["notice_id"]
    eve = await stranger(served)
    assert (await eve.get(f"{V1}/notices"))["items"] == []
    foreign = await eve.send("POST", f"{V1}/notices/{notice_id}/read")
    missing = await eve.send("POST", f"{V1}/notices/notice-none/read")
    assert foreign == missing
    assert foreign[0] == 404
    assert await kim.get(f"{V1}/notices/count") == {"unread": 4}


async def test_guests_have_no_notices(served: Served) -> None:
    for path in ("", "/count", "/preferences"):
        assert (await served.guest.send("GET", f"{V1}/notices{path}"))[0] == 401


# Preferences.


async def test_preferences_are_kept_by_kind_and_way(served: Served, kim: Caller) -> None:
    before = await kim.get(f"{V1}/notices/preferences")
    outbid = next(one for one in before["kinds"] if one["kind"] == "OUTBID")
    assert {one["way"]: one["wanted"] for one in outbid["ways"]} == {
        "PAGE": True,
        "PUSH": True,
        "MAIL": True,
    }
    body = {
        "choices": [{"kind": "OUTBID", "way": "MAIL", "wanted": False}],
        "quiet_from": 22 * 60,
        "quiet_until": 7 * 60,
        "urgent_in_quiet": True,
        "closing_soon_minutes": 30,
    }
    after = await kim.does("PUT", f"{V1}/notices/preferences", body)
    assert after == await kim.get(f"{V1}/notices/preferences")
    outbid = next(one for one in after["kinds"] if one["kind"] == "OUTBID")
    assert {one["way"]: one["wanted"] for one in outbid["ways"]}["MAIL"] is False
    assert (after["quiet_from"], after["quiet_until"]) == (22 * 60, 7 * 60)
    eve = await stranger(served)
    assert (await eve.get(f"{V1}/notices/preferences"))["quiet_from"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"quiet_from": 60, "quiet_until": None},
        {"quiet_from": -1, "quiet_until": 60},
        {"quiet_from": 1_440, "quiet_until": 60},
        {"closing_soon_minutes": 7},
        {"choices": [{"kind": "NOTHING", "way": "MAIL", "wanted": True}]},
        {"choices": [{"kind": "OUTBID", "way": "PIGEON", "wanted": True}]},
        {"person_id": "somebody"},
    ],
)
async def test_preferences_that_cannot_be_are_refused(kim: Caller, change: Any) -> None:
    body: dict[str, Any] = {
        "choices": [],
        "quiet_from": None,
        "quiet_until": None,
        "urgent_in_quiet": False,
        "closing_soon_minutes": 15,
    }
    status, value = await kim.send("PUT", f"{V1}/notices/preferences", body | change)
    assert (status, value["code"]) == (422, "INVALID")


# Devices.


async def test_a_browser_signs_up_and_is_forgotten(served: Served, kim: Caller) -> None:
    key = (await kim.get(f"{V1}/push/key"))["key"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{87}", key)
    browser = served.room.service.browser()
    kept = await kim.does("POST", f"{V1}/push/subscriptions", browser.subscription)
    again = await kim.does("POST", f"{V1}/push/subscriptions", browser.subscription)
    assert kept == again
    (device,) = await kim.get(f"{V1}/push/subscriptions")
    assert device["subscription_id"] == kept["subscription_id"]
    assert browser.endpoint not in str(device)  # it is a secret
    eve = await stranger(served)
    path = f"{V1}/push/subscriptions/{kept['subscription_id']}"
    assert (await eve.send("DELETE", path))[0] == 404
    await eve.does("POST", f"{V1}/push/forget", {"endpoint": browser.endpoint})
    assert len(await kim.get(f"{V1}/push/subscriptions")) == 1
    await kim.does("POST", f"{V1}/push/forget", {"endpoint": browser.endpoint})
    assert await kim.get(f"{V1}/push/subscriptions") == []


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "ftp://push.example/x"},
        {"endpoint": "not an address"},
        {"endpoint": "http://user:secret@127.0.0.1/x"},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {"p256dh": "A" * 87, "auth": "A" * 22}},
    ],
)
async def test_what_is_no_browser_is_refused(served: Served, kim: Caller, change: Any) -> None:
    body = served.room.service.browser().subscription | change
    status, value = await kim.send("POST", f"{V1}/push/subscriptions", body)
    assert (status, value["code"]) == (422, Refusal.BAD_DEVICE)


async def test_of_many_devices_the_one_that_was_silent_longest_gives_way(
    served: Served, kim: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidder_gateway.notices.subscriptions.MAX_DEVICES", 3)
    kept = []
    for _ in range(5):
        served.room.clock.advance(1)
        browser = served.room.service.browser()
        kept.append(await kim.does("POST", f"{V1}/push/subscriptions", browser.subscription))
    listed = await kim.get(f"{V1}/push/subscriptions")
    assert {one["subscription_id"] for one in listed} == {
        one["subscription_id"] for one in kept[2:]
    }


async def test_the_worker_is_at_the_root_and_may_work_for_the_whole_site(served: Served) -> None:
    async with served.http.get(f"{served.origin}/push-worker.js") as response:
        assert response.status == 200
        assert response.headers["Service-Worker-Allowed"] == "/"
        assert response.headers["Content-Type"].startswith("text/javascript")
        assert "no-cache" in response.headers["Cache-Control"]
        assert b"notificationclick" in await response.read()


# Text messages.


async def test_a_number_is_ones_own_when_its_code_came_back(database_url: str) -> None:
    async with serving(database_url, sms=True) as served:
        _, (person_id,) = await served.room.reseller("kim@example.com")
        kim = await served.signed_in(person_id)
        await kim.does("POST", f"{V1}/notices/phone", {"phone": "+1 (312) 555-0123"})
        ((phone, text),) = served.room.texts.sent
        assert phone == "+13125550123"
        assert (await kim.get(f"{V1}/notices/preferences"))["phone"] is None
        code = text.split()[0]
        wrong = "000000" if code != "000000" else "111111"
        assert (await kim.send("POST", f"{V1}/notices/phone/confirm", {"code": wrong}))[0] == 422
        await kim.does("POST", f"{V1}/notices/phone/confirm", {"code": code})
        assert (await kim.get(f"{V1}/notices/preferences"))["phone"] == "+13125550123"
        assert (await kim.send("POST", f"{V1}/notices/phone/confirm", {"code": code}))[0] == 422
        await kim.does("DELETE", f"{V1}/notices/phone")
        assert (await kim.get(f"{V1}/notices/preferences"))["phone"] is None


async def test_codes_and_guesses_are_bounded(database_url: str) -> None:
    async with serving(database_url, sms=True) as served:
        _, (person_id,) = await served.room.reseller("kim@example.com")
        kim = await served.signed_in(person_id)
        given = {"phone": "+13125550123"}
        await kim.does("POST", f"{V1}/notices/phone", given)
        code = served.room.texts.sent[0][1].split()[0]
        for _ in range(MAX_TRIES):
            await kim.send("POST", f"{V1}/notices/phone/confirm", {"code": "x"})
        assert (await kim.send("POST", f"{V1}/notices/phone/confirm", {"code": code}))[0] == 422
        answers = [await kim.send("POST", f"{V1}/notices/phone", given) for _ in range(MAX_CODES)]
        assert [status for status, _ in answers] == [204] * (MAX_CODES - 1) + [429]
        assert (await kim.send("POST", f"{V1}/notices/phone", {"phone": "5"}))[0] == 422


async def test_without_a_provider_there_are_no_text_messages(kim: Caller) -> None:
    status, value = await kim.send("POST", f"{V1}/notices/phone", {"phone": "+13125550123"})
    assert (status, value["code"]) == (409, "SMS_OFF")
    ways = {
        way["way"]
        for one in (await kim.get(f"{V1}/notices/preferences"))["kinds"]
        for way in one["ways"]
    }
    assert "SMS" not in ways


# The way out of mails.


async def wants_mail(served: Served, person_id: PersonId) -> bool:
    async with transaction(served.room.pool) as connection:
        wanted = await connection.fetchval(
            "select wanted from notice_choice where person_id = $1 and kind = 'OUTBID' "
            "and way = 'MAIL'",
            person_id,
        )
    return wanted is not False


async def test_a_link_asks_first_and_a_mail_program_need_not(served: Served, kim: Caller) -> None:
    assert kim.person_id is not None
    token = token_of(served.room.means.key.link_key, kim.person_id, Kind.OUTBID)
    path = f"/notices/unsubscribe/{token}"
    status, page = await served.guest.send("GET", path)
    assert (status, "Stop these mails?" in page) == (200, True)
    assert await wants_mail(served, kim.person_id)
    body = "List-Unsubscribe=One-Click"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with served.http.post(f"{served.origin}{path}", data=body, headers=headers) as response:
        assert response.status == 200
    assert not await wants_mail(served, kim.person_id)
    assert Way.PUSH in {
        Way(w["way"])
        for w in (await kim.get(f"{V1}/notices/preferences"))["kinds"][0]["ways"]
        if w["wanted"]
    }


async def test_no_link_but_ours_ends_mails(served: Served, kim: Caller) -> None:
    assert kim.person_id is not None
    key = served.room.means.key.link_key
    token = token_of(key, kim.person_id, Kind.OUTBID)
    others = [
        token[:-2],
        token + "AA",
        "x",
        "A" * 1_000,
        token_of(bytes(32), kim.person_id, Kind.OUTBID),
    ]
    for other in others:
        assert (await served.guest.send("POST", f"/notices/unsubscribe/{other}"))[0] == 404
    assert await wants_mail(served, kim.person_id)
