"""Disputes: docs.stripe.com/api/disputes, /disputes/how-disputes-work, /testing#disputes.

Stripe takes the amount and a fee at once; a won dispute gives the amount back, not the fee. The
test evidence ``winning_evidence`` and ``losing_evidence`` decides at once.
"""

from typing import Any, Final

from settlement.stripe_simulator import books, currencies, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.cards import CARDS
from settlement.stripe_simulator.problems import Refused
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

ANSWER_WITHIN_S: Final = 9 * books.DAY_S  # seven to 21 days, by network
DECIDED_WITHIN_S: Final = 60 * books.DAY_S  # issuers take 60 to 75 days
REASONS: Final = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated",
    "debit_not_authorized", "duplicate", "fraudulent", "general", "incorrect_account_details",
    "insufficient_funds", "product_not_received", "product_unacceptable", "subscription_canceled",
    "unrecognized",
)  # fmt: skip

_EVIDENCE: Final = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip
UPDATE: Final[p.Shape] = {
    "evidence": dict.fromkeys(_EVIDENCE, p.text),
    "metadata": p.metadata,
    "submit": p.boolean,
}
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED | {"charge": p.text, "payment_intent": p.text}

_OPEN: Final = (
    "needs_response", "under_review", "warning_needs_response", "warning_under_review",
)  # fmt: skip


def opened(work: Work, charge_id: str, reason: str, amount: int | None, *, inquiry: bool) -> Json:
    """The payer's bank disputes a charge."""
    found = work.get("charge", charge_id, in_path=True)
    taken = _disputed(work, found) if found["disputed"] else 0
    if not found["captured"] or taken >= found["amount"]:
        raise Refused(f"Charge {charge_id} cannot be disputed.")
    left = found["amount"] - found["amount_refunded"]
    if left <= 0 and amount is None:
        raise Refused(f"Charge {charge_id} is refunded: its payer has nothing to dispute.")
    disputed = currencies.positive(left if amount is None else amount, found["currency"])
    charge = work.edit("charge", charge_id)
    dispute = work.add("dispute", _blank(work, charge, reason, disputed, inquiry=inquiry))
    charge |= {"disputed": True, "dispute": dispute["id"]}
    work.later(dispute["evidence_details"]["due_by"], "dispute_overdue", dispute["id"])
    work.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(work, dispute)
    return dispute


def escalated(work: Work, dispute_id: str) -> Json:
    """A bank that only asked wants the money after all: the same dispute goes on."""
    found = work.get("dispute", dispute_id, in_path=True)
    if not found["status"].startswith("warning"):
        raise Refused("This is no inquiry.")
    dispute = work.edit("dispute", dispute_id)
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    work.emit("charge.dispute.updated", dispute)
    _withdraw(work, dispute)
    return dispute


def moved(work: Work, dispute_id: str, amount: int, *, status: str | None = None) -> Json:
    """Stripe takes money of a dispute (below 0) or gives some back, whatever was decided."""
    work.get("dispute", dispute_id, in_path=True)
    dispute = work.edit("dispute", dispute_id)
    if status is not None:
        dispute["status"] = status
        work.emit("charge.dispute.updated", dispute)
    _post(work, dispute, amount, 0, "dispute" if amount < 0 else "dispute_reversal")
    word = "withdrawn" if amount < 0 else "reinstated"
    work.emit(f"charge.dispute.funds_{word}", dispute)
    return dispute


def card_disputed(work: Work, charge_id: str) -> None:
    """As the charge's test card has it; a bank debit is lost at once."""
    found = work.find("charge", charge_id)
    if found is None or found["disputed"] or found["refunded"]:
        return
    card = CARDS.get(found["_test"] or "")
    if card is None:
        dispute = opened(work, charge_id, "debit_not_authorized", None, inquiry=False)
        _close(work, work.edit("dispute", dispute["id"]), "lost")
        return
    opened(work, charge_id, card.dispute or "fraudulent", None, inquiry=card.inquiry)


