"""Stripe's objects as ours. A member that an older API has not, or a kind that we do not know, is
no error: only what decides about money is insisted on."""

from typing import Any, Final

from settlement.ids import StripeId
from settlement.payment_objects import (
    Balance,
    BalanceTransaction,
    BankAddress,
    CashBalance,
    CashMovement,
    Charge,
    ConnectedAccount,
    Customer,
    Dispute,
    Event,
    Failure,
    IntentStatus,
    MethodKind,
    NextAction,
    Payment,
    Payout,
    Refund,
    Reversal,
    SavedMethod,
    Secret,
    Setup,
    Transfer,
)

Json = dict[str, Any]
SECOND_US: Final = 1_000_000


def customer(row: Json) -> Customer:
    return Customer(
        customer_id=StripeId(row["id"]),
        email=row.get("email") or "",
        name=row.get("name") or "",
        default_method_id=_id((row.get("invoice_settings") or {}).get("default_payment_method")),
        deleted=bool(row.get("deleted")),
        metadata=row.get("metadata") or {},
    )


def saved_method(row: Json) -> SavedMethod:
    kind = MethodKind(row["type"])
    details = row.get(kind) or {}
    year, month = details.get("exp_year"), details.get("exp_month")
    return SavedMethod(
        method_id=StripeId(row["id"]),
        customer_id=_id(row.get("customer")),
        kind=kind,
        brand=details.get("brand") or details.get("bank_name") or "",
        last4=details.get("last4") or "",
        expires=f"{year:04}-{month:02}" if year and month else None,
        made_at_us=_us(row["created"]),
    )


def setup(row: Json) -> Setup:
    method = row.get("payment_method")
    return Setup(
        setup_id=StripeId(row["id"]),
        status=IntentStatus(row["status"]),
        customer_id=_id(row.get("customer")),
        method_id=_id(method),
        method=saved_method(method) if isinstance(method, dict) else None,
        client_secret=Secret(row.get("client_secret") or ""),
        action=_action(row.get("next_action")),
        failure=_failure(row.get("last_setup_error")),
        metadata=row.get("metadata") or {},
    )


