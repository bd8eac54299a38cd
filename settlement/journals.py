"""The ledger's lines as journals for an accountant, summed by day. Pure.

A ledger has accounts for every award; an accountant's books have one for each kind. So a journal's
lines are by kind, debits and credits apart, and say whose they are where it is one party or place.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from settlement.chart import Account, Kind, Side
from settlement.statements import Line

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class JournalLine(Struct, frozen=True):
    """A kind's debit or credit; ``subject``: whose, empty if it is several's."""

    kind: Kind
    side: Side
    amount_minor: int
    subject: str


class Journal(Struct, frozen=True):
    """Lines whose debits are their credits. ``number`` is short, and unique in a currency."""

    number: str
    day: date
    text: str
    lines: tuple[JournalLine, ...]


def day_of(at_us: int) -> date:
    """The day of the books, which are kept in UTC, as are their months."""
    return (_EPOCH + timedelta(microseconds=at_us)).date()


def journals_by_day(lines: Iterable[Line]) -> list[Journal]:
    """A journal for each day on which something took effect."""
    grouped: dict[date, list[Line]] = {}
    for line in lines:
        grouped.setdefault(day_of(line.at_us), []).append(line)
    return [
        Journal(f"SC-{day:%Y%m%d}", day, f"Softclose, {day.isoformat()}", _summed(grouped[day]))
        for day in sorted(grouped)
    ]


def _summed(lines: Sequence[Line]) -> tuple[JournalLine, ...]:
    sums: dict[tuple[Kind, Side], int] = {}
    subjects: dict[tuple[Kind, Side], set[str]] = {}
    for line in lines:
        account: Account
        for account, side in ((line.debit, Side.DEBIT), (line.credit, Side.CREDIT)):
            where = (account.kind, side)
            sums[where] = sums.get(where, 0) + line.amount_minor
            subjects.setdefault(where, set()).add(account.subject)
    made = tuple(
        JournalLine(kind, side, sums[kind, side], _only(subjects[kind, side]))
        for side in Side
        for kind in Kind
        if (kind, side) in sums
    )
    assert (
        sum(line.amount_minor if line.side is Side.DEBIT else -line.amount_minor for line in made)
        == 0
    )
    return made


def _only(subjects: set[str]) -> str:
    return next(iter(subjects)) if len(subjects) == 1 else ""
