"""What the control and the simulator tell each other; JSON, closed structs."""

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_MOVE_S: Final = 400 * 86_400

Text = Annotated[str, Meta(max_length=200)]
Amount = Annotated[int, Meta(ge=1, le=99_999_999)]


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all that is told."""


class Move(Order, frozen=True):
    """Let time pass."""

    seconds: Annotated[int, Meta(ge=0, le=MAX_MOVE_S)]


class BankTransfer(Order, frozen=True):
    """A customer's transfer, which arrives ``after_s`` from now."""

    customer: Text
    amount: Amount
    currency: Text = "usd"
    reference: Text | None = None
    after_s: Annotated[int, Meta(ge=0, le=MAX_MOVE_S)] = 0


class OpenDispute(Order, frozen=True):
    """The payer's bank disputes a charge, or asks about it."""

    charge: Text
    reason: Text = "fraudulent"
    amount: Amount | None = None
    inquiry: bool = False


class DecideDispute(Order, frozen=True):
    """The payer's bank decides."""

    dispute: Text
    won: bool


class Decline(Order, frozen=True):
    """The next charges of a payment method are declined."""

    payment_method: Text
    code: Text = "insufficient_funds"
    times: Annotated[int, Meta(ge=0, le=1_000)] = 1


class Authenticate(Order, frozen=True):
    """The payer answers the bank's question, for a payment or a setup intent."""

    intent: Text
    succeeded: bool = True


class Onboard(Order, frozen=True):
    """The owner of a connected account goes through the onboarding, or half of it."""

    account: Text
    complete: bool = True


class FailPayout(Order, frozen=True):
    """The bank sends a payout back."""

    payout: Text
    code: Text = "account_closed"
    account: Text = ""


class Request(Struct, frozen=True):
    """A request of the API that was answered."""

    at: int
    method: str
    path: str
    idempotency_key: str | None
    status: int
    replayed: bool


class Delivered(Struct, frozen=True):
    """What came of sending all webhooks that are due."""

    taken: int
    refused: int
    waiting: int


class State(Struct, frozen=True):
    """The simulator's time, and what waits in it."""

    now: int
    waiting_webhooks: int
    # By account, `platform` for our own, and currency.
    in_the_bank: dict[str, dict[str, int]]