def payment(row: Json) -> Payment:
    latest = row.get("latest_charge")
    return Payment(
        payment_id=StripeId(row["id"]),
        status=IntentStatus(row["status"]),
        amount_minor=row["amount"],
        capturable_minor=row.get("amount_capturable") or 0,
        received_minor=row.get("amount_received") or 0,
        currency=_currency(row),
        customer_id=_id(row.get("customer")),
        method_id=_id(row.get("payment_method")),
        charge_id=_id(latest),
        charge=charge(latest) if isinstance(latest, dict) else None,
        client_secret=Secret(row.get("client_secret") or ""),
        action=_action(row.get("next_action")),
        failure=_failure(row.get("last_payment_error")),
        cancellation_reason=row.get("cancellation_reason"),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def charge(row: Json) -> Charge:
    details = row.get("payment_method_details") or {}
    kind = details.get("type") or ""
    before = (details.get("card") or {}).get("capture_before")
    moved = row.get("balance_transaction")
    failed = row.get("failure_code")
    return Charge(
        charge_id=StripeId(row["id"]),
        payment_id=_id(row.get("payment_intent")),
        customer_id=_id(row.get("customer")),
        status=row["status"],
        amount_minor=row["amount"],
        captured_minor=row["amount_captured"],
        refunded_minor=row["amount_refunded"],
        currency=_currency(row),
        captured=row["captured"],
        disputed=row["disputed"],
        method_kind=kind,
        capture_before_us=None if before is None else _us(before),
        transaction=balance_transaction(moved) if isinstance(moved, dict) else None,
        failure=Failure(
            failed,
            (row.get("outcome") or {}).get("reason"),
            row.get("failure_message") or "",
        )
        if failed
        else None,
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def refund(row: Json) -> Refund:
    return Refund(
        refund_id=StripeId(row["id"]),
        status=row["status"],
        amount_minor=row["amount"],
        currency=_currency(row),
        charge_id=_id(row.get("charge")),
        payment_id=_id(row.get("payment_intent")),
        transaction_id=_id(row.get("balance_transaction")),
        failed_transaction_id=_id(row.get("failure_balance_transaction")),
        failure_reason=row.get("failure_reason"),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def transfer(row: Json) -> Transfer:
    return Transfer(
        transfer_id=StripeId(row["id"]),
        amount_minor=row["amount"],
        reversed_minor=row["amount_reversed"],
        currency=_currency(row),
        account_id=StripeId(_id(row["destination"]) or ""),
        source_charge_id=_id(row.get("source_transaction")),
        group=row.get("transfer_group"),
        transaction_id=_id(row.get("balance_transaction")),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def reversal(row: Json) -> Reversal:
    return Reversal(
        reversal_id=StripeId(row["id"]),
        transfer_id=StripeId(_id(row["transfer"]) or ""),
        amount_minor=row["amount"],
        currency=_currency(row),
        transaction_id=_id(row.get("balance_transaction")),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def account(row: Json) -> ConnectedAccount:
    needed = row.get("requirements") or {}
    return ConnectedAccount(
        account_id=StripeId(row["id"]),
        country=row.get("country") or "",
        email=row.get("email") or "",
        details_submitted=bool(row.get("details_submitted")),
        takes_transfers=(row.get("capabilities") or {}).get("transfers") == "active",
        payouts_enabled=bool(row.get("payouts_enabled")),
        payout_interval=interval_of(row),
        due=tuple(needed.get("currently_due") or ()),
        disabled_reason=needed.get("disabled_reason"),
        metadata=row.get("metadata") or {},
    )


def interval_of(row: Json) -> str:
    """How an account's balance is paid out."""
    payouts = (row.get("settings") or {}).get("payouts") or {}
    return str((payouts.get("schedule") or {}).get("interval") or "")


def payout(row: Json) -> Payout:
    return Payout(
        payout_id=StripeId(row["id"]),
        status=row["status"],
        amount_minor=row["amount"],
        currency=_currency(row),
        automatic=bool(row.get("automatic")),
        arrives_at_us=_us(row["arrival_date"]),
        transaction_id=_id(row.get("balance_transaction")),
        failed_transaction_id=_id(row.get("failure_balance_transaction")),
        failure_code=row.get("failure_code"),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def balance(row: Json) -> Balance:
    def by_currency(name: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for part in row.get(name) or ():
            currency = _currency(part)
            sums[currency] = sums.get(currency, 0) + part["amount"]
        return sums

    return Balance(by_currency("available"), by_currency("pending"))


def balance_transaction(row: Json) -> BalanceTransaction:
    return BalanceTransaction(
        transaction_id=StripeId(row["id"]),
        kind=row["type"],
        category=row.get("reporting_category") or row["type"],
        amount_minor=row["amount"],
        fee_minor=row["fee"],
        net_minor=row["net"],
        currency=_currency(row),
        source_id=_id(row.get("source")),
        description=row.get("description") or "",
        made_at_us=_us(row["created"]),
        available_at_us=_us(row["available_on"]),
    )


def cash_balance(row: Json) -> CashBalance:
    there = row.get("available") or {}
    mode = (row.get("settings") or {}).get("reconciliation_mode")
    return CashBalance(
        customer_id=StripeId(_id(row["customer"]) or ""),
        available_minor={code.upper(): amount for code, amount in there.items()},
        by_hand=mode == "manual",
    )


def cash_movement(row: Json) -> CashMovement:
    details = row.get(row["type"]) or {}
    sent = details.get("bank_transfer") or {}
    by = sent.get(sent.get("type") or "") or {}
    return CashMovement(
        movement_id=StripeId(row["id"]),
        customer_id=StripeId(_id(row["customer"]) or ""),
        kind=row["type"],
        net_minor=row["net_amount"],
        ending_minor=row["ending_balance"],
        currency=_currency(row),
        payment_id=_id(details.get("payment_intent")),
        reference=sent.get("reference"),
        sender=by.get("sender_name"),
        made_at_us=_us(row["created"]),
    )


def dispute(row: Json) -> Dispute:
    details = row.get("evidence_details") or {}
    due = details.get("due_by")
    return Dispute(
        dispute_id=StripeId(row["id"]),
        status=row["status"],
        amount_minor=row["amount"],
        currency=_currency(row),
        charge_id=StripeId(_id(row["charge"]) or ""),
        payment_id=_id(row.get("payment_intent")),
        reason=row.get("reason") or "",
        answer_by_us=None if due is None else _us(due),
        submissions=details.get("submission_count") or 0,
        transactions=tuple(map(balance_transaction, row.get("balance_transactions") or ())),
        made_at_us=_us(row["created"]),
        metadata=row.get("metadata") or {},
    )


def event(row: Json) -> Event:
    about = (row.get("data") or {}).get("object") or {}
    return Event(
        event_id=StripeId(row["id"]),
        type=row["type"],
        object_kind=about.get("object") or "",
        object_id=_id(about.get("id")),
        customer_id=_id(about.get("customer")),
        account_id=_id(row.get("account")),
        live=bool(row.get("livemode")),
        made_at_us=_us(row["created"]),
    )


def bank_addresses(rows: list[Json]) -> tuple[BankAddress, ...]:
    return tuple(_bank_address(row) for row in rows)


_ROUTING: Final = ("routing_number", "swift_code", "sort_code", "bic")
_ACCOUNT: Final = ("account_number", "iban", "clabe")


def _bank_address(row: Json) -> BankAddress:
    kind = row["type"]
    details = row.get(kind) or {}
    return BankAddress(
        kind=kind,
        account=next((details[name] for name in _ACCOUNT if details.get(name)), ""),
        routing=next((details[name] for name in _ROUTING if details.get(name)), ""),
        holder=details.get("account_holder_name") or "",
        bank=details.get("bank_name") or "",
        networks=tuple(row.get("supported_networks") or ()),
    )


def _action(row: Json | None) -> NextAction | None:
    if row is None:
        return None
    kind = row["type"]
    details = row.get(kind) or {}
    if kind != "display_bank_transfer_instructions":
        return NextAction(kind=kind, url=details.get("url"))
    return NextAction(
        kind=kind,
        url=details.get("hosted_instructions_url"),
        remaining_minor=details.get("amount_remaining"),
        reference=details.get("reference"),
        addresses=bank_addresses(details.get("financial_addresses") or []),
    )


def _failure(row: Json | None) -> Failure | None:
    if not row:
        return None
    return Failure(row.get("code") or "", row.get("decline_code"), row.get("message") or "")


def _id(value: Any) -> StripeId | None:
    """An id, whether or not its object was expanded."""
    if isinstance(value, dict):
        value = value["id"]
    return StripeId(value) if value else None


def _currency(row: Json) -> str:
    return str(row["currency"]).upper()


def _us(seconds: int) -> int:
    return seconds * SECOND_US
