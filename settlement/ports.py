"""What settlement needs of a payment provider, and what it may rely on.

Every call that changes something takes ``key``: its idempotency key. The same key with the same
arguments has one effect, however often it is sent, for at least 24 hours; later the object is
looked up (``find_...``), since a key that was pruned would have a second effect. What is made
carries ``{"op_id": key}`` and ``about`` (the ids of our invoice and awards) as its metadata.

Two errors, and no other: `Unknown` says nothing of the effect, so the same call is made again with
the same key; `Refused` is definite, and `PaymentDeclined` is one. An object that is read may be
newer than the last event.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from settlement.ids import StripeId
from settlement.operations import Refused, Unknown
from settlement.payment_objects import (
    AccountLink,
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
    MethodKind,
    Page,
    Payment,
    Payout,
    Refund,
    Reversal,
    SavedMethod,
    Setup,
    Transfer,
)

__all__ = [
    "Books",
    "Buyers",
    "PaymentDeclined",
    "PaymentProvider",
    "Payments",
    "Refused",
    "Sellers",
    "Unknown",
]

About = Mapping[str, str]
NOTHING: About = {}


class PaymentDeclined(Refused):
    """The payer's bank says no. ``payment_id`` and ``charge_id``: what the try leaves behind."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        decline_code: str | None = None,
        payment_id: StripeId | None = None,
        charge_id: StripeId | None = None,
    ) -> None:
        super().__init__(code, message, decline_code=decline_code)
        self.payment_id, self.charge_id = payment_id, charge_id


class Buyers(Protocol):
    """Buyers and what they saved."""

    async def create_customer(
        self, key: str, *, email: str, name: str, about: About = NOTHING
    ) -> Customer: ...

    async def customer(self, customer_id: StripeId) -> Customer: ...

    async def find_customer(self, key: str) -> Customer | None:
        """By the key that made it; found a minute after it was made."""
        ...

    async def start_setup(
        self, key: str, *, customer_id: StripeId, kind: MethodKind, about: About = NOTHING
    ) -> Setup:
        """For a form in the buyer's browser, which confirms it with the client secret."""
        ...

    async def confirm_setup(
        self,
        key: str,
        setup_id: StripeId,
        *,
        method_id: StripeId,
        return_url: str | None = None,
        address: str | None = None,
        user_agent: str | None = None,
    ) -> Setup:
        """Save a payment method. ``address`` and ``user_agent``: of the buyer who agreed, which a
        bank account's mandate needs."""
        ...

    async def setup(self, setup_id: StripeId) -> Setup: ...

    async def find_setup(self, key: str, customer_id: StripeId) -> Setup | None: ...

    async def cancel_setup(self, key: str, setup_id: StripeId) -> Setup: ...

    async def methods(
        self, customer_id: StripeId, kind: MethodKind, *, limit: int = 100
    ) -> tuple[SavedMethod, ...]: ...

    async def method(self, method_id: StripeId) -> SavedMethod: ...

    async def set_default_method(
        self, key: str, customer_id: StripeId, method_id: StripeId
    ) -> Customer: ...

    async def detach_method(self, key: str, method_id: StripeId) -> SavedMethod:
        """For ever: it can never be used again."""
        ...


class Payments(Protocol):
    """Money in. Create, confirm and capture are three steps: the id is saved after the first."""

    async def create_payment(
        self,
        key: str,
        *,
        amount_minor: int,
        currency: str,
        customer_id: StripeId,
        kind: MethodKind,
        group: str | None = None,
        about: About = NOTHING,
    ) -> Payment:
        """By card: an authorisation that is captured by hand. By bank debit: it is taken once it
        is confirmed, and known days later. By bank transfer: it waits for the buyer's money at
        once, and is not to be confirmed."""
        ...

    async def confirm_payment(
        self,
        key: str,
        payment_id: StripeId,
        *,
        method_id: StripeId,
        off_session: bool = True,
        return_url: str | None = None,
    ) -> Payment:
        """Ask the payer's bank. Raises `Refused` with its ``decline_code``; the payment itself can
        be confirmed again with another method. ``off_session``: the buyer is not there; it is
        refused with ``authentication_required`` where the bank wants to ask it."""
        ...

    async def capture_payment(
        self, key: str, payment_id: StripeId, *, amount_minor: int | None = None
    ) -> Payment:
        """Take what is held, or a part of it: the rest is given up."""
        ...

    async def cancel_payment(self, key: str, payment_id: StripeId) -> Payment:
        """What is held goes back to the card, what was applied to the buyer's cash balance."""
        ...

    async def change_amount(self, key: str, payment_id: StripeId, *, amount_minor: int) -> Payment:
        """Before it is complete."""
        ...

    async def payment(self, payment_id: StripeId) -> Payment: ...

    async def find_payment(self, key: str, customer_id: StripeId | None = None) -> Payment | None:
        """By the key that created it. With its customer at once; without, a minute later."""
        ...

    async def charge(self, charge_id: StripeId) -> Charge:
        """With ``capture_before_us``, and its balance transaction once it has one."""
        ...

    async def charges(self, payment_id: StripeId, *, limit: int = 100) -> tuple[Charge, ...]:
        """All tries of a payment, the newest first."""
        ...

    async def refund(
        self,
        key: str,
        *,
        charge_id: StripeId,
        amount_minor: int,
        currency: str,
        about: About = NOTHING,
    ) -> Refund:
        """To where the money came from; of a bank transfer, to the buyer's cash balance."""
        ...

    async def refund_cash(
        self,
        key: str,
        *,
        customer_id: StripeId,
        amount_minor: int,
        currency: str,
        email: str,
        about: About = NOTHING,
    ) -> Refund:
        """From the buyer's cash balance to its bank; it is asked for its account by mail."""
        ...

    async def refund_of(self, refund_id: StripeId) -> Refund: ...

    async def find_refund(
        self, key: str, *, charge_id: StripeId | None = None, since_us: int = 0
    ) -> Refund | None:
        """Of a charge; else among all that were made since."""
        ...

    async def reconcile_by_hand(self, key: str, customer_id: StripeId) -> CashBalance:
        """From now on we say what a buyer's transfers pay."""
        ...

    async def apply_cash(self, key: str, payment_id: StripeId, *, amount_minor: int) -> Payment:
        """Pay with what is in the buyer's cash balance."""
        ...

    async def cash(self, customer_id: StripeId) -> CashBalance: ...

    async def cash_movements(
        self, customer_id: StripeId, *, after: StripeId | None = None, limit: int = 100
    ) -> Page[CashMovement]: ...

    async def bank_addresses(
        self, key: str, customer_id: StripeId, currency: str
    ) -> tuple[BankAddress, ...]:
        """The bank account of a buyer's own to which it sends money."""
        ...


