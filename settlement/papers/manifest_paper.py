"""The winner's manifest: PDF to print, XLSX and CSV to work with.

A buyer's program reads the CSV, so that its columns are fixed; what the file is about is in its
first columns, on each line, since a CSV has no other place for it.
"""

from collections.abc import Sequence
from typing import Final

from auction.catalog.goods import ManifestLine
from auction.spreadsheets import Book, Column, Kind, table_csv
from foundation.papers.typesetting import Style
from settlement.papers import pages, styles
from settlement.papers.contents import ManifestContent
from settlement.papers.letterhead import Fact
from settlement.papers.pages import Cell, Sheets
from settlement.papers.words import amount, clock, figure, grouped, some

_TABLE: Final = (
    pages.Column("Line", 0.45),
    pages.Column("Description", 3.0),
    pages.Column("Brand, model", 1.25),
    pages.Column("Condition", 0.9),
    pages.Column("LPN", 1.45),
    pages.Column("Serial", 1.4),
    pages.Column("Item, GTIN", 1.3),
    pages.Column("Pallet", 0.8),
    pages.Column("Qty", 0.5, right=True),
    pages.Column("Unit MSRP", 0.95, right=True),
    pages.Column("MSRP", 1.1, right=True),
)

# So that plate numbers stay in one line.
_SMALL_CELL: Final = Style(7.8, leading=1.25)

_COLUMNS: Final[Sequence[Column[ManifestLine]]] = (
    Column("Line", Kind.COUNT, lambda line: line.line, 6),
    Column("Description", Kind.TEXT, lambda line: line.description, 48),
    Column("Brand", Kind.TEXT, lambda line: line.brand, 18),
    Column("Model", Kind.TEXT, lambda line: line.model, 18),
    Column("Category", Kind.TEXT, lambda line: line.category, 18),
    Column("Subcategory", Kind.TEXT, lambda line: line.subcategory, 18),
    Column("Condition", Kind.TEXT, lambda line: line.condition.on_pages, 14),
    Column("Source", Kind.TEXT, lambda line: line.source, 16),
    Column("Item number", Kind.TEXT, lambda line: line.item_number, 16),
    Column("GTIN", Kind.TEXT, lambda line: line.gtin, 16),
    Column("LPN", Kind.TEXT, lambda line: line.lpn, 18),
    Column("Serial", Kind.TEXT, lambda line: line.serial, 18),
    Column("Pallet", Kind.TEXT, lambda line: line.pallet, 12),
    Column("Quantity", Kind.COUNT, lambda line: line.quantity, 9),
    Column("Unit MSRP", Kind.MONEY, lambda line: line.unit_msrp_minor, 14),
    Column("MSRP", Kind.MONEY, lambda line: line.extended_msrp_minor, 14),
    Column("Weight g", Kind.COUNT, lambda line: line.weight_g, 10),
)


def manifest_pdf(content: ManifestContent) -> bytes:
    """The document, on wide paper. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Manifest",
        number=f"Lot {content.lot}",
        made_at_us=content.funded_at_us,
        running=f"{content.sale} \u00b7 SHA-256 {content.sha256}",
        wide=True,
    )
    sheets.text(content.title, styles.LARGE, after=8)
    sheets.parties([("Bought by", content.buyer), ("To be fetched at", content.pickup)])
    sheets.facts(_facts(content), columns=5)
    sheets.text(f"SHA-256 of the manifest: {grouped(content.sha256)}", styles.SMALL, after=4)
    sheets.table(_TABLE)
    currency = content.currency
    for line in content.lines:
        sheets.row(_row(line, currency))
    units = sum(line.quantity for line in content.lines)
    msrp_minor = sum(line.extended_msrp_minor for line in content.lines)
    total = ["", f"{len(content.lines):,} lines", *[""] * 6, f"{units:,}", ""]
    sheets.total([*total, figure(msrp_minor, currency)])
    sheets.end_table(4)
    sheets.text("MSRPs are the seller's word, and advisory.", styles.SMALL)
    return sheets.end()


def manifest_csv(content: ManifestContent) -> bytes:
    """The lines, one a row, in UTF-8 under a row of titles."""
    about: Sequence[Column[ManifestLine]] = (
        Column("Sale", Kind.TEXT, lambda _: content.sale),
        Column("Lot", Kind.TEXT, lambda _: content.lot),
        Column("Manifest SHA-256", Kind.TEXT, lambda _: content.sha256),
    )
    return table_csv([*about, *_COLUMNS], content.lines, content.currency)


def manifest_xlsx(content: ManifestContent) -> bytes:
    """The lines, and on a second sheet what they are of and where the goods lie."""
    with Book(content.funded_at_us) as book:
        book.sheet("Lines", content.currency).write_table(_COLUMNS, content.lines)
        sheet = book.sheet("Lot", content.currency)
        address = ", ".join((content.pickup.name, *content.pickup.lines))
        sheet.write_facts(
            [
                ("Lot", content.lot),
                ("Title", content.title),
                *((fact.title, fact.text) for fact in _facts(content)),
                ("Bought by", content.buyer.name),
                ("To be fetched at", address),
                ("SHA-256", content.sha256),
            ]
        )
    return book.data


def _facts(content: ManifestContent) -> list[Fact]:
    lines = content.lines
    return [
        Fact("Sale", content.sale),
        Fact("Invoice", content.invoice),
        Fact("Paid", clock(content.funded_at_us, content.zone)),
        Fact("Condition", content.condition),
        Fact("Pallets", f"{content.pallets:,}" if content.pallets else "Loose cases"),
        Fact("Lines", f"{len(lines):,}"),
        Fact("Units", f"{sum(line.quantity for line in lines):,}"),
        Fact("MSRP", amount(sum(line.extended_msrp_minor for line in lines), content.currency)),
    ]


def _row(line: ManifestLine, currency: str) -> list[Cell | str]:
    goods = ", ".join(filter(None, (line.category, line.subcategory)))
    return [
        str(line.line),
        Cell(line.description, goods, _SMALL_CELL),
        Cell(line.brand, line.model, _SMALL_CELL),
        Cell(line.condition.on_pages, style=_SMALL_CELL),
        Cell(line.lpn, style=_SMALL_CELL),
        Cell(line.serial, style=_SMALL_CELL),
        Cell(line.item_number, line.gtin, _SMALL_CELL),
        line.pallet,
        f"{line.quantity:,}",
        some(line.unit_msrp_minor, currency),
        some(line.extended_msrp_minor, currency),
    ]
