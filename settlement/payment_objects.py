"""What is at the payment provider, in our words: small frozen values, never the SDK's objects.

Amounts are minor units with a currency in capitals; times are microseconds. Ids are the provider's
own. An object is what it was when it was read: whoever decides by one reads it again first.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Generic, TypeVar

from msgspec import Struct

from auction.money import EXPONENTS
from settlement.ids import StripeId

RowT = TypeVar("RowT", covariant=True)

# "a positive integer of up to eight digits": docs.stripe.com/currencies. More is several payments.
MAX_AMOUNT_MINOR: Final = 99_999_999
# The smallest charge where it is not half a unit: docs.stripe.com/currencies.
_LEAST_MINOR: Final = {"GBP": 30, "MXN": 1_000, "JPY": 50}
# Where an object says which operation made it: the operation's idempotency key.
OP_ID: Final = "op_id"


class Secret(str):
    """Text that the buyer's browser needs and that no log, traceback or repr shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('...')"


class MethodKind(StrEnum):
    """Ways to pay."""

    CARD = "card"
    BANK_DEBIT = "us_bank_account"
    BANK_TRANSFER = "customer_balance"


class IntentStatus(StrEnum):
    """Where a payment or the saving of a card stands: docs.stripe.com/payments/paymentintents/
    lifecycle. ``REQUIRES_ACTION``: of the buyer, or a bank transfer that is waited for."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


class Page(Struct, Generic[RowT], frozen=True):
    """Rows, the newest first. ``next_after``: where the next page begins, ``None`` at the end."""

    rows: tuple[RowT, ...]
    next_after: StripeId | None


class Failure(Struct, frozen=True):
    """Why the latest try did not work."""

    code: str
    decline_code: str | None
    message: str


class Customer(Struct, frozen=True, kw_only=True):
    """A buyer at the provider."""

    customer_id: StripeId
    email: str
    name: str
    default_method_id: StripeId | None
    deleted: bool
    metadata: Mapping[str, str]


class SavedMethod(Struct, frozen=True, kw_only=True):
    """A card or bank account. ``expires``: the last month of a card, "2034-12"."""

    method_id: StripeId
    customer_id: StripeId | None
    kind: MethodKind
    brand: str  # a card's, or the bank's name
    last4: str
    expires: str | None
    made_at_us: int


class NextAction(Struct, frozen=True, kw_only=True):
    """What the buyer has to do: go to ``url``, or send ``remaining_minor`` to ``addresses``."""

    kind: str
    url: str | None = None
    remaining_minor: int | None = None
    reference: str | None = None
    addresses: tuple["BankAddress", ...] = ()


class BankAddress(Struct, frozen=True, kw_only=True):
    """A bank account that a buyer can send money to. ``account``: number or IBAN; ``routing``:
    the ABA number, SWIFT code, sort code or BIC, as ``kind`` says."""

    kind: str
    account: str
    routing: str
    holder: str
    bank: str
    networks: tuple[str, ...]


class Setup(Struct, frozen=True, kw_only=True):
    """A card or bank account that is being saved for later. ``method``: once it is chosen."""

    setup_id: StripeId
    status: IntentStatus
    customer_id: StripeId | None
    method_id: StripeId | None
    method: SavedMethod | None
    client_secret: Secret
    action: NextAction | None
    failure: Failure | None
    metadata: Mapping[str, str]


class BalanceTransaction(Struct, frozen=True, kw_only=True):
    """A row of the provider's own books: ``net`` is ``amount`` less ``fee``, each signed."""

    transaction_id: StripeId
    kind: str  # "charge", "payment", "refund", "transfer", "payout", "adjustment", ...
    category: str  # the reporting category: "dispute" where the kind says "adjustment"
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source_id: StripeId | None
    description: str
    made_at_us: int
    available_at_us: int


class Charge(Struct, frozen=True, kw_only=True):
    """What a payment did to the payer's account. ``capture_before_us``: when an authorisation
    ends by itself. ``transaction``: with the fee, once the money moved."""

    charge_id: StripeId
    payment_id: StripeId | None
    customer_id: StripeId | None
    status: str  # "pending", "succeeded", "failed"
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    captured: bool
    disputed: bool
    method_kind: str
    capture_before_us: int | None
    transaction: BalanceTransaction | None
    failure: Failure | None
    made_at_us: int
    metadata: Mapping[str, str]


class Payment(Struct, frozen=True, kw_only=True):
    """One payment. ``received_minor``: captured, or all of a bank transfer once it is complete;
    what of a transfer was applied before is ``amount_minor`` less ``action.remaining_minor``.
    ``charge``: its latest, where one payment was asked about, and not a list."""

    payment_id: StripeId
    status: IntentStatus
    amount_minor: int
    capturable_minor: int
    received_minor: int
    currency: str
    customer_id: StripeId | None
    method_id: StripeId | None
    charge_id: StripeId | None
    charge: Charge | None = None
    client_secret: Secret
    action: NextAction | None
    failure: Failure | None
    cancellation_reason: str | None
    made_at_us: int
    metadata: Mapping[str, str]


