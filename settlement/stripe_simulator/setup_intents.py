"""Saving a way to pay for later: docs.stripe.com/api/setup_intents."""

from typing import Any, Final

from settlement.stripe_simulator import customers, listing, payment_methods
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cards import message
from settlement.stripe_simulator.problems import Refused, required, unexpected_state
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

MANDATE_DATA: Final[p.Shape] = {
    "customer_acceptance": {
        "type": p.one_of("online", "offline"),
        "accepted_at": p.integer,
        "online": {"ip_address": p.text, "user_agent": p.text},
        "offline": p.anything,
    }
}
_KINDS: Final = ("card", "us_bank_account")
_FIELDS: Final[p.Shape] = {
    "customer": p.text,
    "description": p.text,
    "metadata": p.metadata,
    "payment_method": p.text,
    "payment_method_data": payment_methods.DATA,
    "allowed_payment_method_types": [p.one_of(*_KINDS)],
    "payment_method_types": payment_methods.types_no_longer_set,
}
_CONFIRM: Final[p.Shape] = {"mandate_data": MANDATE_DATA, "return_url": p.text}
CREATE: Final[p.Shape] = (
    _FIELDS
    | _CONFIRM
    | {
        "automatic_payment_methods": {"enabled": p.boolean, "allow_redirects": p.text},
        "confirm": p.boolean,
        "usage": p.one_of("off_session", "on_session"),
    }
)
UPDATE: Final[p.Shape] = _FIELDS
CONFIRM: Final[p.Shape] = _CONFIRM | {
    "payment_method": p.text,
    "payment_method_data": payment_methods.DATA,
}
CANCEL: Final[p.Shape] = {
    "cancellation_reason": p.one_of("abandoned", "requested_by_customer", "duplicate")
}
LIST: Final[p.Shape] = (
    listing.PAGE | listing.CREATED | {"customer": p.text, "payment_method": p.text}
)

_CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(work: Work, params: Json) -> Json:
    """A new intent, confirmed at once where asked."""
    if params.get("customer"):
        customers.living(work, params["customer"])
    object_id = work.new_id("seti")
    automatic = (params.pop("automatic_payment_methods", None) or {}).get("enabled")
    allowed = params.get("allowed_payment_method_types")
    intent = {
        "id": object_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True}
        if automatic
        else None,
        "cancellation_reason": None,
        "client_secret": f"{object_id}_secret_{work.new_id('s')[2:]}",
        "created": work.now,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": p.merged({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": allowed or list(_KINDS),
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }
    work.add("setup_intent", intent)
    work.emit("setup_intent.created", intent)
    _take_method(work, intent, params)
    if params.get("confirm"):
        return _confirmed(work, intent, params)
    return intent


def update(work: Work, params: Json, intent_id: str) -> Json:
    """Change what is given."""
    intent = _changeable(work, intent_id, "updated")
    intent["metadata"] = p.merged(intent["metadata"], params.get("metadata"))
    for name in ("description", "customer"):
        if name in params:
            intent[name] = params[name] or None
    intent["payment_method_types"] = params.get(
        "allowed_payment_method_types", intent["payment_method_types"]
    )
    _take_method(work, intent, params)
    return intent


def confirm(work: Work, params: Json, intent_id: str) -> Json:
    """Ask the issuer."""
    intent = _changeable(work, intent_id, "confirmed")
    _take_method(work, intent, params)
    return _confirmed(work, intent, params)


def cancel(work: Work, params: Json, intent_id: str) -> Json:
    """It saves nothing any more."""
    intent = _changeable(work, intent_id, "canceled")
    intent |= {"status": "canceled", "next_action": None}
    intent["cancellation_reason"] = params.get("cancellation_reason")
    work.emit("setup_intent.canceled", intent)
    return intent


def retrieve(work: Work, _: Json, intent_id: str) -> Json:
    """By its id."""
    return work.get("setup_intent", intent_id, "intent", in_path=True)


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "customer", "payment_method")
    return listing.page(work, "setup_intent", params, "/v1/setup_intents", fits=fits)


