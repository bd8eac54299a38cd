"""Which documents there are of something, and which organisations may read one. Staff read all.

What is offered here is not made yet: it is made when somebody asks for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from auction.ids import SaleId
from foundation.database import AnyConnection
from settlement.entries import Purpose
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState
from settlement.papers.kinds import CONTENTS, PaperKind
from settlement.papers.reading_purchases import FUNDED, VOID, credit_notes_of
from settlement.papers.reading_sellers import month_of
from settlement.papers.rendering import Format, formats_of
from settlement.papers.words import day
from settlement.rows import Held, NotFound, read_award, read_invoice

MAX_LISTED: Final = 200
# A day of the ledger, in which payments are booked.
BOOKS_ZONE: Final = "UTC"

_PICKUPS: Final = """
select distinct pickup_id, slot_at_us from pickup join pickup_award using (pickup_id)
where award_id = any($1) and state in ('BOOKED', 'CHECKED_IN', 'GONE')
order by slot_at_us, pickup_id limit $2
"""
_MONTHS: Final = """
select month, currency, count(*) over (partition by month) > 1 as has_others
from (
    select distinct r.currency,
        to_char(to_timestamp(r.closed_at_us / 1000000.0) at time zone 'UTC', 'YYYY-MM') as month
    from lot_result r join consigned_lot c using (sale_id, lot_id)
    where c.consignor_id = $1 and r.closed_at_us is not null
) as ended order by month desc, currency limit $2
"""
_SALES: Final = """
select s.sale_id, coalesce(l.title, s.sale_id) as title
from sale_result s left join sale_listing l using (sale_id)
where s.liquidator_id = $1 and exists (select from award a where a.sale_id = s.sale_id)
order by s.closed_at_us desc nulls first, s.sale_id limit $2
"""
_PAYMENTS: Final = """
select distinct t.effective_at_us, t.key from ledger_account a
join ledger_transfer f on f.debit_account_id = a.account_id
join ledger_transaction t using (transaction_id)
where a.name = any($1) and t.purpose = any($2)
order by t.effective_at_us desc, t.key limit $3
"""
_FILES: Final = """
select i.batch_id, i.place, b.released_at_us
from payout_batch_item i join payout_batch b using (batch_id)
where i.payee_id = $1 and b.state = 'RELEASED' order by b.released_at_us desc, i.place limit $2
"""

_OF_PICKUP: Final = "select buyer_id, liquidator_id from pickup where pickup_id = $1"
_OF_SALE: Final = "select liquidator_id from sale_result where sale_id = $1"
_OF_CONSIGNOR: Final = """
select liquidator_id, organisation_id from consignor where consignor_id = $1
"""
_OF_ENTRY: Final = """
select split_part(a.name, ':', 1) as side, split_part(a.name, ':', 2) as payee_id
from ledger_transaction t join ledger_transfer f using (transaction_id)
join ledger_account a on a.account_id = f.debit_account_id where t.key = $1 limit 1
"""
_OF_FILE: Final = """
select kind, payee_id from payout_batch_item join payee using (payee_id)
where 'file:' || batch_id || ':' || place = $1
"""
_AWARD_OF_ENTRY: Final = """
select f.award_id from ledger_transaction t join ledger_transfer f using (transaction_id)
where t.key = $1 and f.award_id is not null limit 1
"""


class Offered(Struct, frozen=True, kw_only=True):
    """A document that can be asked for. ``about``: which of several of its kind it is."""

    kind: PaperKind
    subject: str
    forms: tuple[Format, ...]
    about: str = ""


async def papers_of_invoice(connection: AnyConnection, invoice_id: InvoiceId) -> Sequence[Offered]:
    """The invoice, its credit notes, the manifests that are paid for, and its trucks' papers."""
    try:
        held = await read_invoice(connection, invoice_id)
    except NotFound:
        return []
    offered = [offer(PaperKind.INVOICE, invoice_id)]
    notes = await credit_notes_of(connection, held)
    offered += [offer(PaperKind.CREDIT_NOTE, note) for note in notes]
    return [*offered, *await _of_goods(connection, held)]


async def papers_of_award(connection: AnyConnection, award_id: AwardId) -> Sequence[Offered]:
    """An award's own: manifest, labels, trucks' papers, evidence."""
    try:
        whole = await read_award(connection, award_id)
    except NotFound:
        return []
    held = Held(whole.invoice, {award_id: whole.awards[award_id]})
    offered = await _of_goods(connection, held)
    if held.awards[award_id].state not in (AwardState.CANCELLED, AwardState.VOID):
        offered.append(offer(PaperKind.LABELS, award_id, _lot_of(award_id)))
    if held.invoice is not None:
        offered.append(offer(PaperKind.EVIDENCE, award_id, _lot_of(award_id)))
    return offered


async def statements_of_liquidator(
    connection: AnyConnection, liquidator_id: str
) -> Sequence[Offered]:
    """A statement for each sale in which something was sold, the last first."""
    rows = await connection.fetch(_SALES, liquidator_id, MAX_LISTED)
    return [offer(PaperKind.LIQUIDATOR_STATEMENT, row["sale_id"], row["title"]) for row in rows]


async def statements_of_consignor(
    connection: AnyConnection, consignor_id: str
) -> Sequence[Offered]:
    """A statement for each month in which goods of its ended, the last first; and for each
    currency, where a month has several."""
    offered = []
    for row in await connection.fetch(_MONTHS, consignor_id, MAX_LISTED):
        subject, about = f"{consignor_id}:{row['month']}", _month(row["month"])
        if row["has_others"]:
            subject, about = f"{subject}:{row['currency']}", f"{about}, {row['currency']}"
        offered.append(offer(PaperKind.CONSIGNOR_STATEMENT, subject, about))
    return offered


