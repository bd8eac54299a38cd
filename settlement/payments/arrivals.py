"""Transfers that arrived at the provider: noted by their movement, each taken in once.

Money in a buyer's cash balance is the buyer's own. We take all of it in, movement by movement, as
payments of exactly as much: so a part payment is ours before the rest comes, and what is over is
the buyer's credit in our books and not money of which nobody knows.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.ids import InvoiceId, StripeId
from settlement.payment_objects import MAX_AMOUNT_MINOR, CashMovement, least_charge_minor
from settlement.rows import InvoiceRow, invoice_row
from settlement.splits import split_minor
from settlement.steps import Wanted, want

# Of a transfer in a buyer's cash balance: money that came from its bank.
FUNDED: Final = "funded"
NOTED, APPLYING, BOOKED = "NOTED", "APPLYING", "BOOKED"

_KNOWN: Final = "select distinct movement_id from cash_arrival where movement_id = any($1)"
_NOTE: Final = """
insert into cash_arrival (movement_id, part, customer_id, buyer_id, amount_minor, currency,
    reference, sender, arrived_at_us, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'NOTED')
on conflict (movement_id, part) do nothing
"""
_HOLD: Final = "select * from cash_arrival where movement_id = $1 and part = $2 for update"
_MOVE: Final = """
update cash_arrival set state = $3, payment_id = $4 where movement_id = $1 and part = $2
"""
_ARRIVING: Final = """
select movement_id from cash_arrival
where buyer_id = $1 and currency = $2 and state <> 'BOOKED' and amount_minor >= $3
order by movement_id
"""
_OPEN: Final = """
select * from invoice where buyer_id = $1 and currency = $2
and payment in ('DUE', 'AWAITING_FUNDS', 'PARTLY_FUNDED', 'OVERDUE')
order by due_at_us, invoice_id limit 100
"""


class Arrival(Struct, frozen=True, kw_only=True):
    """A movement of money into a buyer's cash balance, or a part of a large one."""

    movement_id: StripeId
    part: int
    customer_id: StripeId
    buyer_id: BidderId
    amount_minor: int
    currency: str
    reference: str | None
    sender: str | None
    arrived_at_us: int
    payment_id: StripeId | None
    state: str


async def taken_note_of(
    connection: AnyConnection,
    movements: Sequence[CashMovement],
    buyer_id: BidderId,
    now_us: int,
) -> int:
    """Note what came that nobody noted yet, with its operation; how many movements."""
    came = {each.movement_id: each for each in movements if each.kind == FUNDED}
    rows = await connection.fetch(_KNOWN, list(came))
    new = [came[name] for name in sorted(came.keys() - {row["movement_id"] for row in rows})]
    for movement in new:
        for part, amount_minor in enumerate(_parts(movement.net_minor), 1):
            await connection.execute(
                _NOTE, movement.movement_id, part, movement.customer_id, buyer_id, amount_minor,
                movement.currency, movement.reference, movement.sender, movement.made_at_us,
            )  # fmt: skip
            await want(connection, [_taken(movement, part, amount_minor)], now_us)
    return len(new)


async def hold_arrival(connection: AnyConnection, movement_id: str, part: int) -> Arrival:
    """One that was noted, held until the transaction ends."""
    row = await connection.fetchrow(_HOLD, movement_id, part)
    assert row is not None, "it was noted with its operation"
    return _arrival(row)


async def move_arrival(
    connection: AnyConnection, arrival: Arrival, state: str, payment_id: StripeId
) -> None:
    """It goes on."""
    await connection.execute(_MOVE, arrival.movement_id, arrival.part, state, payment_id)


async def arriving(connection: AnyConnection, buyer_id: BidderId, currency: str) -> list[str]:
    """A buyer's transfers that are not in the books yet, but for what is too little to be taken in:
    it waits for a person, and nothing else waits for it."""
    rows = await connection.fetch(_ARRIVING, buyer_id, currency, least_charge_minor(currency))
    return [row["movement_id"] for row in rows]


async def open_invoices(
    connection: AnyConnection, buyer_id: BidderId, currency: str
) -> list[InvoiceRow]:
    """What a buyer has to pay and no card is being asked for, the earliest due first."""
    return [invoice_row(row) for row in await connection.fetch(_OPEN, buyer_id, currency)]


def paid_by(arrival: Arrival, invoices: Sequence[InvoiceRow]) -> InvoiceId | None:
    """Which of these a transfer pays: the one that its reference names, else the only one of just
    that amount, else the earliest due, as debts are paid of which nobody says more."""
    if not invoices:
        return None
    words = set((arrival.reference or "").upper().replace("-", " ").split())
    for row in invoices:
        if str(row.number) in words:
            return row.invoice_id
    exact = [row.invoice_id for row in invoices if row.open_minor == arrival.amount_minor]
    return exact[0] if len(exact) == 1 else invoices[0].invoice_id


def _parts(amount_minor: int) -> list[int]:
    # As equal as can be: a rest might be less than a payment is at least.
    count = max(1, -(-amount_minor // MAX_AMOUNT_MINOR))
    return split_minor(amount_minor, [1] * count)


def _taken(movement: CashMovement, part: int, amount_minor: int) -> Wanted:
    return Wanted(
        operation="take_cash",
        subject=movement.movement_id,
        generation=part,
        arguments={
            "customer_id": movement.customer_id,
            "amount_minor": amount_minor,
            "currency": movement.currency,
        },
    )


def _arrival(row: asyncpg.Record) -> Arrival:
    return Arrival(**dict(row))
