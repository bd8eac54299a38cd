"""Webhooks over a real database and real sockets, with a receiver that checks what it gets."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from accounts.clock import wall_clock
from auction.codec import decode_body
from auction.commands import WithdrawalCause, WithdrawLot
from auction.cursors_postgres import PostgresCursors
from auction.desk import webhook_making
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.desk.webhook_figures import WebhookFigures
from auction.desk.webhook_making import WebhookMaker
from auction.desk.webhook_rules import KINDS, OFF_AFTER_US, PAUSES_US, WebhookEvent
from auction.desk.webhook_sending import (
    ANSWER_BYTES,
    AT_ONCE_EACH,
    KEPT_US,
    LEASE_US,
    OFF_NOTE,
    Attempt,
    Claimed,
    WebhookLane,
)
from auction.desk.webhooks import MAX_ENDPOINTS, DeliveryLog, NewSecret, Webhooks
from auction.events import PRIVATE_FIELDS, LotSold
from auction.ids import LiquidatorId, LotId
from auction.judge import Judge
from auction.log_postgres import PostgresLog
from auction.ports import LoggedEvent
from auction.shards import load
from foundation.database import AnyConnection, Pool, acquire
from foundation.follower import LogFollower
from foundation.outbound import Outbound
from softclose.webhooks import telling as telling_host
from tests.builders import HOUSE, STAFF_MEMBER
from tests.contract.batches import OWNER
from tests.desk import SELLER as OWNER_OF_DESK
from tests.desk import a_desk
from tests.desk_market import desk_market
from tests.integration.test_board import SHARDS, STEPS, House
from tests.waiting import until

SELLER, RIVAL = Seller(HOUSE, STAFF_MEMBER), Seller(LiquidatorId("rival"), STAFF_MEMBER)
ALL = tuple(WebhookEvent)
MARK = "MARKED-7Q"


def anywhere(timeout_s: float = 5.0) -> Outbound:
    """The seam by which tests may talk to this machine."""
    return Outbound(
        permitted=lambda _address: True, schemes=frozenset({"http"}), timeout_s=timeout_s
    )


class Receiver:
    """A liquidator's system: answers as it is told, 200 by default, and keeps what it got."""

    def __init__(self) -> None:
        self.status, self.text, self.location = 200, "thanks", ""
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.end = asyncio.Event()
        self.stalls = False
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        names = ("webhook-id", "webhook-timestamp", "webhook-signature", "Content-Type")
        headers = {name: request.headers[name] for name in names}
        self.got.append((headers, await request.read()))
        if self.stalls:
            await self.end.wait()
        away = {"Location": self.location} if self.location else {}
        return web.Response(status=self.status, text=self.text, headers=away)

    @property
    def payloads(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]


def verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As the specification has receivers do it; nothing of ours is used."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    given = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(one, expected) for version, one in given)


class Telling:
    """What a test works with; ``now_us`` is the time by which it is sent."""

    def __init__(self, pool: Pool, receiver: Receiver, outbound: Outbound) -> None:
        self.pool, self.receiver, self.now_us = pool, receiver, wall_clock()
        self.webhooks = Webhooks(pool, outbound, lambda: 0, self.wall_us)
        self.lane = WebhookLane(pool, outbound, self.wall_us)

    def wall_us(self) -> int:
        return self.now_us

    async def endpoint(self, seller: Seller = SELLER) -> NewSecret:
        return await self.webhooks.add(seller, self.receiver.url, ALL)

    async def tested(self) -> tuple[NewSecret, str]:
        """An endpoint with a test delivery that waits."""
        made = await self.endpoint()
        delivery = await self.webhooks.test(SELLER, made.webhook.webhook_id)
        return made, delivery.delivery_id

    async def log(self, made: NewSecret, delivery_id: str) -> DeliveryLog:
        return await self.webhooks.delivery(HOUSE, made.webhook.webhook_id, delivery_id)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path}", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
        receiver.end.set()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
