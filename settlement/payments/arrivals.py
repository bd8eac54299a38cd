"""Transfers that arrived at the provider: noted by their movement, each taken in once.

Money in a buyer's cash balance is the buyer's own. We take all of it in, movement by movement, as
payments of exactly as much: so a part payment is ours before the rest comes, and what is over is
the buyer's credit in our books and not money of which nobody knows.

What is less than one payment may be at least (`least_charge_minor`) waits for the buyer's next
transfer and is taken in with that, or with others as small once they come to enough. Until then it
is the buyer's own money in its own balance, and the queue shows it when it waits for long.
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
# Too little for a payment of its own: it waits, or was taken in with another.
SMALL, JOINED = "SMALL", "JOINED"

_KNOWN: Final = "select distinct movement_id from cash_arrival where movement_id = any($1)"
_NOTE: Final = """
insert into cash_arrival (movement_id, part, customer_id, buyer_id, amount_minor, currency,
    reference, sender, arrived_at_us, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (movement_id, part) do nothing
"""
_HOLD: Final = "select * from cash_arrival where movement_id = $1 and part = $2 for update"
_TOO_LITTLE: Final = """
update cash_arrival set state = 'SMALL' where movement_id = $1 and part = $2 and state = 'NOTED'
and joined_minor = 0
"""
_MOVE: Final = """
update cash_arrival set state = $3, payment_id = $4 where movement_id = $1 and part = $2
"""
_ARRIVING: Final = """
select movement_id from cash_arrival
where buyer_id = $1 and currency = $2 and state in ('NOTED', 'APPLYING')
order by movement_id
"""
# Whoever holds them decides with which one they go: two looks at a balance take none twice.
_HOLD_SMALL: Final = """
select movement_id, part, amount_minor from cash_arrival
where customer_id = $1 and currency = $2 and state = 'SMALL'
order by arrived_at_us, movement_id, part for update
"""
_JOIN: Final = """
update cash_arrival set state = 'JOINED', joined_to = $3
where movement_id = $1 and part = $2 and state = 'SMALL'
"""
_CARRIES: Final = """
update cash_arrival set state = 'NOTED', joined_minor = joined_minor + $3
where movement_id = $1 and part = $2
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
    joined_minor: int = 0
    joined_to: str | None = None

    @property
    def taken_minor(self) -> int:
        """What is taken in with it: itself, and what was too little alone."""
        return self.amount_minor + self.joined_minor


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
            least_minor = least_charge_minor(movement.currency)
            state = NOTED if amount_minor >= least_minor else SMALL
            await connection.execute(
                _NOTE, movement.movement_id, part, movement.customer_id, buyer_id, amount_minor,
                movement.currency, movement.reference, movement.sender, movement.made_at_us, state,
            )  # fmt: skip
            taken_minor = await _joined(connection, movement, part, state, amount_minor)
            if taken_minor:
                await want(connection, [_taken(movement, part, taken_minor)], now_us)
    return len(new)


async def _joined(
    connection: AnyConnection, movement: CashMovement, part: int, state: str, amount_minor: int
) -> int:
    """How much is taken in with an arrival, if it is enough: nothing, where all that is there is
    too little, or the two together would be more than a payment takes."""
    own = (movement.movement_id, part)
    rows = await connection.fetch(_HOLD_SMALL, movement.customer_id, movement.currency)
    others = [row for row in rows if (row["movement_id"], row["part"]) != own]
    joined_minor: int = sum(row["amount_minor"] for row in others)
    if amount_minor + joined_minor > MAX_AMOUNT_MINOR:
        return amount_minor
    if state == SMALL and amount_minor + joined_minor < least_charge_minor(movement.currency):
        return 0
    for row in others:
        await connection.execute(_JOIN, row["movement_id"], row["part"], movement.movement_id)
    await connection.execute(_CARRIES, *own, joined_minor)
    return amount_minor + joined_minor


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


async def too_little(connection: AnyConnection, arrival: Arrival) -> None:
    """The provider takes no payment of it: it waits for the next one."""
    await connection.execute(_TOO_LITTLE, arrival.movement_id, arrival.part)


async def arriving(connection: AnyConnection, buyer_id: BidderId, currency: str) -> list[str]:
    """A buyer's transfers that are not in the books yet, but for what is too little to be taken in:
    nothing waits for it."""
    rows = await connection.fetch(_ARRIVING, buyer_id, currency)
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
