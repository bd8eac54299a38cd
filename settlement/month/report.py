"""A month's report: what was owed at its end, its tax, forfeits, unknown wires and exceptions."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.month.ageing import Aged, read_ageing
from settlement.month.taxes import ReliedOn, TaxedPlace, read_taxes
from settlement.reconciliation.matching import BreakKind
from settlement.statements import month_period

MAX_ROWS: Final = 5_000


class Forfeit(Struct, frozen=True, kw_only=True):
    """Money that was kept of a buyer who did not pay; below zero: it was taken back."""

    key: str
    purpose: str
    at_us: int
    buyer_id: str | None
    invoice_id: str | None
    award_id: str | None
    amount_minor: int


class UnknownWire(Struct, frozen=True, kw_only=True):
    """Money that nobody knew when the month ended."""

    wire_id: int
    received_on: date
    amount_minor: int
    sender: str
    reference: str
    state: str  # as it stands now


class MonthException(Struct, frozen=True, kw_only=True):
    """What did not match when the month ended. ``resolution``: since then."""

    exception_id: int
    subject: str
    kind: BreakKind
    since_us: int
    stripe_minor: int
    booked_minor: int
    owner_id: str | None
    resolution: str | None


class MonthReport(Struct, frozen=True, kw_only=True):
    """A currency's month. ``closed_at_us``: when its books were closed, or those after it."""

    currency: str
    month: date
    from_us: int
    to_us: int
    closed_at_us: int | None
    closed_by: str | None
    ageing: Sequence[Aged]
    taxes: Sequence[TaxedPlace]
    certificates: Sequence[ReliedOn]
    forfeits: Sequence[Forfeit]
    wires: Sequence[UnknownWire]
    exceptions: Sequence[MonthException]

    @property
    def forfeited_minor(self) -> int:
        return sum(one.amount_minor for one in self.forfeits)


async def month_report(connection: AnyConnection, currency: str, month: date) -> MonthReport:
    """The report of a month (of its first day), as of one moment, in a transaction of its own."""
    assert not connection.is_in_transaction(), "a report is of one moment"
    period = month_period(month)
    times = (period.from_us, period.to_us)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        closed = await connection.fetchrow(_CLOSED, currency, month.replace(day=1))
        taxes, certificates = await read_taxes(connection, currency, period)
        forfeits = await connection.fetch(_FORFEITS, currency, *times, MAX_ROWS)
        wires = await connection.fetch(_WIRES, currency, period.to_us, MAX_ROWS)
        exceptions = await connection.fetch(_EXCEPTIONS, currency, period.to_us, MAX_ROWS)
        return MonthReport(
            currency=currency,
            month=month.replace(day=1),
            from_us=period.from_us,
            to_us=period.to_us,
            closed_at_us=closed["closed_at_us"] if closed else None,
            closed_by=closed["closed_by"] if closed else None,
            ageing=await read_ageing(connection, currency, period.to_us),
            taxes=taxes,
            certificates=certificates,
            forfeits=[Forfeit(**row) for row in forfeits],
            wires=[UnknownWire(**row) for row in wires],
            exceptions=[_exception(row) for row in exceptions],
        )


def _exception(row: Any) -> MonthException:
    fields = {name: row[name] for name in MonthException.__struct_fields__}
    return MonthException(**(fields | {"kind": BreakKind(row["kind"])}))


_CLOSED: Final = """
select closed_at_us, closed_by from ledger_closed_month
where currency = $1 and month >= $2 order by month limit 1
"""

_FORFEITS: Final = """
select t.key, t.purpose, t.effective_at_us as at_us, t.buyer_id, t.invoice_id, f.award_id,
    case when f.credit_account_id = a.account_id then f.amount_minor else -f.amount_minor end
        as amount_minor
from ledger_transaction t
join ledger_transfer f using (transaction_id)
join ledger_account a on a.account_id in (f.debit_account_id, f.credit_account_id)
where t.currency = $1 and t.effective_at_us >= $2 and t.effective_at_us < $3
and a.kind = 'forfeits'
order by t.effective_at_us, f.transfer_id limit $4
"""

_WIRES: Final = """
select wire_id, received_on, amount_minor, sender, reference, state from wire
where currency = $1
and received_on < (timestamp '1970-01-01' + $2::bigint * interval '1 microsecond')::date
and (state = 'UNKNOWN' or decided_at_us >= $2) and state <> 'KNOWN'
order by received_on, wire_id limit $3
"""

_EXCEPTIONS: Final = """
select * from reconciliation_exception
where currency = $1 and since_us < $2 and (resolved_at_us is null or resolved_at_us >= $2)
order by since_us, exception_id limit $3
"""
