"""Cells of manifests one by one: GTINs, amounts, grades, weights, currencies, text."""

from decimal import Decimal

import pytest

from auction.catalog.goods import SOURCES, Condition
from auction.catalog.importing.amounts import (
    BadAmount,
    DecimalSign,
    habit_of,
    is_number,
    minor_of,
    number_in,
)
from auction.catalog.importing.assignment import best_assignment
from auction.catalog.importing.currencies import currency_in
from auction.catalog.importing.grades import graded
from auction.catalog.importing.gtins import gtin_in
from auction.catalog.importing.pricing import quantity_in
from auction.catalog.importing.sheets import Cell, column_letters
from auction.catalog.importing.texts import ascii_digits, cleaned, looks_like_formula, text_in
from auction.catalog.importing.weights import grams, split_weight, unit_in_header
from auction.catalog.importing.words import concepts


@pytest.mark.parametrize(
    ("cell", "gtin"),
    [
        ("036000291452", "036000291452"),
        ("36000291452", "036000291452"),
        (36000291452, "036000291452"),
        (36000291452.0, "036000291452"),
        ("36000291452.0", "036000291452"),
        ("36000291452,00", "036000291452"),
        ("3.6000291452E+10", "036000291452"),
        ("7.11719541028E+11", "711719541028"),
        ("7,11719541028E+11", "711719541028"),
        ("0036000291452", "0036000291452"),
        ("00036000291452", "00036000291452"),
        ("000000036000291452", "036000291452"),
        ("4006381333931", "4006381333931"),
        ("4 006381 333931", "4006381333931"),
        ("0-36000-29145-2", "036000291452"),
        ("UPC: 036000291452", "036000291452"),
        ('="036000291452"', "036000291452"),
        ("'036000291452", "036000291452"),
        ("96385074", "96385074"),
        ("9780306406157", "9780306406157"),
        ("0-306-40615-2", "9780306406157"),
        ("080442957X", "9780804429573"),
        ("٠٣٦٠٠٠٢٩١٤٥٢", "036000291452"),
    ],
)
def test_a_gtin_is_what_it_was_before_spreadsheets(cell: Cell, gtin: str) -> None:
    found = gtin_in(cell)
    assert (found.gtin, found.code) == (gtin, "")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("036000291453", "gtin_check_digit"),
        ("3.60003E+10", "gtin_rounded"),
        ("7.11720E+11", "gtin_rounded"),
        ("7E+11", "gtin_rounded"),
        ("12345", "gtin_length"),
        ("123456789012345", "gtin_length"),
        ("ABC123", "gtin_not_digits"),
        ("2026-01-02", "gtin_not_digits"),
        ("1/2/2026", "gtin_not_digits"),
        ("036000291452 / 4006381333931", "gtin_not_digits"),
    ],
)
def test_what_is_no_gtin_is_named_and_not_guessed(cell: Cell, code: str) -> None:
    found = gtin_in(cell)
    assert (found.gtin, found.code) == ("", code)
    assert str(cell).split()[0] in found.message


@pytest.mark.parametrize("cell", ["", " ", "N/A", "0", "000000000000", "-", "Does not apply", 0])
def test_no_gtin_is_nothing_to_complain_about(cell: Cell) -> None:
    assert (gtin_in(cell).gtin, gtin_in(cell).code) == ("", "")


