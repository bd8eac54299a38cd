"""Columns of manifests are found by their headers and by their values."""

import csv
import io

import pytest

from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.manifest_file import manifest_in
from auction.catalog.importing.results import Manifest
from auction.catalog.importing.vocabulary import Field, header_score, strongest
from tests.manifest_layouts import LAYOUTS, layout
from tests.workbooks import xlsx


def as_csv(headers: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    return out.getvalue().encode()


def read_csv(text: str, **options: object) -> Manifest:
    return manifest_in(text.encode(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_columns_of_many_sources_are_found(name: str) -> None:
    headers, rows, fields = layout(name)
    manifest = manifest_in(as_csv(headers, rows))
    assert manifest.columns == fields
    assert len(manifest.lines) == len(rows), manifest.errors
    assert all(0.3 <= column.confidence <= 1 for column in manifest.head.columns)


@pytest.mark.parametrize("name", list(LAYOUTS)[::3])
def test_a_workbook_has_the_same_columns_as_a_text_file(name: str) -> None:
    headers, rows, fields = layout(name)
    manifest = manifest_in(xlsx({"Manifest": [headers, *rows]}))
    assert manifest.columns == fields
    assert manifest.lines == manifest_in(as_csv(headers, rows)).lines


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Item #", Field.ITEM_NUMBER),
        ("Ext. Retail", Field.EXTENDED_MSRP),
        ("Retail Per Unit", Field.UNIT_MSRP),
        ("ItemPkgWeightUOM", Field.WEIGHT_UNIT),
        ("CURRENCY CODE", Field.CURRENCY),
        ("Optoro Condition", Field.CONDITION),
        ("N° de série", Field.SERIAL),
        ("Stückzahl", Field.QUANTITY),
        ("Discription", Field.DESCRIPTION),
        ("S/N", Field.SERIAL),
        ("Category Name", Field.CATEGORY),
        ("Brand Name", Field.BRAND),
    ],
)
def test_a_header_speaks_for_a_field(header: str, field: Field) -> None:
    assert strongest(header)[0] is field


@pytest.mark.parametrize(
    "header", ["Unit Cost", "Country of Origin", "Lot ID", "Color", "Discount %", "Sale Price", ""]
)
def test_what_a_line_does_not_have_is_no_field(header: str) -> None:
    assert max(header_score(header, field) for field in Field) < 0.3


def test_a_column_of_gtins_is_one_whatever_it_is_called() -> None:
    headers, rows, _ = layout("costs beside retail")
    assert manifest_in(as_csv(headers, rows)).columns["gtin"] == "Item #"


def test_the_condition_with_known_words_is_taken_and_the_choice_is_told() -> None:
    text = "Item Description,Qty,Retail,Condition,Optoro Condition\n" + "".join(
        f"A nice thing number {number},1,5.00,{code},{grade}\n"
        for number, (code, grade) in enumerate([("TT", "New"), ("TX", "Salvage")] * 5)
    )
    manifest = read_csv(text)
    assert manifest.columns["condition"] == "Optoro Condition"
    assert manifest.conditions == {"NEW": 5, "SALVAGE": 5}


def test_the_category_that_tells_more_is_taken() -> None:
    text = "Item Description,Qty,Retail,Category,Seller Category\n" + "".join(
        f"A nice thing number {number},1,5.00,GENERAL,{category}\n"
        for number, category in enumerate(["Toys", "Home", "Garden", "Tools"] * 5)
    )
    manifest = read_csv(text)
    assert manifest.columns["category"] == "Seller Category"
    assert any("and not from 'Category'" in note for note in manifest.head.notes)


def test_a_correction_stands_above_everything_and_can_take_a_field_away() -> None:
    headers, rows, _ = layout("a department store")
    corrections = {"description": "Vendor Name", "brand": "", "category": "color"}
    manifest = manifest_in(as_csv(headers, rows), corrections)
    assert manifest.columns["description"] == "Vendor Name"
    assert manifest.columns["category"] == "Color"
    assert "brand" not in manifest.columns
    assert all(line.description in ("Hydrel", "Vantor", "Okami", "Brisko", "Lunaro", "Tefanel")
               for line in manifest.lines)  # fmt: skip


@pytest.mark.parametrize(
    ("corrections", "says"),
    [
        ({"colour": "Color"}, "'colour' is no field"),
        ({"brand": "Colour"}, "no column 'Colour'; the file has 'Lot ID'"),
        ({"brand": "Color", "model": "Color"}, "one field only"),
    ],
)
def test_a_wrong_correction_is_named(corrections: dict[str, str], says: str) -> None:
    headers, rows, _ = layout("a department store")
    with pytest.raises(Unreadable, match=says):
        manifest_in(as_csv(headers, rows), corrections)


def test_columns_of_the_same_name_are_told_apart() -> None:
    text = "Item Description,Qty,Retail,Retail\nA fine thing,2,5.00,10.00\n" * 1
    text += "Another thing,3,4.00,12.00\nA third thing,1,4.00,4.00\nA last thing,2,1.00,2.00\n"
    manifest = read_csv(text)
    assert manifest.columns["unit_msrp"] == "Retail (column C)"
    assert manifest.columns["extended_msrp"] == "Retail (column D)"


def test_the_same_headers_have_the_same_signature() -> None:
    one = read_csv("UPC,Item Description,Qty,Retail\n,A thing,1,5\n")
    other = read_csv("upc , ITEM Description,QTY,Retail\n,Other things,4,9\n")
    third = read_csv("UPC,Description,Qty,Retail\n,A thing,1,5\n")
    assert one.signature == other.signature != third.signature


def test_mapping_is_the_same_each_time() -> None:
    for name in list(LAYOUTS)[:5]:
        headers, rows, _ = layout(name)
        assert len({repr(manifest_in(as_csv(headers, rows)).head) for _ in range(3)}) == 1
