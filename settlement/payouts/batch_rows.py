"""Bank files as they stand in the tables: what is due for one, and what each pays to whom."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import asyncpg
from msgspec import Struct

from auction.money import EXPONENTS
from foundation.database import AnyConnection
from settlement.chart import BANK
from settlement.ids import AwardId, InvoiceId
from settlement.ledger import balances
from settlement.lives import AwardState, PaymentState
from settlement.payouts.payables import Payable, Payee, hold_payables, hold_payees, payable_row
from settlement.payouts.words import BatchState, PayeeKind, PayoutRefusal, PayoutRefused
from settlement.rows import AwardRow, Held, hold_invoice

# Of a file: each holds its invoice for the moment in which the file is made or released.
MAX_PAYABLES: Final = 500
MAX_SHOWN: Final = 200

_DUE: Final = """
select p.*, a.state as award_state, e.changed_at_us as account_changed_at_us,
    case when i.open_disputes > 0 then 'DISPUTED' else i.payment end as payment,
    b.bank_account_id, b.country, b.last4, b.holder,
    coalesce(o.name, c.name, p.payee_id) as payee_name
from payable p join payee e using (payee_id) join award a using (award_id)
join invoice i on i.invoice_id = p.invoice_id
left join payee_bank_account b on b.payee_id = p.payee_id and b.state = 'ACTIVE'
left join organisation o on o.organisation_id = p.payee_id
left join consignor c on c.consignor_id = p.payee_id
where p.state = 'OWED' and p.due_at_us <= $2 and p.currency = $1 and e.way = 'BANK'
order by p.due_at_us, p.payable_id limit $3
"""

_BATCHES: Final = """
select * from payout_batch where ($1::text is null or state = $1) and batch_id < $2
order by batch_id desc limit $3
"""
_ASKED: Final = """
select coalesce(sum(amount_minor), 0)::bigint from platform_payout
where currency = $1 and state = 'ASKED'
"""
_BATCH: Final = "select * from payout_batch where batch_id = $1"

_ITEMS: Final = """
select t.*, b.holder, b.country, b.routing, b.last4, b.is_company, b.account_type,
    coalesce(o.name, c.name, t.payee_id) as payee_name
from payout_batch_item t join payee_bank_account b using (bank_account_id)
left join organisation o on o.organisation_id = t.payee_id
left join consignor c on c.consignor_id = t.payee_id
where t.batch_id = $1 order by t.place
"""

_LINES: Final = """
select place, payable_id, amount_minor, send from payout_batch_payable
where batch_id = $1 order by place, payable_id
"""


class DuePayable(Struct, frozen=True, kw_only=True):
    """A payable that is due to be paid by bank, with what says whether it may be sent."""

    payable: Payable
    payee_name: str
    award_state: AwardState
    payment: PaymentState
    account_changed_at_us: int | None
    bank_account_id: int | None
    country: str
    last4: str


class Item(Struct, frozen=True, kw_only=True):
    """What one payee gets by a file. ``last4``: of its account, the only digits shown."""

    place: int
    payee_id: str
    payee_name: str
    method: str
    amount_minor: int
    bank_account_id: int
    holder: str
    country: str
    routing: str
    last4: str
    is_company: bool
    account_type: str
    trace: str
    state: str
    return_code: str
    return_note: str
    returned_at_us: int | None


class ItemLine(Struct, frozen=True, kw_only=True):
    """A payable in a file. ``send``: the how-manieth try to send it."""

    place: int
    payable_id: str
    amount_minor: int
    send: int


class Batch(Struct, frozen=True, kw_only=True):
    """A bank file."""

    batch_id: int
    currency: str
    state: BatchState
    items: int
    total_minor: int
    made_at_us: int
    made_by: str
    released_at_us: int | None
    released_by: str | None
    pays_on: date | None
    ach_sha256: str | None
    wires_sha256: str | None
    cancelled_at_us: int | None
    cancelled_by: str | None


class WholeBatch(Struct, frozen=True, kw_only=True):
    """A bank file with all that it pays."""

    batch: Batch
    items: Sequence[Item]
    lines: Sequence[ItemLine]


class Everything(Struct, frozen=True, kw_only=True):
    """Payables that are held, with their awards, invoices and payees."""

    payables: dict[str, Payable]
    payees: dict[str, Payee]
    invoices: dict[InvoiceId, Held]

    def row(self, payable: Payable) -> AwardRow:
        return self.held(payable).awards[payable.award_id]

    def held(self, payable: Payable) -> Held:
        return self.invoices[payable.invoice_id]


async def due_payables(connection: AnyConnection, currency: str, now_us: int) -> list[DuePayable]:
    """What is due to be paid by bank, the longest due first; nothing is held."""
    if currency not in EXPONENTS:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND)
    rows = await connection.fetch(_DUE, currency, now_us, MAX_PAYABLES)
    return [
        DuePayable(
            payable=payable_row(row),
            payee_name=row["payee_name"],
            award_state=AwardState(row["award_state"]),
            payment=PaymentState(row["payment"]),
            account_changed_at_us=row["account_changed_at_us"],
            bank_account_id=row["bank_account_id"],
            country=row["country"] or "",
            last4=row["last4"] or "",
        )
        for row in rows
    ]


async def bank_minor(connection: AnyConnection, currency: str) -> int:
    """What the house's bank account has, by the books, without what Stripe has not taken yet."""
    balance = (await balances(connection, [BANK], currency))[BANK]
    asked: int = await connection.fetchval(_ASKED, currency)
    return balance.debits_minor - balance.credits_minor - asked


