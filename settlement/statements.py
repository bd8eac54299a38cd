"""Statements as folds over the ledger's lines, and what the balances allow. Pure.

A statement of an account is its opening balance, its lines in the order in which they took effect,
and its closing balance; each line says the balance after it. Balances are positive on the side on
which the account grows.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from msgspec import Struct

from auction.ids import BidderId, LiquidatorId, SaleId
from settlement.chart import CHART, Account, Family, Kind, Of, Side, signed_minor
from settlement.entries import MAX_AT_US, Purpose
from settlement.ids import AwardId, ConsignorId, EntryKey, InvoiceId

_DAY_US: Final = 86_400 * 1_000_000
# A payout to the bank takes nothing of these: others' money, and the house's when it is earned.
OBLIGATIONS: Final = tuple(kind for kind, row in CHART.items() if row.family is Family.LIABILITY)


class Period(Struct, frozen=True):
    """From a time on and before another, by when entries took effect."""

    from_us: int = 0
    to_us: int = MAX_AT_US


def day_period(day: date) -> Period:
    """A day of the books, which are kept in UTC."""
    return _days(day, 1)


def month_period(month: date) -> Period:
    """The month of a day, as it is closed."""
    return _days(month.replace(day=1), monthrange(month.year, month.month)[1])


class Scope(Struct, frozen=True, kw_only=True):
    """Whose lines: all that are about an award, an invoice or a sale; for a liquidator, a consignor
    or a buyer those of its own accounts; without any, the whole book's. One at most is given."""

    award_id: AwardId | None = None
    invoice_id: InvoiceId | None = None
    sale_id: SaleId | None = None
    liquidator_id: LiquidatorId | None = None
    consignor_id: ConsignorId | None = None
    buyer_id: BidderId | None = None

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: a statement has one scope")

    @property
    def accounts(self) -> frozenset[Account] | None:
        """The accounts of a party; ``None``: all that the lines touch."""
        for of, party in (
            (Of.LIQUIDATOR, self.liquidator_id),
            (Of.CONSIGNOR, self.consignor_id),
            (Of.BUYER, self.buyer_id),
        ):
            if party is not None:
                kinds = (kind for kind, row in CHART.items() if row.of is of)
                return frozenset(Account(kind, party) for kind in kinds)
        return None


class Line(Struct, frozen=True, kw_only=True):
    """A transfer with its entry. ``order``: of recording, for those of the same time."""

    order: tuple[int, int]
    key: EntryKey
    purpose: Purpose
    at_us: int
    debit: Account
    credit: Account
    amount_minor: int
    award_id: AwardId | None = None
    sale_id: SaleId | None = None
    invoice_id: InvoiceId | None = None
    liquidator_id: LiquidatorId | None = None
    consignor_id: ConsignorId | None = None
    buyer_id: BidderId | None = None
    note: str = ""


class Totals(Struct, frozen=True):
    """What was booked on an account by side, before a period and in it."""

    opening_debits_minor: int = 0
    opening_credits_minor: int = 0
    debits_minor: int = 0
    credits_minor: int = 0

    def opening_minor(self, account: Account) -> int:
        return signed_minor(account, self.opening_debits_minor, self.opening_credits_minor)


class StatementLine(Struct, frozen=True):
    """A line as one of its accounts sees it: ``other`` is where it comes from or goes to."""

    key: EntryKey
    purpose: Purpose
    at_us: int
    other: Account
    debit_minor: int
    credit_minor: int
    balance_minor: int
    award_id: AwardId | None
    note: str


class AccountStatement(Struct, frozen=True):
    account: Account
    opening_minor: int
    lines: tuple[StatementLine, ...]
    closing_minor: int


class Position(Struct, frozen=True):
    """Where a currency's money is, and what is owed of it, by kind of account.

    ``owed_minor`` counts accounts above zero alone: a place's tax that was paid ahead does not pay
    another's.
    """

    stripe_minor: int
    bank_minor: int
    owed_minor: Mapping[Kind, int]

    @property
    def all_owed_minor(self) -> int:
        return sum(self.owed_minor.values())


def statements(
    opening: Mapping[Account, int], lines: Iterable[Line], scope: Scope
) -> list[AccountStatement]:
    """A statement for each account of the scope that has an opening balance or a line.

    ``opening``: balances before the first line; ``lines``: the period's, in any order.
    """
    of: dict[Account, list[StatementLine]] = {
        account: [] for account, balance in opening.items() if balance
    }
    running = dict(opening)
    for line in sorted(lines, key=lambda line: (line.at_us, line.order)):
        for side in Side:
            account, other = _seen_from(line, side)
            if scope.accounts is not None and account not in scope.accounts:
                continue
            debit = line.amount_minor if side is Side.DEBIT else 0
            credit = line.amount_minor - debit
            running[account] = running.get(account, 0) + signed_minor(account, debit, credit)
            of.setdefault(account, []).append(
                StatementLine(
                    line.key,
                    line.purpose,
                    line.at_us,
                    other,
                    debit,
                    credit,
                    running[account],
                    line.award_id,
                    line.note,
                )
            )
    return [
        AccountStatement(account, opening.get(account, 0), tuple(of[account]), running[account])
        for account in sorted(of, key=lambda account: (_PLACE[account.kind], account.subject))
    ]


def free_to_pay_out_minor(position: Position, covers_minor: int = 0) -> int:
    """What a payout from Stripe to the bank may take at most: nothing that is held, payable,
    deferred, a buyer's, or tax.

    ``covers_minor``: what is owed and this very payout is to be paid from (an approved bank file,
    tax or freight that is due); that much of it may go along.
    """
    assert 0 <= covers_minor <= position.all_owed_minor
    return max(0, position.stripe_minor - position.all_owed_minor + covers_minor)


def _days(first: date, days: int) -> Period:
    # Counted, since after the last day of the calendar there is no date to ask for.
    start_us = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1_000_000
    return Period(start_us, start_us + days * _DAY_US)


def _seen_from(line: Line, side: Side) -> tuple[Account, Account]:
    return (line.debit, line.credit) if side is Side.DEBIT else (line.credit, line.debit)


_PLACE: Final = {kind: place for place, kind in enumerate(Kind)}
