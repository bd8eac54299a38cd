"""The SDK on an engine without a socket: as over the socket, in virtual time."""

import pytest
import stripe

from settlement.stripe_simulator import Trouble
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.faults import Fault
from settlement.stripe_simulator.in_process import client_of
from settlement.stripe_simulator.store import Store

PARAMS: stripe.params.PaymentIntentCreateParams = {
    "amount": 5_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "metadata": {"invoice": "INV-1 & more"},
}
CREATE = "POST /v1/payment_intents"


@pytest.fixture
def engine() -> Engine:
    return Engine(Store(), lambda: 1_750_000_000.0)


@pytest.mark.parametrize("trouble", [None, *Trouble])
async def test_one_charge_comes_of_it_whatever_the_trouble(
    engine: Engine, trouble: Trouble | None
) -> None:
    client = client_of(engine)
    if trouble is not None:
        engine.faults.add(Fault(trouble, CREATE))
    kept = trouble in (Trouble.SERVER_ERROR, Trouble.SERVER_ERROR_AFTER_EFFECT)
    try:
        made = await client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k:1"})
        assert made.metadata.to_dict() == {"invoice": "INV-1 & more"}
    except stripe.RateLimitError:
        await client.v1.payment_intents.create_async(PARAMS, {"idempotency_key": "k:1"})
    except stripe.APIError:
        assert kept
    expected = 0 if trouble is Trouble.SERVER_ERROR else 1
    assert engine.store.count("charge") == expected


async def test_lists_and_declines_are_the_sdks_own(engine: Engine) -> None:
    client = client_of(engine)
    with pytest.raises(stripe.CardError):
        await client.v1.payment_intents.create_async(
            PARAMS | {"payment_method": "pm_card_chargeDeclined"}
        )
    rows = await client.v1.payment_intents.list_async({"limit": 1})
    assert [row.status async for row in rows.auto_paging_iter()] == ["requires_payment_method"]
