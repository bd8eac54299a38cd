"""Bank transfers: a customer's cash balance, and how it pays intents.

docs.stripe.com/payments/customer-balance, /payments/customer-balance/reconciliation: with manual
reconciliation "Stripe does not automatically apply any funds from the customer balance".
Money in a cash balance is the customer's; ours only once it is applied to an intent.
"""

import hashlib
from typing import Any, Final

from settlement.stripe_simulator import charges, currencies, customers, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import (
    Refused,
    invalid,
    missing,
    required,
    unexpected_state,
)
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

UPDATE: Final[p.Shape] = {
    "settings": {"reconciliation_mode": p.one_of("automatic", "manual", "merchant_default")}
}
APPLY: Final[p.Shape] = {"amount": p.integer, "currency": p.text}
FUND: Final[p.Shape] = {"amount": p.integer, "currency": p.text, "reference": p.text}
INSTRUCTIONS: Final[p.Shape] = {
    "currency": p.text,
    "funding_type": p.one_of("bank_transfer"),
    "bank_transfer": {"type": p.text, "requested_address_types": [p.text]},
}


def retrieve(work: Work, _: Json, customer_id: str) -> Json:
    """What a customer has with us at Stripe."""
    customers.living(work, customer_id, in_path=True)
    return _shown(_row(work, customer_id))


def update(work: Work, params: Json, customer_id: str) -> Json:
    """How its money is applied."""
    customers.living(work, customer_id, in_path=True)
    row = _row(work, customer_id)
    mode = (params.get("settings") or {}).get("reconciliation_mode")
    if mode is not None:
        row["mode"] = mode
    return _shown(row)


def fund_for_tests(work: Work, params: Json, customer_id: str) -> Json:
    """docs.stripe.com/api/cash_balance_transactions/fund_cash_balance."""
    for name in ("amount", "currency"):
        if name not in params:
            raise required(name)
    customers.living(work, customer_id, in_path=True)
    code = currencies.currency(params["currency"])
    amount = currencies.positive(params["amount"], code)
    return fund(work, customer_id, amount, code, params.get("reference"))


def fund(work: Work, customer_id: str, amount: int, code: str, reference: str | None) -> Json:
    """A bank transfer arrives."""
    sent = {"network": "domestic_wire_us", "sender_name": "TEST SENDER"}
    kind = "us_bank_transfer" if code == "usd" else "eu_bank_transfer"
    if code != "usd":
        sent = {"bic": "BANKDEAAXXX", "iban_last4": "7089", "sender_name": "TEST SENDER"}
    details = {"type": kind, "reference": reference, kind: sent}
    funded = _move(work, customer_id, code, amount, "funded", {"bank_transfer": details})
    work.emit("cash_balance.funds_available", _shown(_row(work, customer_id)))
    reconcile(work, customer_id, code)
    return funded


def fund_later(
    work: Work, customer_id: str, amount: int, code: str, reference: str | None, at: int
) -> None:
    """A bank transfer is sent, and takes its time."""
    number = work.next_number("bank_transfers")
    row: Json = {"id": f"transfer_{number}", "customer": customer_id, "currency": code}
    row |= {"amount": amount, "reference": reference}
    work.changes.put("bank_transfer", row["id"], row)
    work.later(at, "bank_transfer_arrives", row["id"])


def arrives(work: Work, transfer_id: str) -> None:
    """A transfer that was sent earlier; a deleted customer's goes back to the sender."""
    row = work.changes.find("bank_transfer", transfer_id)
    assert row is not None, "it was kept with its timer"
    work.changes.remove("bank_transfer", transfer_id)
    customer = work.find("customer", row["customer"])
    if customer is not None and not customer.get("_deleted"):
        fund(work, row["customer"], row["amount"], row["currency"], row["reference"])


def reconcile(work: Work, customer_id: str, code: str) -> None:
    """Apply what is there to the oldest open intents, unless that is done by hand."""
    row = _row(work, customer_id)
    if row["mode"] == "manual":
        return
    waiting = [
        intent["id"]
        for intent in work.rows("payment_intent")
        if intent["customer"] == customer_id
        and intent["currency"] == code
        and _awaits_funds(intent)
    ]
    for intent_id in reversed(waiting):
        there = row["available"].get(code, 0)
        if there > 0:
            intent = work.edit("payment_intent", intent_id)
            _apply(work, intent, min(there, intent["amount"] - intent["_applied"]))


def apply(work: Work, params: Json, intent_id: str) -> Json:
    """docs.stripe.com/api/payment_intents/apply_customer_balance."""
    found = work.get("payment_intent", intent_id, "intent", in_path=True)
    if not _awaits_funds(found):
        raise unexpected_state("payment_intent", found["status"], "funded", payment_intent=found)
    if str(params.get("currency", found["currency"])).lower() != found["currency"]:
        raise invalid("The currency is not the PaymentIntent's.", "currency")
    left = found["amount"] - found["_applied"]
    amount = currencies.positive(params.get("amount", left), found["currency"])
    if amount > left:
        raise Refused(
            "The amount is greater than what remains of this PaymentIntent.",
            code="amount_too_large", param="amount",
        )  # fmt: skip
    if amount > _row(work, found["customer"])["available"].get(found["currency"], 0):
        raise Refused(
            "The customer's cash balance is not sufficient to cover the amount.",
            code="insufficient_funds", param="amount",
        )  # fmt: skip
    intent = work.edit("payment_intent", intent_id)
    _apply(work, intent, amount)
    return intent


def give_back(work: Work, intent: Json) -> None:
    """A cancelled intent leaves what was applied to it in the cash balance."""
    amount, intent["_applied"] = intent["_applied"], 0
    details = {"payment_intent": intent["id"]}
    kind = "unapplied_from_payment"
    _move(work, intent["customer"], intent["currency"], amount, kind, details)


