"""Bank transfers that come late, short or over, and bank debits."""

import pytest
import stripe

from settlement.stripe_simulator import Running
from tests.contract.stripe.conftest import At
from tests.contract.stripe.lives import MANDATE, awaiting_transfer

AMOUNT = 300_000


async def buyer_by_hand(client: stripe.StripeClient) -> str:
    """A customer whose transfers are applied by us."""
    buyer = (await client.v1.customers.create_async({"email": "buyer@example.com"})).id
    await client.v1.customers.cash_balance.update_async(
        buyer, {"settings": {"reconciliation_mode": "manual"}}
    )
    return buyer


async def funds(client: stripe.StripeClient, buyer: str, amount: int) -> None:
    await client.v1.test_helpers.customers.fund_cash_balance_async(
        buyer, {"amount": amount, "currency": "usd"}
    )


def remaining(intent: stripe.PaymentIntent) -> int:
    assert intent.next_action is not None
    shown = intent.next_action.display_bank_transfer_instructions
    assert shown is not None
    assert shown.amount_remaining is not None
    return shown.amount_remaining


async def available(client: stripe.StripeClient, buyer: str) -> dict[str, int]:
    cash = await client.v1.customers.cash_balance.retrieve_async(buyer)
    return cash.available.to_dict() if cash.available is not None else {}


async def test_an_invoice_by_transfer_shows_where_to_send_how_much(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    assert (intent.status, remaining(intent)) == ("requires_action", AMOUNT)


async def test_nothing_is_applied_by_itself_when_we_reconcile_by_hand(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, AMOUNT)
    seen = await at.v1.payment_intents.retrieve_async(intent.id)
    assert seen.status == "requires_action"
    assert await available(at.client, buyer) == {"usd": AMOUNT}


async def test_a_short_transfer_funds_a_part_and_the_rest_completes_it(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, 100_000)
    part = await at.v1.payment_intents.apply_customer_balance_async(intent.id, {"amount": 100_000})
    assert (part.status, remaining(part)) == ("requires_action", AMOUNT - 100_000)
    await funds(at.client, buyer, AMOUNT - 100_000)
    whole = await at.v1.payment_intents.apply_customer_balance_async(intent.id)
    assert (whole.status, whole.amount_received) == ("succeeded", AMOUNT)


async def test_what_is_over_stays_the_customers(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, AMOUNT + 7_000)
    await at.v1.payment_intents.apply_customer_balance_async(intent.id)
    assert await available(at.client, buyer) == {"usd": 7_000}


async def test_more_than_there_is_cannot_be_applied(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, 1_000)
    with pytest.raises(stripe.InvalidRequestError):
        await at.v1.payment_intents.apply_customer_balance_async(intent.id, {"amount": 1_001})


async def test_a_cancelled_invoice_gives_its_part_back(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, 1_000)
    await at.v1.payment_intents.apply_customer_balance_async(intent.id, {"amount": 1_000})
    await at.v1.payment_intents.cancel_async(intent.id)
    assert await available(at.client, buyer) == {"usd": 1_000}


async def test_a_refund_of_a_transfer_goes_to_the_cash_balance(at: At) -> None:
    buyer = await buyer_by_hand(at.client)
    intent = await awaiting_transfer(at.client, buyer, AMOUNT)
    await funds(at.client, buyer, AMOUNT)
    await at.v1.payment_intents.apply_customer_balance_async(intent.id)
    await at.v1.refunds.create_async({"payment_intent": intent.id, "amount": 5_000})
    assert await available(at.client, buyer) == {"usd": 5_000}


async def test_a_late_transfer_arrives_when_its_time_comes(
    running: Running, client: stripe.StripeClient
) -> None:
    buyer = await buyer_by_hand(client)
    await running.control.bank_transfer(buyer, AMOUNT, after_s=3 * 86_400)
    await running.control.move(days=2)
    assert await available(client, buyer) == {}
    await running.control.move(days=1)
    assert await available(client, buyer) == {"usd": AMOUNT}


async def test_a_customer_of_the_automatic_mode_pays_the_oldest_invoice_first(
    running: Running, client: stripe.StripeClient
) -> None:
    buyer = (await client.v1.customers.create_async({})).id
    first = await awaiting_transfer(client, buyer, AMOUNT)
    second = await awaiting_transfer(client, buyer, AMOUNT)
    await running.control.bank_transfer(buyer, AMOUNT + 50_000)
    assert (await client.v1.payment_intents.retrieve_async(first.id)).status == "succeeded"
    assert remaining(await client.v1.payment_intents.retrieve_async(second.id)) == 250_000


@pytest.mark.parametrize(
    ("bank", "status"),
    [
        ("pm_usBankAccount_success", "succeeded"),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method"),
    ],
)
async def test_a_debit_is_known_days_later(
    running: Running, client: stripe.StripeClient, bank: str, status: str
) -> None:
    buyer = (await client.v1.customers.create_async({})).id
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "customer": buyer,
            "payment_method": bank,
            "mandate_data": MANDATE,
            "confirm": True,
        }
    )
    assert intent.status == "processing"
    await running.control.move(days=3)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "processing"
    await running.control.move(days=1)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == status


async def test_a_debit_that_its_payer_disputes_is_lost_at_once(
    running: Running, client: stripe.StripeClient
) -> None:
    buyer = (await client.v1.customers.create_async({})).id
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "usd",
            "customer": buyer,
            "payment_method": "pm_usBankAccount_dispute",
            "mandate_data": MANDATE,
            "confirm": True,
        }
    )
    await running.control.move(days=4)
    assert (await client.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"
    await running.control.move(days=5)
    (dispute,) = (await client.v1.disputes.list_async({"payment_intent": intent.id})).data
    assert (dispute.status, dispute.amount) == ("lost", AMOUNT)
