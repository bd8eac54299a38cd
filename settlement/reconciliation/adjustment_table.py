"""Adjustments as they stand in their table."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.reconciliation.words import AdjustmentState


class Adjustment(Struct, frozen=True, kw_only=True):
    """An entry that one person proposes and another books. ``debit`` and ``credit``: accounts.

    ``is_stale``: what it is about changed since it was proposed, so it can only be withdrawn or
    rejected.
    """

    adjustment_id: int
    exception_id: int | None
    currency: str
    debit: str
    credit: str
    amount_minor: int
    note: str
    state: AdjustmentState
    proposed_by: str
    proposed_by_name: str | None
    proposed_at_us: int
    decided_by: str | None
    decided_by_name: str | None
    decided_at_us: int | None
    why: str
    entry_key: str | None
    is_stale: bool
    version: int


async def adjustments_of(connection: AnyConnection, exception_id: int) -> Sequence[Adjustment]:
    """Those of an exception, in their order."""
    return await read_adjustments(connection, "a.exception_id = $1", exception_id)


async def open_adjustments(connection: AnyConnection) -> Sequence[Adjustment]:
    """Those that wait for a second person, the oldest first."""
    return await read_adjustments(connection, "a.state = $1 and a.state = 'PROPOSED'", "PROPOSED")


async def one_adjustment(connection: AnyConnection, adjustment_id: int) -> Adjustment | None:
    """That of an id."""
    rows = await read_adjustments(connection, "a.adjustment_id = $1", adjustment_id)
    return rows[0] if rows else None


async def read_adjustments(
    connection: AnyConnection, condition: str, value: Any
) -> Sequence[Adjustment]:
    """Those of a condition of this module's, at most as many as a page shows."""
    rows = await connection.fetch(_READ.format(condition=condition, limit=MAX_SHOWN), value)
    return [_adjustment(row) for row in rows]


def _adjustment(row: Any) -> Adjustment:
    fields = {name: row[name] for name in Adjustment.__struct_fields__}
    return Adjustment(**(fields | {"state": AdjustmentState(row["state"])}))


MAX_SHOWN: Final = 200

_READ: Final = """
select a.*, proposer.name as proposed_by_name, decider.name as decided_by_name,
    a.state = 'PROPOSED' and e.exception_id is not null
        and (e.resolved_at_us is not null or e.facts <> a.exception_facts) as is_stale
from ledger_adjustment a
left join reconciliation_exception e using (exception_id)
left join person proposer on proposer.person_id = a.proposed_by
left join person decider on decider.person_id = a.decided_by
where {condition}
order by a.adjustment_id limit {limit}
"""
