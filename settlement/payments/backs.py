"""The tables of money that goes back: its parts, and the credits of lines."""

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from foundation.database import AnyConnection
from settlement.chart import deferred_fees, freight_payable, held, signed_minor
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.ledger import balances
from settlement.operations import NeedsPerson
from settlement.payments.decisions_refund import BackState, Part, Refundable
from settlement.payments.words import Way

# The latest first: a card that paid last is most likely still there. What was asked for counts, and
# what its bank has taken, or may.
_LEFT: Final = """
select c.charge_id, c.customer_id, c.way, (c.amount_minor - coalesce((
    select sum(b.amount_minor) from money_back b
    where b.charge_id = c.charge_id and b.state in ('ASKED', 'SENT')
), 0) - coalesce((
    select sum(p.amount_minor) from credit_payout_part p
    where p.charge_id = c.charge_id and p.state in ('ASKED', 'SENT')
), 0) - coalesce((
    select sum(greatest(0, d.taken_minor - d.given_minor)) from payment_dispute d
    where d.charge_id = c.charge_id
), 0))::bigint as left_minor
from payment_charge c
"""
_CHARGES: Final = f"{_LEFT} where c.invoice_id = $1 order by c.made_at_us desc, c.charge_id"
_CHARGE: Final = f"{_LEFT} where c.charge_id = $1"
_DISPUTED: Final = "select dispute_id from payment_dispute where invoice_id = $1 and state = 'OPEN'"
_WRITE: Final = """
insert into money_back (back_key, part, invoice_id, award_id, charge_id, reason, amount_minor,
    currency, back, after_release, commission_minor, claim_id, state, made_at_us, changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12, $13, $14, $14)
on conflict (back_key, part) do nothing
"""
_HOLD: Final = "select * from money_back where back_key = $1 and part = $2 for update"
_BY_REFUND: Final = "select * from money_back where refund_id = $1 for update"
_MOVE: Final = """
update money_back set state = $3, refund_id = coalesce($4, refund_id),
    transaction_id = coalesce($5, transaction_id), failure = $6, changed_at_us = $7
where back_key = $1 and part = $2
"""
_OPEN_PARTS: Final = "select count(*) from money_back where back_key = $1 and state = 'ASKED'"
_ASKED_OF: Final = """
select coalesce(sum((back ->> 'hammer_minor')::bigint), 0)::bigint as hammer,
    coalesce(sum((back ->> 'premium_minor')::bigint), 0)::bigint as premium,
    coalesce(sum((back ->> 'freight_minor')::bigint), 0)::bigint as freight
from money_back where award_id = $1 and state = 'ASKED' and not after_release
"""
_CREDIT: Final = """
insert into award_credit (award_id, number, invoice_id, reason, hammer_minor, premium_minor,
    tax_minor, freight_minor, made_at_us)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8
from award_credit where award_id = $1
"""


class Back(Struct, frozen=True, kw_only=True):
    """A part that goes back, as it is kept."""

    back_key: str
    part: int
    invoice_id: InvoiceId
    award_id: AwardId | None
    charge_id: StripeId | None
    reason: str
    amount_minor: int
    currency: str
    back: AwardMoney | None
    after_release: bool
    commission_minor: int
    claim_id: str | None
    state: BackState
    refund_id: StripeId | None
    transaction_id: StripeId | None
    made_at_us: int


async def refundable(connection: AnyConnection, invoice_id: InvoiceId) -> list[Refundable]:
    """The charges of an invoice, with what of each may still go back. Raises `NeedsPerson` while
    the payer's bank decides: what went back twice would be lost."""
    dispute_id = await connection.fetchval(_DISPUTED, invoice_id)
    if dispute_id is not None:
        raise NeedsPerson(f"dispute {dispute_id} is to be decided before money goes back")
    rows = await connection.fetch(_CHARGES, invoice_id)
    return [_refundable(row) for row in rows if row["left_minor"] > 0]


