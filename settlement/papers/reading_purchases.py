"""What a buyer's documents say, read: invoice, credit notes, the winner's manifest."""

from collections.abc import Sequence
from typing import Final

import msgspec

from auction.catalog.manifests import read_manifest
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.chart import Account, Kind
from settlement.entries import AwardMoney, Entry, Purpose
from settlement.ids import AwardId, EntryKey, InvoiceId
from settlement.invoices import Invoice, left_of
from settlement.ledger_reading import read_entries
from settlement.lives import AwardState
from settlement.papers.contents import (
    MAX_ROWS,
    CreditNoteContent,
    InvoiceContent,
    LotLine,
    ManifestContent,
    TaxLine,
)
from settlement.papers.house import house_at
from settlement.papers.kinds import PaperKind, PaperRefusal, Refused, numbered
from settlement.papers.letterhead import Bank
from settlement.papers.parties import (
    address_of,
    lot_line,
    party_of,
    sale_facts,
    tax_lines,
    taxed_minor,
    town_of,
)
from settlement.payment_objects import BankAddress
from settlement.rows import (
    AwardRow,
    Held,
    InvoiceRow,
    NotFound,
    policy_of,
    read_award,
    read_invoice,
)

# By which the books give something back to a buyer.
CREDITS: Final = {
    Purpose.CLAIM_CREDIT: "Claim",
    Purpose.CLAIM_AFTER_RELEASE: "Claim",
    Purpose.AWARD_REFUNDED: "Lot cancelled",
    Purpose.TAX_CREDITED: "Resale certificate, valid when the lot closed",
}
VOID: Final = "void:"
_ENDED: Final = {AwardState.VOID: "Lot void, not paid", AwardState.CANCELLED: "Lot cancelled"}

FUNDED: Final = frozenset(AwardState) - {
    AwardState.AWARDED,
    AwardState.INVOICED,
    AwardState.CANCELLED,
    AwardState.VOID,
}

_LAST_ENTRY: Final = """
select max(effective_at_us) from ledger_transaction where invoice_id = $1
"""

_BANK: Final = "select addresses from bank_details where buyer_id = $1 and currency = $2"

_CREDIT_KEYS: Final = """
select distinct t.effective_at_us, t.transaction_id, t.key from ledger_transaction t
join ledger_transfer f using (transaction_id)
where t.purpose = any($2::text[]) and (t.invoice_id = $1 or f.award_id = any($3::text[]))
and not exists (select from ledger_transaction r where r.reverses = t.key)
order by t.effective_at_us, t.transaction_id
"""

# Which part of an award's money a debit gives back; after the release it is the seller's and ours.
_HAMMER: Final = frozenset({Kind.HELD, Kind.SELLER_RECEIVABLE, Kind.COMMISSION_INCOME})
_PREMIUM: Final = frozenset({Kind.DEFERRED_FEES, Kind.PREMIUM_INCOME})


async def invoice_content(connection: AnyConnection, invoice_id: InvoiceId) -> InvoiceContent:
    """An invoice with what was paid and credited of it. Raises `Refused` NOT_FOUND, TOO_LONG."""
    held = await _invoice(connection, invoice_id)
    row = held.invoiced
    invoice = row.invoice
    if len(invoice.lines) > MAX_ROWS:
        raise Refused(PaperRefusal.TOO_LONG)
    sale = await sale_facts(connection, invoice.sale_id)
    house = await house_at(connection, row.issued_at_us)
    policy = await policy_of(connection, row)
    last_us = await connection.fetchval(_LAST_ENTRY, invoice_id)
    return InvoiceContent(
        paper=paper_of(row.country),
        house=house.house,
        number=numbered(PaperKind.INVOICE, row.number),
        sale=sale.title,
        seller=sale.seller,
        buyer=await party_of(connection, invoice.buyer_id),
        goods_at=town_of(invoice.ship_from),
        currency=invoice.currency,
        zone=row.zone,
        issued_at_us=row.issued_at_us,
        due_at_us=invoice.due_at_us,
        lines=tuple(lot_line(line, held.awards[line.award_id], row.zone) for line in invoice.lines),
        taxes=await tax_lines(connection, invoice, row.zone),
        as_of_us=max(row.issued_at_us, last_us or 0),
        paid_minor=row.paid_minor,
        credited_minor=row.credited_minor,
        bank=await _bank(connection, invoice) or house.bank,
        takes_card=policy.takes_card(invoice.total_minor),
        terms=sale.payment_terms,
    )