async def telling(pool: Pool, receiver: Receiver) -> AsyncIterator[Telling]:
    async with anywhere() as outbound:
        yield Telling(pool, receiver, outbound)


async def test_what_is_sent_verifies_by_the_secret_that_was_shown(telling: Telling) -> None:
    made, delivery_id = await telling.tested()
    assert await telling.lane.round() == 1
    ((headers, body),) = telling.receiver.got
    assert verified(headers, body, made.secret)
    assert not verified(headers, body + b" ", made.secret)
    assert headers["webhook-id"] == delivery_id == json.loads(body)["id"]
    assert int(headers["webhook-timestamp"]) == telling.now_us // 1_000_000
    assert json.loads(body)["type"] == "webhook.test"
    log = await telling.log(made, delivery_id)
    assert (log.delivery.state, log.payload.encode()) == ("DELIVERED", body)
    ((attempt),) = log.attempts
    assert (attempt.status, attempt.answer, attempt.note) == (200, "thanks", "")
    assert await telling.lane.round() == 0


async def test_two_secrets_sign_for_a_day_after_a_rotation(telling: Telling) -> None:
    made, delivery_id = await telling.tested()
    webhook_id = made.webhook.webhook_id
    newer = await telling.webhooks.rotate(SELLER, webhook_id, 1)
    assert newer.secret != made.secret
    await telling.lane.round()
    telling.now_us += 25 * 3_600_000_000
    await telling.webhooks.resend(SELLER, webhook_id, delivery_id)
    await telling.lane.round()
    (both, body), (one, again) = telling.receiver.got
    assert verified(both, body, made.secret)
    assert verified(both, body, newer.secret)
    assert not verified(one, again, made.secret)
    assert verified(one, again, newer.secret)


async def test_a_crash_between_sending_and_settling_sends_it_again_under_its_id(
    pool: Pool, telling: Telling
) -> None:
    class Dies(WebhookLane):
        async def settle(self, delivery: Claimed, attempt: Attempt) -> None:
            raise ConnectionResetError("the process is gone")

    made, delivery_id = await telling.tested()
    async with anywhere() as outbound:
        await Dies(pool, outbound, telling.wall_us).round()
    assert (await telling.log(made, delivery_id)).delivery.state == "WAITING"
    assert await telling.lane.round() == 0, "it is leased"
    telling.now_us += LEASE_US
    await telling.lane.round()
    assert [headers["webhook-id"] for headers, _ in telling.receiver.got] == [delivery_id] * 2
    assert (await telling.log(made, delivery_id)).delivery.state == "DELIVERED"


async def test_who_slept_beyond_its_lease_logs_and_settles_nothing(telling: Telling) -> None:
    made, delivery_id = await telling.tested()
    (asleep,) = await telling.lane._claim()
    telling.now_us += LEASE_US
    async with anywhere() as outbound:
        awake = WebhookLane(telling.pool, outbound, telling.wall_us)
        await awake.round()
    failed = Attempt(at_us=telling.now_us, took_ms=1, status=500, note="", answer="")
    await telling.lane.settle(asleep, failed)
    log = await telling.log(made, delivery_id)
    assert log.delivery.state == "DELIVERED"
    assert [attempt.status for attempt in log.attempts] == [500, 200]


async def test_what_is_sent_again_by_hand_while_a_try_fails_is_sent_again(
    telling: Telling,
) -> None:
    made, delivery_id = await telling.tested()
    (in_flight,) = await telling.lane._claim()
    await telling.webhooks.resend(SELLER, made.webhook.webhook_id, delivery_id)
    last = msgspec.structs.replace(in_flight, tries=len(PAUSES_US) + 1)
    failed = Attempt(at_us=telling.now_us, took_ms=1, status=500, note="", answer="")
    await telling.lane.settle(last, failed)
    async with anywhere() as outbound:
        assert await WebhookLane(telling.pool, outbound, telling.wall_us).round() == 1
    assert (await telling.log(made, delivery_id)).delivery.state == "DELIVERED"


