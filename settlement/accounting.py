"""The books as staff, sellers and accountants read them: balances, statements, exports.

A statement is of one scope and one period; the whole book is exported day by day, so that a month
of any size fits into memory.
"""

import datetime
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from accounts.clock import wall_clock
from auction.ids import BidderId, LiquidatorId, SaleId
from auction.spreadsheets import Column, Kind, table_csv
from foundation.database import AnyConnection, Pool, acquire
from settlement.chart import CHART
from settlement.chart import Kind as AccountKind
from settlement.entries import MAX_AT_US
from settlement.exports import hledger_journal, quickbooks_csv, xero_csvs
from settlement.ids import AwardId, ConsignorId, InvoiceId
from settlement.journals import Journal, day_of, journals_by_day
from settlement.ledger_reading import (
    MAX_LINES,
    after_line,
    read_book,
    read_lines,
    read_position,
    read_statements,
    read_stripe_balances,
    read_totals,
)
from settlement.statements import (
    AccountStatement,
    Line,
    Period,
    Position,
    Scope,
    Totals,
    day_period,
    free_to_pay_out_minor,
    month_period,
)

# A file of journals with every entry: more is to be asked for by shorter periods.
MAX_EXPORTED_LINES: Final = 200_000


class Whose(StrEnum):
    """Of what a statement is."""

    AWARD = "AWARD"
    INVOICE = "INVOICE"
    SALE = "SALE"
    LIQUIDATOR = "LIQUIDATOR"
    CONSIGNOR = "CONSIGNOR"
    BUYER = "BUYER"
    ALL = "ALL"


class TrialRow(Struct, frozen=True, kw_only=True):
    """A kind of account in the trial balance."""

    kind: AccountKind
    meaning: str
    family: str
    opening_minor: int
    debits_minor: int
    credits_minor: int
    on_debit_minor: int
    on_credit_minor: int


class CurrencyBook(Struct, frozen=True, kw_only=True):
    """A currency's book. ``stripe_net_minor``: what Stripe's balance transactions sum to, where
    they are taken in; ``difference_minor``: what the books have more."""

    currency: str
    position: Position
    free_minor: int
    stripe_net_minor: int | None
    difference_minor: int | None
    trial: Sequence[TrialRow]

    @property
    def debits_minor(self) -> int:
        return sum(row.on_debit_minor for row in self.trial)

    @property
    def credits_minor(self) -> int:
        return sum(row.on_credit_minor for row in self.trial)


class ExportTooLong(Exception):
    """More than one file holds: a shorter period is to be asked for."""


NetOf = Callable[[AnyConnection], Awaitable[Mapping[str, int]]]


def scope_of(whose: Whose, subject: str) -> Scope:
    """The ledger's scope of a statement."""
    match whose:
        case Whose.AWARD:
            return Scope(award_id=AwardId(subject))
        case Whose.INVOICE:
            return Scope(invoice_id=InvoiceId(subject))
        case Whose.SALE:
            return Scope(sale_id=SaleId(subject))
        case Whose.LIQUIDATOR:
            return Scope(liquidator_id=LiquidatorId(subject))
        case Whose.CONSIGNOR:
            return Scope(consignor_id=ConsignorId(BidderId(subject)))
        case Whose.BUYER:
            return Scope(buyer_id=BidderId(subject))
    return Scope()


def period_of(day: datetime.date | None, month: str | None) -> Period:
    """A day, a month (``2026-03``), or all of time. ``ValueError`` for what is no month."""
    if day is not None:
        return day_period(day)
    if month:
        return month_period(datetime.date.fromisoformat(f"{month}-01"))
    return Period()


