"""Closing a month's books: what keeps it open is said, and once it is closed nothing is booked in
it or before it any more.

The lock of the ledger is taken first and then looked, so that nothing slips in between.
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.money import EXPONENTS
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.ledger import LedgerRefusal, LedgerRefused, close_month
from settlement.month.gross import YearlyGross, read_gross
from settlement.month.report import MonthReport, month_report
from settlement.reconciliation.matching import GRACE_US
from settlement.reconciliation.words import BooksRefusal, BooksRefused
from settlement.statements import month_period


class Keep(StrEnum):
    """What keeps a month open."""

    NOT_OVER = "NOT_OVER"
    STRIPE_NOT_READ = "STRIPE_NOT_READ"
    EXCEPTIONS = "EXCEPTIONS"
    UNMATCHED = "UNMATCHED"
    WIRES = "WIRES"
    ADJUSTMENTS = "ADJUSTMENTS"
    HELD_OPERATIONS = "HELD_OPERATIONS"
    WAITING_OPERATIONS = "WAITING_OPERATIONS"


class KeepsOpen(Struct, frozen=True):
    """One of them, and how many."""

    keep: Keep
    count: int
    words: str


_WORDS: Final = {
    Keep.NOT_OVER: "The month is not over yet.",
    Keep.STRIPE_NOT_READ: "Stripe's list was not read beyond the end of the month.",
    Keep.EXCEPTIONS: "exceptions of it are open.",
    Keep.UNMATCHED: "entries or transactions of it wait for their other side.",
    Keep.WIRES: "wires that came in it are nobody's yet.",
    Keep.ADJUSTMENTS: "adjustments wait for a second person.",
    Keep.HELD_OPERATIONS: "operations of it need a person.",
    Keep.WAITING_OPERATIONS: "operations of it are due and not done.",
}


class MonthRefused(BooksRefused):
    """The month stays open; ``keeps`` says why."""

    def __init__(self, keeps: Sequence[KeepsOpen]) -> None:
        detail = " ".join(_sentence(one) for one in keeps)
        super().__init__(BooksRefusal.MONTH_OPEN, field="month", detail=detail)
        self.keeps = tuple(keeps)


class Months:
    """Reports months, says what keeps one open, and closes it."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def report(self, currency: str, month: date) -> MonthReport:
        """A month's report."""
        async with acquire(self._pool) as connection:
            return await month_report(connection, currency, month)

    async def gross(self, currency: str, year: int) -> Sequence[YearlyGross]:
        """What was paid for each seller's goods in a year."""
        async with acquire(self._pool) as connection:
            return await read_gross(connection, currency, year)

    async def keeps_open(self, currency: str, month: date) -> Sequence[KeepsOpen]:
        """What keeps a month open; nothing: it can be closed."""
        async with acquire(self._pool) as connection:
            return await _keeps_open(connection, currency, month, self._now_us())

    async def close(self, actor: Actor, currency: str, month: date) -> None:
        """Close a month and all before it, for good. `MonthRefused` says what keeps it open;
        ``BooksRefused`` where it is closed."""
        if currency not in EXPONENTS:
            raise BooksRefused(BooksRefusal.INVALID, field="currency")
        first, now_us = month.replace(day=1), self._now_us()
        async with transaction(self._pool) as connection:
            by = actor.person_id or actor.address
            try:
                await close_month(connection, currency, first, by, now_us)
            except LedgerRefused as refused:
                raise await self._refused(refused, currency, first) from refused
            keeps = await _keeps_open(connection, currency, first, now_us)
            if keeps:
                raise MonthRefused(keeps)
            what = f"{currency} {first:%Y-%m}"
            await record(connection, Act.MONTH_CLOSED, actor, now_us, object_id=what)

    async def _refused(self, refused: LedgerRefused, currency: str, month: date) -> BooksRefused:
        if refused.refusal is LedgerRefusal.MONTH_CLOSED:
            return BooksRefused(BooksRefusal.ALREADY_CLOSED, field="month")
        return MonthRefused(await self.keeps_open(currency, month))


async def _keeps_open(
    connection: AnyConnection, currency: str, month: date, now_us: int
) -> Sequence[KeepsOpen]:
    end_us = month_period(month).to_us
    (row,) = await connection.fetch(_COUNTS, currency, end_us, end_us + GRACE_US)
    counts: dict[Keep, int] = {
        keep: row[keep.lower()] for keep in Keep if keep is not Keep.NOT_OVER
    }
    counts[Keep.NOT_OVER] = int(now_us < end_us)
    return [KeepsOpen(keep, counts[keep], _WORDS[keep]) for keep in Keep if counts[keep]]


def _sentence(one: KeepsOpen) -> str:
    return one.words if one.words[0].isupper() else f"{one.count} {one.words}"


# Operations have no currency of their own: whichever it is of, its money may be.
_COUNTS: Final = """
select (
    select count(*)::int from stripe_intake where coalesce(taken_until_us, 0) < $3
) as stripe_not_read, (
    select count(*)::int from reconciliation_exception
    where resolved_at_us is null and currency = $1 and since_us < $2
) as exceptions, (
    select count(*)::int from stripe_transaction
    where settled_at_us is null and currency = $1 and made_at_us < $2
) + (
    select count(*)::int from stripe_entry
    where settled_at_us is null and currency = $1 and at_us < $2
) as unmatched, (
    select count(*)::int from wire where state = 'UNKNOWN' and currency = $1
    and received_on < (timestamp '1970-01-01' + $2::bigint * interval '1 microsecond')::date
) as wires, (
    select count(*)::int from ledger_adjustment
    where state = 'PROPOSED' and currency = $1 and proposed_at_us < $2
) as adjustments, (
    select count(*)::int from settlement_op where state = 'HELD' and made_at_us < $2
) as held_operations, (
    select count(*)::int from settlement_op where state = 'WAITING' and due_at_us < $2
) as waiting_operations
"""
