"""The end of a day: what moved Stripe's balance by our books and by Stripe's, and what is open.

A report is a function of what was booked and taken in: made again of the same facts it is the same
report, byte for byte, whenever it is asked for. A day is one of the house's zone. Closing a day
keeps the report; what comes late makes another one, and both are kept.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.spreadsheets import Column, Kind, table_csv
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.operations import SECOND_US
from settlement.reconciliation.matching import BreakKind
from settlement.reconciliation.words import BooksRefusal, BooksRefused

# A day that is still running can be closed once Stripe's list was read so shortly before.
READ_WITHIN_US: Final = 120 * SECOND_US
MAX_SHOWN: Final = 1_000
# Times in the books are from 1970 to 2100.
FIRST_YEAR, END_YEAR = 1971, 2100


class Moved(Struct, frozen=True):
    """What moved the balance under one name: an entry's purpose, or Stripe's category."""

    name: str
    count: int
    net_minor: int


class OpenException(Struct, frozen=True, kw_only=True):
    """An exception that was open when the day ended. ``resolved_at_us``: afterwards."""

    exception_id: int
    subject: str
    kind: BreakKind
    stripe_minor: int
    booked_minor: int
    age_us: int
    owner_id: str | None
    resolved_at_us: int | None


class DayReport(Struct, frozen=True, kw_only=True):
    """A currency's day. ``to_us``: its end, or the time of the report if it is still running."""

    currency: str
    day: date
    zone: str
    from_us: int
    to_us: int
    booked_opening_minor: int
    booked: Sequence[Moved]
    booked_closing_minor: int
    stripe_opening_minor: int
    at_stripe: Sequence[Moved]
    stripe_closing_minor: int
    exceptions: Sequence[OpenException]

    @property
    def difference_minor(self) -> int:
        """What the books have more than Stripe when the day ends."""
        return self.booked_closing_minor - self.stripe_closing_minor

    @property
    def still_open(self) -> Sequence[OpenException]:
        """Of the exceptions, those that are open today."""
        return [one for one in self.exceptions if one.resolved_at_us is None]


class ClosedDay(Struct, frozen=True):
    """A report that was kept. ``number``: 2 and on where what came late changed it."""

    number: int
    closed_at_us: int
    closed_by: str
    report: DayReport


def day_of_house(day: date, zone: str) -> tuple[int, int]:
    """When a day begins and ends on the clocks of a zone; ``ValueError`` for no zone, and for a
    day of which there can be no books."""
    if not FIRST_YEAR <= day.year < END_YEAR:
        raise ValueError(f"{day.isoformat()} is not from {FIRST_YEAR} to {END_YEAR - 1}")
    try:
        clocks = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{zone[:40]!r} is no time zone") from None

    def starts_us(of: date) -> int:
        return int(datetime.combine(of, time(), clocks).timestamp()) * SECOND_US

    return starts_us(day), starts_us(day + timedelta(days=1))


async def end_of_day(
    connection: AnyConnection, currency: str, day: date, zone: str, now_us: int
) -> DayReport:
    """The report of a day, as of one moment, in a transaction of its own."""
    assert not connection.is_in_transaction(), "a report is of one moment"
    from_us, end_us = day_of_house(day, zone)
    to_us = max(from_us, min(end_us, now_us))
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        (sums,) = await connection.fetch(_SUMS, currency, from_us, to_us)
        booked = await connection.fetch(_BOOKED, currency, from_us, to_us)
        theirs = await connection.fetch(_AT_STRIPE, currency, from_us, to_us)
        open_ = await connection.fetch(_EXCEPTIONS, currency, to_us, MAX_SHOWN)
    return DayReport(
        currency=currency,
        day=day,
        zone=zone,
        from_us=from_us,
        to_us=to_us,
        booked=[_moved(row) for row in booked],
        at_stripe=[_moved(row) for row in theirs],
        exceptions=[_open(row, to_us) for row in open_],
        **{name: int(sums[name]) for name in sums.keys()},  # noqa: SIM118 - a record's keys
    )


class Days:
    """Reads days and closes them."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def report(self, currency: str, day: date, zone: str) -> DayReport:
        """The report of a day; ``ValueError`` for no zone."""
        async with acquire(self._pool) as connection:
            return await end_of_day(connection, currency, day, zone, self._now_us())

    async def closed(self, currency: str, day: date) -> Sequence[ClosedDay]:
        """What was kept of a day, the last one first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_CLOSED, currency, day)
        return [_closed(row) for row in rows]

    async def close(self, actor: Actor, currency: str, day: date, zone: str) -> ClosedDay:
        """Keep the report of a day. ``BooksRefused`` says what keeps it open. Closed again of the
        same facts it is the same one."""
        report = await self.report(currency, day, zone)
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            await connection.execute(_LOCK, f"{currency} {day.isoformat()}")
            keeps = await self._keeps_open(connection, report, now_us)
            if keeps:
                raise BooksRefused(BooksRefusal.DAY_OPEN, detail=" ".join(keeps))
            body = msgspec.json.encode(report)
            digest = hashlib.sha256(body).digest()
            rows = await connection.fetch(_CLOSED, currency, day)
            if not rows or rows[0]["sha256"] != digest:
                by = actor.person_id or actor.address
                values = (currency, day, zone, body.decode(), digest, now_us, by)
                await connection.execute(_KEEP, *values)
                what = f"{currency} {day.isoformat()}"
                await record(connection, Act.DAY_CLOSED, actor, now_us, object_id=what)
                rows = await connection.fetch(_CLOSED, currency, day)
        return _closed(rows[0])

    async def keeps_open(self, report: DayReport) -> Sequence[str]:
        """Sentences that say why a day cannot be closed; none: it can."""
        async with acquire(self._pool) as connection:
            return await self._keeps_open(connection, report, self._now_us())

    async def _keeps_open(
        self, connection: AnyConnection, report: DayReport, now_us: int
    ) -> Sequence[str]:
        keeps = []
        taken_us = await connection.fetchval("select taken_until_us from stripe_intake") or 0
        needed_us = min(report.to_us, now_us - READ_WITHIN_US)
        if taken_us < needed_us:
            keeps.append("Stripe's list was not read to the end of the day yet.")
        if report.to_us <= report.from_us:
            keeps.append("The day has not begun.")
        left = len(report.still_open)
        if left:
            keeps.append(f"{left} exceptions are open.")
        elif report.difference_minor and not report.exceptions:
            keeps.append("Money is on its way between the books and Stripe.")
        return keeps


