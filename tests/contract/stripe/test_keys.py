"""Idempotency keys: docs.stripe.com/api/idempotent_requests."""

import asyncio
from uuid import uuid4

import pytest
import stripe

from settlement.stripe_simulator import Running, Trouble
from tests.contract.stripe.conftest import At

PARAMS: stripe.params.PaymentIntentCreateParams = {
    "amount": 5_000,
    "currency": "usd",
    "allowed_payment_method_types": ["card"],
}


async def test_the_same_key_gives_the_first_answer_and_one_object(at: At) -> None:
    key = f"create:{uuid4()}"
    first = await at.v1.payment_intents.create_async(PARAMS, {"idempotency_key": key})
    again = await at.v1.payment_intents.create_async(PARAMS, {"idempotency_key": key})
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["idempotent-replayed"] == "true"


async def test_a_key_with_other_parameters_is_refused(at: At) -> None:
    key = f"create:{uuid4()}"
    await at.v1.payment_intents.create_async(PARAMS, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError) as refused:
        await at.v1.payment_intents.create_async(
            {"amount": 5_001, "currency": "usd"}, {"idempotency_key": key}
        )
    assert refused.value.http_status == 400


async def test_a_decline_is_replayed_too(at: At) -> None:
    key = f"confirm:{uuid4()}"
    intent = await at.v1.payment_intents.create_async(PARAMS)
    charges = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            await at.v1.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": key}
            )
        assert declined.value.error is not None
        charges.append(declined.value.error.charge)
    assert charges[0] == charges[1]


async def test_what_fails_validation_may_be_tried_again_under_its_key(at: At) -> None:
    key = f"create:{uuid4()}"
    with pytest.raises(stripe.InvalidRequestError):
        await at.v1.payment_intents.create_async({"amount": 5_000}, {"idempotency_key": key})  # type: ignore[typeddict-item]
    made = await at.v1.payment_intents.create_async(PARAMS, {"idempotency_key": key})
    assert made.amount == 5_000


async def test_a_key_is_forgotten_after_a_day(
    running: Running, client: stripe.StripeClient
) -> None:
    first = await client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k"})
    await running.control.move(hours=23)
    again = await client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k"})
    await running.control.move(hours=1)
    anew = await client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k"})
    assert first.id == again.id != anew.id


async def test_a_key_in_use_is_a_conflict_which_the_sdk_outlasts(
    running: Running, client: stripe.StripeClient
) -> None:
    await running.control.fault(Trouble.SLOW, "POST /v1/payment_intents", hold_s=0.3)
    first = asyncio.create_task(
        client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k"})
    )
    second = asyncio.create_task(
        client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k"})
    )
    assert (await first).id == (await second).id
    statuses = {request.status for request in await running.control.requests()}
    assert statuses == {200, 409}
    assert len((await client.v1.payment_intents.list_async({})).data) == 1