AMOUNTS = {
    DecimalSign.POINT: [
        ("177.50", "177.50"),
        ("$1,234.56", "1234.56"),
        ("1,234,567.89", "1234567.89"),
        ("12,34,567.00", "1234567"),
        ("USD 12", "12"),
        ("12.00 USD", "12"),
        ("US$ 12.00", "12"),
        ("£9.99", "9.99"),
        (".99", "0.99"),
        ("$12.99/ea", "12.99"),
        ("12.99 each", "12.99"),
        ("5.", "5"),
        ("1 234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("(12.50)", "-12.50"),
        ("12.50-", "-12.50"),
        ("-$12.50", "-12.50"),
        ("\uff11\uff12.\uff15\uff10", "12.50"),
        (12.5, "12.5"),
        (12, "12"),
    ],
    DecimalSign.COMMA: [
        ("177,50", "177.50"),
        ("1.234,56 €", "1234.56"),
        ("1.234.567,89", "1234567.89"),
        ("€ 1 234,50", "1234.50"),
        ("12,--", "12"),
        ("12,\u2013 €", "12"),
        ("12,50 EUR/Stk", "12.50"),
        ("12,50 € / Stk.", "12.50"),
        ("1.299", "1299"),
        (12.5, "12.5"),
    ],
}


@pytest.mark.parametrize(
    ("cell", "sign", "number"),
    [(cell, sign, number) for sign, pairs in AMOUNTS.items() for cell, number in pairs],
)
def test_an_amount_is_read_in_its_habit(cell: Cell, sign: DecimalSign, number: str) -> None:
    habit = habit_of(["1.234,56" if sign is DecimalSign.COMMA else "1,234.56"])
    assert habit.sure
    assert is_number(cell)
    assert number_in(cell, habit) == Decimal(number)


@pytest.mark.parametrize(
    ("cells", "sign", "sure"),
    [
        (["1.50", "2,000"], DecimalSign.POINT, True),
        (["1,50", "2.000"], DecimalSign.COMMA, True),
        (["1.299", "2.499"], DecimalSign.POINT, False),
        (["1,299,000"], DecimalSign.POINT, True),
        (["1.299.000"], DecimalSign.COMMA, True),
        (["0,125"], DecimalSign.COMMA, True),
        ([], DecimalSign.POINT, False),
        ([1.5, 2], DecimalSign.POINT, False),
    ],
)
def test_the_habit_is_that_of_the_column(cells: list[Cell], sign: DecimalSign, sure: bool) -> None:
    habit = habit_of(cells)
    assert (habit.sign, habit.sure) == (sign, sure)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1,50", "amount_ambiguous"),
        ("call us", "amount_unreadable"),
        ("12.34.56", "amount_unreadable"),
        ("1" * 41, "amount_unreadable"),
        ("12 34", "amount_unreadable"),
        ("1e400", "amount_unreadable"),
    ],
)
def test_what_is_no_amount_is_named(cell: str, code: str) -> None:
    with pytest.raises(BadAmount) as caught:
        number_in(cell, habit_of(["1.50"]))
    assert caught.value.code == code


def test_minor_units_are_rounded_half_up_and_told() -> None:
    assert minor_of(Decimal("12.345"), 2) == (1_235, False)
    assert minor_of(Decimal("12.34"), 2) == (1_234, True)
    assert minor_of(Decimal("34.989999999999995"), 2) == (3_499, True)
    assert minor_of(Decimal("1.5"), 0) == (2, False)
    with pytest.raises(BadAmount, match="larger than any"):
        minor_of(Decimal(10**15), 2)


@pytest.mark.parametrize(
    ("cell", "quantity"),
    [
        *((2, 2), (2.0, 2), ("2", 2), ("2 pcs", 2), ("1,200", 1_200), ("3 Stk.", 3)),
        *(("2 EA", 2), ("x2", 2), ("Qty: 2", 2), ("2 each", 2)),
    ],
)
def test_a_quantity_is_whole(cell: Cell, quantity: int) -> None:
    assert quantity_in(cell) == quantity


GRADES = {
    Condition.NEW: "Never used, NWT, Brand New, NIB, New, NEW_IN_BOX, Neu, Neuf, Nuevo, New "
    "Overstock, Nieuw, N",
    Condition.LIKE_NEW: "Like New, LIKE_NEW, UsedLikeNew, Used - Like New, A, Grade A, Wie neu, "
    "Comme neuf, Como nuevo, Customer Returns - Like New",
    Condition.OPEN_BOX: "Open Box, OpenBox, New - Open Box, New (other), B-Ware, Damaged Box, "
    "Caja abierta, New - damaged packaging, Open-Box Excellent, Display model, Ex-display",
    Condition.REFURBISHED: "Refurb, Refurbished, Renewed, Certified Refurbished, Generalüberholt, "
    "Reconditionné, Reacondicionado, RFB, Refurbished - Good, Renewed - Acceptable",
    Condition.USED_GOOD: "Used - Good, USED_GOOD, UsedGood, Good, Very Good, B, Grade B, Gut, "
    "Grade A/B, Gr. B, Tested - Powers On, Sehr guter Zustand, Gebraucht - sehr gut, Bon état, "
    "D'occasion - bon état, Tested Working",
    Condition.USED_FAIR: "Used, Used - Acceptable, Used - Fair, Fair, C, Scratch & Dent, "
    "Gebraucht, Akzeptabel, 2nd hand, New w/ defects, Usado, Pre-owned, Scratch and Dent",
    Condition.SALVAGE: "Salvage, Damaged, For parts, For Parts or Not Working, D, Defekt, Broken, "
    "Unsalable, Defective - does not power on, Warehouse Damage, Tested - Not Working, Para "
    "piezas, Endommagé, Defective",
    Condition.UNINSPECTED: "Uninspected returns, Raw returns, Customer Returns, Untested, As-Is, "
    "Kundenretouren, Retours clients, Ungeprüft, Overstock, Shelf Pulls, Mixed",
}