def day_csv(report: DayReport) -> bytes:
    """A report as a table: what moved by our books, and what by Stripe's."""
    rows: list[tuple[str, str, int | None, int]] = []
    rows += [("books", "opening", None, report.booked_opening_minor)]
    rows += [("books", its.name, its.count, its.net_minor) for its in report.booked]
    rows += [("books", "closing", None, report.booked_closing_minor)]
    rows += [("Stripe", "opening", None, report.stripe_opening_minor)]
    rows += [("Stripe", its.name, its.count, its.net_minor) for its in report.at_stripe]
    rows += [("Stripe", "closing", None, report.stripe_closing_minor)]
    rows += [("difference", "books less Stripe", None, report.difference_minor)]
    rows += [
        ("exception", f"{its.kind} {its.subject}", None, its.booked_minor - its.stripe_minor)
        for its in report.exceptions
    ]
    return table_csv(_COLUMNS, rows, report.currency)


_COLUMNS: Final[Sequence[Column[tuple[Any, ...]]]] = (
    Column("Where", Kind.TEXT, lambda row: row[0]),
    Column("What", Kind.TEXT, lambda row: row[1]),
    Column("Count", Kind.COUNT, lambda row: row[2]),
    Column("Amount", Kind.MONEY, lambda row: row[3]),
)


def _moved(row: Any) -> Moved:
    return Moved(row["name"], row["count"], int(row["net_minor"]))


def _open(row: Any, to_us: int) -> OpenException:
    names = set(OpenException.__struct_fields__) - {"age_us", "kind"}
    fields = {name: row[name] for name in names}
    return OpenException(**fields, kind=BreakKind(row["kind"]), age_us=to_us - row["since_us"])


def _closed(row: Any) -> ClosedDay:
    report = msgspec.json.decode(row["body"], type=DayReport)
    return ClosedDay(row["number"], row["closed_at_us"], row["closed_by"], report)


# Counted back from the sums as they are now, so that what is read is what moved since.
_SUMS: Final = """
select booked.now_minor - coalesce(ours.since_minor, 0) as booked_opening_minor,
    booked.now_minor - coalesce(ours.after_minor, 0) as booked_closing_minor,
    there.now_minor - coalesce(theirs.since_minor, 0) as stripe_opening_minor,
    there.now_minor - coalesce(theirs.after_minor, 0) as stripe_closing_minor
from (
    select coalesce((
        select debits_minor - credits_minor
        from ledger_account join ledger_balance using (account_id)
        where name = 'stripe_balance' and currency = $1
    ), 0) as now_minor
) as booked
cross join (
    select coalesce((select net_minor from stripe_total where currency = $1), 0) as now_minor
) as there
cross join (
    select sum(amount_minor - fee_minor) as since_minor,
        sum(amount_minor - fee_minor) filter (where at_us >= $3) as after_minor
    from stripe_entry where currency = $1 and at_us >= $2
) as ours
cross join (
    select sum(net_minor) as since_minor,
        sum(net_minor) filter (where made_at_us >= $3) as after_minor
    from stripe_transaction where currency = $1 and made_at_us >= $2
) as theirs
"""

_BOOKED: Final = """
select purpose as name, count(*) as count, sum(amount_minor - fee_minor) as net_minor
from stripe_entry where currency = $1 and at_us >= $2 and at_us < $3
group by purpose order by purpose
"""

_AT_STRIPE: Final = """
select category as name, count(*) as count, sum(net_minor) as net_minor
from stripe_transaction where currency = $1 and made_at_us >= $2 and made_at_us < $3
group by category order by category
"""

_EXCEPTIONS: Final = """
select * from reconciliation_exception
where currency = $1 and since_us < $2 and (resolved_at_us is null or resolved_at_us >= $2)
order by since_us, exception_id limit $3
"""

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('softclose day ' || $1, 0))"

_CLOSED: Final = """
select * from day_report where currency = $1 and day = $2 order by number desc
"""

_KEEP: Final = """
insert into day_report (currency, day, number, zone, body, sha256, closed_at_us, closed_by)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4::jsonb, $5, $6, $7
from day_report where currency = $1 and day = $2
"""
