"""Stripe's own books: balance transactions, and what of a balance is available.

Each currency is settled in itself, without conversion. Card charges in the US become available
after two business days (docs.stripe.com/payouts); here: two days later at midnight UTC.
Prices are those of stripe.com/pricing for the US: cards 2.9 % + 30, bank debits 0.8 % and bank
transfers 0.5 % of at most 5.00.
"""

from typing import Any, Final

from settlement.stripe_simulator.currencies import exponent
from settlement.stripe_simulator.work import Work

Json = dict[str, Any]

DAY_S: Final = 86_400
AVAILABLE_AFTER_DAYS: Final = 2
DISPUTE_FEE: Final = 1_500  # stripe.com/disputes: 15.00, not returned when the dispute is won


def fee(method: str, amount: int, code: str) -> int:
    """What Stripe keeps of a charge, rounded half up."""
    unit: int = 10 ** exponent(code)
    if method == "card":
        return (29 * amount + 300 * unit + 500) // 1_000
    thousandths = 8 if method == "us_bank_account" else 5
    return min((thousandths * amount + 500) // 1_000, 5 * unit)


def post(
    work: Work,
    kind: str,
    source: str,
    amount: int,
    code: str,
    *,
    fee_minor: int = 0,
    category: str | None = None,
    available_on: int | None = None,
    description: str | None = None,
) -> str:
    """A balance transaction; returns its id."""
    on = work.now if available_on is None else available_on
    described = "Dispute fee" if kind == "adjustment" else "Stripe processing fees"
    details = {"amount": fee_minor, "application": None, "currency": code}
    row: Json = {
        "id": work.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": on,
        "balance_type": "payments",
        "created": work.now,
        "currency": code,
        "description": description,
        "exchange_rate": None,
        "fee": fee_minor,
        "fee_details": [details | {"description": described, "type": "stripe_fee"}]
        if fee_minor
        else [],
        "net": amount - fee_minor,
        "reporting_category": category or kind,
        "source": source,
        "status": "pending",  # as of now whenever it is shown
        "type": kind,
    }
    work.add("balance_transaction", row)
    _move(work, code, row["net"], on)
    return str(row["id"])


def standard_available(now: int) -> int:
    """When a charge of now becomes available."""
    return (now // DAY_S + AVAILABLE_AFTER_DAYS) * DAY_S


def available(work: Work, code: str) -> int:
    """What can be transferred or paid out now."""
    return int(_settled(work, code)["available"])


def balances(work: Work) -> Json:
    """The balance object: docs.stripe.com/api/balance/balance_object."""
    codes = sorted(
        row["currency"]
        for row in work.changes.newest_first("balance")
        if row["account"] == work.account
    ) or ["usd"]

    def part(amount: int, code: str) -> Json:
        return {"amount": amount, "currency": code, "source_types": {"card": amount}}

    rows = {code: _settled(work, code) for code in codes}
    pending = {code: sum(net for _, net in rows[code]["pending"]) for code in codes}
    return {
        "object": "balance",
        "available": [part(rows[code]["available"], code) for code in codes],
        "livemode": False,
        "pending": [part(pending[code], code) for code in codes],
    }


def _move(work: Work, code: str, net: int, on: int) -> None:
    row = _settled(work, code)
    if on <= work.now:
        row["available"] += net
        return
    for part in row["pending"]:
        if part[0] == on:
            part[1] += net
            return
    row["pending"].append([on, net])
    work.later(on, "funds_available", code)


def funds_available(work: Work, code: str) -> None:
    """What was pending can be used from now on."""
    _settled(work, code)
    work.emit("balance.available", balances(work))


def _settled(work: Work, code: str) -> Json:
    """The balance of a currency, with what has become available by now."""
    key = f"{work.account}:{code}"
    if work.changes.find("balance", key) is None:
        new = {"id": key, "account": work.account, "currency": code, "available": 0, "pending": []}
        return work.changes.put("balance", key, new)
    row = work.edit("balance", key)
    due = [net for on, net in row["pending"] if on <= work.now]
    if due:
        row["pending"] = [part for part in row["pending"] if part[0] > work.now]
        row["available"] += sum(due)
    return row
