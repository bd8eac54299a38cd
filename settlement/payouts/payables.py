"""What is owed to a payee of an award since its release: rows, and who holds them.

Whoever nets, sends or takes back holds the invoice first, then its payees in the order of their
ids, then their payables: so no two of them see the same debt or send the same money.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct

from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import AnyConnection
from settlement.chart import Account, consignor_payable, seller_payable, seller_receivable
from settlement.entries import About, Entry
from settlement.ids import AwardId, ConsignorId, InvoiceId, StripeId
from settlement.ledger import balances
from settlement.lives import AwardState
from settlement.payouts.words import PayableState, PayeeKind, Way
from settlement.postings import receivable_netted
from settlement.rows import AwardRow
from settlement.steps import Step, Wanted
from settlement.story import Told

PAY_OUT: Final = "pay_out"
CLOSE: Final = "close"
# No award's id ends so: what follows its lot is a number.
_CONSIGNORS: Final = "~c"
# Of an award there are two.
_DONE: Final = frozenset({PayableState.SENT, PayableState.NETTED})

_NEW_PAYEES: Final = """
insert into payee (payee_id, kind, made_at_us) select payee_id, kind, $3
from unnest($1::text[], $2::text[]) as asked (payee_id, kind) order by payee_id
on conflict (payee_id) do nothing
"""

_PAYEES: Final = """
select p.payee_id, p.kind, p.way, p.changed_at_us, p.version, c.account_id,
    coalesce(c.takes_transfers, false) as takes_transfers
from payee p left join payee_connected c using (payee_id)
where p.payee_id = any($1) order by p.payee_id
"""
# Whoever only names a payee, in a new payable, does not wait for those who hold it.
_HOLD_PAYEES: Final = f"{_PAYEES} for no key update of p"

_ADD: Final = """
insert into payable (payable_id, award_id, invoice_id, sale_id, payee_id, kind, currency,
    amount_minor, due_at_us, state, made_at_us, changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'OWED', $10, $10)
"""

_READ: Final = "select * from payable where payable_id = any($1) order by payable_id"
_HOLD: Final = f"{_READ} for update"
_OF_AWARDS: Final = "select * from payable where award_id = any($1) order by payable_id for update"

_WRITE: Final = """
update payable set state = $2, netted_minor = $3, nettings = $4, sent_minor = $5, sends = $6,
    decisions = $7, note = $8, sent_at_us = $9, changed_at_us = $10