def refunded(work: Work, customer_id: str, amount: int, code: str, refund_id: str) -> None:
    """A refund of such a payment goes to the cash balance."""
    details = {"refund": refund_id}
    _move(work, customer_id, code, amount, "refunded_from_payment", details)


def send_back(work: Work, customer_id: str, amount: int, code: str, refund_id: str) -> None:
    """From the cash balance to the customer's bank."""
    if amount > _row(work, customer_id)["available"].get(code, 0):
        raise Refused(
            "The customer's cash balance is not sufficient to cover the refund.",
            code="insufficient_funds", param="amount",
        )  # fmt: skip
    _move(work, customer_id, code, -amount, "return_initiated", {"refund": refund_id})


def list_(work: Work, params: Json, customer_id: str) -> Json:
    """Its movements, newest first."""
    customers.living(work, customer_id, in_path=True)
    url = f"/v1/customers/{customer_id}/cash_balance_transactions"
    fits = listing.matches({"customer": customer_id}, "customer")
    return listing.page(work, "customer_cash_balance_transaction", params, url, fits=fits)


def retrieve_transaction(work: Work, _: Json, customer_id: str, transaction_id: str) -> Json:
    """One of them."""
    kind = "customer_cash_balance_transaction"
    found = work.get(kind, transaction_id, "transaction", in_path=True)
    if found["customer"] != customer_id:
        raise missing(kind, transaction_id, "transaction", in_path=True)
    return found


def funding_instructions(work: Work, params: Json, customer_id: str) -> Json:
    """Where a customer sends money to: docs.stripe.com/api/issuing/funding_instructions."""
    customers.living(work, customer_id, in_path=True)
    for name in ("currency", "funding_type", "bank_transfer"):
        if name not in params:
            raise required(name)
    code = currencies.currency(params["currency"])
    return {
        "object": "funding_instructions",
        "bank_transfer": {
            "country": "US",
            "financial_addresses": _addresses(customer_id),
            "type": params["bank_transfer"].get("type", "us_bank_transfer"),
        },
        "currency": code,
        "funding_type": "bank_transfer",
        "livemode": False,
    }


def show_instructions(work: Work, intent: Json) -> None:
    """What remains to be sent, and where."""
    options = intent["payment_method_options"]["customer_balance"]["bank_transfer"]
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": intent["amount"] - intent["_applied"],
            "currency": intent["currency"],
            "financial_addresses": _addresses(intent["customer"]),
            "hosted_instructions_url": f"{work.url}/_simulator/instructions/{intent['id']}",
            "reference": hashlib.sha256(intent["id"].encode()).hexdigest()[:12].upper(),
            "type": options.get("type", "us_bank_transfer"),
        },
    }


def _awaits_funds(intent: Json) -> bool:
    return (intent["next_action"] or {}).get("type") == "display_bank_transfer_instructions"


def _apply(work: Work, intent: Json, amount: int) -> None:
    intent["_applied"] += amount
    details = {"payment_intent": intent["id"]}
    _move(work, intent["customer"], intent["currency"], -amount, "applied_to_payment", details)
    if intent["_applied"] < intent["amount"]:
        show_instructions(work, intent)
        work.emit("payment_intent.partially_funded", intent)
        return
    method = work.get("payment_method", intent["payment_method"])
    intent |= {"status": "succeeded", "next_action": None, "amount_received": intent["amount"]}
    charge = charges.make(work, intent, method, "succeeded")
    charges.capture(work, charge["id"], intent["amount"])
    work.emit("payment_intent.succeeded", intent)


def _move(work: Work, customer_id: str, code: str, net: int, kind: str, details: Json) -> Json:
    row = _row(work, customer_id)
    row["available"][code] = row["available"].get(code, 0) + net
    transaction = {
        "id": work.new_id("ccsbtxn"),
        "object": "customer_cash_balance_transaction",
        "created": work.now,
        "currency": code,
        "customer": customer_id,
        "ending_balance": row["available"][code],
        "livemode": False,
        "net_amount": net,
        "type": kind,
    }
    if kind != "return_initiated":
        transaction[kind] = details
    work.add("customer_cash_balance_transaction", transaction)
    work.emit("customer_cash_balance_transaction.created", transaction)
    return transaction


def _row(work: Work, customer_id: str) -> Json:
    if work.changes.find("cash", customer_id) is None:
        new = {"id": customer_id, "available": {}, "mode": "merchant_default"}
        return work.changes.put("cash", customer_id, new)
    return work.edit("cash", customer_id)


def _shown(row: Json) -> Json:
    mode = row["mode"]
    return {
        "object": "cash_balance",
        "available": {code: net for code, net in row["available"].items() if net} or None,
        "customer": row["id"],
        "livemode": False,
        "settings": {
            "reconciliation_mode": "automatic" if mode == "merchant_default" else mode,
            "using_merchant_default": mode == "merchant_default",
        },
    }


def _addresses(customer_id: str) -> list[Json]:
    """A virtual account number of the customer's own."""
    number = str(int(hashlib.sha256(customer_id.encode()).hexdigest()[:12], 16))[:12]
    address: Json = {"city": "San Francisco", "country": "US", "line1": "354 Oyster Point Blvd"}
    address |= {"line2": None, "postal_code": "94080", "state": "CA"}
    aba = {
        "account_holder_address": address,
        "account_holder_name": "Softclose Test",
        "account_number": number,
        "account_type": "checking",
        "bank_address": address,
        "bank_name": "STRIPE TEST BANK",
        "routing_number": "999999999",
    }
    return [{"type": "aba", "aba": aba, "supported_networks": ["ach", "domestic_wire_us"]}]