async def _bank(connection: AnyConnection, invoice: Invoice) -> Bank | None:
    """The buyer's own account at the payment provider, where it has one: what comes in there is
    known to be its. ``None``: the house's."""
    found = await connection.fetchval(_BANK, invoice.buyer_id, invoice.currency)
    if found is None:
        return None
    by_kind = {one.kind: one for one in msgspec.json.decode(found, type=tuple[BankAddress, ...])}
    swift, usual = by_kind.pop("swift", None), next(iter(by_kind.values()), None)
    one = by_kind.get("aba") or usual or swift
    if one is None:
        return None
    return Bank(
        bank=one.bank,
        account_name=one.holder,
        routing_number=one.routing,
        account_number=one.account,
        swift=swift.routing if swift else "",
    )


async def credit_notes_of(connection: AnyConnection, held: Held) -> list[str]:
    """The subjects of an invoice's credit notes, the earliest first."""
    return [note for note, _ in await _credits(connection, held)]


async def credit_note_content(connection: AnyConnection, subject: str) -> CreditNoteContent:
    """What was credited by an entry of the books, or of a lot that was never paid.

    Raises `Refused` NOT_FOUND.
    """
    if subject.startswith(VOID):
        return await _void_note(connection, AwardId(subject.removeprefix(VOID)))
    found = await read_entries(connection, [EntryKey(subject)])
    entry = found.get(EntryKey(subject))
    if entry is None or entry.purpose not in CREDITS:
        raise Refused(PaperRefusal.NOT_FOUND)
    back = credited_by(entry)
    held = await _of_award(connection, back[0].award_id)
    return await _note(
        connection,
        held,
        back,
        reason=CREDITS[entry.purpose],
        settled=_settled(entry),
        at_us=entry.about.at_us,
    )


async def manifest_content(connection: AnyConnection, award_id: AwardId) -> ManifestContent:
    """The winner's manifest.

    Raises `Refused` NOT_FOUND, NOT_FUNDED, CANCELLED, NO_MANIFEST: it comes with the money.
    """
    held = await _award(connection, award_id)
    award = held.awards[award_id]
    if award.state in _ENDED:
        raise Refused(PaperRefusal.CANCELLED)
    if award.state not in FUNDED or award.funded_at_us is None:
        raise Refused(PaperRefusal.NOT_FUNDED)
    lines = await read_manifest(connection, award.sale_id, award.lot_id)
    if not lines:
        raise Refused(PaperRefusal.NO_MANIFEST)
    row = held.invoiced
    sale = await sale_facts(connection, award.sale_id)
    return ManifestContent(
        paper=paper_of(row.country),
        house=(await house_at(connection, award.funded_at_us)).house,
        sale=sale.title,
        lot=award.goods.number,
        title=award.goods.title,
        buyer=await party_of(connection, award.buyer_id),
        pickup=address_of(award.award.ship_from),
        invoice=numbered(PaperKind.INVOICE, row.number),
        currency=award.currency,
        zone=row.zone,
        funded_at_us=award.funded_at_us,
        condition=award.goods.condition.on_pages,
        pallets=award.goods.pallets,
        sha256=award.goods.manifest_sha256,
        lines=tuple(lines),
    )


def credited_by(entry: Entry) -> list[AwardMoney]:
    """What an entry gives back, by award."""
    parts: dict[AwardId, dict[str, int]] = {}
    places: dict[AwardId, Account] = {}
    for posting in entry.postings:
        assert posting.award_id is not None, "what is given back was an award's"
        kind = posting.debit.kind
        if kind is Kind.SALES_TAX:
            places[posting.award_id] = posting.debit
        name = (
            "hammer_minor" if kind in _HAMMER
            else "premium_minor" if kind in _PREMIUM
            else "freight_minor" if kind is Kind.FREIGHT_PAYABLE
            else "tax_minor"
        )  # fmt: skip
        money = parts.setdefault(posting.award_id, {"hammer_minor": 0})
        money[name] = money.get(name, 0) + posting.amount_minor
    return [
        AwardMoney(award_id=award_id, tax_place=places.get(award_id), **money)
        for award_id, money in parts.items()
    ]


async def _void_note(connection: AnyConnection, award_id: AwardId) -> CreditNoteContent:
    held = await _of_award(connection, award_id)
    for note, back in await _credits(connection, held):
        if note == f"{VOID}{award_id}":
            award = held.awards[award_id]
            return await _note(
                connection,
                held,
                back,
                reason=_ENDED[award.state],
                settled="Nothing was paid for it, and nothing is to be paid.",
                at_us=award.ended_at_us or award.changed_at_us,
            )
    raise Refused(PaperRefusal.NOT_FOUND)


