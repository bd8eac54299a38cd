"""The chart of accounts: which kinds there are, what each means, and how an account is written.

An account is a kind and, for most kinds, whose it is: ``held:S1~12``, ``sales_tax:US-TX``. The set
of kinds is closed: what is not here cannot be booked, and the database checks it again.

What an account may not do is go below zero on its own side, if it says what is owed to somebody,
what somebody owes, or what lies in a bank: then something was paid twice. Stripe's balance may (a
chargeback takes what is not there), and so may income, costs and tax (a refund after the month).
"""

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.ids import BidderId, LiquidatorId
from settlement.ids import AwardId, ConsignorId, TaxPlace


class Side(StrEnum):
    """The side on which an account grows."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class Family(StrEnum):
    """Where an account stands in a balance sheet or an income statement."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"

    @property
    def side(self) -> Side:
        return Side.DEBIT if self in (Family.ASSET, Family.EXPENSE) else Side.CREDIT


class Of(StrEnum):
    """Whose an account is."""

    HOUSE = "house"
    AWARD = "award"
    LIQUIDATOR = "liquidator"
    CONSIGNOR = "consignor"
    BUYER = "buyer"
    PLACE = "place"


class Kind(StrEnum):
    """What an account is for; the value is its name, or the part of it before the colon."""

    STRIPE_BALANCE = "stripe_balance"
    BANK = "bank"
    SELLER_RECEIVABLE = "seller_receivable"
    DISPUTES_PENDING = "disputes_pending"
    HELD = "held"
    SELLER_PAYABLE = "seller_payable"
    CONSIGNOR_PAYABLE = "consignor_payable"
    DEFERRED_FEES = "deferred_fees"
    FREIGHT_PAYABLE = "freight_payable"
    BUYER_CREDIT = "buyer_credit"
    SALES_TAX = "sales_tax"
    PREMIUM_INCOME = "premium_income"
    COMMISSION_INCOME = "commission_income"
    FORFEITS = "forfeits"
    STORAGE_INCOME = "storage_income"
    CANCELLATION_FEES = "cancellation_fees"
    FREIGHT_INCOME = "freight_income"
    STRIPE_FEES = "stripe_fees"
    DISPUTE_FEES = "dispute_fees"
    BAD_DEBT = "bad_debt"
    ROUNDING = "rounding"


class Row(Struct, frozen=True):
    """A line of the chart."""

    family: Family
    of: Of
    meaning: str
    may_owe: bool = False

    @property
    def side(self) -> Side:
        return self.family.side

    @property
    def may_overdraw(self) -> bool:
        return self.may_owe or self.family in (Family.INCOME, Family.EXPENSE)


_A, _L, _I, _E = Family.ASSET, Family.LIABILITY, Family.INCOME, Family.EXPENSE

CHART: Final[dict[Kind, Row]] = {
    Kind.STRIPE_BALANCE: Row(_A, Of.HOUSE, "the platform's balance at Stripe", may_owe=True),
    Kind.BANK: Row(_A, Of.HOUSE, "the house's bank account"),
    Kind.SELLER_RECEIVABLE: Row(_A, Of.LIQUIDATOR, "what a seller owes the house"),
    Kind.DISPUTES_PENDING: Row(
        _A, Of.HOUSE, "taken by a bank until a dispute is decided", may_owe=True
    ),
    Kind.HELD: Row(_L, Of.AWARD, "captured hammer price, not yet owed to anyone"),
    Kind.SELLER_PAYABLE: Row(_L, Of.LIQUIDATOR, "owed to a seller"),
    Kind.CONSIGNOR_PAYABLE: Row(_L, Of.CONSIGNOR, "owed to a consignor"),
    Kind.DEFERRED_FEES: Row(_L, Of.AWARD, "premium that is not earned before the release"),
    Kind.FREIGHT_PAYABLE: Row(_L, Of.AWARD, "freight collected and not yet paid"),
    Kind.BUYER_CREDIT: Row(_L, Of.BUYER, "a buyer's money that belongs to no lot"),
    Kind.SALES_TAX: Row(_L, Of.PLACE, "tax collected for a place", may_owe=True),
    Kind.PREMIUM_INCOME: Row(_I, Of.HOUSE, "buyers' premiums earned"),
    Kind.COMMISSION_INCOME: Row(_I, Of.HOUSE, "sellers' commissions earned"),
    Kind.FORFEITS: Row(_I, Of.HOUSE, "forfeited deposits and relist fees"),
    Kind.STORAGE_INCOME: Row(_I, Of.HOUSE, "storage and missed appointments"),
    Kind.CANCELLATION_FEES: Row(_I, Of.HOUSE, "fees of sellers who cancelled after the hammer"),
    Kind.FREIGHT_INCOME: Row(_I, Of.HOUSE, "freight collected beyond its cost"),
    Kind.STRIPE_FEES: Row(_E, Of.HOUSE, "what Stripe charges"),
    Kind.DISPUTE_FEES: Row(_E, Of.HOUSE, "what disputes cost"),
    Kind.BAD_DEBT: Row(_E, Of.HOUSE, "losses that the house bears"),
    Kind.ROUNDING: Row(_E, Of.HOUSE, "differences of minor units"),
}

