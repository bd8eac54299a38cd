"""An award's whole story and an invoice's, read for the page that shows them. Nothing is changed.

Only what is indexed is asked: a story is as quick with a hundred thousand awards as with one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from auction.ids import SaleId
from foundation.database import AnyConnection, Pool, acquire
from settlement.chart import CHART, Account, Of
from settlement.entries import named
from settlement.ids import AwardId, EntryKey, InvoiceId
from settlement.ledger_reading import read_entries, read_lines
from settlement.lot_history import LotEvent, lot_events
from settlement.names import NamedSale, organisation_names, person_names, sale_names
from settlement.rows import AwardRow, Held, InvoiceRow, NotFound, read_award, read_invoice
from settlement.statements import Line, Period, Scope
from settlement.story import Told, story_of

# What one award books is some dozens of lines, an invoice's of a thousand lots some thousands.
MAX_LINES: Final = 5_000
MAX_OPERATIONS: Final = 300


class OperationSeen(Struct, frozen=True, kw_only=True):
    """An operation of settlement, as staff see it."""

    op_id: int
    operation: str
    subject: str
    generation: int
    state: str
    due_at_us: int
    attempts: int
    made_at_us: int
    ended_at_us: int | None
    note: str
    idempotency_key: str


class BookedLine(Struct, frozen=True, kw_only=True):
    """A transfer between two accounts, with what it was for and what Stripe calls it."""

    key: str
    purpose: str
    at_us: int
    debit: str
    credit: str
    amount_minor: int
    award_id: str | None
    stripe_ids: Sequence[str]
    note: str


class AccountBalance(Struct, frozen=True):
    """What an account of the award stands at."""

    account: str
    meaning: str
    balance_minor: int


class Story(Struct, frozen=True, kw_only=True):
    """All there is to know. ``award`` None: the story is of the whole invoice.

    ``names``: of the organisations that it is about, and of the persons who acted.
    """

    award: AwardRow | None
    invoice: InvoiceRow | None
    awards: Sequence[AwardRow]
    bids: Sequence[LotEvent]
    told: Sequence[Told]
    operations: Sequence[OperationSeen]
    lines: Sequence[BookedLine]
    balances: Sequence[AccountBalance]
    sale: NamedSale | None
    names: Mapping[str, str]

    @property
    def zone(self) -> str:
        """By which clock the times are told."""
        if self.invoice is not None:
            return self.invoice.zone
        return "UTC" if self.sale is None else self.sale.time_zone

    @property
    def stripe_ids(self) -> list[str]:
        """Every object at Stripe that the books or the story name, each once."""
        found = [name for line in self.lines for name in line.stripe_ids]
        for told in self.told:
            found += [value for value in told.facts.values() if is_stripe_id(value)]
        return list(dict.fromkeys(found))


_OPERATIONS: Final = """
select op_id, operation, subject, generation, state, due_at_us, attempts, made_at_us, ended_at_us,
    note, idempotency_key
from settlement_op where subject = any($1::text[]) order by op_id desc limit $2
"""

# Of objects, not of events: those are of the inbox.
_STRIPE_PREFIXES: Final = (
    "pi_", "ch_", "py_", "re_", "pyr_", "tr_", "trr_", "po_", "du_", "dp_", "txn_", "cus_", "acct_",
    "seti_", "pm_",
)  # fmt: skip


def is_stripe_id(value: object) -> bool:
    """Whether a fact is the id of an object at Stripe."""
    return isinstance(value, str) and len(value) < 256 and value.startswith(_STRIPE_PREFIXES)


class Stories:
    """Reads stories."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def buyer_of_award(self, award_id: AwardId) -> str | None:
        """Whose the award is; ``None``: there is none of this id."""
        return await self._value("select buyer_id from award where award_id = $1", award_id)

    async def buyer_of_invoice(self, invoice_id: InvoiceId) -> str | None:
        """Whose the invoice is; ``None``: there is none of this id."""
        return await self._value("select buyer_id from invoice where invoice_id = $1", invoice_id)

    async def invoice_of_award(self, award_id: AwardId) -> InvoiceId | None:
        """On which invoice the award is; ``None``: on none yet."""
        statement = "select invoice_id from award where award_id = $1"
        found = await self._value(statement, award_id)
        return None if found is None else InvoiceId(found)

    async def liquidator_of_award(self, award_id: AwardId) -> str | None:
        """Who sold the lot; ``None``: there is no award of this id."""
        return await self._value("select liquidator_id from award where award_id = $1", award_id)

    async def of_award(self, award_id: AwardId) -> Story:
        """Raises `rows.NotFound`."""
        async with acquire(self._pool) as connection:
            held = await read_award(connection, award_id)
            return await _story(connection, held, held.awards[award_id])

    async def of_invoice(self, invoice_id: InvoiceId) -> Story:
        """Raises `rows.NotFound`."""
        async with acquire(self._pool) as connection:
            return await _story(connection, await read_invoice(connection, invoice_id), None)

    async def held(self, invoice_id: InvoiceId) -> Held:
        """The invoice with its awards, without the rest. Raises `rows.NotFound`."""
        async with acquire(self._pool) as connection:
            return await read_invoice(connection, invoice_id)

    async def _value(self, statement: str, key: str) -> str | None:
        async with acquire(self._pool) as connection:
            found: str | None = await connection.fetchval(statement, key)
        return found


