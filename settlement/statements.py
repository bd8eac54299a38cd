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

    def with_line(self, side: Side, amount_minor: int, *, before: bool) -> "Totals":
        debit, credit = (amount_minor, 0) if side is Side.DEBIT else (0, amount_minor)
        if before:
            return Totals(
                self.opening_debits_minor + debit,
                self.opening_credits_minor + credit,
                self.debits_minor,
                self.credits_minor,
            )
        return Totals(
            self.opening_debits_minor,
            self.opening_credits_minor,
            self.debits_minor + debit,
            self.credits_minor + credit,
        )

    def opening_minor(self, account: Account) -> int:
        return signed_minor(account, self.opening_debits_minor, self.opening_credits_minor)

    def closing_minor(self, account: Account) -> int:
        return signed_minor(
            account,
            self.opening_debits_minor + self.debits_minor,
            self.opening_credits_minor + self.credits_minor,
        )


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


def totals_of(lines: Iterable[Line], period: Period, scope: Scope) -> dict[Account, Totals]:
    """What each account of the scope had before the period and got in it; ``lines``: of the scope,
    all until the period's end."""
    totals: dict[Account, Totals] = {}
    for line in lines:
        assert line.at_us < period.to_us
        for account, side in ((line.debit, Side.DEBIT), (line.credit, Side.CREDIT)):
            if scope.accounts is None or account in scope.accounts:
                before = line.at_us < period.from_us
                known = totals.get(account, Totals())
                totals[account] = known.with_line(side, line.amount_minor, before=before)
    return totals


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


def trial_balance(totals: Mapping[Account, Totals]) -> dict[Kind, tuple[int, int]]:
    """Each kind's balance at the end of the period, as a debit or a credit; the columns sum alike.

    An account below zero stands on the other side, so that nothing is netted away.
    """
    columns: dict[Kind, tuple[int, int]] = {}
    for account, its in totals.items():
        balance = its.closing_minor(account)
        on_debit = (account.row.side is Side.DEBIT) == (balance > 0)
        debit, credit = columns.get(account.kind, (0, 0))
        if on_debit:
            columns[account.kind] = (debit + abs(balance), credit)
        else:
            columns[account.kind] = (debit, credit + abs(balance))
    ordered = {kind: columns[kind] for kind in Kind if columns.get(kind, (0, 0)) != (0, 0)}
    debits, credits_ = (sum(column[side] for column in ordered.values()) for side in (0, 1))
    assert debits == credits_, "the whole book's debits are its credits"
    return ordered


def free_to_pay_out_minor(position: Position, covers_minor: int = 0) -> int:
    """What a payout from Stripe to the bank may take at most: nothing that is held, payable,
    deferred, a buyer's, or tax.

    ``covers_minor``: what is owed and this very payout is to be paid from (an approved bank file,
    tax or freight that is due); that much of it may go along.
    """
    assert 0 <= covers_minor <= position.all_owed_minor
    return max(0, position.stripe_minor - position.all_owed_minor + covers_minor)


def stripe_differences(
    booked_minor: Mapping[str, int], net_minor: Mapping[str, int]
) -> dict[str, int]:
    """By currency, what the books have more than Stripe's balance transactions sum to; without
    those that agree, so that an empty answer means that the books are Stripe's."""
    currencies = sorted(booked_minor.keys() | net_minor.keys())
    differences = {c: booked_minor.get(c, 0) - net_minor.get(c, 0) for c in currencies}
    return {currency: difference for currency, difference in differences.items() if difference}


def _days(first: date, days: int) -> Period:
    # Counted, since after the last day of the calendar there is no date to ask for.
    start_us = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1_000_000
    return Period(start_us, start_us + days * _DAY_US)


def _seen_from(line: Line, side: Side) -> tuple[Account, Account]:
    return (line.debit, line.credit) if side is Side.DEBIT else (line.credit, line.debit)


_PLACE: Final = {kind: place for place, kind in enumerate(Kind)}
