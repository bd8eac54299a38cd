"""What happens when a payment intent is confirmed, by way to pay."""

from typing import Any, Final

from settlement.stripe_simulator import cash_balances, charges, customers, payment_methods
from settlement.stripe_simulator.books import DAY_S
from settlement.stripe_simulator.cards import OWN_CODES, message
from settlement.stripe_simulator.problems import Refused, required
from settlement.stripe_simulator.setup_intents import mandate, next_action
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

# docs.stripe.com/payments/ach-direct-debit: it takes up to four business days to know.
DEBIT_SETTLES_S: Final = 4 * DAY_S
# When a payer's bank takes a debit back, Stripe's test account does so soon after.
DEBIT_DISPUTED_S: Final = 5 * DAY_S


def take_method(work: Work, intent: Json, params: Json) -> None:
    """The payment method that is given, by id or by its data."""
    if params.get("payment_method_data"):
        method = payment_methods.of_data(work, params["payment_method_data"])
    elif params.get("payment_method"):
        method = payment_methods.resolved(work, params["payment_method"])
    else:
        return
    payment_methods.not_spent(method)
    if method["type"] not in intent["payment_method_types"]:
        raise Refused(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. "
            "Please attach one of its payment method types.",
            param="payment_method",
        )
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise Refused(
            "The customer of the payment method is not the customer of this PaymentIntent.",
            param="payment_method",
        )
    intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent["next_action"] = None


def confirmed(work: Work, intent: Json, params: Json) -> Json:
    """The intent as it stands then. Raises ``Refused`` when it is declined at once."""
    if intent["payment_method"] is None:
        raise Refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state", param="payment_method",
        )  # fmt: skip
    method = work.edit("payment_method", intent["payment_method"])
    if method["type"] == "customer_balance":
        return _by_transfer(work, intent)
    if method["customer"] is None:
        method["_spent"] = True
    if method["type"] == "us_bank_account":
        return _by_debit(work, intent, method, params)
    return _by_card(work, intent, method, params)


def authenticated(work: Work, intent_id: str, *, succeeded: bool) -> Json:
    """The payer has been asked by the bank."""
    intent = work.edit("payment_intent", intent_id)
    intent["next_action"] = None
    method = work.edit("payment_method", intent["payment_method"])
    if not succeeded:
        said = "We are unable to authenticate your payment method."
        _decline(work, intent, method, "payment_intent_authentication_failure", None, said)
        return intent
    try:
        return _charged(work, intent, method, off_session=False)
    except Refused:
        return intent  # declined after it was authenticated: the intent says so


def debit_settles(work: Work, intent_id: str) -> None:
    """The payer's bank has answered a debit."""
    found = work.find("payment_intent", intent_id)
    if found is None or found["status"] != "processing":
        return
    intent = work.edit("payment_intent", intent_id)
    intent["processing"] = None
    bank = payment_methods.bank_of(work.get("payment_method", intent["payment_method"]))
    if bank.failure is None:
        _captured(work, intent, intent["latest_charge"])
        if bank.disputed:
            work.later(work.now + DEBIT_DISPUTED_S, "card_disputed", intent["latest_charge"])
        return
    charge = work.edit("charge", intent["latest_charge"])
    said = f"The customer's bank account could not be debited: {bank.failure}."
    charge |= {"status": "failed", "failure_code": bank.failure, "failure_message": said}
    work.emit("charge.failed", charge)
    _back_to_start(work, intent, bank.failure, None, said)


def _by_card(work: Work, intent: Json, method: Json, params: Json) -> Json:
    card = payment_methods.card_of(method)
    assert card is not None, "its type is card"
    off_session = bool(params.get("off_session"))
    if off_session and intent["customer"] is None:
        raise required("customer")
    saved = method.get("_saved") == "off_session"
    asked = {
        "always": True,
        "unless_saved": not saved,
        "on_session": not off_session,
        None: False,
    }[card.authenticate]
    if not asked:
        return _charged(work, intent, method, off_session=off_session)
    if off_session or params.get("error_on_requires_action"):
        code = "authentication_required"
        _decline(work, intent, method, code, code, message(code))
        raise _card_error(intent, method, code, code)
    intent["status"] = "requires_action"
    intent["next_action"] = next_action(work, intent["id"], params.get("return_url"))
    work.emit("payment_intent.requires_action", intent)
    return intent


