"""A manifest that is written in any layout, encoding and habit of numbers is read as it was."""

import csv
import io
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auction.catalog.goods import Condition, ManifestLine, gtin_check_digit, manifest_fault
from auction.catalog.importing.changes import diff
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.manifest_file import manifest_in
from tests.workbooks import Cell, xlsx

HEADERS = {
    "description": ["Item Description", "Product Name", "Title", "Artikelbezeichnung", "DESC"],
    "brand": ["Brand", "Vendor", "Marke", "MFG"],
    "category": ["Category", "Dept", "Warengruppe"],
    "item_number": ["Item #", "SKU", "Artikelnummer"],
    "gtin": ["UPC", "EAN", "Barcode", "GTIN"],
    "quantity": ["Qty", "Quantity", "Units", "Menge"],
    "unit": ["Unit Retail", "Retail Per Unit", "MSRP", "UVP"],
    "extended": ["Ext. Retail", "Total Retail", "Extended MSRP"],
    "condition": ["Condition", "Grade", "Zustand"],
    "pallet": ["Pallet ID", "Pallet #", "Palette"],
}
GRADES = {
    Condition.NEW: "New",
    Condition.LIKE_NEW: "Like New",
    Condition.USED_GOOD: "Used - Good",
    Condition.SALVAGE: "Salvage",
}
# Words that headers, totals and footers have are not made up here, nor what is cleaned away.
THINGS = ["bottle", "lamp", "chair", "drill", "helmet", "kettle", "pillow", "rug"]
MARKS = ["", ' 26"', ", red", "; large", " é", ' "Pro"', " | set", " 3-pack"]

gtins = st.integers(10**8, 10**11 - 1).map(lambda n: f"{n:011d}" + gtin_check_digit(f"{n:011d}"))
some_line = st.fixed_dictionaries(
    {
        "description": st.builds(
            lambda number, thing, mark: f"Some {thing} of kind {number}{mark}",
            st.integers(1, 9_999),
            st.sampled_from(THINGS),
            st.sampled_from(MARKS),
        ),
        "brand": st.sampled_from(["Hydrel", "Vantor", "Okami"]),
        "category": st.sampled_from(["Sport", "Home goods", "Toys"]),
        "item_number": st.integers(10**5, 10**6 - 1).map(lambda n: f"SK{n}"),
        "gtin": gtins,
        "quantity": st.integers(1, 1_500),
        "unit_msrp_minor": st.integers(1, 2_000_000),
        "condition": st.sampled_from(list(GRADES)),
        "pallet": st.sampled_from(["PTAP16644", "PTAP16645", "PTBI20858"]),
    }
)
manifests = st.lists(some_line, min_size=6, max_size=25)


def point(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


HABITS: dict[str, Callable[[int], str]] = {
    "plain": point,
    "thousands": lambda minor: f"{minor // 100:,}.{minor % 100:02d}",
    "dollars": lambda minor: f"${minor // 100:,}.{minor % 100:02d}",
    "commas": lambda minor: point(minor).replace(".", ","),
    "continental": lambda minor: f"{minor // 100:,}".replace(",", ".") + f",{minor % 100:02d} €",
    "swiss": lambda minor: f"{minor // 100:,}".replace(",", "'") + f".{minor % 100:02d}",
}


def rows_of(lines: list[dict[str, Any]], order: list[str], habit: str) -> list[list[str]]:
    said = HABITS[habit]
    rows = []
    for line in lines:
        cells = line | {
            "quantity": str(line["quantity"]),
            "unit": said(line["unit_msrp_minor"]),
            "extended": said(line["unit_msrp_minor"] * line["quantity"]),
            "condition": GRADES[line["condition"]],
        }
        rows.append([cells[column] for column in order])
    return rows


def wanted(lines: list[dict[str, Any]]) -> list[ManifestLine]:
    return [ManifestLine(line=number, **line) for number, line in enumerate(lines, start=1)]


layouts = st.permutations(list(HEADERS)).flatmap(
    lambda order: st.tuples(
        st.just(order), st.tuples(*(st.sampled_from(HEADERS[name]) for name in order))
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    manifests,
    layouts,
    st.sampled_from(list(HABITS)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_text_file_is_read_as_it_was_written(
    lines: list[dict[str, Any]],
    layout: tuple[list[str], tuple[str, ...]],
    habit: str,
    delimiter: str,
    encoding: str,
    newline: str,
    titles: int,
    total: bool,
) -> None:
    order, headers = layout
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    for number in range(titles):
        writer.writerow([f"Load 47{number}", *[""] * (len(order) - 1)])
    writer.writerow(headers)
    writer.writerows(rows_of(lines, order, habit))
    if total:
        come_to = sum(line["unit_msrp_minor"] * line["quantity"] for line in lines)
        sums = {"description": "Total", "extended": HABITS[habit](come_to)}
        writer.writerow([sums.get(name, "") for name in order])
    manifest = manifest_in(out.getvalue().encode(encoding))
    assert manifest.errors == []
    assert diff(wanted(lines), manifest.lines).is_empty
    assert manifest.lines == wanted(lines)
    assert manifest_fault(manifest.lines) is None
    assert not total or any("agrees" in note for note in manifest.head.notes)
    assert manifest.head.header_line == titles + 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests, layouts, st.booleans(), st.integers(0, 2))
def test_a_workbook_is_read_as_it_was_written(
    lines: list[dict[str, Any]],
    layout: tuple[list[str], tuple[str, ...]],
    as_numbers: bool,
    titles: int,
) -> None:
    order, headers = layout
    rows: list[list[Cell]] = [list(row) for row in rows_of(lines, order, "plain")]
    if as_numbers:
        numeric = {"quantity", "unit", "extended", "gtin"}
        rows = [
            [
                float(str(cell)) if name in numeric else cell
                for name, cell in zip(order, row, strict=True)
            ]
            for row in rows
        ]
    table: list[list[Cell]] = [["A load"] for _ in range(titles)]
    manifest = manifest_in(xlsx({"Sheet1": [*table, list(headers), *rows]}))
    assert manifest.errors == []
    assert manifest.lines == wanted(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000) | st.text(alphabet=',;"\n\t|A1.€$ ', max_size=500).map(str.encode))
def test_whatever_the_bytes_are_the_answer_is_lines_or_a_reason(data: bytes) -> None:
    try:
        manifest = manifest_in(b"Description,Qty,Retail,UPC\nA thing,1,5.00,\n" + data)
    except Unreadable as refused:
        assert str(refused)
        return
    assert manifest.importable or manifest.errors
    assert not (manifest.lines and manifest.errors)
    assert not manifest.lines or manifest_fault(manifest.lines) is None
