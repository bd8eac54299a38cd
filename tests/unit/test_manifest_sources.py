"""Manifests of sources that were never seen: what they leave out, say elsewhere or say twice."""

import pytest

from auction.catalog.importing.manifest_file import manifest_in
from auction.catalog.importing.results import Manifest
from tests.workbooks import Cell, xlsx

HEADER = "Item Description,Brand,UPC,Qty,Unit Retail,Ext. Retail,Condition,Pallet ID"
GOODS = (
    "Water bottle,Hydrel,036000291452,2,10.00,20.00,New,P1",
    "Bike tire,Vantor,012345678905,1,22.49,22.49,Used - Good,P1",
    "Desk lamp,Okami,4006381333931,3,5.50,16.50,Salvage,P2",
)
PLAIN = "\n".join((HEADER, *GOODS))
BARE = (
    "Item Description,Qty,Unit Retail\nWater bottle,2,10.00\nBike tire,1,22.49\nDesk lamp,3,5.50\n"
)
TABLE: list[list[Cell]] = [list(line.split(",")) for line in PLAIN.splitlines()]
MANY = [
    HEADER,
    *(
        f"Thing no. {n},Okami,,{n % 3 + 1},{n + 5}.00,{(n % 3 + 1) * (n + 5)}.00,New,P{n // 4}"
        for n in range(12)
    ),
]


def read(text: str | bytes, **options: object) -> Manifest:
    data = text.encode() if isinstance(text, str) else text
    return manifest_in(data, **options)  # type: ignore[arg-type]


def codes(manifest: Manifest) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in manifest.errors + manifest.warnings]


