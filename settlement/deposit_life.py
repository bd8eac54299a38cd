"""The life of a deposit: a buyer's promise for one sale, held on its card. Pure.

A card's promise ends after days, a sale may take longer: before it ends, another is asked for, and
only when that stands is the old one given up. Where the bank does not promise again, the old one is
taken: it is a credit of the buyer's then, in an account of its own, so that no invoice spends it.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.ids import BidderId, SaleId
from settlement.chart import Account, buyer_credit
from settlement.ids import StripeId
from settlement.lives import Life


class DepositState(StrEnum):
    """Where a deposit stands."""

    ASKED = "ASKED"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    DECLINED = "DECLINED"
    HELD = "HELD"
    RENEWING = "RENEWING"
    TAKING = "TAKING"
    TAKEN = "TAKEN"
    RETURNING = "RETURNING"
    RELEASING = "RELEASING"
    RELEASED = "RELEASED"
    FORFEITED = "FORFEITED"
    LOST = "LOST"


class TakenFor(StrEnum):
    """Why a promise is turned into money."""

    CHARGE = "CHARGE"  # the bank does not promise again
    FORFEIT = "FORFEIT"  # the buyer did not pay


class Wish(StrEnum):
    """What is to become of a deposit that is being taken."""

    RELEASE = "RELEASE"
    FORFEIT = "FORFEIT"


_D = DepositState

DEPOSIT_LIFE: Final = Life(
    "deposit",
    _D.ASKED,
    {
        _D.ASKED: {
            _D.HELD: "the bank has promised it",
            _D.ACTION_REQUIRED: "the bank wants the buyer to confirm",
            _D.DECLINED: "the bank declined",
            _D.RELEASING: "it is not needed any more",
        },
        _D.ACTION_REQUIRED: {
            _D.HELD: "the buyer has confirmed and the bank has promised",
            _D.DECLINED: "the buyer did not confirm, or the bank declined",
            _D.RELEASING: "it is not needed any more",
        },
        _D.DECLINED: {_D.ASKED: "another card, or another try"},
        _D.HELD: {
            _D.RENEWING: "the promise ends soon: another is asked for",
            _D.TAKING: "the buyer did not pay",
            _D.RELEASING: "the buyer won nothing, or has paid",
            _D.LOST: "the promise ended",
        },
        _D.RENEWING: {
            _D.HELD: "the bank has promised again",
            _D.TAKING: "the bank does not promise again, or the buyer did not pay",
            _D.RELEASING: "the buyer won nothing, or has paid",
            _D.ASKED: "the old promise ended before the new one was there",
        },
        _D.TAKING: {
            _D.TAKEN: "it is a credit of the buyer's now",
            _D.FORFEITED: "it is kept",
            _D.LOST: "the promise had ended",
        },
        _D.TAKEN: {
            _D.RETURNING: "the buyer won nothing or has paid, or only a part is kept",
            _D.FORFEITED: "the buyer did not pay: it is kept",
            _D.LOST: "the buyer's bank took it back for good",
        },
        _D.RETURNING: {
            _D.RELEASED: "it went back",
            _D.FORFEITED: "what is not kept went back",
        },
        _D.RELEASING: {_D.RELEASED: "nothing is held any more"},
        _D.RELEASED: {_D.ASKED: "it is asked for again"},
        _D.LOST: {_D.ASKED: "it is asked for again"},
        _D.FORFEITED: {},
    },
    frozenset({_D.DECLINED, _D.RELEASED, _D.FORFEITED, _D.LOST}),
)

# While a promise stands, or money is there for it.
STANDS: Final = frozenset({_D.HELD, _D.RENEWING, _D.TAKING, _D.TAKEN})


class Deposit(Struct, frozen=True, kw_only=True):
    """A deposit as its row has it; see the table for what each column means."""

    sale_id: SaleId
    buyer_id: BidderId
    amount_minor: int
    currency: str
    state: DepositState
    method_id: StripeId
    return_url: str
    tries: int
    payment_id: StripeId | None = None
    held_try: int | None = None
    held_payment_id: StripeId | None = None
    charge_id: StripeId | None = None
    capture_before_us: int | None = None
    taking_minor: int = 0
    taking_for: TakenFor | None = None
    wish: Wish | None = None
    wished_minor: int = 0
    taken_minor: int = 0
    forfeited_minor: int = 0
    moves: int = 0
    counted: int | None = None
    declined: str | None = None
    asked_at_us: int
    changed_at_us: int
    version: int = 1

    @property
    def subject(self) -> str:
        """What its operations and entries are about; no id has a tilde in it."""
        return deposit_subject(self.sale_id, self.buyer_id)

    @property
    def purse(self) -> Account:
        """Where it is in the books while it is money."""
        return buyer_credit(BidderId(self.subject))


def deposit_subject(sale_id: SaleId, buyer_id: BidderId) -> str:
    return f"deposit~{sale_id}~{buyer_id}"


def subject_parts(subject: str) -> tuple[SaleId, BidderId]:
    """What `deposit_subject` joined."""
    _, sale_id, buyer_id = subject.split("~")
    return SaleId(sale_id), BidderId(buyer_id)
