"""Charges: what a payment intent does to the payer's account (docs.stripe.com/api/charges)."""

from typing import Any, Final

from settlement.stripe_simulator import books, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cards import CARDS
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

HOUR_S: Final = 3_600
# docs.stripe.com/payments/place-a-hold-on-a-payment-method: seven days, but a Visa hold that the
# merchant initiated ends after 4 days and 18 hours.
HOLD_S: Final = 7 * 24 * HOUR_S
MERCHANT_VISA_HOLD_S: Final = (4 * 24 + 18) * HOUR_S

UPDATE: Final[p.Shape] = {
    "description": p.text,
    "metadata": p.metadata,
    "receipt_email": p.text,
    "shipping": p.anything,
    "transfer_group": p.text,
}
LIST: Final[p.Shape] = (
    listing.PAGE
    | listing.CREATED
    | {"customer": p.text, "payment_intent": p.text, "transfer_group": p.text}
)

# Of charges on behalf of others, reviews and receipts; what failed is set by a decline.
_UNSET: Final = (
    "application", "application_fee", "application_fee_amount",
    "calculated_statement_descriptor", "failure_balance_transaction", "failure_code",
    "failure_message", "on_behalf_of", "receipt_number", "receipt_url", "review",
    "source_transfer", "transfer_data",
)  # fmt: skip


def make(work: Work, intent: Json, method: Json, status: str) -> Json:
    """A charge of an intent's whole amount, not captured yet."""
    object_id = work.new_id("ch" if method["type"] == "card" else "py")
    charge = {
        "id": object_id,
        "object": "charge",
        **dict.fromkeys(_UNSET),
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": dict(method["billing_details"]),
        "captured": False,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "destination": None,
        "dispute": None,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": _approved() if status != "failed" else None,
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(intent, method),
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_group": intent["transfer_group"],
        "_refunds": [],
        "_transferred": 0,
        "_test": method.get("_test"),
    }
    work.add("charge", charge)
    intent["latest_charge"] = object_id
    return charge


def failed(work: Work, intent: Json, method: Json, code: str, decline: str, said: str) -> Json:
    """The issuer says no; the charge stays as a record of it."""
    charge = make(work, intent, method, "failed")
    charge |= {"failure_code": code, "failure_message": said}
    charge["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network",
        "reason": decline,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
    work.emit("charge.failed", charge)
    return charge


def authorise(work: Work, intent: Json, method: Json, *, off_session: bool) -> Json:
    """Hold the money on the card until ``capture_before``."""
    charge = make(work, intent, method, "succeeded")
    card = charge["payment_method_details"]["card"]
    visa_by_merchant = off_session and card["brand"] == "visa"
    until = work.now + (MERCHANT_VISA_HOLD_S if visa_by_merchant else HOLD_S)
    card["capture_before"] = until
    card["amount_authorized"] = charge["amount"]
    work.later(until, "authorisation_expires", intent["id"])
    work.emit("charge.succeeded", charge)
    return charge


def capture(work: Work, charge_id: str, amount: int) -> Json:
    """Take the money, or part of it: what is left goes back to the payer."""
    charge = work.edit("charge", charge_id)
    was_held = "capture_before" in charge["payment_method_details"].get("card", {})
    charge |= {"captured": True, "paid": True, "status": "succeeded", "amount_captured": amount}
    charge["amount_refunded"] = charge["amount"] - amount
    method = charge["payment_method_details"]["type"]
    card = CARDS.get(charge["_test"] or "")
    at_once = method != "card" or (card is not None and card.available_now)
    charge["balance_transaction"] = books.post(
        work,
        "charge" if method == "card" else "payment",
        charge_id,
        amount,
        charge["currency"],
        fee_minor=books.fee(method, amount, charge["currency"]),
        category="charge",
        available_on=work.now if at_once else books.standard_available(work.now),
        description=charge["description"],
    )
    work.emit("charge.captured" if was_held else "charge.succeeded", charge)
    if card is not None and card.dispute:
        work.later(work.now, "card_disputed", charge_id)
    return charge


def release(work: Work, charge_id: str, *, expired: bool) -> None:
    """The hold ends without a capture: shown as refunded, though no money moved."""
    charge = work.edit("charge", charge_id)
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    work.emit("charge.expired" if expired else "charge.refunded", charge)


def retrieve(work: Work, _: Json, charge_id: str) -> Json:
    """With its refunds, so that they can be expanded."""
    return shown(work, work.get("charge", charge_id, in_path=True))


def shown(work: Work, charge: Json) -> Json:
    """With its refunds."""
    rows = [work.get("refund", refund_id) for refund_id in reversed(charge["_refunds"])]
    url = f"/v1/charges/{charge['id']}/refunds"
    page = {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}
    return charge | {"refunds": page}


def update(work: Work, params: Json, charge_id: str) -> Json:
    """Its words, never its money."""
    work.get("charge", charge_id, in_path=True)
    charge = work.edit("charge", charge_id)
    charge["metadata"] = p.merged(charge["metadata"], params.pop("metadata", None))
    charge |= {name: value or None for name, value in params.items()}
    work.emit("charge.updated", charge)
    return charge


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "customer", "payment_intent", "transfer_group")
    return listing.page(work, "charge", params, "/v1/charges", fits=fits)


def _details(intent: Json, method: Json) -> Json:
    """The payment method as it was at this moment."""
    kind = method["type"]
    if kind == "customer_balance":
        return {"type": kind, "customer_balance": {}}
    if kind == "us_bank_account":
        kept = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4")
        bank = {name: method[kind][name] for name in (*kept, "routing_number")}
        return {
            "type": kind,
            kind: bank | {"mandate": intent.get("_mandate"), "payment_reference": None},
        }
    card = method["card"]
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    details = {name: card[name] for name in (*names, "last4")} | {
        "amount_authorized": None,
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": None,
        "three_d_secure": None,
        "wallet": None,
    }
    return {"type": "card", "card": details}


def _approved() -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