SHAPES: dict[str, str | bytes] = {
    "a row of units below the header": PLAIN.replace("\nWater", "\n,,,(ea),(USD),(USD),,\nWater"),
    "signs below the header": PLAIN.replace("\nWater", "\n,,,,$,$,,\nWater"),
    "a rule below the header": PLAIN.replace("\nWater", "\n---,---,---,---,---,---,---,---\nWater"),
    "a heading of a pallet, counted": PLAIN.replace("\nWater", "\nPallet 1 of 2,,,,,,,\nWater"),
    "a heading of a pallet, named": PLAIN.replace("\nDesk", "\nPALLET #2 - GAMES,,,,,,,\nDesk"),
    "page numbers": PLAIN.replace("\nDesk", f"\nPage 1 of 2,,,,,,,\n{HEADER}\nDesk"),
    "what it comes to, below": PLAIN
    + "\n\nCategory,Units,Ext. Retail\nHome,5,36.50\nSport,1,22.49\n",
    "a last column without a name": PLAIN.replace("\n", ",x\n").replace("Pallet ID,x", "Pallet ID")
    + ",x",
    "columns in another order on another sheet": xlsx(
        {"A": TABLE[:3], "B": [[row[at] for at in (7, 6, 5, 4, 3, 2, 1, 0)]
                               for row in (TABLE[0], TABLE[3])]}
    ),
    "headers in capitals on another sheet": xlsx(
        {"A": TABLE[:3], "B": [["Load 4711"], [str(name).upper() for name in TABLE[0]], TABLE[3]]}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_what_stands_around_the_goods_is_no_goods(name: str) -> None:
    manifest = read(SHAPES[name])
    assert codes(manifest) == []
    assert [line.description for line in manifest.lines] == [
        "Water bottle",
        "Bike tire",
        "Desk lamp",
    ]
    assert (manifest.units, manifest.retail_minor, manifest.gtins_valid) == (6, 5_899, 3)
    assert [line.pallet for line in manifest.lines] == ["P1", "P1", "P2"]


@pytest.mark.parametrize(
    ("codes_of_lines", "gtins", "told"),
    [
        (("036000291452,", ",4006381333931", "036000291452,"), 3, []),
        (("036000291452,4006381333931", ",", "N/A,4006381333931"), 2, []),
        (("036000291453,4006381333931", ",4006381333931", "036000291452,"), 3, [2]),
        (("036000291452,4006381333932", ",4006381333931", "036000291452,"), 3, [2]),
        (("036000291453,", ",4006381333931", "036000291452,"), 2, [2]),
    ],
)
def test_a_line_has_the_code_of_the_column_that_has_one(
    codes_of_lines: tuple[str, ...], gtins: int, told: list[int]
) -> None:
    rows = [f"{code},A thing no. {n},1,5.00" for n, code in enumerate(codes_of_lines)]
    manifest = read("\n".join(("UPC,EAN,Item Description,Qty,Unit Retail", *rows)))
    assert manifest.gtins_valid == gtins
    assert codes(manifest) == [(line, "gtin_check_digit") for line in told]


def test_ten_digits_below_isbn_are_books() -> None:
    manifest = read("ISBN-10,Title,Qty,List Price\n0306406152,A book,1,5.00\n080442957X,B,1,6.00\n")
    assert [line.gtin for line in manifest.lines] == ["9780306406157", "9780804429573"]


@pytest.mark.parametrize(
    ("titles", "sheet", "grade"),
    [
        ([["Condition: Used - Good"]], "Sheet1", "USED_GOOD"),
        ([["Load", "4711"], ["Condition", "Salvage"]], "Sheet1", "SALVAGE"),
        ([["Truckload of Electronics - Salvage"]], "Sheet1", "SALVAGE"),
        ([["Zustand: Wie neu"]], "Sheet1", "LIKE_NEW"),
        ([["Load 4711"]], "Refurbished", "REFURBISHED"),
        ([["New York Liquidators - Parts of a load"]], "Sheet1", "UNINSPECTED"),
    ],
)
def test_the_grade_may_stand_in_a_title_or_on_the_sheet(
    titles: list[list[Cell]], sheet: str, grade: str
) -> None:
    rows: list[list[Cell]] = [list(line.split(",")) for line in BARE.splitlines()]
    manifest = read(xlsx({sheet: [*titles, [], *rows]}))
    assert manifest.conditions == {grade: 3}
    assert codes(manifest) == []


@pytest.mark.parametrize(
    ("title", "currency"),
    [
        ("All prices in EUR", "EUR"),
        ("Manifest (GBP)", "GBP"),
        ("Retail £4,200", "GBP"),
        ("EUR and USD", "USD"),
        ("Load 4711", "USD"),
    ],
)
def test_the_currency_may_stand_in_a_title(title: str, currency: str) -> None:
    manifest = read(f"{title},,\n,,\n{BARE}")
    assert (manifest.head.currency, codes(manifest)) == (currency, [])


def test_a_few_lines_in_a_currency_that_the_others_do_not_name_are_errors() -> None:
    text = BARE.replace("22.49", "€22.49")
    assert codes(read(text)) == [(3, "currency_mixed")]
    first = read(BARE.replace("10.00", "€10.00"))  # as accountants write
    assert (first.head.currency, codes(first)) == ("EUR", [])
    alone = read(BARE.replace("10.00", "").replace("22.49", "€22.49").replace("5.50", "N/A"))
    assert alone.head.currency == "EUR"
    assert codes(alone) == [(2, "msrp_missing"), (4, "msrp_missing")]


def test_a_price_that_quantities_do_not_relate_is_no_extended_one() -> None:
    rows = [f"A thing no. {n},{n},10.00,{3 * n}.10" for n in range(2, 9)]
    manifest = read("\n".join(("Description,Qty,MSRP,Ext. Price", *rows)))
    assert manifest.columns.get("extended_msrp") is None
    assert codes(manifest) == []
    manifest = read("\n".join(("Description,Qty,MSRP,Ext. Retail", *rows)))  # it says so itself
    assert [code for _, code in codes(manifest)] == ["extended_differs"] * 7


@pytest.mark.parametrize(
    ("header", "unit", "extended"),
    [
        ("Units per Case,Cases,Unit Retail,Ext Retail", "2.00", "{total}.00"),
        ("Case Pack,Cases,Unit Retail", "2.00", None),
        ("Inner Pack,Qty,Unit Retail,Ext Retail", "2.00", "{total}.00"),
    ],
)
def test_cases_hold_pieces(header: str, unit: str, extended: str | None) -> None:
    rows = []
    for n in (3, 1, 4, 2, 8, 5, 7, 6):
        total = 2 * (n % 3 + 2) * n
        last = [] if extended is None else [extended.format(total=total)]
        rows.append(",".join((f"A thing no. {n}", str(n % 3 + 2), str(n), unit, *last)))
    manifest = read("\n".join((f"Description,{header}", *rows)))
    pieces = sum((n % 3 + 2) * n for n in range(1, 9))
    assert (manifest.units, manifest.retail_minor) == (pieces, 200 * pieces)
    assert codes(manifest) == []


def test_a_case_pack_beside_pieces_is_only_told() -> None:
    rows = [f"A thing no. {n},{12},{n},2.00,{2 * n}.00" for n in range(1, 9)]
    manifest = read("\n".join(("Description,Case Pack,Qty,Unit Retail,Ext Retail", *rows)))
    assert (manifest.units, codes(manifest)) == (36, [])


def test_sheets_that_hold_the_goods_again_count_once() -> None:
    rows: list[list[Cell]] = [list(line.split(",")) for line in MANY]
    parts = {f"P{n}": [rows[0], *rows[1 + 4 * n : 5 + 4 * n]] for n in range(3)}
    manifest = read(xlsx({"All": rows, **parts}))
    assert (len(manifest.lines), manifest.head.sheets) == (12, ["All"])
    assert {problem.code for problem in manifest.warnings} == {"sheet_repeated"}
    assert len(read(xlsx(parts)).lines) == 12


UNUSUAL = {
    "far beyond": (",8.00,8.00", ",99999999.00,99999999.00", "msrp_unusual"),
    "nines": (",8.00,8.00", ",9999.99,9999.99", "msrp_unusual"),
    "nothing": (",8.00,8.00", ",0.00,0.00", "msrp_missing"),
    "nothing for one": (",8.00,8.00", ",0,8.00", "extended_differs"),
    "a failed formula": (",8.00,8.00", ",8.00,8.00", "error_value"),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_amount_that_nobody_pays_is_named(name: str) -> None:
    before, after, code = UNUSUAL[name]
    line = MANY[4].replace(before, after)
    if name == "a failed formula":
        line = line.replace(",Okami,,", ",Okami,#REF!,")
    manifest = read("\n".join((*MANY[:4], line, *MANY[5:])))
    assert codes(manifest) == [(5, code)]
    assert manifest.importable


def test_a_remark_beside_the_table_of_a_workbook_is_named_and_left_out() -> None:
    rows: list[list[Cell]] = [list(line.split(",")) for line in MANY]
    rows[3] = [*rows[3], None, "call Bob"]
    manifest = read(xlsx({"Sheet1": rows}))
    assert (codes(manifest), len(manifest.lines)) == ([(4, "beside_table")], 12)


SECTIONS = "Description,Qty,Retail\n{},,\nA thing,1,5.00\nB thing,1,5.00\n{},,\nC thing,2,6.00\n"


def test_headings_above_the_goods_are_their_categories_or_grades() -> None:
    manifest = read(SECTIONS.format("ELECTRONICS", "TOYS"))
    assert [line.category for line in manifest.lines] == ["ELECTRONICS", "ELECTRONICS", "TOYS"]
    assert codes(manifest) == []
    manifest = read(SECTIONS.format("GRADE A", "GRADE D"))
    assert manifest.conditions == {"LIKE_NEW": 2, "SALVAGE": 1}
    assert {line.category for line in manifest.lines} == {""}


def test_texts_between_goods_that_no_heading_precedes_are_named() -> None:
    text = "Description,Qty,Retail\nA thing,1,5.00\nB thing,,\nC thing,1,5.00\nD thing,,\nE,1,1\n"
    assert codes(read(text)) == [(3, "text_only_row"), (5, "text_only_row")]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("Total Units: {pieces},,\nTotal Retail Value: ${retail},,\n", 2),
        (",Total units,{pieces}\n,Total retail,{retail}\n", 2),
        ("Gesamtmenge,{pieces},\n", 1),
        ("Total Pallets: 17,,\nTotal weight,400,\n", 0),
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_sums_that_have_a_name_are_compared_wherever_they_stand(
    rows: str, told: int, above: bool
) -> None:
    right = rows.format(pieces=6, retail="58.99")
    wrong = rows.format(pieces=8, retail="99.00")
    for sums, count in ((right, 0), (wrong, told)):
        manifest = read(f"{sums},,\n{BARE}" if above else f"{BARE},,\n{sums}")
        assert [code for _, code in codes(manifest)] == ["total_differs"] * count
        assert (len(manifest.lines), manifest.retail_minor) == (3, 5_899)


@pytest.mark.parametrize("word", ["Euro", "€", "EUR"])
def test_a_column_of_currencies_may_hold_words_and_signs(word: str) -> None:
    text = "".join(f"{line},{word}\n" for line in BARE.splitlines()).replace(word, "Currency", 1)
    manifest = read(text)
    assert (manifest.columns["currency"], manifest.head.currency) == ("Currency", "EUR")


def test_a_column_of_quantities_that_is_empty_counts_each_line_once() -> None:
    manifest = read("Description,Qty,Retail\nA thing,,5.00\nB thing,,6.00\n")
    assert (manifest.units, codes(manifest)) == (2, [(1, "no_quantity_column")])


def test_numbers_of_places_are_no_quantities() -> None:
    rows = [f"A thing no. {n},{11 + n * 37 % 80},5.00" for n in range(8)]
    manifest = read("\n".join(("Description,Zone,Retail", *rows)))
    assert (manifest.units, manifest.columns.get("quantity")) == (8, None)


def test_a_sheet_may_lack_a_column_that_no_field_was_read_from() -> None:
    rows: list[list[Cell]] = [[*line.split(","), "red"] for line in MANY]
    rows[0][-1] = "Color"
    manifest = read(xlsx({"A": rows[:9], "B": [row[:-1] for row in (rows[0], *rows[9:])]}))
    assert (len(manifest.lines), codes(manifest)) == (12, [])
