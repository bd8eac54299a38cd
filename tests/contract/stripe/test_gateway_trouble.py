"""What goes wrong, in two words: Unknown, after which the same call is made again, and Refused."""

import logging
from collections.abc import AsyncIterator

import pytest
import structlog

from settlement.ids import StripeId
from settlement.operations import NeedsPerson
from settlement.payment_objects import MethodKind, Payment
from settlement.ports import Refused, Unknown
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_gateway.connection import metadata, once
from settlement.stripe_simulator import Running, Trouble
from tests.stripe_places import gateway_of

CREATE = "POST /v1/payment_intents"


@pytest.fixture
async def stripe(running: Running) -> AsyncIterator[StripeGateway]:
    async with gateway_of(running.url) as gateway:
        yield gateway


async def created(
    stripe: StripeGateway, of: StripeId, amount: int = 5_000, key: str = "create:INV-1:1"
) -> Payment:
    return await stripe.create_payment(
        key, amount_minor=amount, currency="USD", customer_id=of, kind=MethodKind.CARD
    )


async def buyer(stripe: StripeGateway) -> StripeId:
    made = await stripe.create_customer("customer:acme:1", email="b@example.com", name="Acme")
    return made.customer_id


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.LOST_ANSWER,
        Trouble.NO_EFFECT,
        Trouble.TRUNCATED,
        Trouble.CONFLICT,
        Trouble.RATE_LIMITED,
        Trouble.SERVER_ERROR,
        Trouble.SERVER_ERROR_AFTER_EFFECT,
    ],
)
async def test_no_answer_that_counts_is_unknown(
    running: Running, stripe: StripeGateway, trouble: Trouble
) -> None:
    of = await buyer(stripe)
    await running.control.fault(trouble, CREATE)
    with pytest.raises(Unknown):
        await created(stripe, of)


@pytest.mark.parametrize(
    "trouble", [Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.TRUNCATED, Trouble.CONFLICT]
)
async def test_the_same_call_again_has_one_effect(
    running: Running, stripe: StripeGateway, trouble: Trouble
) -> None:
    of = await buyer(stripe)
    await running.control.fault(trouble, CREATE)
    with pytest.raises(Unknown):
        await created(stripe, of)
    made = await created(stripe, of)
    assert await stripe.find_payment("create:INV-1:1", of) == made
    assert len((await stripe.events(types=["payment_intent.created"])).rows) == 1


async def test_an_effect_behind_a_kept_error_is_found_by_its_key(
    running: Running, stripe: StripeGateway
) -> None:
    of = await buyer(stripe)
    await running.control.fault(Trouble.SERVER_ERROR_AFTER_EFFECT, CREATE)
    for _ in range(2):
        with pytest.raises(Unknown):
            await created(stripe, of)
    found = await stripe.find_payment("create:INV-1:1", of)
    assert found is not None
    assert found.amount_minor == 5_000


async def test_a_reading_that_breaks_off_is_unknown_too(
    running: Running, stripe: StripeGateway
) -> None:
    payment = await created(stripe, await buyer(stripe))
    await running.control.fault(Trouble.LOST_ANSWER, "GET *")
    with pytest.raises(Unknown):
        await stripe.payment(payment.payment_id)
    await running.control.fault(Trouble.TRUNCATED, "GET *")
    with pytest.raises(Unknown):
        await stripe.find_payment("create:INV-1:1", payment.customer_id)


async def test_retries_at_once_outlast_short_trouble(running: Running) -> None:
    async with gateway_of(running.url, retries=2) as stripe:
        of = await buyer(stripe)
        await running.control.fault(Trouble.LOST_ANSWER, CREATE, times=2)
        await created(stripe, of)


async def test_what_is_not_there_is_refused(stripe: StripeGateway) -> None:
    with pytest.raises(Refused) as refused:
        await stripe.payment(StripeId("pi_unknown"))
    assert refused.value.code == "resource_missing"


async def test_a_key_with_other_arguments_needs_a_person(stripe: StripeGateway) -> None:
    of = await buyer(stripe)
    await created(stripe, of)
    with pytest.raises(NeedsPerson):
        await created(stripe, of, amount=5_001)


async def test_a_key_that_is_not_accepted_decides_nothing(running: Running) -> None:
    async with gateway_of(running.url, key="no_key") as stripe:
        with pytest.raises(Unknown):
            await buyer(stripe)


async def test_nobody_there_is_unknown() -> None:
    async with gateway_of("http://127.0.0.1:9") as stripe:
        with pytest.raises(Unknown):
            await buyer(stripe)


async def test_nothing_that_is_logged_or_shown_has_a_secret(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("stripe", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    key = "sk_test_planted_marker"
    with structlog.testing.capture_logs() as logged:
        async with gateway_of(running.url, key=key) as stripe:
            payment = await created(stripe, await buyer(stripe))
            with pytest.raises(Refused) as refused:
                await stripe.payment(StripeId("pi_unknown"))
    assert payment.client_secret.startswith("pi_")
    shown = f"{stripe!r} {payment!r} {refused.value!r} {logged}"
    for text in (shown, caplog.text):
        assert key not in text
        assert payment.client_secret not in text
    assert caplog.text == ""


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_that_stripe_would_not_take_is_a_fault(key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        once(key)


def test_metadata_names_the_operation_and_nothing_can_take_its_place() -> None:
    said = metadata("capture:1:1", {"op_id": "other", "invoice_id": "INV-1"})
    assert said == {"op_id": "capture:1:1", "invoice_id": "INV-1"}
    with pytest.raises(ValueError, match="metadata"):
        metadata("capture:1:1", {"note": "x" * 501})