class Accounting:
    """Reads the books."""

    def __init__(
        self,
        pool: Pool,
        net_of: NetOf | None = None,
        now_us: Callable[[], int] = wall_clock,
    ) -> None:
        """``net_of``: by currency, the sum of Stripe's balance transactions."""
        self._pool, self.net_of, self._now_us = pool, net_of, now_us

    async def currencies(self) -> list[str]:
        """In which there are books."""
        async with acquire(self._pool) as connection:
            return await _currencies(connection)

    async def books(self, period: Period | None = None) -> list[CurrencyBook]:
        """Every currency's book; the trial balance as of the period's end, now without one.

        What was booked is that of the period; of the present month without one, since a sum of all
        that ever was takes longer every day. All is as of one moment, or what is booked meanwhile
        would look like a difference to Stripe.
        """
        if period is None:
            period = Period(month_period(day_of(self._now_us())).from_us, MAX_AT_US)
        async with (
            acquire(self._pool) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            booked = await read_stripe_balances(connection)
            net = None if self.net_of is None else await self.net_of(connection)
            books = []
            for currency in await _currencies(connection):
                position = await read_position(connection, currency)
                there = None if net is None else net.get(currency, 0)
                books.append(
                    CurrencyBook(
                        currency=currency,
                        position=position,
                        free_minor=free_to_pay_out_minor(position),
                        stripe_net_minor=there,
                        difference_minor=None if there is None else booked.get(currency, 0) - there,
                        trial=_trial(await read_book(connection, currency, period)),
                    )
                )
        return books

    async def statement(
        self, scope: Scope, currency: str, period: Period
    ) -> list[AccountStatement]:
        """The accounts of a scope. Raises `ledger_reading.StatementTooLong`."""
        async with acquire(self._pool) as connection:
            return await read_statements(connection, scope, currency, period)

    async def quickbooks(self, currency: str, month: datetime.date) -> bytes:
        """A month's journals, one a day, for QuickBooks Online."""
        return quickbooks_csv(await self._journals(currency, month), currency).encode()

    async def xero(
        self, currency: str, month: datetime.date, codes: Mapping[AccountKind, str], tax_rate: str
    ) -> bytes:
        """A month's journals as files that Xero takes, in a ZIP. ``ValueError``: a code missing."""
        files = xero_csvs(await self._journals(currency, month), currency, codes, tax_rate)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for place, text in enumerate(files, start=1):
                # The same month makes the same bytes.
                name = f"xero-{currency}-{month:%Y-%m}-{place:02}.csv"
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
        return packed.getvalue()

    async def hledger(self, currency: str, month: datetime.date) -> bytes:
        """Every entry of a month, for plain-text accounting. Raises `ExportTooLong`."""
        period = month_period(month)
        async with acquire(self._pool) as connection:
            totals = await read_totals(connection, Scope(), currency, period)
            lines: list[Line] = []
            async for page in _pages(connection, currency, period):
                lines += page
                if len(lines) > MAX_EXPORTED_LINES:
                    raise ExportTooLong
        opening = {account: its.opening_minor(account) for account, its in totals.items()}
        return hledger_journal(opening, lines, currency, period).encode()

    async def _journals(self, currency: str, month: datetime.date) -> list[Journal]:
        """One for each day, made of a day's lines at a time."""
        found: list[Journal] = []
        day = month.replace(day=1)
        async with acquire(self._pool) as connection:
            while day.month == month.month:
                lines = [
                    line
                    async for page in _pages(connection, currency, day_period(day))
                    for line in page
                ]
                found += journals_by_day(lines)
                day += datetime.timedelta(days=1)
        return found


def _trial(book: Mapping[AccountKind, tuple[Totals, tuple[int, int]]]) -> list[TrialRow]:
    """In the order of the chart."""
    return [
        TrialRow(
            kind=kind,
            meaning=CHART[kind].meaning,
            family=CHART[kind].family,
            opening_minor=its.opening_debits_minor - its.opening_credits_minor,
            debits_minor=its.debits_minor,
            credits_minor=its.credits_minor,
            on_debit_minor=on_debit,
            on_credit_minor=on_credit,
        )
        for kind in AccountKind
        if kind in book
        for its, (on_debit, on_credit) in [book[kind]]
    ]


async def _pages(
    connection: AnyConnection, currency: str, period: Period
) -> AsyncIterator[list[Line]]:
    after = (0, 0, 0)
    while True:
        page = await read_lines(connection, Scope(), currency, period, after, MAX_LINES)
        yield page
        if len(page) < MAX_LINES:
            return
        after = after_line(page[-1])


async def _currencies(connection: AnyConnection) -> list[str]:
    rows = await connection.fetch(_CURRENCIES)
    return [row["currency"] for row in rows]


# Where there are books, money came in or went out: accounts of awards are too many to look at.
_CURRENCIES: Final = """
select distinct currency from ledger_account where name in ('stripe_balance', 'bank')
order by currency
"""


class StatementRow(Struct, frozen=True, kw_only=True):
    """A line of a statement, flat: for tables."""

    account: str
    at_us: int
    purpose: str
    other: str
    debit_minor: int | None
    credit_minor: int | None
    balance_minor: int
    award_id: str | None
    key: str
    note: str


def flat(statements: Sequence[AccountStatement], from_us: int = 0) -> list[StatementRow]:
    """Each account's opening balance and its lines, one below the other."""
    rows: list[StatementRow] = []
    for statement in statements:
        name = statement.account.name
        rows.append(
            StatementRow(
                account=name,
                at_us=from_us,
                purpose="opening",
                other="",
                debit_minor=None,
                credit_minor=None,
                balance_minor=statement.opening_minor,
                award_id=None,
                key="",
                note="",
            )
        )
        rows += [
            StatementRow(
                account=name,
                at_us=line.at_us,
                purpose=line.purpose,
                other=line.other.name,
                debit_minor=line.debit_minor or None,
                credit_minor=line.credit_minor or None,
                balance_minor=line.balance_minor,
                award_id=line.award_id,
                key=line.key,
                note=line.note,
            )
            for line in statement.lines
        ]
    return rows


_COLUMNS: Final[Sequence[Column[StatementRow]]] = (
    Column("Account", Kind.TEXT, lambda row: row.account),
    Column("Time", Kind.TIME, lambda row: row.at_us or None),
    Column("What", Kind.TEXT, lambda row: row.purpose),
    Column("Other account", Kind.TEXT, lambda row: row.other),
    Column("Debit", Kind.MONEY, lambda row: row.debit_minor),
    Column("Credit", Kind.MONEY, lambda row: row.credit_minor),
    Column("Balance", Kind.MONEY, lambda row: row.balance_minor),
    Column("Award", Kind.TEXT, lambda row: row.award_id or ""),
    Column("Entry", Kind.TEXT, lambda row: row.key),
    Column("Note", Kind.TEXT, lambda row: row.note),
)


def statement_csv(statements: Sequence[AccountStatement], currency: str) -> bytes:
    """A statement as a table."""
    return table_csv(_COLUMNS, flat(statements), currency)
