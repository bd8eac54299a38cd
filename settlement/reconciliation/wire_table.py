"""Wires as they stand in their table."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.reconciliation.words import BooksRefusal, BooksRefused, WireState


class Wire(Struct, frozen=True, kw_only=True):
    """Money that came to the bank account. ``buyer_id`` and ``invoice_id``: whose it turned out to
    be and what it is for; ``known_as``: the entry that it was booked by already."""

    wire_id: int
    bank_id: str
    state: WireState
    currency: str
    amount_minor: int
    received_on: date
    sender: str
    reference: str
    statement_id: int | None
    buyer_id: str | None
    invoice_id: str | None
    known_as: str | None
    entered_at_us: int
    entered_by: str
    owner_id: str | None
    owner_name: str | None
    note: str
    decided_at_us: int | None
    decided_by: str | None
    decided_by_name: str | None
    why: str
    version: int


class Candidate(Struct, frozen=True, kw_only=True):
    """An invoice that a wire might be for: a person decides. ``exact``: its open amount is the
    wire's; ``named``: its number stands in the wire's reference."""

    invoice_id: str
    number: int
    buyer_id: str
    buyer_name: str | None
    open_minor: int
    due_at_us: int
    exact: bool
    named: bool


async def unknown_wires(
    connection: AnyConnection, after: tuple[int, int], limit: int
) -> Sequence[Wire]:
    """Those that nobody knows, the longest here first, beyond a wire's time of entry and id."""
    return [_wire(row) for row in await connection.fetch(_UNKNOWN, *after, limit)]


async def decided_wires(connection: AnyConnection, before: int, limit: int) -> Sequence[Wire]:
    """Those that were decided, the newest first, before an id."""
    return [_wire(row) for row in await connection.fetch(_DECIDED, before, limit)]


async def read_wire(connection: AnyConnection, wire_id: int) -> Wire:
    """That of an id; ``BooksRefused`` where there is none."""
    rows = await connection.fetch(_ONE, wire_id)
    if not rows:
        raise BooksRefused(BooksRefusal.NOT_FOUND)
    return _wire(rows[0])


async def hold_wire(connection: AnyConnection, wire_id: int, version: int) -> Wire:
    """One that nobody knows yet and that is as the person saw it, held; else ``BooksRefused``."""
    await connection.execute(_HOLD, wire_id)
    wire = await read_wire(connection, wire_id)
    if wire.state is not WireState.UNKNOWN:
        raise BooksRefused(BooksRefusal.DECIDED)
    if wire.version != version:
        raise BooksRefused(BooksRefusal.CHANGED_MEANWHILE, field="version")
    return wire


async def candidates_of(connection: AnyConnection, wire: Wire) -> Sequence[Candidate]:
    """Invoices of that open amount or number, those first that fit better."""
    words = "".join(c if c.isdigit() else " " for c in wire.reference).split()
    numbers = [int(word) for word in words[:20] if len(word) < 18]
    rows = await connection.fetch(_CANDIDATES, wire.currency, wire.amount_minor, numbers)
    return [Candidate(**row) for row in rows]


def _wire(row: Any) -> Wire:
    fields = {name: row[name] for name in Wire.__struct_fields__}
    return Wire(**(fields | {"state": WireState(row["state"])}))


_WIRE: Final = """
select w.*, owner.name as owner_name, decider.name as decided_by_name from wire w
left join person owner on owner.person_id = w.owner_id
left join person decider on decider.person_id = w.decided_by
"""

_UNKNOWN: Final = f"""
{_WIRE} where w.state = 'UNKNOWN' and (w.entered_at_us, w.wire_id) > ($1, $2)
order by w.entered_at_us, w.wire_id limit $3
"""

_DECIDED: Final = f"""
{_WIRE} where w.state <> 'UNKNOWN' and w.wire_id < $1 order by w.wire_id desc limit $2
"""

_ONE: Final = f"{_WIRE} where w.wire_id = $1"

_HOLD: Final = "select from wire where wire_id = $1 for update"

# Open invoices alone: an index of their own has them.
_CANDIDATES: Final = """
select i.invoice_id, i.number, i.buyer_id, o.name as buyer_name, i.open_minor, i.due_at_us,
    i.open_minor = $2 as exact, i.number = any($3::bigint[]) as named
from (
    select *, total_minor - credited_minor - paid_minor as open_minor from invoice
    where payment not in ('PAID', 'DEFAULTED', 'REFUNDED') and currency = $1
) as i
left join organisation o on o.organisation_id = i.buyer_id
where i.open_minor = $2 or i.number = any($3::bigint[])
order by i.number = any($3::bigint[]) desc, i.open_minor = $2 desc, i.due_at_us, i.invoice_id
limit 20
"""