async def _story(connection: AnyConnection, held: Held, award: AwardRow | None) -> Story:
    invoice = held.invoice
    awards = list(held.awards.values())
    ids = [award.award_id] if award is not None else [one.award_id for one in awards]
    first = award or (awards[0] if awards else None)
    sale_id = first.sale_id if first is not None else _sale_of(invoice)
    told = await story_of(connection, invoice.invoice_id if invoice else None, ids)
    currency = invoice.invoice.currency if invoice is not None else awards[0].currency
    bids = []
    if award is not None:
        bids = await lot_events(connection, award.sale_id, award.lot_id)
    others = {one.award_id for one in awards} - set(ids)
    lines = await _lines(connection, invoice, award, currency, others)
    subjects = [*ids, *([invoice.invoice_id] if invoice is not None else [])]
    parties = [party for one in awards for party in (one.buyer_id, one.liquidator_id)]
    parties += [one.consignor_id for one in awards if one.consignor_id is not None]
    names = {
        **await organisation_names(connection, parties),
        **await person_names(connection, (line.actor for line in told)),
    }
    return Story(
        award=award,
        invoice=invoice,
        awards=awards,
        bids=bids,
        told=[line for line in told if award is None or line.award_id in (None, award.award_id)],
        operations=await _operations(connection, subjects),
        lines=await _booked(connection, lines),
        balances=_balances(lines),
        sale=(await sale_names(connection, [sale_id])).get(sale_id),
        names=names,
    )


def _sale_of(invoice: InvoiceRow | None) -> SaleId:
    if invoice is None:
        raise NotFound
    return invoice.invoice.sale_id


async def _lines(
    connection: AnyConnection,
    invoice: InvoiceRow | None,
    award: AwardRow | None,
    currency: str,
    others: set[AwardId],
) -> list[Line]:
    """What was booked of the award and, of its invoice, what is not of another award."""
    whole = Period()
    found: dict[tuple[int, int], Line] = {}
    if award is not None:
        scope = Scope(award_id=award.award_id)
        lines = await read_lines(connection, scope, currency, whole, limit=MAX_LINES)
        found |= {line.order: line for line in lines}
    if invoice is not None:
        scope = Scope(invoice_id=invoice.invoice_id)
        lines = await read_lines(connection, scope, currency, whole, limit=MAX_LINES)
        found |= {
            line.order: line
            for line in lines
            if line.award_id not in others and named(line.key)[1] not in others
        }
    return sorted(found.values(), key=lambda line: (line.at_us, line.order))


async def _booked(connection: AnyConnection, lines: Sequence[Line]) -> list[BookedLine]:
    keys = list(dict.fromkeys(EntryKey(line.key) for line in lines))
    entries = await read_entries(connection, keys) if keys else {}
    return [
        BookedLine(
            key=line.key,
            purpose=line.purpose,
            at_us=line.at_us,
            debit=line.debit.name,
            credit=line.credit.name,
            amount_minor=line.amount_minor,
            award_id=line.award_id,
            stripe_ids=entries[line.key].about.stripe_ids if line.key in entries else (),
            note=line.note,
        )
        for line in lines
    ]


def _balances(lines: Sequence[Line]) -> list[AccountBalance]:
    """Of accounts that are an award's own: what is held, deferred and to be paid for it."""
    signed: dict[Account, int] = {}
    for line in lines:
        for account, amount in ((line.debit, -line.amount_minor), (line.credit, line.amount_minor)):
            if CHART[account.kind].of is Of.AWARD:
                signed[account] = signed.get(account, 0) + amount
    return [
        AccountBalance(account.name, account.row.meaning, balance)
        for account, balance in sorted(signed.items())
    ]


async def _operations(connection: AnyConnection, subjects: Sequence[str]) -> list[OperationSeen]:
    rows = await connection.fetch(_OPERATIONS, list(subjects), MAX_OPERATIONS)
    return [OperationSeen(**row) for row in reversed(rows)]


def facts_of(told: Told) -> list[tuple[str, Any]]:
    """The facts of a line of a story, in words and values."""
    return [
        (name, value if isinstance(value, str | int) else msgspec.json.encode(value).decode())
        for name, value in told.facts.items()
    ]