def _charged(work: Work, intent: Json, method: Json, *, off_session: bool) -> Json:
    """The issuer decides."""
    decline = _decision(work, method)
    if decline is not None:
        code = decline if decline in OWN_CODES else "card_declined"
        _decline(work, intent, method, code, decline, message(decline))
        raise _card_error(intent, method, code, decline)
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.saved(work, method, intent["customer"])
        method["_saved"] = intent["setup_future_usage"]
    intent["last_payment_error"] = None
    if intent["capture_method"] != "manual":
        charge = charges.make(work, intent, method, "succeeded")
        return _captured(work, intent, charge["id"])
    charges.authorise(work, intent, method, off_session=off_session)
    intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
    work.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def _decision(work: Work, method: Json) -> str | None:
    """Why it is declined: as a test told for the next times, else by the card."""
    told = work.changes.find("decline", method["id"])
    if told is not None and told["times"] > 0:
        work.changes.edit("decline", method["id"])["times"] -= 1
        return str(told["code"])
    card = payment_methods.card_of(method)
    return card.decline if card is not None else None


def _captured(work: Work, intent: Json, charge_id: str) -> Json:
    charges.capture(work, charge_id, intent["amount"])
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    work.emit("payment_intent.succeeded", intent)
    return intent


def _by_debit(work: Work, intent: Json, method: Json, params: Json) -> Json:
    """A debit is known to have worked only days later."""
    if (
        params.get("mandate_data") is None
        and not params.get("mandate")
        and not method.get("_saved")
    ):
        raise required("mandate_data")
    if params.get("mandate_data") is not None:
        intent["_mandate"] = mandate(work, method)
    charge = charges.make(work, intent, method, "pending")
    intent |= {"status": "processing", "last_payment_error": None}
    work.later(work.now + DEBIT_SETTLES_S, "debit_settles", intent["id"])
    work.emit("payment_intent.processing", intent)
    work.emit("charge.pending", charge)
    return intent


def _by_transfer(work: Work, intent: Json) -> Json:
    """It waits for the customer's bank transfer."""
    if intent["customer"] is None:
        raise required("customer")
    options = intent["payment_method_options"].get("customer_balance") or {}
    if "bank_transfer" not in options:
        raise required("payment_method_options[customer_balance][bank_transfer][type]")
    customers.living(work, intent["customer"])
    intent["status"] = "requires_action"
    cash_balances.show_instructions(work, intent)
    work.emit("payment_intent.requires_action", intent)
    cash_balances.reconcile(work, intent["customer"], intent["currency"])
    return intent


def _decline(
    work: Work, intent: Json, method: Json, code: str, decline: str | None, said: str
) -> None:
    charges.failed(work, intent, method, code, decline or code, said)
    _back_to_start(work, intent, code, decline, said)


def _back_to_start(work: Work, intent: Json, code: str, decline: str | None, said: str) -> None:
    """Another payment method may be tried."""
    error: Json = {"type": "card_error", "code": code, "message": said}
    error["charge"] = intent["latest_charge"]
    if decline:
        error["decline_code"] = decline
    method = work.get("payment_method", intent["payment_method"])
    error |= {"payment_method": dict(method), "payment_method_type": method["type"]}
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent |= {"last_payment_error": error, "next_action": None}
    work.emit("payment_intent.payment_failed", intent)


def _card_error(intent: Json, method: Json, code: str, decline: str) -> Refused:
    return Refused(
        message(decline),
        status=402,
        kind="card_error",
        code=code,
        decline_code=decline,
        effects=True,
        charge=intent["latest_charge"],
        payment_intent=dict(intent),
        payment_method=dict(method),
    )
