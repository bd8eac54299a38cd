"""Payment intents: docs.stripe.com/api/payment_intents, /payments/paymentintents/lifecycle."""

from typing import Any, Final

from settlement.stripe_simulator import (
    charges,
    confirming,
    currencies,
    customers,
    listing,
    payment_methods,
)
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cash_balances import give_back
from settlement.stripe_simulator.problems import Refused, required, unexpected_state
from settlement.stripe_simulator.setup_intents import MANDATE_DATA
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

OPTIONS: Final[p.Shape] = {
    "card": {"request_three_d_secure": p.one_of("automatic", "any", "challenge")},
    "customer_balance": {
        "funding_type": p.one_of("bank_transfer"),
        "bank_transfer": {
            "type": p.one_of("us_bank_transfer", "gb_bank_transfer", "eu_bank_transfer"),
            "requested_address_types": [p.text],
            "eu_bank_transfer": {"country": p.text},
        },
    },
    "us_bank_account": {"verification_method": p.text},
}
_FIELDS: Final[p.Shape] = {
    "amount": p.integer,
    "currency": p.text,
    "customer": p.text,
    "description": p.text,
    "metadata": p.metadata,
    "payment_method": p.text,
    "payment_method_data": payment_methods.DATA,
    "payment_method_options": OPTIONS,
    "payment_method_types": payment_methods.types_no_longer_set,
    "receipt_email": p.text,
    "setup_future_usage": p.one_of("off_session", "on_session"),
    "shipping": p.anything,
    "statement_descriptor": p.text,
    "statement_descriptor_suffix": p.text,
    "transfer_group": p.text,
}
CONFIRM: Final[p.Shape] = {
    "allowed_payment_method_types": [p.one_of(*payment_methods.TYPES)],
    "error_on_requires_action": p.boolean,
    "mandate": p.text,
    "mandate_data": MANDATE_DATA,
    "off_session": p.boolean,
    "payment_method": p.text,
    "payment_method_data": payment_methods.DATA,
    "payment_method_options": OPTIONS,
    "receipt_email": p.text,
    "return_url": p.text,
    "setup_future_usage": p.one_of("off_session", "on_session"),
    "shipping": p.anything,
}
CREATE: Final[p.Shape] = (
    _FIELDS
    | CONFIRM
    | {
        "automatic_payment_methods": {"enabled": p.boolean, "allow_redirects": p.text},
        "capture_method": p.one_of("automatic", "automatic_async", "manual"),
        "confirm": p.boolean,
    }
)
UPDATE: Final[p.Shape] = _FIELDS | {
    "allowed_payment_method_types": [p.one_of(*payment_methods.TYPES)]
}
CAPTURE: Final[p.Shape] = {
    "amount_to_capture": p.integer,
    "final_capture": p.boolean,
    "metadata": p.metadata,
    "statement_descriptor": p.text,
    "statement_descriptor_suffix": p.text,
}
CANCEL: Final[p.Shape] = {
    "cancellation_reason": p.one_of("duplicate", "fraudulent", "requested_by_customer", "abandoned")
}
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED | {"customer": p.text}