# An award's id joins a sale's and a lot's, each of up to 64 characters, and a number.
_SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~\-]{0,159}")


class Account(Struct, frozen=True, order=True):
    """One account in each currency in which it is used."""

    kind: Kind
    subject: str = ""

    def __post_init__(self) -> None:
        if CHART[self.kind].of is Of.HOUSE:
            if self.subject:
                raise ValueError(f"{self.kind}: an account of the house is nobody else's")
        elif not _SUBJECT.fullmatch(self.subject):
            raise ValueError(f"{self.kind}: {self.subject[:40]!r} is no {CHART[self.kind].of}'s id")

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.subject}" if self.subject else self.kind.value

    @property
    def row(self) -> Row:
        return CHART[self.kind]


def parse_account(name: str) -> Account:
    """The account of this name; ``ValueError`` if the chart has none."""
    kind, _, subject = name.partition(":")
    if kind not in set(Kind) or (":" in name and not subject):
        raise ValueError(f"{name[:60]!r} is not an account of the chart")
    return Account(Kind(kind), subject)


def signed_minor(account: Account, debits_minor: int, credits_minor: int) -> int:
    """An account's balance: positive on the side on which it grows."""
    balance = debits_minor - credits_minor
    return balance if account.row.side is Side.DEBIT else -balance


STRIPE: Final = Account(Kind.STRIPE_BALANCE)
BANK: Final = Account(Kind.BANK)
DISPUTES: Final = Account(Kind.DISPUTES_PENDING)
PREMIUMS: Final = Account(Kind.PREMIUM_INCOME)
COMMISSIONS: Final = Account(Kind.COMMISSION_INCOME)
FORFEITS: Final = Account(Kind.FORFEITS)
STORAGE: Final = Account(Kind.STORAGE_INCOME)
CANCELLATIONS: Final = Account(Kind.CANCELLATION_FEES)
FREIGHT: Final = Account(Kind.FREIGHT_INCOME)
STRIPE_FEES: Final = Account(Kind.STRIPE_FEES)
DISPUTE_FEES: Final = Account(Kind.DISPUTE_FEES)
BAD_DEBT: Final = Account(Kind.BAD_DEBT)
ROUNDING: Final = Account(Kind.ROUNDING)


def held(award_id: AwardId) -> Account:
    return Account(Kind.HELD, award_id)


def deferred_fees(award_id: AwardId) -> Account:
    return Account(Kind.DEFERRED_FEES, award_id)


def freight_payable(award_id: AwardId) -> Account:
    return Account(Kind.FREIGHT_PAYABLE, award_id)


def seller_payable(liquidator_id: LiquidatorId) -> Account:
    return Account(Kind.SELLER_PAYABLE, liquidator_id)


def seller_receivable(liquidator_id: LiquidatorId) -> Account:
    return Account(Kind.SELLER_RECEIVABLE, liquidator_id)


def consignor_payable(consignor_id: ConsignorId) -> Account:
    return Account(Kind.CONSIGNOR_PAYABLE, consignor_id)


def buyer_credit(buyer_id: BidderId) -> Account:
    return Account(Kind.BUYER_CREDIT, buyer_id)


def sales_tax(place: TaxPlace) -> Account:
    return Account(Kind.SALES_TAX, place)
