"""Manifests as they come: titles, totals, two rows of headers, several sheets, dirt."""

import codecs

import pytest

from auction.catalog.goods import Condition
from auction.catalog.importing import lines
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.manifest_file import manifest_in
from auction.catalog.importing.results import Manifest
from tests.workbooks import Cell, Error, Formula, xlsx

PLAIN = """\
Item Description,Brand,UPC,Qty,Unit Retail,Ext. Retail,Condition,Pallet ID
Water bottle,Hydrel,036000291452,2,10.00,20.00,New,P1
Bike tire,Vantor,012345678905,1,22.49,22.49,Used - Good,P1
Desk lamp,Okami,4006381333931,3,5.50,16.50,Salvage,P2
"""
HEADER, *GOODS = PLAIN.splitlines()
TABLE: list[list[Cell]] = [
    [
        "Item Description",
        "Brand",
        "UPC",
        "Qty",
        "Unit Retail",
        "Ext. Retail",
        "Condition",
        "Pallet",
    ],
    ["Water bottle", "Hydrel", 36000291452.0, 2, 10.0, 20.0, "New", "P1"],
    ["Bike tire", "Vantor", 12345678905, 1, 22.49, 22.49, "Used - Good", "P1"],
    ["Desk lamp", "Okami", "4006381333931", 3, 5.5, 16.5, "Salvage", "P2"],
]


def read(text: str | bytes, **options: object) -> Manifest:
    data = text.encode() if isinstance(text, str) else text
    return manifest_in(data, **options)  # type: ignore[arg-type]


def codes(manifest: Manifest) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in manifest.errors + manifest.warnings]


def assert_plain(manifest: Manifest) -> None:
    """The three lines of `PLAIN`, whatever was around them."""
    assert manifest.errors == []
    assert [line.description for line in manifest.lines] == [
        "Water bottle",
        "Bike tire",
        "Desk lamp",
    ]
    assert [line.gtin for line in manifest.lines] == [
        "036000291452",
        "012345678905",
        "4006381333931",
    ]
    assert (
        manifest.units,
        manifest.retail_minor,
        manifest.gtins_valid,
    ) == (6, 5_899, 3)
    assert [line.pallet for line in manifest.lines] == ["P1", "P1", "P2"]
    assert manifest.conditions == {"NEW": 1, "USED_GOOD": 1, "SALVAGE": 1}
    assert manifest.lowest_condition is Condition.SALVAGE
    assert [line.line for line in manifest.lines] == [1, 2, 3]