async def test_failures_are_tried_again_by_the_schedule_and_then_given_up(
    telling: Telling,
) -> None:
    telling.receiver.status, telling.receiver.text = 503, "not\x00now" + "!" * 1_000
    made, delivery_id = await telling.tested()
    for pause_us in PAUSES_US:
        assert await telling.lane.round() == 1
        telling.now_us += pause_us - 1
        assert await telling.lane.round() == 0
        telling.now_us += 1
    assert await telling.lane.round() == 1
    log = await telling.log(made, delivery_id)
    assert (log.delivery.state, log.delivery.due_at_us) == ("FAILED", None)
    assert [attempt.status for attempt in log.attempts] == [503] * (len(PAUSES_US) + 1)
    assert log.attempts[0].answer.startswith("not\ufffdnow!")
    assert len(log.attempts[0].answer) == ANSWER_BYTES
    telling.now_us += OFF_AFTER_US
    assert await telling.lane.round() == 0
    telling.receiver.status = 204
    await telling.webhooks.resend(SELLER, made.webhook.webhook_id, delivery_id)
    await telling.lane.round()
    log = await telling.log(made, delivery_id)
    assert (log.delivery.state, log.delivery.tries) == ("DELIVERED", 1)
    assert len({headers["webhook-id"] for headers, _ in telling.receiver.got}) == 1


async def test_metrics_say_what_was_delivered_what_failed_and_what_waits(
    telling: Telling,
) -> None:
    registry = CollectorRegistry()
    WebhookFigures(telling.lane, registry)
    _, first = await telling.tested()
    (webhook,) = await telling.webhooks.list(SELLER.liquidator_id)
    await telling.lane.count()
    assert registry.get_sample_value("softclose_webhook_deliveries_waiting") == 1
    telling.receiver.status = 503
    for pause_us in PAUSES_US:
        await telling.lane.round()
        telling.now_us += pause_us
    await telling.lane.round()
    telling.receiver.status = 204
    await telling.webhooks.resend(SELLER, webhook.webhook_id, first)
    await telling.lane.round()
    await telling.lane.count()
    told = {
        outcome: registry.get_sample_value(
            "softclose_webhook_deliveries_total", {"outcome": outcome}
        )
        for outcome in ("delivered", "failed")
    }
    assert told == {"delivered": 1, "failed": 1}
    assert registry.get_sample_value("softclose_webhook_retries_total") == len(PAUSES_US)
    assert registry.get_sample_value("softclose_webhook_deliveries_waiting") == 0


async def test_an_endpoint_that_fails_for_three_days_is_switched_off(telling: Telling) -> None:
    made, delivery_id = await telling.tested()
    webhook_id = made.webhook.webhook_id
    telling.receiver.status = 500
    await telling.lane.round()
    telling.now_us += OFF_AFTER_US // 2
    telling.receiver.status = 200
    await telling.lane.round()
    assert (await telling.webhooks.read(HOUSE, webhook_id)).failing_since_us is None
    telling.receiver.status = 500
    for _ in range(2):
        assert (await telling.webhooks.read(HOUSE, webhook_id)).active
        await telling.webhooks.resend(SELLER, webhook_id, delivery_id)
        await telling.lane.round()
        telling.now_us += OFF_AFTER_US
    off = await telling.webhooks.read(HOUSE, webhook_id)
    assert (off.active, off.note) == (False, OFF_NOTE)
    assert await telling.lane.round() == 0
    for refused in (
        telling.webhooks.resend(SELLER, webhook_id, delivery_id),
        telling.webhooks.test(SELLER, webhook_id),
    ):
        with pytest.raises(Refused, match="NOT_NOW"):
            await refused
    on = await telling.webhooks.change(
        SELLER, webhook_id, off.version, url=off.url, events=off.events, active=True
    )
    assert (on.active, on.note, on.failing_since_us) == (True, "", None)
    assert await telling.lane.round() == 1, "what waited goes out"


