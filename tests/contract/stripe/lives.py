"""Whole lives of money at Stripe, for suites that look at all that was answered."""

from typing import Any

import stripe

from settlement.stripe_simulator import Control

Json = dict[str, Any]

MANDATE: Any = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "tests"},
    }
}


async def everything(client: stripe.StripeClient, control: Control) -> list[Json]:
    """Every kind of object, as it is answered in several states."""
    v1, told = client.v1, Told()
    endpoint = await v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/webhooks", "enabled_events": ["*"]}
    )
    told.add(endpoint)
    buyer = told.add(await v1.customers.create_async({"email": "buyer@example.com"})).id
    charges = [await _card(client, told, buyer, card) for card in _CARDS]
    await _saved_bank(client, told, buyer)
    await _transfer_by_bank(client, told, buyer)
    told.add(await v1.refunds.create_async({"charge": charges[0], "amount": 5_000}))
    dispute = await control.open_dispute(charges[1], reason="product_not_received")
    told.add(await v1.disputes.update_async(dispute, {"evidence": {"receipt": "file_1"}}))
    await control.decide_dispute(dispute, won=True)
    told.add(await v1.disputes.retrieve_async(dispute))
    await _pass_on(client, control, told, charges[0])
    await control.move(days=5)
    told.add(await v1.payouts.create_async({"amount": 10_000, "currency": "usd"}))
    told.add(await v1.balance.retrieve_async())
    await control.move(days=3)
    for rows in (
        await v1.balance_transactions.list_async({"limit": 100}),
        await v1.charges.list_async({"limit": 100}),
        await v1.payment_intents.list_async({"limit": 100}),
        await v1.events.list_async({"limit": 100}),
        await v1.payouts.list_async({"limit": 100}),
    ):
        for row in rows.data:
            told.add(row)
    return told.answers


class Told:
    """What was answered."""

    def __init__(self) -> None:
        self.answers: list[Json] = []

    def add(self, answer: Any) -> Any:
        self.answers.append(answer.to_dict())
        return answer


_CARDS = ("pm_card_visa", "pm_card_bypassPending", "pm_card_mastercard")


async def _card(client: stripe.StripeClient, told: Told, buyer: str, card: str) -> str:
    v1 = client.v1
    method = told.add(await v1.payment_methods.attach_async(card, {"customer": buyer})).id
    intent = told.add(
        await v1.payment_intents.create_async(
            {"amount": 100_000, "currency": "usd", "customer": buyer, "capture_method": "manual"}
        )
    ).id
    told.add(
        await v1.payment_intents.confirm_async(
            intent, {"payment_method": method, "off_session": True}
        )
    )
    captured = told.add(await v1.payment_intents.capture_async(intent))
    await _declined(client, told, buyer)
    return str(captured.latest_charge)


async def _declined(client: stripe.StripeClient, told: Told, buyer: str) -> None:
    v1 = client.v1
    intent = await v1.payment_intents.create_async(
        {"amount": 100_000, "currency": "usd", "customer": buyer}
    )
    try:
        await v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_chargeDeclined"}
        )
    except stripe.CardError:
        told.add(await v1.payment_intents.retrieve_async(intent.id))
    told.add(await v1.payment_intents.cancel_async(intent.id))


async def _saved_bank(client: stripe.StripeClient, told: Told, buyer: str) -> None:
    v1 = client.v1
    saved = told.add(
        await v1.setup_intents.create_async(
            {
                "customer": buyer,
                "payment_method": "pm_usBankAccount_success",
                "allowed_payment_method_types": ["us_bank_account"],
                "confirm": True,
                "mandate_data": MANDATE,
            }
        )
    )
    told.add(await v1.mandates.retrieve_async(str(saved.mandate)))
    told.add(await v1.payment_methods.retrieve_async(str(saved.payment_method)))
    told.add(
        await v1.payment_intents.create_async(
            {
                "amount": 250_000,
                "currency": "usd",
                "customer": buyer,
                "payment_method": str(saved.payment_method),
                "off_session": True,
                "confirm": True,
                "expand": ["latest_charge"],
            }
        )
    )


async def _transfer_by_bank(client: stripe.StripeClient, told: Told, buyer: str) -> None:
    v1 = client.v1
    await v1.customers.cash_balance.update_async(
        buyer, {"settings": {"reconciliation_mode": "manual"}}
    )
    intent = told.add(await awaiting_transfer(client, buyer, 300_000))
    told.add(
        await v1.customers.funding_instructions.create_async(
            buyer,
            {
                "currency": "usd",
                "funding_type": "bank_transfer",
                "bank_transfer": {"type": "us_bank_transfer"},
            },
        )
    )
    told.add(
        await v1.test_helpers.customers.fund_cash_balance_async(
            buyer, {"amount": 350_000, "currency": "usd", "reference": "INV-1"}
        )
    )
    told.add(await v1.customers.cash_balance.retrieve_async(buyer))
    told.add(await v1.payment_intents.apply_customer_balance_async(intent.id, {"amount": 100}))
    told.add(await v1.payment_intents.apply_customer_balance_async(intent.id))
    told.add(
        await v1.refunds.create_async(
            {
                "amount": 50_000,
                "currency": "usd",
                "customer": buyer,
                "origin": "customer_balance",
                "instructions_email": "buyer@example.com",
            }
        )
    )
    rows = await v1.customers.cash_balance_transactions.list_async(buyer, {})
    for row in rows.data:
        told.add(row)


async def awaiting_transfer(
    client: stripe.StripeClient, buyer: str, amount: int
) -> stripe.PaymentIntent:
    """An invoice that is to be paid by bank transfer."""
    return await client.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": "usd",
            "customer": buyer,
            "allowed_payment_method_types": ["customer_balance"],
            "payment_method_data": {"type": "customer_balance"},
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "us_bank_transfer"},
                }
            },
            "confirm": True,
        }
    )


async def seller_of(client: stripe.StripeClient, control: Control, told: Told) -> str:
    """A connected account that can be transferred to."""
    v1 = client.v1
    account = told.add(
        await v1.accounts.create_async(
            {
                "type": "express",
                "country": "US",
                "email": "seller@example.com",
                "capabilities": {"transfers": {"requested": True}},
            }
        )
    ).id
    told.add(
        await v1.account_links.create_async(
            {
                "account": account,
                "type": "account_onboarding",
                "return_url": "https://example.com/back",
                "refresh_url": "https://example.com/again",
            }
        )
    )
    told.add(await v1.accounts.capabilities.retrieve_async(account, "transfers"))
    await control.onboard(account)
    told.add(await v1.accounts.retrieve_async(account))
    return str(account)


async def _pass_on(client: stripe.StripeClient, control: Control, told: Told, charge: str) -> None:
    v1 = client.v1
    seller = await seller_of(client, control, told)
    transfer = told.add(
        await v1.transfers.create_async(
            {
                "amount": 80_000,
                "currency": "usd",
                "destination": seller,
                "source_transaction": charge,
            }
        )
    )
    told.add(await v1.transfers.reversals.create_async(transfer.id, {"amount": 30_000}))
    told.add(await v1.transfers.retrieve_async(transfer.id))
