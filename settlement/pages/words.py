"""The words of settlement's pages: states, kinds and facts as people read them."""

from collections.abc import Callable, Mapping
from typing import Final

from auction.amounts import plain, sign
from auction.money import EXPONENTS
from settlement.lives import AwardState, PaymentState
from settlement.queue import MEANINGS, Waiting

# Words, the kind of badge, an icon: what the kit's badge takes.
Badge = tuple[str, str, str]

PAYMENTS: Final[Mapping[str, Badge]] = {
    PaymentState.DUE: ("To be paid", "warn", "clock"),
    PaymentState.AUTHORISING: ("Card is asked", "info", "clock"),
    PaymentState.ACTION_REQUIRED: ("Confirmation needed", "warn", "alert"),
    PaymentState.AUTHORISED: ("Promised by the bank", "info", "check"),
    PaymentState.CAPTURING: ("Being collected", "info", "clock"),
    PaymentState.AWAITING_FUNDS: ("Waiting for the transfer", "info", "clock"),
    PaymentState.PARTLY_FUNDED: ("Partly paid", "warn", "wallet"),
    PaymentState.PAID: ("Paid", "good", "check"),
    PaymentState.OVERDUE: ("Overdue", "bad", "alert"),
    PaymentState.DEFAULTED: ("Not paid", "bad", "x"),
    PaymentState.REFUNDED: ("Refunded", "", "arrow-left"),
    PaymentState.DISPUTED: ("Disputed", "bad", "alert"),
}

AWARDS: Final[Mapping[str, Badge]] = {
    AwardState.AWARDED: ("Awarded", "info", "gavel"),
    AwardState.INVOICED: ("Invoiced", "info", "document"),
    AwardState.FUNDED: ("Paid", "good", "wallet"),
    AwardState.HANDED_OVER: ("Handed over", "good", "truck"),
    AwardState.CLAIMED: ("Claimed", "warn", "alert"),
    AwardState.ACCEPTED: ("Accepted", "good", "check"),
    AwardState.RELEASED: ("Released to the seller", "good", "dollar"),
    AwardState.PAID_OUT: ("Paid out", "good", "check"),
    AwardState.CLOSED: ("Closed", "", "check"),
    AwardState.CANCELLED: ("Cancelled", "", "minus"),
    AwardState.VOID: ("Void", "bad", "x"),
}

# The way of an award where nothing goes wrong, with the column that says when.
AWARD_WAY: Final = (
    (AwardState.AWARDED, "Awarded", "awarded_at_us"),
    (AwardState.FUNDED, "Paid", "funded_at_us"),
    (AwardState.HANDED_OVER, "Handed over", "handed_over_at_us"),
    (AwardState.ACCEPTED, "Accepted", "accepted_at_us"),
    (AwardState.RELEASED, "Released", "released_at_us"),
    (AwardState.PAID_OUT, "Paid out", "paid_out_at_us"),
)

OPERATIONS: Final[Mapping[str, Badge]] = {
    "WAITING": ("Waits", "info", "clock"),
    "DONE": ("Done", "good", "check"),
    "HELD": ("Needs a person", "bad", "alert"),
    "DROPPED": ("Not needed any more", "", "minus"),
}

QUEUE: Final[Mapping[str, Badge]] = {
    Waiting.HELD: (MEANINGS[Waiting.HELD], "bad", "alert"),
    Waiting.STUCK: (MEANINGS[Waiting.STUCK], "warn", "clock"),
    Waiting.OVERDUE: (MEANINGS[Waiting.OVERDUE], "warn", "wallet"),
    Waiting.CLAIM: (MEANINGS[Waiting.CLAIM], "warn", "box"),
    Waiting.DISPUTE: (MEANINGS[Waiting.DISPUTE], "bad", "shield"),
    Waiting.EXCEPTION: (MEANINGS[Waiting.EXCEPTION], "bad", "alert"),
    Waiting.WIRE: (MEANINGS[Waiting.WIRE], "warn", "search"),
    Waiting.BANK_FILE: (MEANINGS[Waiting.BANK_FILE], "info", "document"),
    Waiting.CONSENT: (MEANINGS[Waiting.CONSENT], "info", "user"),
    Waiting.ADJUSTMENT: (MEANINGS[Waiting.ADJUSTMENT], "info", "edit"),
    Waiting.FEE: (MEANINGS[Waiting.FEE], "warn", "dollar"),
    Waiting.DEPOSIT: (MEANINGS[Waiting.DEPOSIT], "warn", "wallet"),
    Waiting.SMALL: (MEANINGS[Waiting.SMALL], "info", "wallet"),
    Waiting.CREDIT: (MEANINGS[Waiting.CREDIT], "warn", "dollar"),
    Waiting.ABANDONED: (MEANINGS[Waiting.ABANDONED], "warn", "truck"),
}

# Kinds of account that do not say enough by their own name.
ACCOUNT_WORDS: Final[Mapping[str, str]] = {
    "stripe_balance": "Balance at Stripe",
    "bank": "Bank",
    "seller_receivable": "Owed by sellers",
    "disputes_pending": "Disputes pending",
    "held": "Held for awards",
    "seller_payable": "Owed to sellers",
    "consignor_payable": "Owed to consignors",
    "deferred_fees": "Premium not yet earned",
    "freight_payable": "Freight to pay",
    "buyer_credit": "Buyers' credit",
    "sales_tax": "Sales tax",
    "premium_income": "Premium earned",
    "commission_income": "Commission earned",
    "forfeits": "Forfeits",
    "storage_income": "Storage",
    "cancellation_fees": "Cancellation fees",
    "freight_income": "Freight earned",
    "stripe_fees": "Stripe's fees",
    "dispute_fees": "Dispute fees",
    "bad_debt": "Losses",
    "rounding": "Rounding",
}

_AS_WRITTEN: Final = {"id": "ID", "ids": "IDs", "url": "URL", "us": "", "stripe": "Stripe"}


def plain_words(name: str) -> str:
    """A name of the program as a phrase: ``hand_over`` as ``Hand over``."""
    if name.isupper():
        name = name.lower()
    words = name.replace("_", " ").replace("-", " ").split()
    text = " ".join(_AS_WRITTEN.get(word, word) for word in words).strip()
    return text[:1].upper() + text[1:]


def account_words(name: str) -> str:
    """An account as people read it, with whose it is: ``Owed to sellers: north``."""
    kind, _, subject = name.partition(":")
    words = ACCOUNT_WORDS.get(kind, plain_words(kind))
    return f"{words}: {subject}" if subject else words


def exact_money(amount_minor: int | None, currency: str) -> str:
    """An amount with all its decimals, so that columns of them align; a dash where there is none.

    It may be below nothing.
    """
    if amount_minor is None:
        return "-"
    exponent = EXPONENTS[currency]
    whole, rest = divmod(abs(amount_minor), 10**exponent)
    decimals = f".{rest:0{exponent}}" if exponent else ""
    return f"{'-' if amount_minor < 0 else ''}{sign(currency)}{whole:,}{decimals}"


def age_words(age_us: int) -> str:
    """How old something is: ``5 hours``, ``12 days``."""
    hours = age_us // 3_600_000_000
    if hours < 48:
        return "less than an hour" if hours < 1 else f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{hours // 24:,} days"


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "plain": plain_words,
    "account": account_words,
    "exact": exact_money,
    "typed": plain,
    "age": age_words,
}
