"""Faults on demand, as the SDK meets them, and what a caller can rely on afterwards."""

import pytest
import stripe

from settlement.stripe_simulator import Running, Trouble

PARAMS: stripe.params.PaymentIntentCreateParams = {"amount": 5_000, "currency": "usd"}
CREATE = "POST /v1/payment_intents"
KEY: stripe.RequestOptions = {"idempotency_key": "create:INV-1:1"}
ONCE: stripe.RequestOptions = {"idempotency_key": "create:INV-1:1", "max_network_retries": 0}


async def intents(client: stripe.StripeClient) -> int:
    return len((await client.v1.payment_intents.list_async({"limit": 100})).data)


@pytest.mark.parametrize(
    ("trouble", "effect"),
    [(Trouble.LOST_ANSWER, 1), (Trouble.TRUNCATED, 1), (Trouble.NO_EFFECT, 0)],
)
async def test_a_broken_connection_says_nothing_of_the_effect(
    running: Running, client: stripe.StripeClient, trouble: Trouble, effect: int
) -> None:
    await running.control.fault(trouble, CREATE)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.payment_intents.create_async(PARAMS, ONCE)
    assert await intents(client) == effect
    await client.v1.payment_intents.create_async(PARAMS, KEY)
    assert await intents(client) == 1


@pytest.mark.parametrize(
    "trouble", [Trouble.LOST_ANSWER, Trouble.TRUNCATED, Trouble.NO_EFFECT, Trouble.CONFLICT]
)
async def test_the_sdk_outlasts_it_with_one_object(
    running: Running, client: stripe.StripeClient, trouble: Trouble
) -> None:
    await running.control.fault(trouble, CREATE, times=2)
    await client.v1.payment_intents.create_async(PARAMS, KEY)
    assert await intents(client) == 1


@pytest.mark.parametrize(
    ("trouble", "effect"), [(Trouble.SERVER_ERROR, 0), (Trouble.SERVER_ERROR_AFTER_EFFECT, 1)]
)
async def test_a_500_is_kept_under_its_key(
    running: Running, client: stripe.StripeClient, trouble: Trouble, effect: int
) -> None:
    await running.control.fault(trouble, CREATE)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            await client.v1.payment_intents.create_async(PARAMS, KEY)
        assert broken.value.http_status == 500
    assert await intents(client) == effect
    replayed = [request.replayed for request in await running.control.requests()]
    assert replayed[:2] == [False, True]


async def test_a_rate_limit_is_told_and_not_kept(
    running: Running, client: stripe.StripeClient
) -> None:
    await running.control.fault(Trouble.RATE_LIMITED, CREATE)
    with pytest.raises(stripe.RateLimitError):
        await client.v1.payment_intents.create_async(PARAMS, KEY)
    await client.v1.payment_intents.create_async(PARAMS, KEY)
    assert await intents(client) == 1


async def test_a_fault_spares_what_it_is_told_to_and_what_does_not_fit(
    running: Running, client: stripe.StripeClient
) -> None:
    await running.control.fault(Trouble.RATE_LIMITED, "POST /v1/payment_intents/*", skip=1)
    await client.v1.payment_intents.create_async(PARAMS)
    first, second = [await client.v1.payment_intents.create_async(PARAMS) for _ in range(2)]
    await client.v1.payment_intents.cancel_async(first.id)
    with pytest.raises(stripe.RateLimitError):
        await client.v1.payment_intents.cancel_async(second.id)
    await client.v1.payment_intents.cancel_async(second.id)


async def test_weather_is_the_same_for_the_same_seed(
    running: Running, client: stripe.StripeClient
) -> None:
    async def statuses() -> list[bool]:
        await running.control.weather(7, {Trouble.RATE_LIMITED: 500}, CREATE)
        passed = []
        for _ in range(20):
            try:
                await client.v1.payment_intents.create_async(PARAMS)
                passed.append(True)
            except stripe.RateLimitError:
                passed.append(False)
        return passed

    first = await statuses()
    assert first == await statuses()
    assert set(first) == {True, False}
    await running.control.clear_faults()
    await client.v1.payment_intents.create_async(PARAMS)


async def test_declines_can_be_told_for_the_next_charges(
    running: Running, client: stripe.StripeClient
) -> None:
    buyer = (await client.v1.customers.create_async({})).id
    method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": buyer})
    await running.control.decline(method.id, "insufficient_funds")
    intent = await client.v1.payment_intents.create_async(PARAMS | {"customer": buyer})
    with pytest.raises(stripe.CardError):
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": method.id})
    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": method.id})
    assert paid.status == "succeeded"


@pytest.mark.parametrize(("succeeded", "status"), [(True, "succeeded"), (False, None)])
async def test_the_payer_answers_the_banks_question(
    running: Running, client: stripe.StripeClient, succeeded: bool, status: str | None
) -> None:
    intent = await client.v1.payment_intents.create_async(
        PARAMS | {"payment_method": "pm_card_authenticationRequired", "confirm": True}
    )
    assert intent.status == "requires_action"
    await running.control.authenticate(intent.id, succeeded=succeeded)
    seen = await client.v1.payment_intents.retrieve_async(intent.id)
    assert seen.status == (status or "requires_payment_method")