async def test_a_redirect_is_not_followed(telling: Telling) -> None:
    telling.receiver.status, telling.receiver.location = 302, "/elsewhere"
    made, delivery_id = await telling.tested()
    await telling.lane.round()
    assert telling.receiver.paths == ["/hook"]
    ((attempt),) = (await telling.log(made, delivery_id)).attempts
    assert (attempt.status, attempt.note) == (302, "Redirects are not followed.")


async def test_a_receiver_that_stalls_is_cut_off_and_told_again(
    pool: Pool, receiver: Receiver
) -> None:
    receiver.stalls = True
    async with anywhere(timeout_s=0.2) as outbound:
        telling = Telling(pool, receiver, outbound)
        made, delivery_id = await telling.tested()
        began_s = time.monotonic()
        await telling.lane.round()
        assert time.monotonic() - began_s < 3
        log = await telling.log(made, delivery_id)
        assert (log.delivery.state, log.attempts[0].status) == ("WAITING", None)
        assert log.attempts[0].note


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://169.254.169.254/latest",
        "https://10.0.0.7/hook",
        "https://[::1]/hook",
        "https://me:word@93.184.215.14/hook",
        "ftp://93.184.215.14/hook",
    ],
)
async def test_only_public_addresses_are_taken(pool: Pool, url: str) -> None:
    webhooks = Webhooks(pool, Outbound(), wall_clock, wall_clock)
    with pytest.raises(Refused, match="BAD_ADDRESS"):
        await webhooks.add(SELLER, url, ALL)


async def test_an_address_that_became_private_is_not_talked_to(
    pool: Pool, receiver: Receiver, telling: Telling
) -> None:
    """Looked at again for each delivery, whatever it was when it was given."""
    made, delivery_id = await telling.tested()
    async with Outbound(schemes=frozenset({"http"})) as public_only:
        await WebhookLane(pool, public_only, telling.wall_us).round()
    assert receiver.got == []
    ((attempt),) = (await telling.log(made, delivery_id)).attempts
    assert (attempt.status, "public Internet" in attempt.note) == (None, True)


async def test_there_are_ten_at_most_and_nobody_elses(telling: Telling) -> None:
    for _ in range(MAX_ENDPOINTS):
        made = await telling.endpoint()
    with pytest.raises(Refused, match="TOO_MANY"):
        await telling.endpoint()
    webhook_id = made.webhook.webhook_id
    assert len(await telling.webhooks.list(HOUSE)) == MAX_ENDPOINTS
    assert await telling.webhooks.list(RIVAL.liquidator_id) == []
    for refused in (
        telling.webhooks.read(RIVAL.liquidator_id, webhook_id),
        telling.webhooks.rotate(RIVAL, webhook_id, 1),
        telling.webhooks.remove(RIVAL, webhook_id, 1),
        telling.webhooks.test(RIVAL, webhook_id),
        telling.webhooks.resend(RIVAL, webhook_id, "msg-1"),
    ):
        with pytest.raises(Refused, match="NOT_FOUND"):
            await refused
    await telling.webhooks.remove(SELLER, webhook_id, 1)
    assert len(await telling.webhooks.list(HOUSE)) == MAX_ENDPOINTS - 1


async def test_a_slow_endpoint_holds_few_of_the_places(telling: Telling) -> None:
    made = await telling.endpoint()
    for _ in range(AT_ONCE_EACH + 3):
        await telling.webhooks.test(SELLER, made.webhook.webhook_id)
    assert len(await telling.lane._claim()) == AT_ONCE_EACH
    assert await telling.lane._claim() == []


async def test_the_lane_sends_by_itself_until_it_is_cancelled(telling: Telling) -> None:
    await telling.tested()
    running = asyncio.create_task(telling.lane.run())
    await until(lambda: len(telling.receiver.got) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_deliveries_are_kept_for_a_month(telling: Telling) -> None:
    made, _ = await telling.tested()
    await telling.lane.round()
    telling.now_us += KEPT_US + 1
    running = asyncio.create_task(telling.lane.run())
    webhook_id = made.webhook.webhook_id

    async with asyncio.timeout(5):
        while await telling.webhooks.deliveries(HOUSE, webhook_id, None, 10):  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.01)
    running.cancel()