async def held_of(
    connection: AnyConnection, award_id: AwardId | None, currency: str
) -> AwardMoney | None:
    """What the books hold of an award, without what was asked for and is not booked; tax is not
    held by award."""
    if award_id is None:
        return None
    accounts = [held(award_id), deferred_fees(award_id), freight_payable(award_id)]
    booked = await balances(connection, accounts, currency)
    asked = await connection.fetchrow(_ASKED_OF, award_id)
    assert asked is not None, "it is a sum"
    hammer, premium, freight = (
        signed_minor(account, booked[account].debits_minor, booked[account].credits_minor)
        - asked[name]
        for account, name in zip(accounts, ("hammer", "premium", "freight"), strict=True)
    )
    return AwardMoney(
        award_id=award_id,
        hammer_minor=max(0, hammer),
        premium_minor=max(0, premium),
        freight_minor=max(0, freight),
    )


async def is_disputed(connection: AnyConnection, charge_id: str) -> bool:
    """Whether the payer's bank is deciding about a charge."""
    found = await connection.fetchval(
        "select true from payment_dispute where charge_id = $1 and state = 'OPEN' limit 1",
        charge_id,
    )
    return bool(found)


async def charge_of(connection: AnyConnection, charge_id: StripeId) -> Refundable:
    """A charge of ours."""
    row = await connection.fetchrow(_CHARGE, charge_id)
    assert row is not None, "it is named by what goes back"
    return _refundable(row)


async def write_back(connection: AnyConnection, back: Back) -> None:
    """Keep a part that is to go back, once."""
    encoded = None if back.back is None else msgspec.json.encode(back.back).decode()
    await connection.execute(
        _WRITE, back.back_key, back.part, back.invoice_id, back.award_id, back.charge_id,
        back.reason, back.amount_minor, back.currency, encoded, back.after_release,
        back.commission_minor, back.claim_id, back.state, back.made_at_us,
    )  # fmt: skip


async def hold_back(connection: AnyConnection, back_key: str, part: int) -> Back:
    """A part that goes back, held until the transaction ends."""
    row = await connection.fetchrow(_HOLD, back_key, part)
    assert row is not None, "it was written with its operation"
    return _back(row)


async def back_by_refund(connection: AnyConnection, refund_id: StripeId) -> Back | None:
    """Which part a refund is, held; None: none of ours, or not known yet."""
    row = await connection.fetchrow(_BY_REFUND, refund_id)
    return None if row is None else _back(row)


async def move_back(
    connection: AnyConnection,
    back: Back,
    state: BackState,
    now_us: int,
    *,
    refund_id: StripeId | None = None,
    transaction_id: StripeId | None = None,
    failure: str = "",
) -> None:
    """It goes on."""
    await connection.execute(
        _MOVE, back.back_key, back.part, state, refund_id, transaction_id, failure, now_us
    )


async def parts_asked(connection: AnyConnection, back_key: str) -> int:
    """How many of its parts are in no books yet."""
    count: int = await connection.fetchval(_OPEN_PARTS, back_key)
    return count


async def credit_line(
    connection: AnyConnection,
    invoice_id: InvoiceId,
    reason: str,
    monies: Sequence[AwardMoney],
    now_us: int,
) -> None:
    """These parts of lines need not be paid, or go back."""
    for money in monies:
        await connection.execute(
            _CREDIT, money.award_id, invoice_id, reason, money.hammer_minor, money.premium_minor,
            money.tax_minor, money.freight_minor, now_us,
        )  # fmt: skip


def part_of_back(back: Back, charge: Refundable | None) -> Part:
    """As it is booked."""
    return Part(
        number=back.part,
        charge=charge,
        amount_minor=back.amount_minor,
        back=back.back,
        commission_minor=back.commission_minor,
    )


def _refundable(row: asyncpg.Record) -> Refundable:
    return Refundable(
        charge_id=row["charge_id"],
        customer_id=row["customer_id"],
        way=Way(row["way"]),
        left_minor=row["left_minor"],
    )


def _back(row: asyncpg.Record) -> Back:
    fields = {name: row[name] for name in Back.__struct_fields__}
    kept = row["back"]
    money = None if kept is None else msgspec.json.decode(kept, type=AwardMoney)
    return Back(**fields | {"back": money, "state": BackState(row["state"])})
