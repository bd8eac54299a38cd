"""The two lives of what was won: an invoice's payment, and each lot's award. Pure.

A life is a table of legal moves, each with the reason for which it is made; what is not in it is
refused, whoever asks: a person, the sweep, or an event from Stripe that came late or twice. The
diagrams of docs/settlement-lives.md are made from these tables.

What is settled may still be disputed by the buyer's bank; everything else that is at rest stays so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

StateT = TypeVar("StateT", bound=StrEnum)


class PaymentState(StrEnum):
    """Where the payment of one invoice stands."""

    DUE = "DUE"
    AUTHORISING = "AUTHORISING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    AUTHORISED = "AUTHORISED"
    CAPTURING = "CAPTURING"
    AWAITING_FUNDS = "AWAITING_FUNDS"
    PARTLY_FUNDED = "PARTLY_FUNDED"
    PAID = "PAID"
    OVERDUE = "OVERDUE"
    DEFAULTED = "DEFAULTED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


class AwardState(StrEnum):
    """Where the obligation for one lot stands."""

    AWARDED = "AWARDED"
    INVOICED = "INVOICED"
    FUNDED = "FUNDED"
    HANDED_OVER = "HANDED_OVER"
    CLAIMED = "CLAIMED"
    ACCEPTED = "ACCEPTED"
    RELEASED = "RELEASED"
    PAID_OUT = "PAID_OUT"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    VOID = "VOID"


class IllegalMove(Exception):
    """The life has no such move; nothing was changed."""


@dataclass(frozen=True)
class Life(Generic[StateT]):
    """A life: where it starts, its moves with their reasons, and where it may rest for ever."""

    name: str
    start: StateT
    moves: Mapping[StateT, Mapping[StateT, str]]
    ends: frozenset[StateT]

    def allows(self, state: StateT, after: StateT) -> bool:
        """Whether a life at ``state`` may go on to ``after``."""
        return after in self.moves[state]

    def move(self, state: StateT, after: StateT) -> StateT:
        """``after``; raises `IllegalMove` if it cannot follow ``state``."""
        if not self.allows(state, after):
            raise IllegalMove(f"the {self.name} is {state} and cannot become {after}")
        return after

    def is_over(self, state: StateT) -> bool:
        """Whether nothing is waited for any more."""
        return state in self.ends


_P = PaymentState

PAYMENT_LIFE: Final = Life(
    "payment",
    _P.DUE,
    {
        _P.DUE: {
            _P.AUTHORISING: "the card is asked",
            _P.AWAITING_FUNDS: "the buyer pays by bank",
            _P.PAID: "credit covers it, or nothing is left to pay",
            _P.OVERDUE: "the due time has passed",
        },
        _P.AUTHORISING: {
            _P.AUTHORISED: "the bank has promised the amount",
            _P.ACTION_REQUIRED: "the bank wants the buyer to confirm",
            _P.DUE: "the bank declined, or the try was cancelled",
        },
        _P.ACTION_REQUIRED: {
            _P.AUTHORISING: "the buyer has confirmed",
            _P.AUTHORISED: "the buyer has confirmed and the bank has promised",
            _P.DUE: "the buyer did not confirm, and the try was cancelled",
        },
        _P.AUTHORISED: {
            _P.CAPTURING: "the money is called for",
            _P.AUTHORISING: "the promise expired: the card is asked again",
            _P.DUE: "the promise was cancelled",
        },
        _P.CAPTURING: {
            _P.PAID: "the money is here",
            _P.AUTHORISING: "the promise had expired: the card is asked again",
            _P.DUE: "the promise was cancelled before",
        },
        _P.AWAITING_FUNDS: {
            _P.PARTLY_FUNDED: "a part has come",
            _P.PAID: "all of it has come",
            _P.DUE: "the debit failed, or the buyer pays by card",
            _P.OVERDUE: "the due time has passed",
        },
        _P.PARTLY_FUNDED: {
            _P.PAID: "the rest has come, or was credited",
            _P.OVERDUE: "the due time has passed",
            _P.REFUNDED: "its lots were cancelled, or a dispute left nothing of it",
        },
        _P.PAID: {
            _P.REFUNDED: "its lots were cancelled",
            _P.DISPUTED: "the buyer's bank wants the money back",
        },
        _P.DISPUTED: {
            _P.PAID: "the last dispute is over, and something of it is left",
            _P.REFUNDED: "the last dispute is over, and nothing of it is left",
        },
        _P.OVERDUE: {
            _P.AUTHORISING: "the card is asked once more",
            _P.AWAITING_FUNDS: "the buyer was given more time to pay by bank",
            _P.PARTLY_FUNDED: "a part has come late",
            _P.PAID: "all has come late, or what was not paid is void and the rest is paid",
            _P.DEFAULTED: "no lot is paid, and none can be any more",
        },
        _P.DEFAULTED: {},
        _P.REFUNDED: {},
    },
    frozenset({_P.PAID, _P.DEFAULTED, _P.REFUNDED}),
)

_A = AwardState

AWARD_LIFE: Final = Life(
    "award",
    _A.AWARDED,
    {
        _A.AWARDED: {
            _A.INVOICED: "its invoice was issued",
            _A.CANCELLED: "the seller or the house cancelled",
        },
        _A.INVOICED: {
            _A.FUNDED: "its part of the invoice is paid",
            _A.VOID: "the buyer did not pay, which is final at the payment provider",
            _A.CANCELLED: "the seller or the house cancelled",
        },
        _A.FUNDED: {
            _A.HANDED_OVER: "pickup was signed for, or delivery proved",
            _A.ACCEPTED: "never collected and its time is over, or lost to a bank after goods left",
            _A.VOID: "the buyer's bank took the money back before any of the goods had left",
            _A.CANCELLED: "the seller or the house cancelled, and the money went back",
        },
        _A.HANDED_OVER: {
            _A.ACCEPTED: "by the buyer, or the claims window is over",
            _A.CLAIMED: "the buyer claims within the window",
        },
        _A.CLAIMED: {
            _A.ACCEPTED: "the claim was decided, or taken back",
        },
        _A.ACCEPTED: {
            _A.CLAIMED: "staff took a late claim before the release",
            _A.RELEASED: "the held money became owed",
        },
        _A.RELEASED: {
            _A.PAID_OUT: "the money was sent",
            _A.CLOSED: "nothing is owed to anyone",
        },
        _A.PAID_OUT: {
            _A.CLOSED: "the payout has arrived, and the books agree",
        },
        _A.CLOSED: {},
        _A.CANCELLED: {},
        _A.VOID: {},
    },
    frozenset({_A.CLOSED, _A.CANCELLED, _A.VOID}),
)