def update(work: Work, params: Json, dispute_id: str) -> Json:
    """Add evidence; unless ``submit=false`` it goes to the bank, once and for all."""
    found = work.get("dispute", dispute_id, in_path=True)
    if found["status"] not in _OPEN and params.keys() - {"metadata"}:
        raise Refused("This dispute is already closed.", code="dispute_already_closed")
    dispute = work.edit("dispute", dispute_id)
    dispute["metadata"] = p.merged(dispute["metadata"], params.get("metadata"))
    given = {name: text or None for name, text in (params.get("evidence") or {}).items()}
    dispute["evidence"] |= given
    details = dispute["evidence_details"]
    details["has_evidence"] = any(dispute["evidence"].values())
    if params.get("submit", bool(given)):
        details["submission_count"] += 1
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
        work.later(work.now + DECIDED_WITHIN_S, "dispute_decided", dispute_id)
    work.emit("charge.dispute.updated", dispute)
    told = dispute["evidence"]["uncategorized_text"]
    if params.get("submit", bool(given)) and told in ("winning_evidence", "losing_evidence"):
        _close(work, dispute, "won" if told == "winning_evidence" else "lost")
    return dispute


def close(work: Work, _: Json, dispute_id: str) -> Json:
    """Accept that it is lost."""
    return decided(work, dispute_id, won=False)


def decided(work: Work, dispute_id: str, *, won: bool) -> Json:
    """The payer's bank has decided."""
    found = work.get("dispute", dispute_id, in_path=True)
    if found["status"] not in _OPEN:
        raise Refused("This dispute is already closed.", code="dispute_already_closed")
    dispute = work.edit("dispute", dispute_id)
    _close(work, dispute, "won" if won else "lost")
    return dispute


def overdue(work: Work, dispute_id: str) -> None:
    """Who does not answer in time has lost; an inquiry just ends."""
    found = work.find("dispute", dispute_id)
    if found is not None and found["status"].endswith("needs_response"):
        dispute = work.edit("dispute", dispute_id)
        dispute["evidence_details"]["past_due"] = True
        _close(work, dispute, "lost")


def decided_late(work: Work, dispute_id: str) -> None:
    """A bank that got evidence and says nothing: lost, as most are."""
    found = work.find("dispute", dispute_id)
    if found is not None and found["status"] in _OPEN:
        _close(work, work.edit("dispute", dispute_id), "lost")


def retrieve(work: Work, _: Json, dispute_id: str) -> Json:
    """By its id."""
    return work.get("dispute", dispute_id, in_path=True)


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "charge", "payment_intent")
    return listing.page(work, "dispute", params, "/v1/disputes", fits=fits)


def _disputed(work: Work, charge: Json) -> int:
    """What of a charge its bank wants, or has: a payer may dispute parts of it one by one."""
    return sum(
        dispute["amount"]
        for dispute in work.changes.newest_first("dispute")
        if dispute["charge"] == charge["id"] and dispute["status"] not in ("won", "warning_closed")
    )


def _close(work: Work, dispute: Json, outcome: str) -> None:
    if dispute["status"].startswith("warning"):
        dispute["status"] = "warning_closed"
        work.emit("charge.dispute.closed", dispute)
        return
    dispute |= {"status": outcome, "is_charge_refundable": False}
    work.emit("charge.dispute.closed", dispute)
    if outcome == "won":
        _post(work, dispute, dispute["amount"], 0, "dispute_reversal")
        work.emit("charge.dispute.funds_reinstated", dispute)


def _withdraw(work: Work, dispute: Json) -> None:
    _post(work, dispute, -dispute["amount"], books.DISPUTE_FEE, "dispute")
    work.emit("charge.dispute.funds_withdrawn", dispute)


def _post(work: Work, dispute: Json, amount: int, fee: int, category: str) -> None:
    word = "withdrawal" if amount < 0 else "reversal"
    transaction = books.post(
        work,
        "adjustment",
        dispute["id"],
        amount,
        dispute["currency"],
        fee_minor=fee,
        category=category,
        description=f"Chargeback {word} for {dispute['charge']}",
    )
    dispute["balance_transactions"].append(dict(work.get("balance_transaction", transaction)))


def _blank(work: Work, charge: Json, reason: str, amount: int, *, inquiry: bool) -> Json:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    return {
        "id": work.new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "evidence": dict.fromkeys(_EVIDENCE),
        "evidence_details": {
            "due_by": work.now + ANSWER_WITHIN_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": brand, "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