async def test_a_running_host_tells_of_a_withdrawal(database_url: str, receiver: Receiver) -> None:
    async with a_desk(database_url) as desk, anywhere() as outbound:
        seller = Seller(OWNER_OF_DESK, STAFF_MEMBER)
        webhooks = Webhooks(desk.pool, outbound, lambda: 0, wall_clock)
        made = await webhooks.add(seller, receiver.url, ALL)
        lane = WebhookLane(desk.pool, outbound, wall_clock)
        async with telling_host(desk.host, desk.pool, lane, wall_clock):
            sale_id = await desk.sale(await desk.lot())
            version = await desk.version(sale_id)
            await desk.publishing.publish(OWNER_OF_DESK, sale_id, version, STAFF_MEMBER)
            withdrawing = WithdrawLot(
                sale_id=sale_id,
                lot_id=LotId("1"),
                cause=WithdrawalCause.LAW,
                reason=MARK,
                actor_id=STAFF_MEMBER,
            )
            assert (await desk.engine.submit(withdrawing)).accepted
            await until(lambda: receiver.got)
    ((headers, body),) = receiver.got
    assert verified(headers, body, made.secret)
    assert MARK.encode() not in body, "the reason is the seller's own"
    payload = json.loads(body)
    assert (payload["type"], payload["sale_id"]) == ("lot.withdrawn", sale_id)
    assert (payload["lot_id"], payload["title"]) == ("1", "Kitchen appliances")
    assert (payload["hammer_minor"], payload["reserve"]) == (None, None)


async def test_over_http_a_secret_is_shown_once(database_url: str) -> None:
    async with desk_market(database_url) as sellers:
        by, hook = sellers.seller, "https://93.184.215.14/hook"
        body = {"url": hook, "events": ["lot.sold", "lot.passed"]}
        private = await by.does(
            "POST", "/desk/webhooks", body | {"url": "https://10.0.0.1"}, status=422
        )
        assert private["code"] == "BAD_ADDRESS"
        made = await by.does("POST", "/desk/webhooks", body, status=201)
        assert made["secret"].startswith("whsec_")
        path = f"/desk/webhooks/{made['webhook']['webhook_id']}"
        rotated = await by.does("POST", f"{path}/secret", If_Match='"1"')
        delivery = await by.does("POST", f"{path}/test", status=201)
        pages = [
            await by.send("GET", one)
            for one in ("/desk/webhooks", path, f"{path}/deliveries?limit=1")
        ]
        one = await by.get(f"{path}/deliveries/{delivery['delivery_id']}")
        assert (one["delivery"], one["attempts"]) == (delivery, [])
        for secret in (made["secret"], rotated["secret"]):
            assert all(secret.encode() not in text for _, text in pages)
        again = await by.does("POST", f"{path}/deliveries/{delivery['delivery_id']}/resend")
        assert again["state"] == "WAITING"
        await by.does("POST", f"{path}/deliveries/nobodys-1/resend", status=404)
        off = await by.does("PUT", path, body | {"active": False}, If_Match='"2"')
        assert (off["active"], off["version"]) == (False, 3)
        assert (await by.does("POST", f"{path}/test", status=409))["code"] == "NOT_NOW"
        await by.does("DELETE", path, status=204, If_Match='"3"')
        assert (await by.get("/desk/webhooks"))["items"] == []