class Sellers(Protocol):
    """Money out: to connected accounts and to our own bank."""

    async def create_account(
        self, key: str, *, email: str, country: str = "US", about: About = NOTHING
    ) -> ConnectedAccount: ...

    async def account(self, account_id: StripeId) -> ConnectedAccount: ...

    async def find_account(self, key: str, *, since_us: int) -> ConnectedAccount | None:
        """Among those that were made since, which have to be few."""
        ...

    async def onboarding_link(
        self, account_id: StripeId, *, return_url: str, refresh_url: str
    ) -> AccountLink: ...

    async def transfer(
        self,
        key: str,
        *,
        account_id: StripeId,
        amount_minor: int,
        currency: str,
        source_charge_id: StripeId | None,
        group: str | None = None,
        about: About = NOTHING,
    ) -> Transfer:
        """With a charge: before its money is available. Without: from what is available."""
        ...

    async def transfer_of(self, transfer_id: StripeId) -> Transfer: ...

    async def find_transfer(self, key: str, group: str) -> Transfer | None:
        """Among those of its group."""
        ...

    async def reverse(
        self,
        key: str,
        transfer_id: StripeId,
        *,
        amount_minor: int,
        about: About = NOTHING,
    ) -> Reversal:
        """Take a part back while the seller's balance has it."""
        ...

    async def reversals(self, transfer_id: StripeId) -> tuple[Reversal, ...]: ...

    async def find_reversal(self, key: str, transfer_id: StripeId) -> Reversal | None: ...

    async def pay_out(
        self, key: str, *, amount_minor: int, currency: str, about: About = NOTHING
    ) -> Payout:
        """From our balance to our bank."""
        ...

    async def payout(
        self, payout_id: StripeId, *, account_id: StripeId | None = None
    ) -> Payout: ...

    async def payouts(
        self,
        *,
        account_id: StripeId | None = None,
        since_us: int = 0,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Payout]:
        """Ours, or a connected account's."""
        ...

    async def find_payout(self, key: str, *, since_us: int) -> Payout | None: ...

    async def payout_interval(self) -> str:
        """How our balance is paid out: it has to be ``manual``."""
        ...

    async def pay_out_by_hand(self, key: str) -> str:
        """From now on nothing leaves our balance by itself; returns the interval."""
        ...


class Books(Protocol):
    """What the provider says of its own books, of disputes, and of what happened."""

    async def balance(self, account_id: StripeId | None = None) -> Balance: ...

    async def balance_transactions(
        self,
        *,
        since_us: int,
        before_us: int,
        currency: str | None = None,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[BalanceTransaction]:
        """Made from ``since_us`` on and before ``before_us``, whole seconds; the newest first."""
        ...

    async def balance_transaction(self, transaction_id: StripeId) -> BalanceTransaction: ...

    async def dispute(self, dispute_id: StripeId) -> Dispute: ...

    async def disputes(
        self,
        *,
        payment_id: StripeId | None = None,
        since_us: int = 0,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Dispute]: ...

    async def answer_dispute(
        self, key: str, dispute_id: StripeId, evidence: Mapping[str, str], *, submit: bool
    ) -> Dispute:
        """Stage evidence, or send it to the bank: once, and for good."""
        ...

    async def accept_dispute(self, key: str, dispute_id: StripeId) -> Dispute:
        """It is lost."""
        ...

    async def event(self, event_id: StripeId) -> Event: ...

    async def events(
        self,
        *,
        since_us: int = 0,
        before_us: int | None = None,
        types: Sequence[str] = (),
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """For those whose webhook never came."""
        ...


class PaymentProvider(Buyers, Payments, Sellers, Books, Protocol):
    """All of it. `settlement.stripe_gateway.StripeGateway` is one, at Stripe or at the
    simulator."""
