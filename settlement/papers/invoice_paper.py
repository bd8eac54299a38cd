"""An invoice and a credit note as PDF."""

from collections.abc import Sequence
from typing import Final

from settlement.papers.contents import CreditNoteContent, InvoiceContent, LotLine, TaxLine
from settlement.papers.letterhead import Bank, Fact, Party
from settlement.papers.pages import Cell, Column, Sheets
from settlement.papers.words import amount, clock, figure, grouped, rate, some

_LINES: Final = (
    Column("Lot", 0.75),
    Column("Description", 3.1),
    Column("Hammer price", 1.15, right=True),
    Column("Premium", 1.05, right=True),
    Column("Freight", 1.0, right=True),
    Column("Tax", 1.05, right=True),
    Column("Total", 1.25, right=True),
)
_TAXES: Final = (
    Column("Place", 0.9),
    Column("Rate, or why none is taken", 3.6),
    Column("Taxed amount", 1.2, right=True),
    Column("Tax", 1.2, right=True),
)


def invoice_pdf(content: InvoiceContent) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Invoice",
        number=content.number,
        made_at_us=content.issued_at_us,
        running=content.sale,
    )
    write_invoice(sheets, content)
    return sheets.end()


def write_invoice(sheets: Sheets, content: InvoiceContent) -> None:
    """All of an invoice below its masthead: on paper of its own, or in a bundle of evidence."""
    currency = content.currency
    sheets.parties(
        [
            ("Bill to", content.buyer),
            ("Sold by", Party(content.seller, ())),
            ("Goods are at", Party(content.goods_at, ())),
        ]
    )
    sheets.facts(
        [
            Fact("Sale", content.sale),
            Fact("Issued", clock(content.issued_at_us, content.zone)),
            Fact("Due", clock(content.due_at_us, content.zone)),
            Fact("To pay", amount(content.open_minor, currency)),
        ]
    )
    _lots(sheets, content.lines, currency)
    _sums(sheets, content)
    _taxes(sheets, content.taxes, currency)
    if content.open_minor:
        _how_to_pay(sheets, content)
    if content.terms:
        sheets.section("Payment terms of the sale", 30)
        sheets.text(content.terms)
    _manifests(sheets, content.lines)


def credit_note_pdf(content: CreditNoteContent) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Credit note",
        number=content.number,
        made_at_us=content.issued_at_us,
        running=f"to invoice {content.invoice}",
    )
    currency = content.currency
    sheets.parties([("Credited to", content.buyer), ("Of the sale", Party(content.sale, ()))])
    sheets.facts(
        [
            Fact("To invoice", content.invoice),
            Fact("Issued", clock(content.issued_at_us, content.zone)),
            Fact("Reason", content.reason),
            Fact("Credited", amount(content.total_minor, currency)),
        ]
    )
    _lots(sheets, content.lines, currency)
    sheets.sums([("Credited", amount(content.total_minor, currency), True)])
    _taxes(sheets, content.taxes, currency)
    sheets.section("How it is credited", 30)
    sheets.text(content.settled)
    return sheets.end()


def _lots(sheets: Sheets, lines: Sequence[LotLine], currency: str) -> None:
    sheets.section(f"Lots, in {currency}", 60)
    sheets.table(_LINES)
    for line in lines:
        sheets.row(
            [
                line.lot,
                Cell(line.title, line.detail),
                some(line.hammer_minor, currency),
                some(line.premium_minor, currency),
                some(line.freight_minor, currency),
                some(line.tax_minor, currency),
                figure(line.total_minor, currency),
            ]
        )
    if len(lines) > 1:
        sheets.total(
            [
                "",
                f"{len(lines):,} lots",
                figure(sum(line.hammer_minor for line in lines), currency),
                figure(sum(line.premium_minor for line in lines), currency),
                figure(sum(line.freight_minor for line in lines), currency),
                figure(sum(line.tax_minor for line in lines), currency),
                figure(sum(line.total_minor for line in lines), currency),
            ]
        )
    sheets.end_table(6)


def _sums(sheets: Sheets, content: InvoiceContent) -> None:
    currency, lines = content.currency, content.lines
    rows = [
        ("Hammer prices", sum(line.hammer_minor for line in lines)),
        ("Buyer's premium", sum(line.premium_minor for line in lines)),
        ("Freight", sum(line.freight_minor for line in lines)),
        ("Sales tax", sum(line.tax_minor for line in lines)),
    ]
    shown = [(title, figure(minor, currency), False) for title, minor in rows if minor]
    shown.append(("Total", amount(content.total_minor, currency), True))
    if content.paid_minor or content.credited_minor:
        if content.credited_minor:
            shown.append(("Credited", figure(-content.credited_minor, currency), False))
        if content.paid_minor:
            shown.append(("Paid", figure(-content.paid_minor, currency), False))
        shown.append(("To pay", amount(content.open_minor, currency), True))
    sheets.sums(shown)
    if content.paid_minor or content.credited_minor:
        sheets.text(f"Payments and credits until {clock(content.as_of_us, content.zone)}.")


def _taxes(sheets: Sheets, taxes: Sequence[TaxLine], currency: str) -> None:
    if not taxes:
        return
    sheets.section("Sales tax", 50)
    sheets.table(_TAXES)
    for tax in taxes:
        said = rate(tax.rate_ppm) if tax.rate_ppm else "None"
        sheets.row(
            [
                tax.place,
                Cell(said, tax.note),
                figure(tax.base_minor, currency),
                figure(tax.tax_minor, currency),
            ]
        )
    sheets.end_table()


def _how_to_pay(sheets: Sheets, content: InvoiceContent) -> None:
    sheets.section("How to pay", 90)
    due = clock(content.due_at_us, content.zone)
    way = (
        "By the card or bank account that you saved, or by bank transfer"
        if content.takes_card
        else "By bank transfer, or by debit of the bank account that you saved"
    )
    sheets.text(f"{way}, so that it is here by {due}.")
    if content.bank is not None:
        open_minor = amount(content.open_minor, content.currency)
        sheets.facts(_bank(content.bank, content.number, open_minor), columns=3)
        sheets.text(f"Write {content.number} as the reference, so that we know what it is for.")
    else:
        sheets.text("The account to send it to is on the invoice's page.")


def _bank(bank: Bank, number: str, to_pay: str) -> list[Fact]:
    facts = [
        Fact("Bank", bank.bank),
        Fact("Account in the name of", bank.account_name),
        Fact("Amount", to_pay),
        Fact("Routing number (ABA)", bank.routing_number),
        Fact("Account number", bank.account_number),
        Fact("Reference", number),
    ]
    return [*facts, Fact("SWIFT (from abroad)", bank.swift)] if bank.swift else facts


def _manifests(sheets: Sheets, lines: Sequence[LotLine]) -> None:
    known = [line for line in lines if line.manifest_sha256]
    if not known:
        return
    sheets.section("The manifests that were sold (SHA-256)", 30)
    sheets.listed(
        [Fact(f"Lot {line.lot}", grouped(line.manifest_sha256)) for line in known], beside=70
    )
