"""What payments speak of: ways and tries, money that came in, and what a decision writes. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.ids import BidderId
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.operations import Refused
from settlement.payment_objects import Charge, IntentStatus, Payment
from settlement.policy import Policy
from settlement.steps import Step


class Way(StrEnum):
    """How a charge was paid."""

    CARD = "CARD"
    DEBIT = "DEBIT"
    TRANSFER = "TRANSFER"


class TryState(StrEnum):
    """Where a try to pay stands."""

    CREATING = "CREATING"  # it is to be made; whether it was, nobody knows yet
    OPEN = "OPEN"  # it was made, and the payer's bank is to be asked
    ASKING = "ASKING"  # the bank wants the buyer there: it is asked anew
    ACTION = "ACTION"  # the buyer has to confirm
    PROMISED = "PROMISED"  # the amount is held on the card
    PENDING = "PENDING"  # a debit is on its way
    FAILED = "FAILED"  # declined, and not cancelled yet
    CAPTURED = "CAPTURED"  # its money is in the books
    CANCELLED = "CANCELLED"  # it took no money and never will


ENDED: Final = frozenset({TryState.CAPTURED, TryState.CANCELLED})


class Try(Struct, frozen=True, kw_only=True):
    """A try to pay an invoice. ``payment_id`` None: not known yet, or it was never made."""

    invoice_id: InvoiceId
    number: int
    way: Way
    state: TryState
    customer_id: StripeId
    method_id: StripeId | None
    amount_minor: int
    currency: str
    payment_id: StripeId | None = None
    status: IntentStatus | None = None
    promised_at_us: int | None = None
    capture_before_us: int | None = None
    failure_code: str | None = None
    decline_code: str | None = None
    failure_message: str | None = None
    made_at_us: int
    changed_at_us: int


class Payer(Struct, frozen=True, kw_only=True):
    """A buyer at the payment provider. ``card_id`` and ``debit_id``: what it saved to pay with."""

    customer_id: StripeId
    email: str
    card_id: StripeId | None = None
    debit_id: StripeId | None = None


class TakenIn(Struct, frozen=True, kw_only=True):
    """Money that is ours at the provider from now on, with its row in the provider's books."""

    charge_id: StripeId
    payment_id: StripeId
    transaction_id: StripeId
    customer_id: StripeId
    way: Way
    amount_minor: int
    fee_minor: int
    made_at_us: int


class ChargeRow(Struct, frozen=True, kw_only=True):
    """The same as it is kept, with whose it is and what it was for."""

    taken: TakenIn
    invoice_id: InvoiceId | None
    buyer_id: BidderId
    currency: str


class Credited(Struct, frozen=True):
    """A part of a line that need not be paid, or goes back."""

    reason: str
    money: AwardMoney


class Seen(Struct, frozen=True, kw_only=True):
    """A payment as it was read after something happened to it. ``refused``: what was asked of it
    before, and denied. ``charge``: its latest, where money may have moved."""

    payment: Payment
    charge: Charge | None = None
    refused: Refused | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What decisions about an invoice look at, beside the invoice itself.

    ``earmarked_minor``: credit of the buyer that is kept for it; ``credit_minor``: credit that is
    kept for nothing. ``named``: lots that were named to be paid first. ``asked_until_us``: the
    seller is asked to confirm what it sold, has not answered for all of it, and may until then.
    """

    policy: Policy
    tries: tuple[Try, ...] = ()
    credited: tuple[Credited, ...] = ()
    earmarked_minor: int = 0
    credit_minor: int = 0
    named: tuple[AwardId, ...] = ()
    payer: Payer | None = None
    asked_until_us: int | None = None

    def try_of(self, number: int) -> Try | None:
        """The try of this number."""
        return next((each for each in self.tries if each.number == number), None)


class Decided(Struct, frozen=True, kw_only=True):
    """What follows from facts. ``steps`` in their order: a life may make several moves at once.

    ``earmarked_minor``: kept for the invoice from now on; None: as before. ``again_at_us``: the
    facts are not all there; the same question is to be asked then.
    """

    steps: Sequence[Step] = ()
    tries: Sequence[Try] = ()
    charges: Sequence[ChargeRow] = ()
    earmarked_minor: int | None = None
    again_at_us: int | None = None

    def __add__(self, other: "Decided") -> "Decided":
        """Both, the other's steps after these."""
        return Decided(
            steps=(*self.steps, *other.steps),
            tries=(*self.tries, *other.tries),
            charges=(*self.charges, *other.charges),
            earmarked_minor=self.earmarked_minor
            if other.earmarked_minor is None
            else other.earmarked_minor,
            again_at_us=self.again_at_us or other.again_at_us,
        )


NOTHING: Final = Decided()
