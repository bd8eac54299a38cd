"""Our own payouts as they are kept and shown, and what could be paid out."""

from msgspec import Struct

from settlement.ids import StripeId
from settlement.payouts.words import PayoutState


class PlatformPayout(Struct, frozen=True, kw_only=True):
    """A payout of ours. ``covers_minor``: what of it is for a bank file."""

    payout_no: int
    currency: str
    amount_minor: int
    covers_minor: int
    batch_id: int | None
    state: PayoutState
    payout_id: StripeId | None
    transaction_id: StripeId | None
    returned_transaction_id: StripeId | None
    arrives_at_us: int | None
    note: str
    asked_at_us: int
    asked_by: str
    changed_at_us: int


class Proposal(Struct, frozen=True, kw_only=True):
    """What could be paid out. ``free_minor``: the house's own; ``available_minor``: what Stripe has
    ready; ``proposed_minor``: as much as both allow, and Stripe takes at once. ``interval``: how
    Stripe pays out; anything but manual has to be changed first."""

    currency: str
    stripe_minor: int
    owed_minor: int
    free_minor: int
    covers_minor: int
    available_minor: int
    proposed_minor: int
    interval: str


class PayoutKey(Struct, frozen=True):
    """The place of a payout in the list of them."""

    payout_no: int
