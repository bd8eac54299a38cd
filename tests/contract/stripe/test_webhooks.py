"""Webhooks as an endpoint gets them: signed, at least once, in any order."""

from collections.abc import AsyncIterator

import pytest
import stripe
from aiohttp import web

from settlement.stripe_simulator import Mood, Running

PARAMS: stripe.params.PaymentIntentCreateParams = {
    "amount": 5_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
}


class Endpoint:
    """What came in; it answers with ``status``."""

    def __init__(self) -> None:
        self.url, self.secret, self.status = "", "", 200
        self.came: list[tuple[bytes, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response(status=self.status)

    def events(self) -> list[stripe.Event]:
        """Each is verified by the SDK."""
        return [
            stripe.Webhook.construct_event(body, signature, self.secret)
            for body, signature in self.came
        ]


@pytest.fixture
async def endpoint(running: Running, client: stripe.StripeClient) -> AsyncIterator[Endpoint]:
    """One for all events, which is known to the simulator; nothing is sent until it is told."""
    await running.control.mood(Mood(held=True))
    one, app = Endpoint(), web.Application()
    app.router.add_post("/webhooks", one.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    made = await client.v1.webhook_endpoints.create_async({"url": one.url, "enabled_events": ["*"]})
    assert made.secret is not None
    one.secret = made.secret
    yield one
    await runner.cleanup()


async def sent(running: Running, mood: Mood | None = None) -> None:
    await running.control.mood(mood or Mood())
    await running.control.deliver()


async def test_events_are_signed_as_the_sdk_verifies(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    intent = await client.v1.payment_intents.create_async(PARAMS)
    await sent(running)
    events = endpoint.events()
    assert [event.type for event in events] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert events[-1].data.object["id"] == intent.id


async def test_a_body_that_was_touched_is_not_verified(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    await client.v1.payment_intents.create_async(PARAMS)
    await sent(running)
    body, signature = endpoint.came[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"5000", b"5001"), signature, endpoint.secret)


async def test_what_is_refused_comes_again_later(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    endpoint.status = 500
    await client.v1.customers.create_async({})
    await sent(running)
    assert len(endpoint.came) == 1
    endpoint.status = 200
    await running.control.move(seconds=2)
    assert (await running.control.deliver()).waiting == 0
    first, again = endpoint.events()
    assert first.id == again.id


async def test_webhooks_repeat_and_change_places_by_a_seed(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    for _ in range(5):
        await client.v1.payment_intents.create_async(PARAMS)
    await sent(running, Mood(seed=3, repeat_per_mille=300, shuffled=True))
    ids = [event.id for event in endpoint.events()]
    there = await client.v1.events.list_async({"limit": 100})
    order = [event.id for event in there.data][::-1]
    assert set(ids) == set(order)
    assert len(ids) > len(order)
    assert list(dict.fromkeys(ids)) != order


async def test_webhooks_can_be_late_or_never_come(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    for _ in range(10):
        await client.v1.customers.create_async({})
    await sent(running, Mood(seed=1, late_by_s=3_600, lose_per_mille=300))
    assert len(endpoint.came) < 10
    await running.control.move(hours=1)
    assert (await running.control.deliver()).waiting == 0
    assert 0 < len(endpoint.came) < 10


async def test_an_endpoint_gets_only_the_events_that_it_wants(
    running: Running, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    await client.v1.webhook_endpoints.update_async(
        (await client.v1.webhook_endpoints.list_async({})).data[0].id,
        {"enabled_events": ["payment_intent.succeeded"]},
    )
    await client.v1.payment_intents.create_async(PARAMS)
    await sent(running)
    assert [event.type for event in endpoint.events()] == ["payment_intent.succeeded"]


async def test_webhooks_go_to_this_machine_only(client: stripe.StripeClient) -> None:
    for url in ("https://example.com/", "http://10.0.0.1/", "file:///etc/passwd", "http://[::"):
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