async def _credits(connection: AnyConnection, held: Held) -> list[tuple[str, Sequence[AwardMoney]]]:
    """All credits of an invoice: those of the books, then what is void of its lines."""
    row = held.invoiced
    purposes = [purpose.value for purpose in CREDITS]
    rows = await connection.fetch(_CREDIT_KEYS, row.invoice_id, purposes, list(held.awards))
    entries = await read_entries(connection, [EntryKey(found["key"]) for found in rows])
    notes: list[tuple[str, Sequence[AwardMoney]]] = [
        (found["key"], credited_by(entries[EntryKey(found["key"])])) for found in rows
    ]
    credited = [money for _, note in notes for money in note]
    for line in row.invoice.lines:
        left = left_of(line, credited)
        if held.awards[line.award_id].state in _ENDED and left.total_minor:
            notes.append((f"{VOID}{line.award_id}", [left]))
    return notes


async def _note(
    connection: AnyConnection,
    held: Held,
    back: Sequence[AwardMoney],
    *,
    reason: str,
    settled: str,
    at_us: int,
) -> CreditNoteContent:
    row = held.invoiced
    sale = await sale_facts(connection, row.invoice.sale_id)
    lines, taxes = _parts(held, back)
    return CreditNoteContent(
        paper=paper_of(row.country),
        house=(await house_at(connection, at_us)).house,
        number="",
        invoice=numbered(PaperKind.INVOICE, row.number),
        sale=sale.title,
        buyer=await party_of(connection, row.invoice.buyer_id),
        currency=row.invoice.currency,
        zone=row.zone,
        issued_at_us=at_us,
        reason=reason,
        settled=settled,
        lines=lines,
        taxes=taxes,
    )


def _parts(
    held: Held, back: Sequence[AwardMoney]
) -> tuple[tuple[LotLine, ...], tuple[TaxLine, ...]]:
    """The lines of a credit note, and what of them is tax."""
    invoiced = {line.award_id: line for line in held.invoiced.invoice.lines}
    lines, taxes = [], []
    for money in back:
        award, line = held.awards[money.award_id], invoiced[money.award_id]
        goods = award.goods
        lines.append(
            LotLine(
                lot=goods.number,
                title=goods.title,
                hammer_minor=money.hammer_minor,
                premium_minor=money.premium_minor,
                freight_minor=money.freight_minor,
                tax_minor=money.tax_minor,
                manifest_sha256=goods.manifest_sha256,
            )
        )
        if money.tax_minor:
            given = (money.hammer_minor, money.premium_minor, money.freight_minor)
            if not any(given):  # the tax alone goes back
                given = (line.hammer_minor, line.premium_minor, line.freight_minor)
            taxes.append(
                TaxLine(
                    place=str(line.tax.tax_place),
                    rate_ppm=line.tax.rate_ppm,
                    base_minor=taxed_minor(line.tax, *given),
                    tax_minor=money.tax_minor,
                    note=f"lot {goods.number}",
                )
            )
    return tuple(lines), tuple(taxes)


def _settled(entry: Entry) -> str:
    """How the buyer gets what an entry gives back."""
    kinds = {posting.credit.kind for posting in entry.postings}
    named = ", ".join(entry.about.stripe_ids)
    if Kind.BUYER_CREDIT in kinds:
        return "It is kept as your credit, which pays for what you win next, or is paid back."
    paid = "Refunded to the card or bank account that paid. Banks take up to ten days to show it."
    return f"{paid} Reference: {named}." if named else paid


async def _invoice(connection: AnyConnection, invoice_id: InvoiceId) -> Held:
    try:
        return await read_invoice(connection, invoice_id)
    except NotFound:
        raise Refused(PaperRefusal.NOT_FOUND) from None


async def _award(connection: AnyConnection, award_id: AwardId) -> Held:
    try:
        return await read_award(connection, award_id)
    except NotFound:
        raise Refused(PaperRefusal.NOT_FOUND) from None


async def _of_award(connection: AnyConnection, award_id: AwardId) -> Held:
    held = await _award(connection, award_id)
    if held.invoice is None:
        raise Refused(PaperRefusal.NOT_INVOICED)
    return held


async def award_with_invoice(
    connection: AnyConnection, award_id: AwardId
) -> tuple[AwardRow, InvoiceRow]:
    """An award that is invoiced. Raises `Refused` NOT_FOUND, NOT_INVOICED."""
    held = await _of_award(connection, award_id)
    return held.awards[award_id], held.invoiced
