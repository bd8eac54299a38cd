"""Refunds: docs.stripe.com/api/refunds. Never more than was captured and not refunded yet."""

from typing import Any, Final

from settlement.stripe_simulator import books, cash_balances, currencies, customers, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cards import CARDS
from settlement.stripe_simulator.problems import Refused, required
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

# A test card's failing refund: "succeeded", and later failed (docs.stripe.com/testing#refunds).
FAILS_AFTER_S: Final = 3_600

CREATE: Final[p.Shape] = {
    "amount": p.integer,
    "charge": p.text,
    "currency": p.text,
    "customer": p.text,
    "instructions_email": p.text,
    "metadata": p.metadata,
    "origin": p.one_of("customer_balance"),
    "payment_intent": p.text,
    "reason": p.one_of("duplicate", "fraudulent", "requested_by_customer"),
}
UPDATE: Final[p.Shape] = {"metadata": p.metadata}
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED | {"charge": p.text, "payment_intent": p.text}


def create(work: Work, params: Json) -> Json:
    """Give back all, or a part."""
    if params.get("origin") == "customer_balance":
        return _from_cash_balance(work, params)
    charge_id = _charge_of(work, params)
    charge = work.edit("charge", charge_id)
    if charge["disputed"] and not _refundable_inquiry(work, charge):
        raise Refused(
            f"Charge {charge_id} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise Refused(f"Charge {charge_id} has not been captured.", code="charge_not_refundable")
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refused(
            f"Charge {charge_id} has already been refunded.", code="charge_already_refunded"
        )
    amount = currencies.positive(params.get("amount", left), charge["currency"])
    if amount > left:
        raise Refused(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    refund = _blank(work, params, amount, charge["currency"])
    refund |= {"charge": charge_id, "payment_intent": charge["payment_intent"]}
    _pay_back(work, charge, refund)
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge)
    return refund


def fails(work: Work, refund_id: str) -> None:
    """The payer's bank sends a refund back."""
    refund = work.edit("refund", refund_id)
    charge = work.edit("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    refund |= {"status": "failed", "failure_reason": "unknown"}
    refund["failure_balance_transaction"] = books.post(
        work, "refund_failure", refund_id, refund["amount"], refund["currency"]
    )
    work.emit("refund.failed", refund)


def retrieve(work: Work, _: Json, refund_id: str) -> Json:
    """By its id."""
    return work.get("refund", refund_id, in_path=True)


def update(work: Work, params: Json, refund_id: str) -> Json:
    """Metadata only."""
    retrieve(work, {}, refund_id)
    refund = work.edit("refund", refund_id)
    refund["metadata"] = p.merged(refund["metadata"], params.get("metadata"))
    work.emit("refund.updated", refund)
    return refund


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "charge", "payment_intent")
    return listing.page(work, "refund", params, "/v1/refunds", fits=fits)


def _pay_back(work: Work, charge: Json, refund: Json) -> None:
    """Move the money, to the card or to the cash balance."""
    kind = charge["payment_method_details"]["type"]
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    charge["_refunds"].append(refund["id"])
    refund["balance_transaction"] = books.post(
        work,
        "refund" if kind == "card" else "payment_refund",
        refund["id"],
        -refund["amount"],
        refund["currency"],
        category="refund",
    )
    if kind == "customer_balance":
        cash_balances.refunded(
            work, charge["customer"], refund["amount"], refund["currency"], refund["id"]
        )
    card = CARDS.get(charge["_test"] or "")
    if card is not None and card.refund_fails:
        work.later(work.now + FAILS_AFTER_S, "refund_fails", refund["id"])


def _from_cash_balance(work: Work, params: Json) -> Json:
    """docs.stripe.com/payments/bank-transfers/refunding: from the cash balance to the bank."""
    for name in ("amount", "currency", "customer"):
        if name not in params:
            raise required(name)
    customers.living(work, params["customer"])
    code = currencies.currency(params["currency"])
    amount = currencies.positive(params["amount"], code)
    refund = _blank(work, params, amount, code)
    cash_balances.send_back(work, params["customer"], amount, code, refund["id"])
    if "instructions_email" in params:
        refund["instructions_email"] = params["instructions_email"]
    work.emit("refund.created", refund)
    return refund


def _blank(work: Work, params: Json, amount: int, code: str) -> Json:
    refund = {
        "id": work.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": None,
        "created": work.now,
        "currency": code,
        "metadata": p.merged({}, params.get("metadata")),
        "payment_intent": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    return work.add("refund", refund)


def _charge_of(work: Work, params: Json) -> str:
    if "charge" in params:
        return str(work.get("charge", params["charge"], "charge")["id"])
    if "payment_intent" not in params:
        raise required("payment_intent")
    intent = work.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None or intent["status"] not in ("succeeded", "requires_capture"):
        raise Refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return str(intent["latest_charge"])


def _refundable_inquiry(work: Work, charge: Json) -> bool:
    """An inquiry has taken nothing yet, so its charge can still be refunded."""
    return bool(work.get("dispute", charge["dispute"])["is_charge_refundable"])