async def advices_of(connection: AnyConnection, payee_id: str) -> Sequence[Offered]:
    """An advice for each payment to a payee: those at Stripe, then those by bank files."""
    accounts = [f"seller_payable:{payee_id}", f"consignor_payable:{payee_id}"]
    purposes = [Purpose.TRANSFER.value, Purpose.CONSIGNOR_PAID.value, Purpose.BANK_FILE_PAID.value]
    rows = await connection.fetch(_PAYMENTS, accounts, purposes, MAX_LISTED)
    files = await connection.fetch(_FILES, payee_id, MAX_LISTED)
    kind = PaperKind.PAYOUT_ADVICE
    return [
        *(offer(kind, row["key"], _payment(row["key"], row["effective_at_us"])) for row in rows),
        *(
            offer(kind, f"file:{row['batch_id']}:{row['place']}", _day(row["released_at_us"]))
            for row in files
        ),
    ]


async def readers_of(connection: AnyConnection, kind: PaperKind, subject: str) -> frozenset[str]:
    """The organisations whose people may read a document; empty: there is none, or staff alone."""
    match kind:
        case PaperKind.INVOICE:
            return await _buyers(connection, invoice_id=InvoiceId(subject))
        case PaperKind.CREDIT_NOTE:
            found: str | None = subject.removeprefix(VOID)
            if not subject.startswith(VOID):
                found = await connection.fetchval(_AWARD_OF_ENTRY, subject)
            return await _buyers(connection, award_id=AwardId(found)) if found else frozenset()
        case PaperKind.MANIFEST:
            return await _buyers(connection, award_id=AwardId(subject), sellers=True)
        case PaperKind.LABELS:
            both = await _buyers(connection, award_id=AwardId(subject), sellers=True)
            return both - await _buyers(connection, award_id=AwardId(subject))
        case PaperKind.LOADING:
            row = await connection.fetchrow(_OF_PICKUP, subject)
            return frozenset(row) if row else frozenset()
        case PaperKind.LIQUIDATOR_STATEMENT:
            owner = await connection.fetchval(_OF_SALE, SaleId(subject))
            return frozenset({owner}) if owner else frozenset()
        case PaperKind.CONSIGNOR_STATEMENT:
            of = month_of(subject)
            return await _consignors(connection, of.consignor_id if of else "", sellers=True)
        case PaperKind.PAYOUT_ADVICE:
            return await _payees(connection, subject)
        case PaperKind.EVIDENCE:
            return frozenset()


def offer(kind: PaperKind, subject: str, about: str = "") -> Offered:
    """The document, in all of its forms."""
    return Offered(kind=kind, subject=subject, forms=formats_of(CONTENTS[kind]), about=about)


def _lot_of(subject: str) -> str:
    """The lot of an award, or of what is named after one; empty if it is named otherwise."""
    lot = subject.partition("~")[2].partition("~")[0].partition(":")[0]
    return f"lot {lot}" if lot else ""


def _payment(key: str, at_us: int) -> str:
    """A payment by its lot, if it is for one, and its day."""
    return ", ".join(part for part in (_lot_of(key), _day(at_us)) if part)


def _day(at_us: int) -> str:
    return day(at_us, BOOKS_ZONE)


def _month(month: str) -> str:
    return datetime.strptime(month, "%Y-%m").strftime("%B %Y")  # noqa: DTZ007 - a month alone


async def _of_goods(connection: AnyConnection, held: Held) -> list[Offered]:
    paid = [award_id for award_id, row in held.awards.items() if row.state in FUNDED]
    trucks = await connection.fetch(_PICKUPS, list(held.awards), MAX_LISTED)
    return [
        *(offer(PaperKind.MANIFEST, award_id, _lot_of(award_id)) for award_id in paid),
        *(offer(PaperKind.LOADING, row["pickup_id"]) for row in trucks),
    ]


async def _buyers(
    connection: AnyConnection,
    *,
    invoice_id: InvoiceId | None = None,
    award_id: AwardId | None = None,
    sellers: bool = False,
) -> frozenset[str]:
    column, value = ("award_id", award_id) if invoice_id is None else ("invoice_id", invoice_id)
    row = await connection.fetchrow(
        f"select buyer_id, liquidator_id from award where {column} = $1 limit 1",  # noqa: S608
        value,
    )
    if row is None:
        return frozenset()
    return frozenset(row) if sellers else frozenset({row["buyer_id"]})


async def _consignors(
    connection: AnyConnection, consignor_id: str, *, sellers: bool
) -> frozenset[str]:
    row = await connection.fetchrow(_OF_CONSIGNOR, consignor_id)
    if row is None:
        return frozenset()
    readers = {row["organisation_id"], row["liquidator_id"] if sellers else None}
    return frozenset(one for one in readers if one is not None)


async def _payees(connection: AnyConnection, subject: str) -> frozenset[str]:
    if subject.startswith("file:"):
        row = await connection.fetchrow(_OF_FILE, subject)
        of_consignor = row is not None and row["kind"] == "CONSIGNOR"
    else:
        row = await connection.fetchrow(_OF_ENTRY, subject)
        of_consignor = row is not None and row["side"] == "consignor_payable"
        if row is not None and not of_consignor and row["side"] != "seller_payable":
            return frozenset()
    if row is None:
        return frozenset()
    if of_consignor:
        return await _consignors(connection, row["payee_id"], sellers=False)
    return frozenset({row["payee_id"]})
