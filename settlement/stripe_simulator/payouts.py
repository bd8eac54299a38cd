"""Payouts to a bank account: docs.stripe.com/api/payouts. The platform's are made by hand; a
connected account is paid out by itself when its money becomes available, as its schedule says."""

from typing import Any, Final

from settlement.stripe_simulator import accounts, books, currencies, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import Refused, required
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

ARRIVES_AFTER_DAYS: Final = 2

CREATE: Final[p.Shape] = {
    "amount": p.integer,
    "currency": p.text,
    "description": p.text,
    "metadata": p.metadata,
    "method": p.one_of("standard"),
    "source_type": p.one_of("card"),
    "statement_descriptor": p.text,
}
UPDATE: Final[p.Shape] = {"metadata": p.metadata}
LIST: Final[p.Shape] = listing.PAGE | listing.CREATED | {"destination": p.text, "status": p.text}


def create(work: Work, params: Json) -> Json:
    """Send available money to the bank."""
    for name in ("amount", "currency"):
        if name not in params:
            raise required(name)
    code = currencies.currency(params["currency"])
    amount = currencies.positive(params["amount"], code)
    if amount > books.available(work, code):
        raise Refused(
            "You have insufficient funds in your Stripe account for this payout.",
            code="balance_insufficient",
        )
    return _made(work, amount, code, params, automatic=False)


def account_paid_out(work: Work, code: str) -> None:
    """What a connected account has is sent to its bank."""
    account = accounts.existing(work, work.account)
    amount = books.available(work, code)
    manual = account["settings"]["payouts"]["schedule"]["interval"] == "manual"
    if amount > 0 and account["payouts_enabled"] and not manual:
        _made(work, min(amount, currencies.MAX_AMOUNT), code, {}, automatic=True)


def arrives(work: Work, payout_id: str) -> None:
    """The money is in the bank, unless the payout was cancelled or is to fail."""
    found = work.find("payout", payout_id)
    if found is None or found["status"] not in ("pending", "in_transit"):
        return
    payout = work.edit("payout", payout_id)
    payout["status"] = "paid"
    work.emit("payout.paid", payout)


def fail(work: Work, payout_id: str, code: str) -> Json:
    """The bank sends the money back, before or after the payout was ``paid``."""
    work.get("payout", payout_id, in_path=True)
    payout = work.edit("payout", payout_id)
    if payout["status"] not in ("pending", "in_transit", "paid"):
        raise Refused(f"Payout {payout_id} is {payout['status']}.")
    payout |= {"status": "failed", "failure_code": code, "failure_message": "The bank refused it."}
    payout["failure_balance_transaction"] = books.post(
        work, "payout_failure", payout_id, payout["amount"], payout["currency"]
    )
    work.emit("payout.failed", payout)
    return payout


def cancel(work: Work, _: Json, payout_id: str) -> Json:
    """Only while it has not left."""
    found = work.get("payout", payout_id, in_path=True)
    if found["status"] != "pending":
        raise Refused(
            "Payouts can only be canceled while they are pending.", code="payout_not_allowed"
        )
    payout = work.edit("payout", payout_id)
    payout["status"] = "canceled"
    payout["failure_balance_transaction"] = books.post(
        work, "payout_cancel", payout_id, payout["amount"], payout["currency"]
    )
    work.emit("payout.canceled", payout)
    return payout


def retrieve(work: Work, _: Json, payout_id: str) -> Json:
    """By its id."""
    return work.get("payout", payout_id, in_path=True)


def update(work: Work, params: Json, payout_id: str) -> Json:
    """Metadata only."""
    retrieve(work, {}, payout_id)
    payout = work.edit("payout", payout_id)
    payout["metadata"] = p.merged(payout["metadata"], params.get("metadata"))
    work.emit("payout.updated", payout)
    return payout


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "destination", "status")
    return listing.page(work, "payout", params, "/v1/payouts", fits=fits)


def in_the_bank(work: Work) -> dict[str, dict[str, int]]:
    """What arrived by account, ``platform`` for our own, and currency."""
    sums: dict[str, dict[str, int]] = {}
    for row in work.changes.newest_first("payout"):
        if row["status"] == "paid":
            of = sums.setdefault(row.get("_account") or "platform", {})
            of[row["currency"]] = of.get(row["currency"], 0) + row["amount"]
    return sums


def _made(work: Work, amount: int, code: str, params: Json, *, automatic: bool) -> Json:
    payout: Json = {
        "id": work.new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": (work.now // books.DAY_S + ARRIVES_AFTER_DAYS) * books.DAY_S,
        "automatic": automatic,
        "balance_transaction": None,
        "created": work.now,
        "currency": code,
        "description": params.get("description") or ("STRIPE PAYOUT" if automatic else None),
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": p.merged({}, params.get("metadata")),
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "type": "bank_account",
    }
    work.add("payout", payout)
    payout["balance_transaction"] = books.post(work, "payout", payout["id"], -amount, code)
    work.later(payout["arrival_date"], "payout_arrives", payout["id"])
    work.emit("payout.created", payout)
    return payout
