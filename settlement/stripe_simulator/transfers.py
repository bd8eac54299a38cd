"""Transfers to connected accounts, and their reversal: docs.stripe.com/api/transfers,
/api/transfer_reversals, /connect/separate-charges-and-transfers.

With ``source_transaction`` a transfer succeeds before the charge's money is available, and the
account gets it when that becomes available; without, it needs an available balance.
"""

from typing import Any, Final

from settlement.stripe_simulator import accounts, books, currencies, listing
from settlement.stripe_simulator import parameters as p
from settlement.stripe_simulator.problems import Refused, missing, required
from settlement.stripe_simulator.work import PLATFORM, Work

Json = dict[str, Any]

CREATE: Final[p.Shape] = {
    "amount": p.integer,
    "currency": p.text,
    "description": p.text,
    "destination": p.text,
    "metadata": p.metadata,
    "source_transaction": p.text,
    "source_type": p.one_of("card"),
    "transfer_group": p.text,
}
UPDATE: Final[p.Shape] = {"description": p.text, "metadata": p.metadata}
LIST: Final[p.Shape] = (
    listing.PAGE | listing.CREATED | {"destination": p.text, "transfer_group": p.text}
)
REVERSE: Final[p.Shape] = {
    "amount": p.integer,
    "metadata": p.metadata,
}
UPDATE_REVERSAL: Final[p.Shape] = {"metadata": p.metadata}