_BEFORE_CONFIRMED: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
_WORDS: Final = (
    "description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip


def create(work: Work, params: Json) -> Json:
    """A new intent, confirmed at once where asked."""
    for name in ("amount", "currency"):
        if name not in params:
            raise required(name)
    code = currencies.currency(params["currency"])
    currencies.chargeable(params["amount"], code)
    if params.get("off_session") and not params.get("confirm"):
        raise Refused("You cannot set `off_session` when `confirm` is not true.", kept=False)
    if params.get("customer"):
        customers.living(work, params["customer"])
    intent = work.add("payment_intent", _blank(work, params, code))
    _set(work, intent, params)
    work.emit("payment_intent.created", intent)
    return confirming.confirmed(work, intent, params) if params.get("confirm") else intent


def update(work: Work, params: Json, intent_id: str) -> Json:
    """Words at any time, money only before it is confirmed."""
    found = retrieve(work, {}, intent_id)
    if found["status"] not in _BEFORE_CONFIRMED and params.keys() - {"metadata", "description"}:
        raise unexpected_state("payment_intent", found["status"], "updated", payment_intent=found)
    intent = work.edit("payment_intent", intent_id)
    if "currency" in params:
        intent["currency"] = currencies.currency(params["currency"])
    if "amount" in params:
        intent["amount"] = currencies.chargeable(params["amount"], intent["currency"])
    if params.get("customer"):
        customers.living(work, params["customer"])
        intent["customer"] = params["customer"]
    _set(work, intent, params)
    return intent


def confirm(work: Work, params: Json, intent_id: str) -> Json:
    """Ask the payer's bank."""
    found = retrieve(work, {}, intent_id)
    if found["status"] not in _BEFORE_CONFIRMED:
        raise unexpected_state("payment_intent", found["status"], "confirmed", payment_intent=found)
    intent = work.edit("payment_intent", intent_id)
    _set(work, intent, params)
    return confirming.confirmed(work, intent, params)


def capture(work: Work, params: Json, intent_id: str) -> Json:
    """Take what is held, or part of it; the rest is released."""
    found = retrieve(work, {}, intent_id)
    if found["status"] != "requires_capture":
        raise unexpected_state("payment_intent", found["status"], "captured", payment_intent=found)
    if params.get("final_capture") is False:
        raise Refused(
            "Multicapture is not available for this PaymentIntent.", param="final_capture"
        )
    amount: int = params.get("amount_to_capture") or found["amount_capturable"]
    if amount > found["amount_capturable"]:
        raise Refused(
            "The amount you specified is greater than the amount that can be captured.",
            code="amount_too_large", param="amount_to_capture",
        )  # fmt: skip
    currencies.positive(amount, found["currency"], "amount_to_capture")
    intent = work.edit("payment_intent", intent_id)
    _set(work, intent, params)
    charge = charges.capture(work, intent["latest_charge"], amount)
    intent |= {"status": "succeeded", "amount_capturable": 0}
    intent["amount_received"] = charge["amount_captured"]
    work.emit("payment_intent.succeeded", intent)
    return intent


def cancel(work: Work, params: Json, intent_id: str) -> Json:
    """It takes no money any more; what is held is released."""
    found = retrieve(work, {}, intent_id)
    if found["status"] not in (*_BEFORE_CONFIRMED, "requires_capture"):
        raise unexpected_state("payment_intent", found["status"], "canceled", payment_intent=found)
    intent = work.edit("payment_intent", intent_id)
    if intent["status"] == "requires_capture":
        charges.release(work, intent["latest_charge"], expired=False)
    if intent["_applied"]:
        give_back(work, intent)
    _cancelled(work, intent, params.get("cancellation_reason"))
    return intent


def authorisation_expires(work: Work, intent_id: str) -> None:
    """The hold ends: "the payment status changes to canceled"."""
    found = work.find("payment_intent", intent_id)
    if found is None or found["status"] != "requires_capture":
        return
    charge = work.get("charge", found["latest_charge"])
    if charge["payment_method_details"]["card"]["capture_before"] > work.now:
        return
    intent = work.edit("payment_intent", intent_id)
    charges.release(work, intent["latest_charge"], expired=True)
    _cancelled(work, intent, "automatic")


def retrieve(work: Work, _: Json, intent_id: str) -> Json:
    """By its id."""
    return work.get("payment_intent", intent_id, "intent", in_path=True)


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "customer")
    return listing.page(work, "payment_intent", params, "/v1/payment_intents", fits=fits)


def _cancelled(work: Work, intent: Json, reason: str | None) -> None:
    intent |= {"status": "canceled", "canceled_at": work.now, "cancellation_reason": reason}
    intent |= {"amount_capturable": 0, "next_action": None}
    work.emit("payment_intent.canceled", intent)


def _set(work: Work, intent: Json, params: Json) -> None:
    """What is given of words, options and the payment method."""
    intent["metadata"] = p.merged(intent["metadata"], params.get("metadata"))
    for name in _WORDS:
        if name in params:
            intent[name] = params[name] or None
    for name, options in (params.get("payment_method_options") or {}).items():
        intent["payment_method_options"].setdefault(name, {}).update(options or {})
    allowed = params.get("allowed_payment_method_types")
    if allowed:
        intent |= {"payment_method_types": allowed, "allowed_payment_method_types": allowed}
    confirming.take_method(work, intent, params)


def _blank(work: Work, params: Json, code: str) -> Json:
    object_id = work.new_id("pi")
    automatic = (params.get("automatic_payment_methods") or {}).get("enabled")
    return {
        "id": object_id,
        "object": "payment_intent",
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "allowed_payment_method_types": None,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True}
        if automatic
        else None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{object_id}_secret_{work.new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": work.now,
        "currency": code,
        "customer": params.get("customer"),
        **dict.fromkeys(_WORDS),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": payment_methods.compatible(code, params.get("customer")),
        "processing": None,
        "review": None,
        "source": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "_applied": 0,
    }
