"""Webhooks in: kept before they are answered, read again, and taken once; nothing else gets in."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from foundation.database import AnyConnection, acquire
from settlement.ids import StripeId
from settlement.operations import HOUR_US, NeedsPerson, release
from settlement.payment_objects import MethodKind, Payment
from settlement.steps import want
from settlement.stripe_simulator import Mood
from settlement.stripe_simulator.deliveries import signature
from settlement.webhook_inbox import KEPT_FOR_US, MAX_EVENT, SWEEP, keep_event
from tests.stripe_house import OTHER_SECRET, Noted, StripeHouse, stripe_house

NOW_S = 1_790_000_000


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
async def house(database_url: str, noted: Noted) -> AsyncIterator[StripeHouse]:
    """The simulator signs by the wall; so the wall is believed here."""
    async with stripe_house(
        database_url,
        lambda *_: ({}, {"payment_intent": [noted]}),
        live=False,
        wall_s=time.time,
    ) as one:
        yield one


@pytest.fixture
async def quiet(database_url: str, noted: Noted) -> AsyncIterator[StripeHouse]:
    """Nothing comes but what a test sends, at `NOW_S` by the wall."""
    async with stripe_house(
        database_url,
        lambda *_: ({}, {"payment_intent": [noted]}),
        webhooks=False,
        live=False,
        wall_s=lambda: NOW_S,
    ) as one:
        yield one


def event(**changes: Any) -> bytes:
    row: dict[str, Any] = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.created",
        "created": NOW_S,
        "livemode": False,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "customer": None}},
    }
    return json.dumps(row | changes).encode()


async def sent(house: StripeHouse, body: bytes, header: str | None = None, **headers: str) -> int:
    if header is None:
        header = signature(body, house.secret, NOW_S)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            house.url, data=body, headers={"Stripe-Signature": header, **headers}
        ) as response,
    ):
        await response.read()
        return response.status


async def created(house: StripeHouse, key: str = "create:INV-1:1") -> Payment:
    made = await house.stripe.create_customer("customer:acme:1", email="b@example.com", name="B")
    return await house.stripe.create_payment(
        key,
        amount_minor=5_000,
        currency="USD",
        customer_id=made.customer_id,
        kind=MethodKind.CARD,
    )


async def kept(house: StripeHouse) -> list[tuple[str, str]]:
    rows = await house.rows("select type, outcome from stripe_event order by event_id")
    return [(row["type"], row["outcome"]) for row in rows]


async def operations(house: StripeHouse) -> list[tuple[str, str]]:
    rows = await house.rows("select subject, state from settlement_op order by op_id")
    return [(row["subject"], row["state"]) for row in rows]


async def test_an_event_is_kept_with_its_operation_and_its_object_is_read_again(
    house: StripeHouse, noted: Noted
) -> None:
    payment = await created(house)
    cancelled = await house.stripe.cancel_payment("cancel:INV-1:1", payment.payment_id)
    assert (await house.running.control.deliver()).refused == 0
    assert ("payment_intent.created", "WAITING") in await kept(house)
    await house.drain()
    by_type = {seen.type: found for seen, found in noted.seen}
    # As it stands now, not as it stood when the event was made.
    assert by_type["payment_intent.created"] == cancelled
    assert by_type["payment_intent.canceled"] == cancelled
    assert set(await kept(house)) == {
        ("customer.created", "UNREAD"),
        ("payment_intent.created", "TAKEN"),
        ("payment_intent.canceled", "TAKEN"),
    }


async def test_events_that_repeat_late_and_in_any_order_take_effect_once(
    house: StripeHouse, noted: Noted
) -> None:
    await house.running.control.mood(
        Mood(seed=3, repeat_per_mille=900, late_by_s=600, shuffled=True)
    )
    payment = await created(house)
    await house.stripe.cancel_payment("cancel:INV-1:1", payment.payment_id)
    for _ in range(20):
        await house.move(seconds=60)
        await house.drain()
    types = sorted(seen.type for seen, _ in noted.seen)
    assert types == ["payment_intent.canceled", "payment_intent.created"]


async def test_a_repeated_event_is_taken_with_200_and_does_nothing(
    quiet: StripeHouse, noted: Noted
) -> None:
    for _ in range(3):
        assert await sent(quiet, event()) == 200
    assert await operations(quiet) == [("evt_1", "WAITING")]
    again = event(type="payment_intent.canceled")
    assert await sent(quiet, again) == 200
    assert await kept(quiet) == [("payment_intent.created", "WAITING")]


async def test_either_secret_is_good_while_they_are_exchanged(quiet: StripeHouse) -> None:
    body = event()
    assert await sent(quiet, body, signature(body, OTHER_SECRET, NOW_S)) == 200


@pytest.mark.parametrize(
    "header",
    [
        signature(event(), "whsec_wrong", NOW_S),
        signature(event(), OTHER_SECRET, NOW_S - 301),
        signature(event(), OTHER_SECRET, NOW_S + 301),
        signature(event() + b" ", OTHER_SECRET, NOW_S),
        "t=1,v1=",
        "x" * 5_000,
        "",
    ],
)
async def test_what_is_not_signed_now_by_the_provider_leaves_nothing(
    quiet: StripeHouse, header: str
) -> None:
    assert await sent(quiet, event(), header) == 400
    assert await kept(quiet) == []
    assert await operations(quiet) == []


async def test_a_body_that_was_written_anew_is_not_what_was_signed(quiet: StripeHouse) -> None:
    body = event()
    anew = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert anew != body
    assert await sent(quiet, anew, signature(body, quiet.secret, NOW_S)) == 400


async def test_two_signatures_in_two_headers_are_none(quiet: StripeHouse) -> None:
    body = event()
    async with aiohttp.ClientSession() as session:
        header = ("Stripe-Signature", signature(body, quiet.secret, NOW_S))
        async with session.post(quiet.url, data=body, headers=[header, header]) as response:
            assert response.status == 400


@pytest.mark.parametrize("size", [MAX_EVENT + 1, 1024 * 1024])
async def test_a_body_that_is_too_large_is_not_read(quiet: StripeHouse, size: int) -> None:
    body = b" " * size
    assert await sent(quiet, body) == 413
    assert await kept(quiet) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 10_000,
        event(object="customer"),
        event(id=None),
        event(id=""),
        event(id="x" * 256),
        event(id="evt_\x00"),
        event(type=None),
        event(created="now"),
        event(created=10**30),
        event(data={"object": {"id": "pi_1", "object": {}}}),
        event(data=[]),
        b'{"object": "event"}',
    ],
)
async def test_what_is_signed_and_is_no_event_is_refused(quiet: StripeHouse, body: bytes) -> None:
    assert await sent(quiet, body) == 400
    assert await kept(quiet) == []


async def test_an_event_of_the_other_mode_is_refused(quiet: StripeHouse) -> None:
    assert await sent(quiet, event(livemode=True)) == 400
    assert await kept(quiet) == []


async def test_an_event_of_another_account_is_refused(quiet: StripeHouse) -> None:
    assert await sent(quiet, event(account="acct_other")) == 400
    assert await kept(quiet) == []


async def test_an_account_of_ours_may_be_told_of(database_url: str) -> None:
    async def knows(_connection: AnyConnection, account_id: StripeId) -> bool:
        return account_id == "acct_north"

    async with stripe_house(
        database_url, webhooks=False, live=False, wall_s=lambda: NOW_S, knows_account=knows
    ) as house:
        assert await sent(house, event(account="acct_north")) == 200
        assert await sent(house, event(id="evt_2", account="acct_other")) == 400
        assert len(await kept(house)) == 1


async def test_a_type_that_nobody_reads_is_kept_and_answered_with_200(
    quiet: StripeHouse, noted: Noted
) -> None:
    body = event(type="moon.rose", data={"object": {"id": "moon_1", "object": "moon"}})
    assert await sent(quiet, body) == 200
    await quiet.drain()
    assert await kept(quiet) == [("moon.rose", "UNREAD")]
    assert noted.seen == []
    (row,) = await quiet.rows("select payload from stripe_event")
    assert row["payload"] == body


async def test_an_event_before_our_own_row_is_kept_and_asked_for_again(
    quiet: StripeHouse, noted: Noted
) -> None:
    payment = await created(quiet)
    noted.answer = lambda _: False
    body = event(data={"object": {"id": payment.payment_id, "object": "payment_intent"}})
    assert await sent(quiet, body) == 200
    await quiet.drain()
    assert await kept(quiet) == [("payment_intent.created", "WAITING")]
    noted.answer = lambda _: True
    await quiet.drain()
    assert len(noted.seen) == 1, "not at once"
    await quiet.move(seconds=5)
    await quiet.drain()
    assert [found for _, found in noted.seen] == [payment, payment]
    assert await kept(quiet) == [("payment_intent.created", "TAKEN")]


async def tried_again(house: StripeHouse) -> None:
    """By somebody who has looked at it."""
    async with acquire(house.pool) as connection:
        assert await release(connection, 1, house.clock.now_us)
    await house.drain()


async def test_an_object_that_nobody_ever_knows_needs_a_person(
    quiet: StripeHouse, noted: Noted
) -> None:
    payment = await created(quiet)
    noted.answer = lambda _: False
    body = event(data={"object": {"id": payment.payment_id, "object": "payment_intent"}})
    assert await sent(quiet, body) == 200
    waited_us = 0
    while waited_us < KEPT_FOR_US + 2 * HOUR_US:
        await quiet.move(hours=1)
        waited_us += HOUR_US
        await quiet.drain()
    assert len(noted.seen) < 100
    (row,) = await quiet.rows("select state, note from settlement_op")
    assert row["state"] == "HELD"
    assert payment.payment_id in row["note"]
    await tried_again(quiet)
    assert await operations(quiet) == [("evt_1", "DONE")]
    assert await kept(quiet) == [("payment_intent.created", "LEFT")]


async def test_an_amount_that_does_not_fit_is_parked(quiet: StripeHouse, noted: Noted) -> None:
    payment = await created(quiet)

    def differs(_found: object) -> bool:
        raise NeedsPerson("5,000 is not 4,999")

    noted.answer = differs
    body = event(data={"object": {"id": payment.payment_id, "object": "payment_intent"}})
    assert await sent(quiet, body) == 200
    await quiet.drain()
    assert await operations(quiet) == [("evt_1", "HELD")]
    assert await kept(quiet) == [("payment_intent.created", "WAITING")]


async def test_an_object_that_is_gone_needs_a_person(quiet: StripeHouse) -> None:
    assert await sent(quiet, event()) == 200
    await quiet.drain()
    assert await operations(quiet) == [("evt_1", "HELD")]
    await tried_again(quiet)
    assert await operations(quiet) == [("evt_1", "DONE")]


async def test_while_the_database_is_away_nothing_is_promised(house: StripeHouse) -> None:
    await house.pool.execute("alter table stripe_event rename to away")
    payment = await created(house)
    assert (await house.running.control.deliver()).taken == 0
    await house.pool.execute("alter table away rename to stripe_event")
    await house.move(seconds=2)
    await house.running.control.deliver()
    rows = await house.rows("select object_id from stripe_event where type like 'payment%'")
    assert rows == [{"object_id": payment.payment_id}]


async def test_events_that_never_come_are_found_in_the_providers_list(
    quiet: StripeHouse, noted: Noted
) -> None:
    first = await created(quiet)
    async with acquire(quiet.pool) as connection:
        await want(connection, [SWEEP], quiet.clock())
    await quiet.move(seconds=1)
    await quiet.drain()
    assert [found for _, found in noted.seen] == [first]
    assert ("payment_intent.created", "TAKEN") in await kept(quiet)
    second = await created(quiet, "create:INV-2:1")
    await quiet.move(days=2)
    await quiet.drain()
    assert [found for _, found in noted.seen] == [first, second]


async def test_an_event_that_was_fetched_first_is_still_taken_once_when_it_comes(
    house: StripeHouse, noted: Noted
) -> None:
    await house.running.control.mood(Mood(held=True))
    await created(house)
    (listed,) = (await house.stripe.events(types=["payment_intent.created"])).rows
    async with acquire(house.pool) as connection, connection.transaction():
        assert await keep_event(connection, listed, None, house.clock())
    await house.running.control.mood(Mood())
    await house.drain()
    assert (await house.running.control.deliver()).refused == 0
    await house.drain()
    assert len(noted.seen) == 1


async def test_what_is_sent_by_a_page_of_another_site_is_refused(quiet: StripeHouse) -> None:
    assert await sent(quiet, event(), Origin="https://evil.example", Cookie="a=b") == 403