def create(work: Work, params: Json) -> Json:
    """Move money from the platform's balance to an account's."""
    for name in ("currency", "destination"):
        if name not in params:
            raise required(name)
    code = currencies.currency(params["currency"])
    destination = accounts.existing(work, params["destination"], "destination")
    if destination["capabilities"].get("transfers") != "active":
        raise Refused(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    source = params.get("source_transaction")
    if source is not None:
        charge = _source(work, source, code)
        amount = params.get("amount", charge["amount_captured"] - charge["_transferred"])
        available_on = _from_charge(work, charge, currencies.positive(amount, code))
    elif "amount" not in params:
        raise required("amount")
    else:
        amount, available_on = currencies.positive(params["amount"], code), work.now
        if amount > books.available(work, code):
            raise Refused(
                "You have insufficient available funds in your Stripe account.",
                code="balance_insufficient",
            )
    transfer = _blank(work, params, amount, code)
    if source is not None:
        group = work.get("charge", source)["transfer_group"] or f"group_{source}"
        transfer["transfer_group"] = transfer["transfer_group"] or group
    transfer["balance_transaction"] = books.post(
        work, "transfer", transfer["id"], -amount, code, available_on=available_on
    )
    transfer["destination_payment"] = _arrives(work, transfer, available_on)
    work.emit("transfer.created", transfer)
    return transfer


def reverse(work: Work, params: Json, transfer_id: str) -> Json:
    """Take it back, or part of it, while the account still has the money."""
    retrieve(work, {}, transfer_id)
    transfer = work.edit("transfer", transfer_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    if left == 0:
        raise Refused(
            f"Transfer {transfer_id} is already fully reversed.", code="transfer_reversal_invalid"
        )
    amount = currencies.positive(params.get("amount", left), transfer["currency"])
    if amount > left:
        raise Refused(
            f"Reversal amount ({amount}) is greater than the unreversed amount ({left}).",
            param="amount",
        )
    paid = work.get("balance_transaction", transfer["balance_transaction"])
    available_on = max(work.now, paid["available_on"])
    _taken(work, transfer, amount, available_on)
    reversal = {
        "id": work.new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": work.now,
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": p.merged({}, params.get("metadata")),
        "source_refund": None,
        "transfer": transfer_id,
    }
    work.add("transfer_reversal", reversal)
    reversal["balance_transaction"] = books.post(
        work,
        "transfer_refund",
        reversal["id"],
        amount,
        transfer["currency"],
        category="transfer_reversal",
        available_on=available_on,
    )
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["_reversals"].append(reversal["id"])
    work.emit("transfer.reversed", shown(work, transfer))
    return reversal


def retrieve(work: Work, _: Json, transfer_id: str) -> Json:
    """With its reversals."""
    return shown(work, work.get("transfer", transfer_id, in_path=True))


def update(work: Work, params: Json, transfer_id: str) -> Json:
    """Its words, never its money."""
    retrieve(work, {}, transfer_id)
    transfer = work.edit("transfer", transfer_id)
    transfer["metadata"] = p.merged(transfer["metadata"], params.get("metadata"))
    if "description" in params:
        transfer["description"] = params["description"] or None
    work.emit("transfer.updated", transfer)
    return shown(work, transfer)


def list_(work: Work, params: Json) -> Json:
    """Newest first."""
    fits = listing.matches(params, "destination", "transfer_group")
    answer = listing.page(work, "transfer", params, "/v1/transfers", fits=fits)
    return answer | {"data": [shown(work, row) for row in answer["data"]]}


def list_reversals(work: Work, params: Json, transfer_id: str) -> Json:
    """Of a transfer, newest first."""
    retrieve(work, {}, transfer_id)
    url = f"/v1/transfers/{transfer_id}/reversals"
    fits = listing.matches({"transfer": transfer_id}, "transfer")
    return listing.page(work, "transfer_reversal", params, url, fits=fits)


def retrieve_reversal(work: Work, _: Json, transfer_id: str, reversal_id: str) -> Json:
    """One of them."""
    found = work.get("transfer_reversal", reversal_id, in_path=True)
    if found["transfer"] != transfer_id:
        raise missing("transfer reversal", reversal_id, in_path=True)
    return found


def shown(work: Work, transfer: Json) -> Json:
    """With its reversals."""
    rows = [work.get("transfer_reversal", one) for one in reversed(transfer["_reversals"])]
    url = f"/v1/transfers/{transfer['id']}/reversals"
    page = {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}
    return transfer | {"reversals": page}


def _source(work: Work, source: str, code: str) -> Json:
    """The charge whose money is passed on."""
    charge = work.get("charge", source, "source_transaction")
    if not charge["captured"]:
        raise Refused(
            "You cannot create a transfer with an uncaptured source_transaction.",
            param="source_transaction",
        )
    if charge["currency"] != code:
        raise Refused(
            f"The currency of source_transaction's balance transaction ({charge['currency']}) must "
            f"be the same as the transfer currency ({code}).",
            param="currency",
        )
    return charge


def _from_charge(work: Work, charge: Json, amount: int) -> int:
    """Count it against the charge; returns when its money is available."""
    left = charge["amount_captured"] - charge["_transferred"]
    if amount > left:
        raise Refused(
            f"Transfers using this transaction as a source must not exceed the source amount of "
            f"{charge['amount_captured']}. (There is already a transfer using this source, "
            f"amounting to {charge['_transferred']}.)",
            param="amount",
        )
    work.edit("charge", charge["id"])["_transferred"] += amount
    on = work.get("balance_transaction", charge["balance_transaction"])["available_on"]
    return int(max(on, work.now))


def _arrives(work: Work, transfer: Json, available_on: int) -> str:
    """On the account's side it is a payment."""
    work.account = transfer["destination"]
    payment_id = work.new_id("py")
    books.post(
        work,
        "payment",
        payment_id,
        transfer["amount"],
        transfer["currency"],
        category="charge",
        available_on=available_on,
    )
    work.later(available_on, "account_paid_out", transfer["currency"])
    work.account = PLATFORM
    return payment_id


def _taken(work: Work, transfer: Json, amount: int, available_on: int) -> None:
    """From the account, which must still have it."""
    work.account = transfer["destination"]
    code = transfer["currency"]
    there = books.available(work, code)
    row = work.changes.find("balance", f"{work.account}:{code}")
    coming = sum(part[1] for part in row["pending"]) if row else 0
    if there + coming < amount:
        work.account = PLATFORM
        raise Refused(
            "The connected account does not have a sufficient balance to cover the reversal.",
            code="balance_insufficient",
        )
    books.post(
        work,
        "payment_refund",
        transfer["destination_payment"],
        -amount,
        code,
        category="refund",
        available_on=available_on,
    )
    work.account = PLATFORM


def _blank(work: Work, params: Json, amount: int, code: str) -> Json:
    transfer = {
        "id": work.new_id("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": work.now,
        "currency": code,
        "description": params.get("description"),
        "destination": params["destination"],
        "destination_payment": None,
        "livemode": False,
        "metadata": p.merged({}, params.get("metadata")),
        "reversals": None,
        "reversed": False,
        "source_transaction": params.get("source_transaction"),
        "source_type": "card",
        "transfer_group": params.get("transfer_group"),
        "_reversals": [],
    }
    url = f"/v1/transfers/{transfer['id']}/reversals"
    transfer["reversals"] = {"object": "list", "data": [], "has_more": False, "url": url}
    return work.add("transfer", transfer)