async def hold_everything(
    connection: AnyConnection, payables: Iterable[Payable], now_us: int
) -> Everything:
    """Hold these payables and all that they hang on, in the order of all: invoices, payees, they.

    They are read again, so what is returned may stand otherwise than what was given.
    """
    wanted = list(payables)
    invoices = {
        invoice_id: await hold_invoice(connection, invoice_id)
        for invoice_id in sorted({payable.invoice_id for payable in wanted})
    }
    kinds: dict[str, PayeeKind] = {payable.payee_id: payable.kind for payable in wanted}
    payees = await hold_payees(connection, kinds, now_us)
    ids = [payable.payable_id for payable in wanted]
    held = await hold_payables(connection, ids)
    return Everything(payables=held, payees=payees, invoices=invoices)


async def awards_payables(
    connection: AnyConnection, award_ids: Sequence[AwardId]
) -> dict[AwardId, list[Payable]]:
    """All payables of these awards, as they stand."""
    rows = await connection.fetch(
        "select * from payable where award_id = any($1) order by payable_id", list(award_ids)
    )
    of: dict[AwardId, list[Payable]] = {award_id: [] for award_id in award_ids}
    for row in rows:
        of[row["award_id"]].append(payable_row(row))
    return of


async def read_batches(
    connection: AnyConnection,
    state: BatchState | None,
    before: int = 2**62,
    limit: int = MAX_SHOWN,
) -> list[Batch]:
    """The latest first, before a number."""
    return [batch_row(row) for row in await connection.fetch(_BATCHES, state, before, limit)]


async def read_batch(connection: AnyConnection, batch_id: int, *, hold: bool = False) -> WholeBatch:
    """A file with all that it pays. Raises `PayoutRefused` NOT_FOUND."""
    row = await connection.fetchrow(f"{_BATCH} for update" if hold else _BATCH, batch_id)
    if row is None:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND)
    items = await connection.fetch(_ITEMS, batch_id)
    lines = await connection.fetch(_LINES, batch_id)
    return WholeBatch(
        batch=batch_row(row),
        items=[Item(**{name: each[name] for name in Item.__struct_fields__}) for each in items],
        lines=[ItemLine(**each) for each in lines],
    )


async def read_payables(connection: AnyConnection, ids: Iterable[str]) -> list[Payable]:
    """These payables, as they stand."""
    rows = await connection.fetch(
        "select * from payable where payable_id = any($1) order by payable_id", list(ids)
    )
    return [payable_row(row) for row in rows]


def batch_row(row: asyncpg.Record) -> Batch:
    """The struct of a row of ``payout_batch``."""
    fields: dict[str, Any] = {name: row[name] for name in Batch.__struct_fields__}
    return Batch(**(fields | {"state": BatchState(row["state"])}))