def authenticated(work: Work, intent_id: str, *, succeeded: bool) -> Json:
    """The customer has been asked by the bank."""
    intent = _changeable(work, intent_id, "authenticated")
    if intent["status"] != "requires_action":
        raise unexpected_state("setup_intent", intent["status"], "authenticated")
    intent["next_action"] = None
    if succeeded:
        return _succeeded(work, intent, work.edit("payment_method", intent["payment_method"]))
    _failed(work, intent, "setup_intent_authentication_failure", None)
    return intent


def _changeable(work: Work, intent_id: str, action: str) -> Json:
    found = retrieve(work, {}, intent_id)
    if found["status"] not in _CONFIRMABLE:
        raise unexpected_state("setup_intent", found["status"], action, setup_intent=found)
    return work.edit("setup_intent", intent_id)


def _take_method(work: Work, intent: Json, params: Json) -> None:
    """The payment method that is given, by id or by its data."""
    if params.get("payment_method_data"):
        method = payment_methods.of_data(work, params["payment_method_data"])
    elif params.get("payment_method"):
        method = payment_methods.resolved(work, params["payment_method"])
    else:
        return
    if method["type"] not in intent["payment_method_types"]:
        raise Refused(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this SetupIntent.",
            param="payment_method",
        )
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise Refused(
            "The customer of the payment method is not the customer of this SetupIntent.",
            param="payment_method",
        )
    intent |= {"payment_method": method["id"], "status": "requires_confirmation"}


def _confirmed(work: Work, intent: Json, params: Json) -> Json:
    intent = work.edit("setup_intent", intent["id"])
    if intent["payment_method"] is None:
        raise required("payment_method")
    method = work.edit("payment_method", intent["payment_method"])
    if method["type"] == "us_bank_account" and params.get("mandate_data") is None:
        raise required("mandate_data")
    card = payment_methods.card_of(method)
    if card is not None and card.decline and card.at_attach:
        _failed(work, intent, "card_declined", card.decline)
        raise Refused(
            message(card.decline), status=402, kind="card_error",
            code="card_declined", decline_code=card.decline, effects=True,
            payment_method=method, setup_intent=dict(intent),
        )  # fmt: skip
    if card is not None and card.authenticate is not None:
        intent |= {"status": "requires_action"}
        intent["next_action"] = next_action(work, intent["id"], params.get("return_url"))
        work.emit("setup_intent.requires_action", intent)
        return intent
    return _succeeded(work, intent, method)


def next_action(work: Work, intent_id: str, return_url: str | None) -> Json:
    """Where the customer's bank asks: at Stripe's page, or by Stripe's script in our page."""
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    url = f"{work.url}/_simulator/authenticate/{intent_id}"
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": url},
    }


def _succeeded(work: Work, intent: Json, method: Json) -> Json:
    if intent["customer"] is not None:
        payment_methods.saved(work, method, intent["customer"])
    method["_saved"] = intent["usage"]
    intent |= {"status": "succeeded", "last_setup_error": None}
    if method["type"] == "us_bank_account":
        intent["mandate"] = mandate(work, method)
    work.emit("setup_intent.succeeded", intent)
    return intent


def mandate(work: Work, method: Json) -> str:
    """The customer's leave to debit a bank account: docs.stripe.com/api/mandates."""
    online = {"ip_address": None, "user_agent": None}
    row = {
        "id": work.new_id("mandate"),
        "object": "mandate",
        "created": work.now,
        "customer_acceptance": {"accepted_at": work.now, "online": online, "type": "online"},
        "livemode": False,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {
            "type": "us_bank_account",
            "us_bank_account": {"collection_method": "paper"},
        },
        "status": "active",
        "type": "multi_use",
    }
    return str(work.add("mandate", row)["id"])


def retrieve_mandate(work: Work, _: Json, mandate_id: str) -> Json:
    """By its id."""
    return work.get("mandate", mandate_id, "mandate", in_path=True)


def _failed(work: Work, intent: Json, code: str, decline: str | None) -> None:
    error: Json = {"code": code, "message": "The payment method could not be saved."}
    error |= {"type": "card_error", "payment_method": dict(_method(work, intent))}
    if decline:
        error["decline_code"] = decline
    intent |= {"status": "requires_payment_method", "last_setup_error": error}
    intent["payment_method"] = None
    work.emit("setup_intent.setup_failed", intent)


def _method(work: Work, intent: Json) -> Json:
    return work.get("payment_method", intent["payment_method"])
