"""The payment provider of a host: a simulator that remembers, or Stripe with a key."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import simulator
from settlement.webhook_inbox import PATH
from settlement.webhook_signature import signed
from softclose.settings import Settings
from softclose.stripe import FOLDER, RunningStripe, look, running_stripe


class Mailbox:
    """Notes whether what comes is signed as it was told."""

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = ()
        self.status = 200
        self.fitting: list[bool] = []

    async def take(self, request: web.Request) -> web.StreamResponse:
        header = request.headers["Stripe-Signature"]
        body = await request.read()
        self.fitting.append(signed(body, header, self.secrets, int(time.time())))
        return web.Response(status=self.status)


@asynccontextmanager
async def listening(mailbox: Mailbox) -> AsyncIterator[str]:
    """At a port of its own; where that is."""
    app = web.Application()
    app.router.add_post(PATH, mailbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://0.0.0.0:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def customer(stripe: RunningStripe, key: str) -> str:
    made = await stripe.gateway.create_customer(key, email="b@example.com", name="B")
    return made.customer_id


async def delivered(stripe: RunningStripe) -> None:
    assert stripe.simulator is not None
    await stripe.simulator.control.move(seconds=60)
    await stripe.simulator.control.deliver()


async def test_the_simulator_remembers_and_its_webhooks_find_the_new_address(
    tmp_path: Path,
) -> None:
    settings, mailbox = Settings(data=tmp_path), Mailbox()
    async with listening(mailbox) as address, running_stripe(settings, address) as stripe:
        mailbox.secrets, mailbox.status = stripe.webhook_secrets, 503
        made = await customer(stripe, "customer:acme:1")
        await delivered(stripe)
    assert mailbox.fitting
    assert all(mailbox.fitting)
    mailbox.fitting.clear()
    async with listening(mailbox) as address, running_stripe(settings, address) as stripe:
        assert stripe.webhook_secrets == mailbox.secrets
        assert await customer(stripe, "customer:acme:1") == made
        mailbox.status = 200
        await delivered(stripe)
    assert mailbox.fitting == [True]


async def test_without_the_file_of_its_secret_another_is_agreed_on(tmp_path: Path) -> None:
    settings, mailbox = Settings(data=tmp_path), Mailbox()
    async with listening(mailbox) as address:
        async with running_stripe(settings, address) as stripe:
            before = stripe.webhook_secrets
        (tmp_path / FOLDER / "webhook_endpoint.json").write_text("{")
        async with running_stripe(settings, address) as stripe:
            mailbox.secrets = stripe.webhook_secrets
            assert mailbox.secrets != before
            await customer(stripe, "customer:acme:1")
            await delivered(stripe)
    assert True in mailbox.fitting


async def test_the_secret_is_for_us_alone(tmp_path: Path) -> None:
    async with running_stripe(Settings(data=tmp_path), "http://127.0.0.1:9") as stripe:
        file = tmp_path / FOLDER / "webhook_endpoint.json"
        assert file.stat().st_mode & 0o077 == 0
        assert stripe.webhook_secrets[0] not in repr(stripe)


async def test_from_another_address_than_loopback_no_webhooks_are_asked_for(
    tmp_path: Path,
) -> None:
    async with running_stripe(Settings(data=tmp_path), "http://192.0.2.7:8080") as stripe:
        assert stripe.webhook_secrets == ()


async def test_with_a_key_there_is_no_simulator_of_ours(tmp_path: Path) -> None:
    async with simulator() as elsewhere:
        settings = Settings(
            data=tmp_path,
            stripe_key=SecretStr("sk_test_key"),
            stripe_url=elsewhere.url,
            stripe_webhook_secret=SecretStr("whsec_new, whsec_old"),
        )
        async with running_stripe(settings, "http://127.0.0.1:9") as stripe:
            assert (stripe.simulator, stripe.live) == (None, False)
            assert stripe.webhook_secrets == ("whsec_new", "whsec_old")
            assert (await customer(stripe, "customer:acme:1")).startswith("cus_")
    assert not (tmp_path / FOLDER).exists()


async def seen_at(url: str, tmp_path: Path, **more: str) -> list[str]:
    """What the doctor finds wrong."""
    settings = Settings(
        data=tmp_path,
        stripe_key=SecretStr(more.pop("key", "sk_test_key")),
        stripe_url=url,
        **more,  # type: ignore[arg-type]
    )
    return list((await look(settings)).wrong)


async def test_the_doctor_looks_at_stripe_and_changes_nothing(tmp_path: Path) -> None:
    async with simulator() as elsewhere:
        automatic, secret, card = await seen_at(elsewhere.url, tmp_path)
        assert "set the payout schedule to manual" in automatic
        assert "SOFTCLOSE_STRIPE_WEBHOOK_SECRET" in secret
        assert "SOFTCLOSE_STRIPE_PUBLISHABLE_KEY" in card
        gateway = StripeGateway("sk_test_key", elsewhere.url)
        await gateway.pay_out_by_hand("manual:1")
        await gateway.close()
        good = {"stripe_webhook_secret": "whsec_1", "stripe_publishable_key": "pk_test_1"}
        assert await seen_at(elsewhere.url, tmp_path, **good) == []
        live = good | {"stripe_publishable_key": "pk_live_1"}
        (mode,) = await seen_at(elsewhere.url, tmp_path, **live)
        assert "of another mode" in mode


async def test_the_doctor_says_when_stripe_does_not_answer(tmp_path: Path) -> None:
    (away,) = await seen_at("http://127.0.0.1:9", tmp_path)
    assert "SOFTCLOSE_STRIPE_KEY" in away
    assert "sk_test_key" not in away