@pytest.mark.parametrize(
    ("text", "condition"),
    [(text, grade) for grade, texts in GRADES.items() for text in texts.split(", ")],
)
def test_words_of_sources_are_grades(text: str, condition: Condition) -> None:
    assert graded(text).condition is condition
    assert graded(text.upper()).condition is condition or "Used" in text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Customer Returns", "customer returns"),
        ("Raw returns", "customer returns"),
        ("New Overstock", "overstock"),
        ("Shelf Pull", "shelf pulls"),
        ("Close-outs", "closeout"),
        ("Store damage", "store damage"),
        ("Restposten", "closeout"),
        ("Kundenretouren", "customer returns"),
        ("Like new", ""),
    ],
)
def test_where_goods_are_from_is_kept_apart(text: str, source: str) -> None:
    assert graded(text).source == source
    assert not source or source in SOURCES


@pytest.mark.parametrize("text", ["TT", "Qxz", "", "blue", "x" * 500])
def test_an_unknown_word_is_no_grade(text: str) -> None:
    assert graded(text).condition is None


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("$5", "USD"),
        ("US$5", "USD"),
        ("US $5", "USD"),
        ("C$5", "CAD"),
        ("5 €", "EUR"),
        ("EUR 5", "EUR"),
        ("£5", "GBP"),
        ("Retail (CAD)", "CAD"),
        ("MSRP $", "USD"),
        ("5 zł", "PLN"),
        ("5.00", None),
        ("Decade", None),
    ],
)
def test_currencies_are_told_by_codes_and_signs(text: str, currency: str | None) -> None:
    assert currency_in(text) == currency


def test_weights_have_units() -> None:
    assert split_weight("12.5 lb") == ("12.5", "lb")
    assert split_weight("12.5") == ("12.5", None)
    assert unit_in_header("Weight (lbs)") == "lb"
    assert unit_in_header("ItemWeight_kg") == "kg"
    assert unit_in_header("Category") is None
    assert grams(Decimal(1), "lb") == 454
    assert grams(Decimal("0.0001"), "oz") == 1


def test_text_is_cleaned_of_what_cannot_be_seen() -> None:
    assert cleaned("a\u202eb\u200bc\x07d") == ("abc d", True)
    assert cleaned("Größe 3 \u2013 ok") == ("Größe 3 \u2013 ok", False)
    assert text_in("  two \n lines ") == "two lines"
    assert text_in("'0123") == "0123"
    assert text_in("'quoted'") == "'quoted'"
    assert ascii_digits("１２٣") == "123"


@pytest.mark.parametrize(
    "text", ["=1+1", "=HYPERLINK(1)", "@SUM(A1)", "+cmd|' /C calc'!A0", "-x!A1"]
)
def test_formulas_are_known(text: str) -> None:
    assert looks_like_formula(text)


@pytest.mark.parametrize("text", ["-20% off", "+5 bonus", "@home lamp", "a = b", "- nice", ""])
def test_text_with_signs_is_no_formula(text: str) -> None:
    assert not looks_like_formula(text)


def test_the_assignment_is_the_best_of_all() -> None:
    assert best_assignment([[0.9, 0.8], [0.85, 0.1]]) == [1, 0]
    assert best_assignment([[0.9, 0.0], [0.8, 0.0]]) == [0, None]
    assert best_assignment([[0.0, 0.0]]) == [None]
    assert best_assignment([]) == []


def test_columns_have_the_names_that_spreadsheets_show() -> None:
    assert [column_letters(column) for column in (0, 25, 26, 701, 702)] == [
        "A", "Z", "AA", "ZZ", "AAA",
    ]  # fmt: skip


def test_headers_of_many_tongues_mean_the_same() -> None:
    assert concepts("QTY.") == concepts("Menge") == concepts("Quantité") == {"quantity"}
    assert concepts("ItemPkgWeightUOM") == {"item", "package", "weight", "uom"}
    assert concepts("Item #") == concepts("Item No.") == concepts("Artikelnummer")
    assert (
        concepts("a sentence of more words than any header ever had, and then some, too") == set()
    )