SHAPES: dict[str, str | bytes] = {
    "as it is": PLAIN,
    "without a newline at the end": PLAIN.rstrip("\n"),
    "with CRLF": PLAIN.replace("\n", "\r\n"),
    "with CR": PLAIN.replace("\n", "\r"),
    "with a byte order mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "UTF-16 with its mark": PLAIN.encode("utf-16"),
    "UTF-16 without its mark": PLAIN.encode("utf-16-le"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "tabs": PLAIN.replace(",", "\t"),
    "semicolons": PLAIN.replace(",", ";"),
    "bars": PLAIN.replace(",", "|"),
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace(".", ","),
    "a word for Excel": "sep=;\n" + PLAIN.replace(",", ";"),
    "title rows": "Manifest of load 4711,,,,,,,\nGenerated 2026-04-17,,,,,,,\n,,,,,,,\n" + PLAIN,
    "a title with its own values": "Load:,4711,,,,,,\nTotal units:,6,,,,,,\n" + PLAIN,
    "a blank line below the header": PLAIN.replace("\nWater", "\n,,,,,,,\nWater"),
    "blank lines between": PLAIN.replace("\nBike", "\n\n\n,,,,,,,\nBike"),
    "the header on each page": PLAIN.replace("\nDesk", f"\n{HEADER}\nDesk"),
    "a total below": PLAIN + "Total,,,6,,58.99,,\n",
    "a grand total in another column": PLAIN + ",,,,Grand Total:,58.99,,\n",
    "a total without a word": PLAIN + ",,,6,,58.99,,\n",
    "subtotals": "\n".join(
        (
            *(HEADER, *GOODS[:2], "Subtotal P1,,,3,,42.49,,"),
            *(GOODS[2], "Subtotal P2,,,3,,16.50,,", "", "Grand total,,,6,,58.99,,"),
        )
    ),
    "remarks below": PLAIN + ",,,,,,,\nAll sales are final.,,,,,,,\nPage 1 of 1,,,,,,,\n",
    "everything in quotes": "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.splitlines()
    ),
    "texts held by formulas": PLAIN.replace("036000291452", '="036000291452"'),
    "zeros of UPCs lost": PLAIN.replace("036000291452", "36000291452"),
    "UPCs as floats": PLAIN.replace("036000291452", "36000291452.0"),
    "UPCs in scientific notation": PLAIN.replace("036000291452", "3.6000291452E+10"),
    "UPCs with an apostrophe": PLAIN.replace("036000291452", "'036000291452"),
    "UPCs with spaces": PLAIN.replace("036000291452", "0 36000 29145 2"),
    "dollars": PLAIN.replace("10.00,20.00", "$10.00,$20.00"),
    "dollars and a code": PLAIN.replace("10.00,20.00", "USD 10.00,20.00 USD"),
    "columns without names": PLAIN.replace("Pallet ID", "Pallet ID,,").replace("\n", ",,\n"),
    "digits of another script": PLAIN.replace(",2,", ",٢,"),
    "quantities with a unit": PLAIN.replace(",2,", ",2 pcs,"),
    "quantities with decimals": PLAIN.replace(",2,", ",2.00,"),
    "two rows of headers": PLAIN.replace(
        HEADER, "Item,,,,Retail,,,\nDescription,Brand,UPC,Qty,Unit,Ext.,Condition,Pallet ID"
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_manifest_is_read_in_every_shape(name: str) -> None:
    assert_plain(read(SHAPES[name]))


def total_row(label: str) -> list[Cell]:
    return [label, None, None, Formula("SUM(D2:D4)", 6), None, Formula("SUM(F2:F4)", 58.99)]


WORKBOOKS = {
    "as it is": xlsx({"Sheet1": TABLE}),
    "numbers as text": xlsx(
        {"Sheet1": [[cell if cell is None else str(cell) for cell in row] for row in TABLE]}
    ),
    "formulas with their values": xlsx(
        {
            "Sheet1": [
                [
                    Formula(f"D{number}*E{number}", cell)
                    if isinstance(cell, float) and column == 5
                    else cell
                    for column, cell in enumerate(row)
                ]
                for number, row in enumerate(TABLE, start=1)
            ]
        }
    ),
    "a title over merged cells": xlsx(
        {"Sheet1": [["Manifest of load 4711"], [], *TABLE]}, merged={"Sheet1": ["A1:H1"]}
    ),
    "totals": xlsx({"Sheet1": [*TABLE, total_row("Total")]}),
    "a pallet merged over its lines": xlsx(
        {"Sheet1": [*TABLE[:2], [*TABLE[2][:7], None], TABLE[3]]}, merged={"Sheet1": ["H2:H3"]}
    ),
    "two rows of headers, merged": xlsx(
        {
            "Sheet1": [
                ["Item Description", "Brand", "UPC", "Qty", "Retail", None, "Condition", "Pallet"],
                [None, None, None, None, "Unit", "Ext.", None, None],
                *TABLE[1:],
            ]
        },
        merged={"Sheet1": ["E1:F1", "A1:A2", "B1:B2", "C1:C2", "D1:D2", "G1:G2", "H1:H2"]},
    ),
    "a summary before": xlsx(
        {
            "Summary": [["Category", "Units", "Retail"], ["Home", 6, 58.99]],
            "Manifest": TABLE,
        }
    ),
    "a page for each pallet": xlsx(
        {"P1": TABLE[:3], "P2": [TABLE[0], TABLE[3]], "Read me": [["Thank you"]]}
    ),
    "a hidden sheet": xlsx({"Old": TABLE[:2], "Sheet1": TABLE}, hidden=["Old"]),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_is_read_in_every_shape(name: str) -> None:
    assert_plain(read(WORKBOOKS[name]))


def test_totals_that_agree_are_noted_and_others_are_warned_of() -> None:
    assert any("58.99 agrees" in note for note in read(SHAPES["a total below"]).head.notes)
    wrong = read(PLAIN + "Total,,,7,,60.00,,\n")
    assert codes(wrong) == [(5, "total_differs"), (5, "total_differs")]
    assert "the sum says 60.00, and the lines come to 58.99" in wrong.warnings[1].message
    assert wrong.importable


def test_what_is_left_out_is_noted_with_its_rows() -> None:
    notes = " | ".join(read(SHAPES["subtotals"]).head.notes)
    assert "lines 4, 6 and 8 are sums and left out" in notes
    notes = " | ".join(read(SHAPES["the header on each page"]).head.notes)
    assert "line 4 is the header again" in notes
    notes = " | ".join(read(SHAPES["blank lines between"]).head.notes)
    assert "lines 3, 4 and 5 are blank" in notes


def test_a_text_alone_among_the_goods_is_a_warning() -> None:
    manifest = read(PLAIN.replace("\nDesk", "\nSmall things,,,,,,,\nDesk"))
    assert codes(manifest) == [(4, "text_only_row")]
    assert len(manifest.lines) == 3


def test_headings_name_the_pallet_of_the_lines_below() -> None:
    text = "Item Description,Qty,Retail,Condition\n" + (
        "Pallet: 17,,,\nA fine thing,1,5.00,New\nA good thing,1,6.00,New\n"
        "Pallet #18,,,\nA new thing,1,7.00,New\n"
    )
    assert [line.pallet for line in read(text).lines] == ["17", "17", "18"]


def test_a_product_called_total_is_no_total() -> None:
    text = PLAIN + "Total Gym XLS,Total Gym,,1,300.00,300.00,New,P2\nTotal,Brand,,1,1,1,New,P2\n"
    assert [line.description for line in read(text).lines[3:]] == ["Total Gym XLS", "Total"]


DIRT = {
    "no quantity": (",2,10.00,20.00", ",,10.00,20.00", 2, "quantity_missing"),
    "a quantity of zero": (",2,10.00,20.00", ",0,10.00,20.00", 2, "quantity_not_positive"),
    "a negative quantity": (",2,10.00,20.00", ",-2,10.00,20.00", 2, "quantity_not_positive"),
    "half a piece": (",2,10.00,20.00", ",1.5,10.00,20.00", 2, "quantity_not_whole"),
    "a word for a quantity": (",2,10.00,20.00", ",two,10.00,20.00", 2, "quantity_unreadable"),
    "a word for a price": ("22.49,22.49", "free,22.49", 3, "amount_unreadable"),
    "a negative price": ("22.49,22.49", "-22.49,22.49", 3, "amount_negative"),
    "a price in brackets": ("22.49,22.49", "(22.49),22.49", 3, "amount_negative"),
    "another currency": ("22.49,22.49", "$22.49,€22.49", 3, "currency_mixed"),
    "a comma too many": ("Desk lamp,", "Desk lamp, black,", 4, "row_shape"),
    "nothing to call it by": ("Bike tire,Vantor,012345678905", ",,", 3, "description_missing"),
}


@pytest.mark.parametrize("name", DIRT)
def test_a_line_with_an_error_is_named_and_nothing_is_imported(name: str) -> None:
    before, after, line, code = DIRT[name]
    manifest = read(PLAIN.replace(before, after))
    assert (line, code) in [(problem.line, problem.code) for problem in manifest.errors]
    assert {problem.line for problem in manifest.errors} <= {line} or code == "currency_mixed"
    assert not manifest.importable
    assert manifest.lines == []


DOUBT = {
    "a UPC that was mistyped": ("036000291452", "036000291453", 2, "gtin_check_digit"),
    "a UPC that was rounded": ("036000291452", "3.60003E+10", 2, "gtin_rounded"),
    "a UPC with letters": ("036000291452", "0360002X1452", 2, "gtin_not_digits"),
    "a UPC with a digit too few": ("4006381333931", "400638133393", 4, "gtin_check_digit"),
    "a product that is wrong": ("10.00,20.00", "10.00,30.00", 2, "extended_differs"),
    "a price finer than a cent": ("22.49,22.49", "22.494,22.49", 3, "amount_rounded"),
    "no price": ("22.49,22.49", ",", 3, "msrp_missing"),
    "no condition": (",Salvage,", ",,", 4, "condition_missing"),
    "an unknown condition": (",Salvage,", ",Qxz,", 4, "condition_unknown"),
    "a source for a condition": (",Salvage,", ",Overstock,", 4, "condition_is_source"),
    "no description but a brand": ("Bike tire,", ",", 3, "description_missing"),
    "a formula": ("Bike tire", '"=HYPERLINK(""http://x"")"', 3, "formula_text"),
    "text that is turned round": ("Bike tire", "Bike \u202eerit", 3, "text_cleaned"),
    "a control character": ("Bike tire", "Bike\x07 tire", 3, "text_cleaned"),
    "a long text": ("Bike tire", "Bike tire " * 40, 3, "text_cut"),
    "a long brand": ("Vantor", "Vantor " * 20, 3, "text_cut"),
}


@pytest.mark.parametrize("name", DOUBT)
def test_a_line_in_doubt_is_named_and_imported(name: str) -> None:
    before, after, line, code = DOUBT[name]
    manifest = read(PLAIN.replace(before, after))
    assert codes(manifest) == [(line, code)]
    assert manifest.importable
    assert len(manifest.lines) == 3
    assert manifest.rows == [2, 3, 4]


def test_all_errors_are_reported_up_to_a_thousand_and_the_rest_is_counted() -> None:
    text = (
        HEADER
        + "\n"
        + GOODS[0].replace(",2,", ",0,")
        + ("\n" + GOODS[1].replace(",1,", ",-1,")) * 1_500
    )
    manifest = read(text)
    assert (len(manifest.errors), manifest.head.error_count) == (1_000, 1_501)


def test_a_line_with_nothing_but_numbers_is_no_sum() -> None:
    manifest = read(PLAIN.replace("\nDesk", "\n,,,4,1.00,4.00,,\nDesk"))
    assert [(problem.line, problem.code) for problem in manifest.errors] == [
        (4, "description_missing")
    ]


def test_a_unit_price_is_made_of_the_extended_one() -> None:
    text = "Item Description,Qty,Total Retail\nA fine thing,2,10.00\nAnother thing,3,10.00\n"
    manifest = read(text)
    assert [line.unit_msrp_minor for line in manifest.lines] == [500, 333]
    assert codes(manifest) == [(3, "unit_rounded")]
    assert "3.33 each comes to 9.99" in manifest.warnings[0].message


def test_prices_are_read_by_the_habit_of_the_column() -> None:
    rows = ["A fine thing;1;1.299", "Another thing;2;1.299,50", "A third thing;1;7,5"]
    text = "\n".join(["Description;Qty;MSRP (EUR)", *rows])
    manifest = read(text)
    assert [line.unit_msrp_minor for line in manifest.lines] == [129_900, 129_950, 750]
    assert manifest.head.currency == "EUR"
    text = "\n".join(["Description,Qty,MSRP", 'A fine thing,1,"1,299"', "Another thing,1,7.50"])
    assert [line.unit_msrp_minor for line in read(text).lines] == [129_900, 750]


def test_three_digits_behind_every_sign_are_thousands_of_a_price() -> None:
    manifest = read("Description;Menge;UVP\nEin Ding;1.200,00;1.299\nNoch ein Ding;2,00;2.499\n")
    assert [line.unit_msrp_minor for line in manifest.lines] == [129_900, 249_900]
    assert [line.quantity for line in manifest.lines] == [1_200, 2]
    assert codes(manifest) == [(1, "currency_assumed"), (2, "amount_style_assumed")]


def test_a_cell_against_the_habit_is_an_error() -> None:
    rows = ["A fine thing;1;12,99", "Another thing;2;7,50", "A third thing;1;7.50"]
    manifest = read("\n".join(["Description;Qty;MSRP (EUR)", *rows]))
    assert codes(manifest) == [(4, "amount_ambiguous")]


def test_a_currency_that_sales_cannot_be_in_is_an_error() -> None:
    manifest = read("Opis,Ilość,Cena katalogowa\nRzecz dobra,1,129 zł\nRzecz inna,2,99 zł\n")
    assert [problem.code for problem in manifest.errors] == ["currency_unknown"]
    assert "PLN" in manifest.errors[0].message


def test_a_currency_that_is_assumed_against_the_habit_is_a_warning() -> None:
    text = "Bezeichnung;Menge;UVP\nEin Ding;1;12,99\nNoch ein Ding;2;7,50\n"
    assert codes(read(text)) == [(1, "currency_assumed")]
    assert read(text).head.currency == "EUR"
    assert codes(read(text, currency="EUR")) == []
    assert codes(read(text, currency="USD")) == [(1, "currency_assumed")]


def test_dollars_are_those_of_the_header() -> None:
    manifest = read("Description,Qty,Retail (CAD)\nA thing,1,$5.00\nOther thing,1,$6.00\n")
    assert (manifest.head.currency, manifest.errors) == ("CAD", [])


def test_plate_numbers_that_stand_twice_are_named() -> None:
    text = "LPN,Description,Qty,Retail,Condition\n" + (
        "LPNPM123456789,A thing,1,5.00,New\nLPNPM123456780,A thing,1,5.00,New\n"
        "LPNPM123456789,A thing,1,5.00,New\n"
    )
    manifest = read(text)
    assert codes(manifest) == [(4, "lpn_twice")]
    assert "line 2 too" in manifest.warnings[0].message


@pytest.mark.parametrize(
    ("header", "row", "grams"),
    [
        ("Weight (lbs)", "12.5", 5_670),
        ("Weight", "12.5 lb", 5_670),
        ("Weight", "500 g", 500),
        ("Gewicht (kg)", "0.25", 250),
        ("Weight", "3 oz", 85),
        ("Weight,Weight UOM", "2,kilograms", 2_000),
        ("ItemPkgWeight,ItemPkgWeightUOM", "2,pounds", 907),
    ],
)
def test_weights_are_grams(header: str, row: str, grams: int) -> None:
    text = f"Description,Qty,Retail,{header}\n" + f"A thing,1,5.00,{row}\n" * 3
    assert [line.weight_g for line in read(text).lines] == [grams] * 3


def test_weights_without_a_unit_are_left_empty_and_told_once() -> None:
    manifest = read("Description,Qty,Retail,Weight\n" + "A thing,1,5.00,2.5\n" * 3)
    assert codes(manifest) == [(1, "weight_without_unit")]
    assert manifest.lines[0].weight_g is None


@pytest.mark.parametrize(
    ("line", "description"),
    [
        ('26" BIKE,1,5.00,New', '26" BIKE'),
        ('"26"" BIKE, RED",1,5.00,New', '26" BIKE, RED'),
        ('"26" BIKE, RED",1,5.00,New', '26" BIKE, RED'),
        ('" PIPE,1,5.00,New', '" PIPE'),
        ('"PIPE 2"",1,5.00,New', 'PIPE 2"'),
        ('"6\' X 1/2"" cable: lock",1,5.00,New', "6' X 1/2\" cable: lock"),
        ('"two\nlines",1,5.00,New', "two lines"),
        ('BIKE 26","1",5.00,New', 'BIKE 26"'),
    ],
)
def test_inch_marks_and_bad_quotes_stay_in_their_line(line: str, description: str) -> None:
    text = (
        "Description,Qty,Retail,Condition\nA fine thing,1,5.00,New\n"
        f'{line}\nA "good" thing,2,6.00,New\n"Other, last",1,7.00,New\n'
    )
    manifest = read(text)
    assert [row.description for row in manifest.lines] == [
        "A fine thing",
        description,
        'A "good" thing',
        "Other, last",
    ]
    assert manifest.rows[-1] == (6 if "\n" in line else 5)


def test_formulas_without_values_and_errors_are_named() -> None:
    table = [
        TABLE[0],
        [*TABLE[1][:5], Formula("D2*E2", None), *TABLE[1][6:]],
        [*TABLE[2][:6], Error(), "P1"],
        TABLE[3],
    ]
    manifest = read(xlsx({"Sheet1": table}))
    assert (2, "formula_without_value") in codes(manifest)
    assert (3, "error_value") in codes(manifest)
    assert len(manifest.lines) == 3


def test_a_quantity_that_is_merged_over_lines_is_an_error() -> None:
    table = [TABLE[0], TABLE[1], [*TABLE[2][:3], None, *TABLE[2][4:]], TABLE[3]]
    manifest = read(xlsx({"Sheet1": table}, merged={"Sheet1": ["D2:D3"]}))
    assert codes(manifest) == [(3, "merged_amount")]


def test_another_sheet_with_goods_and_other_columns_is_named() -> None:
    other: list[list[Cell]] = [["Item", "UPC", "Qty", "MSRP"], ["A thing", "036000291452", 1, 5]]
    manifest = read(xlsx({"Main": TABLE, "More": [*other, other[1]]}))
    assert [problem.code for problem in manifest.warnings] == ["sheet_left_out"]
    assert manifest.head.sheets == ["Main"]


def test_problems_on_several_sheets_name_the_sheet() -> None:
    bad: list[Cell] = [*TABLE[3][:3], 0, *TABLE[3][4:]]
    manifest = read(xlsx({"P1": TABLE[:3], "P2": [TABLE[0], bad]}))
    assert [(problem.sheet, problem.line) for problem in manifest.errors] == [("P2", 2)]


def test_the_currency_is_told_by_formats_of_numbers() -> None:
    form = '<numFmt numFmtId="164" formatCode="#,##0.00 [$€-407]"/>'
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    styles = f"<styleSheet {namespace}><numFmts>{form}</numFmts></styleSheet>"
    manifest = read(xlsx({"Sheet1": TABLE}, styles=styles))
    assert manifest.head.currency == "EUR"


def test_a_file_without_a_header_is_read_by_its_values() -> None:
    text = "".join(
        f"LPNPM{number:09d},Wireless mouse number {number},0360002914{52},{number % 3 + 1},"
        f"{10 + number}.99,{(number % 3 + 1) * (1099 + 100 * number) / 100:.2f},Like New\n"
        for number in range(12)
    )
    manifest = read(text)
    assert manifest.columns == {
        "lpn": "column A",
        "description": "column B",
        "gtin": "column C",
        "quantity": "column D",
        "unit_msrp": "column E",
        "extended_msrp": "column F",
        "condition": "column G",
    }
    assert (len(manifest.lines), manifest.head.header_line) == (12, 0)
    assert codes(manifest) == [(0, "no_header")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("  \n \n", "empty"),
        ("Dear Sir,\nplease find attached\nour offer.\n", "no_header"),
        ("name,phone,mail\nAnn,1,a@b\n", "no_header"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.code == code


def test_a_header_without_goods_is_an_error() -> None:
    manifest = read(HEADER + "\n")
    assert [problem.code for problem in manifest.errors] == ["no_lines"]
    assert not manifest.importable


def test_windows_1252_is_read() -> None:
    text = "Bezeichnung;Menge;UVP (EUR);Zustand\nKüchenmesser „Größe 3“;2;1.299,50 €;Neu\n"
    manifest = read(text.encode("cp1252"))
    assert manifest.lines[0].description == "Küchenmesser „Größe 3“"
    assert manifest.lines[0].unit_msrp_minor == 129_950


def test_damaged_characters_are_named() -> None:
    good = "Café crème n° 1,1,5.00,New\n" * 30
    data = ("Description,Qty,Retail,Condition\n" + good).encode() + b"Caf\xff bad,1,5.00,New\n"
    assert (32, "damaged_characters") in codes(read(data))


def test_more_lines_than_a_manifest_may_have_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 20)
    manifest = read("Description,Qty,Retail\n" + "A fine thing,1,5.00\n" * 21)
    assert [problem.code for problem in manifest.errors] == ["too_many_lines"]
    assert "21 lines" in manifest.errors[0].message