class Refund(Struct, frozen=True, kw_only=True):
    """Money given back. ``failed_transaction_id``: it came back, which can be days later."""

    refund_id: StripeId
    status: str  # "pending", "requires_action", "succeeded", "failed", "canceled"
    amount_minor: int
    currency: str
    charge_id: StripeId | None
    payment_id: StripeId | None
    transaction_id: StripeId | None
    failed_transaction_id: StripeId | None
    failure_reason: str | None
    made_at_us: int
    metadata: Mapping[str, str]


class Reversal(Struct, frozen=True, kw_only=True):
    """A part of a transfer that was taken back."""

    reversal_id: StripeId
    transfer_id: StripeId
    amount_minor: int
    currency: str
    transaction_id: StripeId | None
    made_at_us: int
    metadata: Mapping[str, str]


class Transfer(Struct, frozen=True, kw_only=True):
    """Money sent to a connected account."""

    transfer_id: StripeId
    amount_minor: int
    reversed_minor: int
    currency: str
    account_id: StripeId
    source_charge_id: StripeId | None
    group: str | None
    transaction_id: StripeId | None
    made_at_us: int
    metadata: Mapping[str, str]


class ConnectedAccount(Struct, frozen=True, kw_only=True):
    """A seller's account. ``due``: what it still has to tell the provider."""

    account_id: StripeId
    country: str
    email: str
    details_submitted: bool
    takes_transfers: bool
    payouts_enabled: bool
    payout_interval: str  # "manual", "daily", ...
    due: tuple[str, ...]
    disabled_reason: str | None
    metadata: Mapping[str, str]


class AccountLink(Struct, frozen=True):
    """Where a seller goes to be onboarded; it can be used once, and soon."""

    url: str
    expires_at_us: int


class Payout(Struct, frozen=True, kw_only=True):
    """Money sent from a balance to its owner's bank."""

    payout_id: StripeId
    status: str  # "pending", "in_transit", "paid", "failed", "canceled"
    amount_minor: int
    currency: str
    automatic: bool
    arrives_at_us: int
    transaction_id: StripeId | None
    failed_transaction_id: StripeId | None
    failure_code: str | None
    made_at_us: int
    metadata: Mapping[str, str]


class Balance(Struct, frozen=True):
    """By currency: what can be sent now, and what comes."""

    available_minor: Mapping[str, int]
    pending_minor: Mapping[str, int]


class CashBalance(Struct, frozen=True, kw_only=True):
    """A buyer's own money at the provider, by currency: ours only once it is applied."""

    customer_id: StripeId
    available_minor: Mapping[str, int]
    by_hand: bool  # we say what it is applied to


class CashMovement(Struct, frozen=True, kw_only=True):
    """A movement of a buyer's own money: ``funded``, ``applied_to_payment``,
    ``unapplied_from_payment``, ``refunded_from_payment``, ``return_initiated``, ..."""

    movement_id: StripeId
    customer_id: StripeId
    kind: str
    net_minor: int
    ending_minor: int
    currency: str
    payment_id: StripeId | None
    reference: str | None
    sender: str | None
    made_at_us: int


class Dispute(Struct, frozen=True, kw_only=True):
    """A payer's bank wants the money back. ``status``: ``needs_response``, ``under_review``,
    ``won``, ``lost``; with ``warning_`` before it only asks, and has taken nothing."""

    dispute_id: StripeId
    status: str
    amount_minor: int
    currency: str
    charge_id: StripeId
    payment_id: StripeId | None
    reason: str
    answer_by_us: int | None
    submissions: int
    transactions: tuple[BalanceTransaction, ...]
    made_at_us: int
    metadata: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        return self.status in ("won", "lost", "warning_closed", "prevented")


class Event(Struct, frozen=True, kw_only=True):
    """A hint that something happened to an object: read the object again."""

    event_id: StripeId
    type: str
    object_kind: str
    object_id: StripeId | None
    customer_id: StripeId | None
    account_id: StripeId | None  # a connected account's event
    made_at_us: int
    live: bool = False


def _step_minor(currency: str) -> int:
    """Stripe takes amounts of three decimals only with a 0 at their end."""
    return 10 if EXPONENTS[currency] == 3 else 1


def asked_minor(amount_minor: int, currency: str) -> int:
    """What a payer is asked for where so much is to be paid: the next amount that the provider
    takes. What is over is the payer's credit."""
    step = _step_minor(currency)
    return -(-amount_minor // step) * step


def returned_minor(amount_minor: int, currency: str) -> int:
    """What of an amount can go back to a charge: what is left of it stays the payer's credit."""
    return amount_minor // _step_minor(currency) * _step_minor(currency)


def least_charge_minor(currency: str) -> int:
    """What one payment is at least."""
    unit_minor: int = 10 ** EXPONENTS[currency]
    return _LEAST_MINOR.get(currency, unit_minor // 2)
