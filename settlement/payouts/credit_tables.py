"""The tables of credit that is paid back, and what of a buyer's charges may still go back."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.chart import Account, buyer_credit
from settlement.ids import StripeId
from settlement.payments.words import Way

# Credit of more payments than this goes by the bank, in one.
MAX_PARTS: Final = 40


class CreditPart(Struct, frozen=True, kw_only=True):
    """A part of a payout; ``charge_id`` None: the house's bank sends it."""

    number: int
    part: int
    charge_id: StripeId | None
    amount_minor: int
    state: str
    refund_id: StripeId | None
    note: str
    changed_at_us: int


class CreditPayout(Struct, frozen=True, kw_only=True):
    """A buyer's credit that is to go back, or has gone."""

    number: int
    buyer_id: BidderId
    currency: str
    amount_minor: int
    why: str
    state: str
    asked_at_us: int
    asked_by: str
    decided_at_us: int | None
    decided_by: str | None
    buyer: str = ""
    parts: Sequence[CreditPart] = ()

    @property
    def subject(self) -> str:
        """What its operations and entries are about."""
        return f"credit-payout~{self.number}"

    @property
    def purse(self) -> Account:
        """Where its money lies until it has gone."""
        return buyer_credit(BidderId(self.subject))

    @property
    def by_bank(self) -> CreditPart | None:
        """What the house's bank is still to send."""
        bank = (part for part in self.parts if part.charge_id is None and part.state == "ASKED")
        return next(bank, None)


class Source(Struct, frozen=True, kw_only=True):
    """A charge of a buyer's, and what of it may go back."""

    charge_id: StripeId
    customer_id: StripeId
    way: Way
    left_minor: int


_ADD: Final = """
insert into credit_payout (buyer_id, currency, amount_minor, why, state, asked_at_us, asked_by)
values ($1, $2, $3, $4, 'ASKED', $5, $6) returning number
"""
_READ: Final = "select * from credit_payout where number = $1"
_HOLD: Final = f"{_READ} for update"
_LATEST: Final = """
select number from credit_payout order by state in ('ASKED', 'SENDING') desc, number desc limit $1
"""
_PARTS: Final = "select * from credit_payout_part where number = $1 order by part"
_STATE: Final = """
update credit_payout set state = $2, decided_at_us = coalesce(decided_at_us, $3),
    decided_by = coalesce(decided_by, $4)
where number = $1
"""
_ADD_PART: Final = """
insert into credit_payout_part (number, part, charge_id, amount_minor, state, changed_at_us)
values ($1, $2, $3, $4, 'ASKED', $5)
"""
_MOVE_PART: Final = """
update credit_payout_part set state = $3, refund_id = coalesce($4, refund_id), note = $5,
    changed_at_us = $6
where number = $1 and part = $2
"""
_TO_BANK: Final = """
update credit_payout_part set charge_id = null, note = $3, changed_at_us = $4
where number = $1 and part = $2
"""
_END: Final = """
update credit_payout set state = 'SENT' where number = $1 and state = 'SENDING' and not exists (
    select from credit_payout_part where number = $1 and state = 'ASKED'
) returning true
"""
_BY_REFUND: Final = "select number, part from credit_payout_part where refund_id = $1"

# The latest first, as refunds of lots go. What went back of it already, or is asked for, or a bank
# has taken or may take, is not there any more.
_SOURCES: Final = """
select charge_id, customer_id, way, left_minor from (
    select c.*, (c.amount_minor - coalesce((
        select sum(b.amount_minor) from money_back b
        where b.charge_id = c.charge_id and b.state in ('ASKED', 'SENT')
    ), 0) - coalesce((
        select sum(p.amount_minor) from credit_payout_part p
        where p.charge_id = c.charge_id and p.state in ('ASKED', 'SENT')
    ), 0) - coalesce((
        select sum(greatest(0, d.taken_minor - d.given_minor)) from payment_dispute d
        where d.charge_id = c.charge_id
    ), 0))::bigint as left_minor
    from payment_charge c where buyer_id = $1 and currency = $2
) as every
where left_minor > 0 order by made_at_us desc, charge_id limit $3
"""


async def add_payout(
    connection: AnyConnection,
    buyer_id: BidderId,
    currency: str,
    amount_minor: int,
    why: str,
    asked_by: str,
    now_us: int,
) -> int:
    """Somebody asks for it; its number."""
    values = (buyer_id, currency, amount_minor, why, now_us, asked_by)
    number: int = await connection.fetchval(_ADD, *values)
    return number


async def read_payout(
    connection: AnyConnection, number: int, *, hold: bool = False
) -> CreditPayout | None:
    """One with its parts, or held."""
    row = await connection.fetchrow(_HOLD if hold else _READ, number)
    if row is None:
        return None
    parts = [CreditPart(**row) for row in await connection.fetch(_PARTS, number)]
    return CreditPayout(**dict(row), parts=parts)


async def latest_payouts(connection: AnyConnection, most: int) -> list[CreditPayout]:
    """Those that are not over first, then the latest."""
    found = []
    for row in await connection.fetch(_LATEST, most):
        payout = await read_payout(connection, row["number"])
        assert payout is not None, "it was just there"
        found.append(payout)
    return found


async def decide_payout(
    connection: AnyConnection, payout: CreditPayout, state: str, by: str, now_us: int
) -> None:
    """A second person has said yes, or somebody no."""
    await connection.execute(_STATE, payout.number, state, now_us, by)


async def sources_of(connection: AnyConnection, buyer_id: BidderId, currency: str) -> list[Source]:
    """A buyer's charges of which something may go back; its credit is held."""
    rows = await connection.fetch(_SOURCES, buyer_id, currency, MAX_PARTS)
    return [Source(**{**row, "way": Way(row["way"])}) for row in rows]


async def add_part(
    connection: AnyConnection,
    number: int,
    part: int,
    charge_id: StripeId | None,
    amount_minor: int,
    now_us: int,
) -> None:
    """So much of it goes there."""
    await connection.execute(_ADD_PART, number, part, charge_id, amount_minor, now_us)


async def move_part(
    connection: AnyConnection,
    part: CreditPart,
    state: str,
    now_us: int,
    *,
    refund_id: StripeId | None = None,
    note: str = "",
) -> None:
    """It goes on; with the last of its parts the payout is over."""
    values = (part.number, part.part, state, refund_id, note, now_us)
    await connection.execute(_MOVE_PART, *values)
    await connection.execute(_END, part.number)


async def give_to_bank(connection: AnyConnection, part: CreditPart, why: str, now_us: int) -> None:
    """A charge takes nothing back: the house's bank sends it."""
    await connection.execute(_TO_BANK, part.number, part.part, why, now_us)


async def part_by_refund(connection: AnyConnection, refund_id: StripeId) -> asyncpg.Record | None:
    """Of which payout's part a refund is, by number; ``None``: of none."""
    return await connection.fetchrow(_BY_REFUND, refund_id)