where payable_id = $1
"""

_NOTE: Final = "update payable set note = $2, changed_at_us = $3 where payable_id = $1"


class Payee(Struct, frozen=True, kw_only=True):
    """Who is paid, and how. ``changed_at_us``: when the place was last changed."""

    payee_id: str
    kind: PayeeKind
    way: Way | None
    changed_at_us: int | None
    version: int
    account_id: StripeId | None
    takes_transfers: bool


class Payable(Struct, frozen=True, kw_only=True):
    """What is owed to a payee of an award: what is neither netted nor sent is left to be sent."""

    payable_id: str
    award_id: AwardId
    invoice_id: InvoiceId
    sale_id: SaleId
    payee_id: str
    kind: PayeeKind
    currency: str
    amount_minor: int
    netted_minor: int
    nettings: int
    sent_minor: int
    due_at_us: int
    state: PayableState
    sends: int
    decisions: int
    note: str
    made_at_us: int
    sent_at_us: int | None
    let_go_at_us: int | None
    changed_at_us: int

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.netted_minor - self.sent_minor

    @property
    def account(self) -> Account:
        """Where it stands in the ledger."""
        if self.kind is PayeeKind.LIQUIDATOR:
            return seller_payable(LiquidatorId(self.payee_id))
        return consignor_payable(ConsignorId(BidderId(self.payee_id)))

    def about(self, row: AwardRow, generation: int, at_us: int, **more: Any) -> About:
        """What its entries are about."""
        return About(
            subject=self.payable_id,
            generation=generation,
            at_us=at_us,
            currency=self.currency,
            sale_id=self.sale_id,
            award_id=self.award_id,
            invoice_id=self.invoice_id,
            liquidator_id=row.liquidator_id,
            consignor_id=row.consignor_id if self.kind is PayeeKind.CONSIGNOR else None,
            buyer_id=row.buyer_id,
            **more,
        )

    def wanted(self, due_at_us: int | None = None) -> Wanted:
        """The decision whether and how it is sent."""
        return Wanted(
            operation=PAY_OUT,
            subject=self.payable_id,
            generation=self.decisions,
            due_at_us=due_at_us,
        )


def payable_id_of(award_id: AwardId, kind: PayeeKind) -> str:
    """The liquidator's part has the award's own id."""
    return award_id if kind is PayeeKind.LIQUIDATOR else f"{award_id}{_CONSIGNORS}"


def new_payable(
    row: AwardRow, kind: PayeeKind, payee_id: str, amount_minor: int, due_at_us: int, now_us: int
) -> Payable:
    """What is owed from a release on."""
    assert row.invoice_id is not None, "what is released was invoiced"
    return Payable(
        payable_id=payable_id_of(row.award_id, kind),
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        sale_id=row.sale_id,
        payee_id=payee_id,
        kind=kind,
        currency=row.currency,
        amount_minor=amount_minor,
        netted_minor=0,
        nettings=0,
        sent_minor=0,
        due_at_us=due_at_us,
        state=PayableState.OWED,
        sends=0,
        decisions=1,
        note="",
        made_at_us=now_us,
        sent_at_us=None,
        let_go_at_us=None,
        changed_at_us=now_us,
    )


async def hold_payees(
    connection: AnyConnection, kinds: Mapping[str, PayeeKind], now_us: int
) -> dict[str, Payee]:
    """These payees, held until the transaction ends; who has no row yet gets one."""
    await make_payees(connection, kinds, now_us)
    rows = await connection.fetch(_HOLD_PAYEES, sorted(kinds))
    return {row["payee_id"]: _payee(row) for row in rows}


async def make_payees(
    connection: AnyConnection, kinds: Mapping[str, PayeeKind], now_us: int
) -> None:
    """Those of these payees that have no row yet get one; nobody is held."""
    ids = sorted(kinds)
    await connection.execute(_NEW_PAYEES, ids, [kinds[each] for each in ids], now_us)


async def read_payees(connection: AnyConnection, ids: Iterable[str]) -> dict[str, Payee]:
    """Those of these payees that have a row."""
    rows = await connection.fetch(_PAYEES, sorted(set(ids)))
    return {row["payee_id"]: _payee(row) for row in rows}


async def add_payable(connection: AnyConnection, payable: Payable) -> None:
    """Write a new one."""
    await connection.execute(
        _ADD,
        payable.payable_id,
        payable.award_id,
        payable.invoice_id,
        payable.sale_id,
        payable.payee_id,
        payable.kind,
        payable.currency,
        payable.amount_minor,
        payable.due_at_us,
        payable.made_at_us,
    )


async def read_payable(connection: AnyConnection, payable_id: str) -> Payable | None:
    """As it stands now."""
    row = await connection.fetchrow(_READ, [payable_id])
    return None if row is None else payable_row(row)


async def hold_payables(connection: AnyConnection, ids: Sequence[str]) -> dict[str, Payable]:
    """These payables, held; their invoices and payees are held before."""
    return {row["payable_id"]: payable_row(row) for row in await connection.fetch(_HOLD, list(ids))}


async def payables_of(
    connection: AnyConnection, award_ids: Sequence[AwardId]
) -> dict[str, Payable]:
    """All of these awards, held."""
    rows = await connection.fetch(_OF_AWARDS, list(award_ids))
    return {row["payable_id"]: payable_row(row) for row in rows}


async def write_payable(connection: AnyConnection, payable: Payable, now_us: int) -> None:
    """Write what of it may change."""
    await connection.execute(
        _WRITE,
        payable.payable_id,
        payable.state,
        payable.netted_minor,
        payable.nettings,
        payable.sent_minor,
        payable.sends,
        payable.decisions,
        payable.note,
        payable.sent_at_us,
        now_us,
    )


async def note_payable(connection: AnyConnection, payable: Payable, note: str, now_us: int) -> None:
    """Say why it waits, if that is news."""
    if note != payable.note:
        await connection.execute(_NOTE, payable.payable_id, note, now_us)


async def receivable_minor(
    connection: AnyConnection, liquidator_id: LiquidatorId, currency: str
) -> int:
    """What a seller owes the house. Its payee is held by whoever takes from it."""
    account = seller_receivable(liquidator_id)
    balance = (await balances(connection, [account], currency))[account]
    return balance.debits_minor - balance.credits_minor


def netted(
    payable: Payable, row: AwardRow, owed_minor: int, now_us: int
) -> tuple[Payable, list[Entry]]:
    """What the seller owes is kept back from what it is owed; consignors owe the house nothing."""
    kept_minor = min(owed_minor, payable.left_minor)
    if payable.kind is PayeeKind.CONSIGNOR or not kept_minor:
        return payable, []
    after = moved(
        payable, netted_minor=payable.netted_minor + kept_minor, nettings=payable.nettings + 1
    )
    about = payable.about(row, after.nettings, now_us)
    return after, [receivable_netted(about, row.liquidator_id, kept_minor)]


def moved(payable: Payable, **changes: Any) -> Payable:
    """The payable after a change; once nothing is left it is sent, or netted whole."""
    fields: dict[str, Any] = {name: getattr(payable, name) for name in Payable.__struct_fields__}
    after = Payable(**(fields | changes))
    if after.left_minor:
        assert after.state not in _DONE, "what is left is still to be sent"
        return after
    state = PayableState.SENT if after.sent_minor else PayableState.NETTED
    return Payable(**(fields | changes | {"state": state, "note": ""}))


def all_done(payables: Iterable[Payable]) -> bool:
    """Whether nothing of an award is left to be sent."""
    return all(payable.state in _DONE for payable in payables)


def paid_out(row: AwardRow, payables: Iterable[Payable], close_us: int) -> Step:
    """What follows for an award of which nothing is left to be sent: it is paid out, or closed if
    there was nothing to send, and looked at again at ``close_us``."""
    parts = list(payables)
    released = row.state is AwardState.RELEASED
    if released and all(part.state is PayableState.NETTED for part in parts):
        told = Told(kind="closed", invoice_id=row.invoice_id, award_id=row.award_id)
        return Step(awards={row.award_id: AwardState.CLOSED}, story=(told,))
    # The award may be paid out already: what came back from the bank was sent again, or netted.
    moves = {row.award_id: AwardState.PAID_OUT} if released else {}
    close = Wanted(
        operation=CLOSE, subject=row.award_id, generation=decided(parts), due_at_us=close_us
    )
    return Step(awards=moves, operations=(close,))


def decided(payables: Iterable[Payable]) -> int:
    """How often it was decided what becomes of these: each time that something came back, anew."""
    return max(1, sum(payable.decisions for payable in payables))


def payable_row(row: asyncpg.Record) -> Payable:
    """The struct of a row of ``payable``."""
    fields = {name: row[name] for name in Payable.__struct_fields__}
    fields |= {"kind": PayeeKind(row["kind"]), "state": PayableState(row["state"])}
    return Payable(**fields)


def _payee(row: asyncpg.Record) -> Payee:
    fields = {name: row[name] for name in Payee.__struct_fields__}
    fields |= {"kind": PayeeKind(row["kind"]), "way": Way(row["way"]) if row["way"] else None}
    return Payee(**fields)
