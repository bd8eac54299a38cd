"""Every object that the simulator answers with is as Stripe's published description has it."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from settlement.stripe_simulator import Running
from tests.contract.stripe import lives
from tests.contract.stripe.described import faults

Json = dict[str, Any]

KINDS = {
    "account", "account_link", "balance", "balance_transaction", "capability", "cash_balance",
    "charge", "customer", "customer_cash_balance_transaction", "dispute", "event",
    "funding_instructions", "mandate", "payment_intent", "payment_method", "payout", "refund",
    "setup_intent", "transfer", "transfer_reversal", "webhook_endpoint",
}  # fmt: skip


async def test_every_object_is_as_it_is_described(
    running: Running, client: stripe.StripeClient, shared_data: Path
) -> None:
    answers = await lives.everything(client, running.control)
    assert {row["object"] for row in answers} == KINDS
    wrong = {
        f"{row['object']} {row.get('id')}: {fault}"
        for row in answers
        for fault in faults(shared_data, row)
    }
    assert wrong == set()


async def test_the_objects_in_events_are_as_they_are_described(
    running: Running, client: stripe.StripeClient, shared_data: Path
) -> None:
    await lives.everything(client, running.control)
    events = running.engine.store.oldest_first("event")
    wrong = {
        f"{event['type']}: {fault}"
        for event in events
        for fault in faults(shared_data, event["data"]["object"])
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("member", "value"), [("amount", "12"), ("status", "lost"), ("latest_charge", 5)]
)
def test_a_wrong_answer_would_be_found(shared_data: Path, member: str, value: object) -> None:
    intent: Json = {"id": "pi_1", "object": "payment_intent", "amount": 1, "created": 1}
    intent |= {"capture_method": "manual", "confirmation_method": "automatic", "currency": "usd"}
    intent |= {"livemode": False, "payment_method_types": ["card"], "status": "succeeded"}
    assert faults(shared_data, intent) == []
    assert faults(shared_data, intent | {member: value}) != []