class Crash(Exception):
    """The process dies before its step commits."""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Sales in which anything happens."""
    log, judge = PostgresLog(database_url), Judge()
    for head in await log.take(SHARDS, OWNER, back=False):
        judge.own(await load(log, head))
    house = House(log, judge, 5)
    house.open()
    for _ in range(STEPS):
        house.step()
    house.cancel()
    await house.append()
    yield house
    await log.close()


def followers(
    telling: Telling, dies: Sequence[bool] = ()
) -> list[LogFollower[AnyConnection, LoggedEvent]]:
    maker, left = WebhookMaker(telling.wall_us), list(dies)

    async def handle(connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        await maker.handle(connection, rows)
        if left and left.pop():
            raise Crash

    cursors = PostgresCursors(telling.pool)
    return [LogFollower(webhook_making.FOLLOWER, shard, handle, cursors) for shard in SHARDS]


async def follow(telling: Telling) -> None:
    for follower in followers(telling):
        while await follower.step():
            pass


async def test_each_end_of_a_lot_is_told_once_whatever_dies(telling: Telling, house: House) -> None:
    made = await telling.endpoint()
    only_sold = await telling.webhooks.add(SELLER, telling.receiver.url, [WebhookEvent.LOT_SOLD])
    other = await telling.endpoint(RIVAL)
    for follower in followers(telling, [True] * len(SHARDS)):
        with pytest.raises(Crash):
            await follower.step()
    assert await telling.webhooks.deliveries(HOUSE, made.webhook.webhook_id, None, 99) == []
    await follow(telling)
    async with acquire(telling.pool) as connection:
        await connection.execute("update log_cursor set position = 0 where name = 'webhooks'")
    await follow(telling)
    ended = await ends(telling)
    listed = await telling.webhooks.deliveries(HOUSE, made.webhook.webhook_id, None, 99)
    assert sorted((one.type, one.sale_id, one.lot_id) for one in listed) == sorted(
        (KINDS[type(one.event)], one.sale_id, one.event.lot_id) for one in ended
    )
    assert {one.type for one in listed} == set(KINDS.values())
    sold = await telling.webhooks.deliveries(HOUSE, only_sold.webhook.webhook_id, None, 99)
    assert {one.type for one in sold} == {WebhookEvent.LOT_SOLD}
    rivals = other.webhook.webhook_id
    assert await telling.webhooks.deliveries(RIVAL.liquidator_id, rivals, None, 99) == []


async def test_what_is_told_is_what_everybody_may_know(telling: Telling, house: House) -> None:
    await telling.endpoint()
    await follow(telling)
    while await telling.lane.round():
        pass
    told = {(one["sale_id"], one["lot_id"]): one for one in telling.receiver.payloads}
    ended = await ends(telling)
    assert len(told) == len(ended)
    for one in ended:
        payload = told[one.sale_id, one.event.lot_id]
        assert list(payload) == [
            *("id", "type", "at", "sale_id", "lot_id", "title"),
            *("hammer_minor", "currency", "reserve"),
        ]
        assert (payload["currency"], bool(payload["title"])) == ("USD", True)
        hammer = one.event.hammer_price_minor if isinstance(one.event, LotSold) else None
        assert payload["hammer_minor"] == hammer
        names = PRIVATE_FIELDS[type(one.event)]
        assert not names.keys() & payload.keys()


async def ends(telling: Telling) -> list[Any]:
    """The events that ended lots, read from the log itself."""
    cursors, rows = PostgresCursors(telling.pool), list[LoggedEvent]()
    for shard in SHARDS:
        async with cursors.step("test", shard) as step:
            rows += await step.read(100_000)
    events = [decode_body(row.position, row.body) for row in rows]
    return [one for one in events if type(one.event) in KINDS]


async def test_what_comes_beyond_a_full_queue_is_listed_and_can_be_sent_by_hand(
    telling: Telling, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_making, "MAX_WAITING", 2)
    webhook_id = (await telling.endpoint()).webhook.webhook_id
    await follow(telling)
    listed = await telling.webhooks.deliveries(HOUSE, webhook_id, None, 99)
    waiting = [one for one in listed if one.state == "WAITING"]
    failed = [one for one in listed if one.state == "FAILED"]
    assert len(waiting) == 2
    assert failed
    await telling.lane.round()
    await telling.webhooks.resend(SELLER, webhook_id, failed[0].delivery_id)
    assert await telling.lane.round() == 1
