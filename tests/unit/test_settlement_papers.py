"""Documents of settlement: their figures to the cent, the same bytes again, codes that scan."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from python_calamine import CalamineWorkbook

from auction.catalog.goods import MAX_LINES
from foundation.papers.sizes import Paper
from settlement.papers.barcodes import is_sscc, sscc_of
from settlement.papers.contents import Content, Label, Moved, TaxLine
from settlement.papers.letterhead import Party
from settlement.papers.rendering import Format, formats_of, render
from settlement.papers.words import amount, clock, figure, rate
from tests.code128 import codes_on
from tests.papers import drawn, everything, page_count
from tests.settlement_papers import (
    CHICAGO,
    CLOSED,
    DIGEST,
    DUE,
    a_consignors_statement,
    a_credit_note,
    a_loading,
    a_lot_line,
    a_manifest,
    a_manifest_line,
    a_sold_lot,
    a_statement,
    an_advice,
    an_invoice,
    some_evidence,
    some_labels,
)

EVERY: Sequence[Callable[..., Content]] = (
    an_invoice,
    a_credit_note,
    a_manifest,
    a_loading,
    some_labels,
    a_statement,
    a_consignors_statement,
    an_advice,
    some_evidence,
)
LONG = "Vereinigte Retourenverwertungsgesellschaft der n\u00f6rdlichen Handelskammern " * 3


def texts(content: Content) -> list[str]:
    return drawn(render(content))


def said(content: Content) -> str:
    return " ".join(texts(content))


def test_the_worked_example_is_on_the_invoice_to_the_cent() -> None:
    found = texts(an_invoice())
    for shown in ("10,000.00", "1,000.00", "907.50", "11,907.50", "11,000.00", "8.25 %"):
        assert shown in found
    assert "$11,907.50" in found
    assert "Tue 10 Mar 2026, 17:00 CDT" in found
    assert {"071000013", "000123456789", "INV-000123"} <= set(found)


def test_an_invoice_says_what_is_left_to_pay_of_it() -> None:
    found = texts(an_invoice(paid_minor=500_000, credited_minor=142_890))
    assert {"-5,000.00", "-1,428.90", "$5,478.60"} <= set(found)
    assert "How to pay" in found
    paid = texts(an_invoice(paid_minor=1_190_750))
    assert "$0.00" in paid
    assert "How to pay" not in paid


def test_an_exempt_line_names_the_certificate_relied_on() -> None:
    tax = TaxLine(
        place="US-TX", rate_ppm=0, base_minor=1_100_000, tax_minor=0, note="Exempt by 32-1"
    )
    found = texts(an_invoice(taxes=(tax,), lines=(a_lot_line(tax_minor=0),)))
    assert {"None", "Exempt by 32-1", "$11,000.00"} <= set(found)


def test_an_invoice_of_many_lots_sums_them_up_and_numbers_its_pages() -> None:
    lines = tuple(a_lot_line(lot=str(number), freight_minor=5) for number in range(1, 201))
    content = an_invoice(lines=lines)
    pdf = render(content)
    found = drawn(pdf)
    assert {"2,000,000.00", "200,000.00", "10.00", "181,500.00", "$2,381,510.00"} <= set(found)
    pages = page_count(pdf)
    assert pages > 5
    assert [text for text in found if text.startswith("Page ")] == [
        f"Page {number} of " for number in range(1, pages + 1)
    ]
    assert str(pages) in found
    assert found.count("Hammer price") >= 5  # the table's titles stand again
    assert all(str(number) in found for number in range(1, 201))


def test_the_worked_example_is_on_the_credit_note() -> None:
    found = texts(a_credit_note())
    assert {"1,200.00", "120.00", "108.90", "1,428.90", "$1,428.90", "1,320.00"} <= set(found)
    assert {"CN-000007", "INV-000123", "Claim"} <= set(found)


def test_the_worked_example_is_on_the_liquidators_statement() -> None:
    found = texts(a_statement())
    assert {"10,000.00", "-1,200.00", "-440.00", "8,360.00", "-8,360.00", "$0.00"} <= set(found)
    assert [found.count(credit) for credit in ("-1,200.00", "1,200.00")] == [2, 0]
    assert {"Passed", "Buyer did not pay", "1,175.62"} <= set(found)
    assert "2 sold, 1 passed, 1" in said(a_statement())
    owing = a_statement(
        moved=(Moved(at_us=DUE, words="Taken back", reference="", amount_minor=-1_000_000),)
    )
    assert "-$1,640.00" in texts(owing)


def test_a_consignor_reads_its_loads_and_no_buyer() -> None:
    found = texts(a_consignors_statement())
    assert {"10,000.00", "-1,200.00", "-72.00", "8,728.00", "$0.00"} <= set(found)
    assert "Load LD-7781 (PO 4471, RMA 12)" in found
    assert "Without a load number" in found
    assert "Hart" not in " ".join(found)


def test_an_advice_comes_to_what_was_paid() -> None:
    kept = Moved(at_us=DUE, words="Kept for what you owe", reference="", amount_minor=-36_000)
    found = texts(an_advice(moved=(kept,), amount_minor=800_000))
    assert {"8,360.00", "-360.00", "$8,000.00", "tr_1Abc"} <= set(found)


def test_a_manifest_has_every_line_and_what_tells_pieces_apart() -> None:
    content = a_manifest(200)
    found = texts(content)
    for number in (1, 100, 200):
        assert {f"LPNHK{number:07}", f"SN-{number:06}"} <= set(found)
    assert {"1 Dock Road", "Harbor Returns", "200 lines", "INV-000123"} <= set(found)
    assert " ".join(DIGEST[place : place + 8] for place in range(0, 64, 8)) in said(content)
    assert said(content).count(f"SHA-256 {DIGEST}") >= 10  # on each page that follows


def test_a_manifest_works_in_a_spreadsheet_and_computes_nothing() -> None:
    evil = '=HYPERLINK("https://evil.example","x")'
    lines = (
        a_manifest_line(1, description=evil, brand="+1", lpn="@SUM(A1)", serial="-2+3"),
        a_manifest_line(2, description="\u0422\u043e\u0441\u0442\u0435\u0440", model="\tx"),
    )
    content = a_manifest(lines=lines, sale="=1+1")
    table = list(csv.DictReader(io.StringIO(render(content, Format.CSV).decode())))
    assert table[0]["Description"] == f"'{evil}"
    assert [table[0][name] for name in ("Sale", "Brand", "LPN", "Serial")] == [
        *("'=1+1", "'+1"),
        *("'@SUM(A1)", "'-2+3"),
    ]
    assert table[1]["Model"] == "'\tx"
    assert (table[0]["Unit MSRP (USD)"], table[0]["MSRP (USD)"]) == ("79.99", "159.98")
    assert {row["Manifest SHA-256"] for row in table} == {DIGEST}
    book = CalamineWorkbook.from_filelike(io.BytesIO(render(content, Format.XLSX)))
    rows = book.get_sheet_by_name("Lines").to_python()
    assert rows[1][1] == evil  # a text, as it was typed
    assert rows[1][rows[0].index("MSRP (USD)")] == 159.98
    facts = {row[0]: row[1] for row in book.get_sheet_by_name("Lot").to_python()}
    assert facts["SHA-256"] == DIGEST
    assert facts["To be fetched at"] == "Harbor Returns, 1 Dock Road, Dallas, TX 75201, US"


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("make", EVERY)
def test_the_same_facts_are_the_same_bytes(make: Callable[..., Any], paper: Paper) -> None:
    content = make() if make is some_labels else make(paper=paper)
    for form in formats_of(type(content)):
        first = render(content, form)
        assert first == render(content, form)
    assert page_count(render(content)) >= 1


def test_a_document_bears_the_time_of_its_facts() -> None:
    assert b"D:20260306230000Z" in render(an_invoice())
    assert render(an_invoice()) != render(an_invoice(issued_at_us=CLOSED + 1_000_000))


@pytest.mark.parametrize("make", EVERY)
def test_long_names_wrap_and_others_letters_are_drawn(make: Callable[..., Any]) -> None:
    content = make()
    russian = "«Кухня» 厨房 🍳 \u202e"
    for name in (LONG, russian, "W" * 300, "<b>&amp;</b> \\ (x"):
        changes: dict[str, Any] = {"house": replace(content.house, name=name)}
        for field in ("buyer", "liquidator", "consignor", "payee", "consignee", "shipper"):
            if isinstance(getattr(content, field, None), Party):
                changes[field] = Party(name, (name, name))
        if hasattr(content, "title"):
            changes["title"] = name
        pdf = render(replace(content, **changes))
        assert page_count(pdf) >= 1
        if name is russian:
            assert b"DejaVuSans" in everything(pdf)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(0, 10**15))
def test_any_words_and_amounts_can_be_printed(text: str, minor: int) -> None:
    """Strangers typed them: nothing in them is markup, a formula, or too long to be set."""
    line = a_lot_line(lot=text[:64], title=text, detail=text, hammer_minor=minor)
    party = Party(text, (text, text))
    pdf = render(an_invoice(lines=(line,), buyer=party, terms=text, sale=text, goods_at=text))
    assert pdf.startswith(b"%PDF") and page_count(pdf) >= 1
    lot = a_sold_lot(title=text, hammer_minor=minor, note=text)
    assert render(a_statement(lots=(lot,), sale=text)).startswith(b"%PDF")
    goods = a_manifest_line(1, description=text or "x", lpn=text[:80], serial=text[:80])
    content = a_manifest(lines=(goods,), title=text)
    assert render(content).startswith(b"%PDF")
    (row,) = csv.DictReader(io.StringIO(render(content, Format.CSV).decode(), newline=""))
    assert not row["LPN"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["LPN"].removeprefix("'") == text[:80].removeprefix("'")
    assert render(some_labels(title=text, lot=text[:64] or "1")).startswith(b"%PDF")


def test_a_bill_of_lading_has_the_load_and_the_signature_that_was_given() -> None:
    content = a_loading()
    found = texts(content)
    assert {"Bill of lading", "Lone Star Freight", "SL-993201", "TX 48-1177", "125"} <= set(found)
    assert {"SC7K2M9QXT4A-06", "SCQP2M0QX77A-03", "2 of 4", "part of 96"} <= set(found)
    assert codes_on(render(content)) == [["BOL-000031"]]
    release = a_loading(signed=False)
    assert "Pickup release" in texts(release)
    assert "Not signed for yet: the goods are here." in texts(release)
    curves = [everything(render(one)).split().count(b"c") for one in (content, release)]
    assert curves[0] == curves[1] + 3  # those of the line that was drawn


def test_a_typed_signature_is_written() -> None:
    signed = a_loading().signed
    assert signed is not None
    content = a_loading(signed=False)
    assert "/s/ Maria Gonz\u00e1lez" in texts(replace(content, signed=replace(signed, path="")))


def test_labels_scan_as_the_pallets_that_they_name() -> None:
    pdf = render(some_labels())
    assert pdf.count(b"/MediaBox [ 0 0 288 432 ]") == 2
    assert codes_on(pdf) == [
        ["<F1>00006141411234567890", "SC7K2M9QXT4A-01"],
        ["SC7K2M9QXT4A-02"],
    ]
    assert "(00) 006141411234567890" in drawn(pdf)


@pytest.mark.parametrize("text", ["SCAAAAAAAAAA-100", "SC2222222222-01", "BOL-1234567"])
def test_any_pallets_name_scans(text: str) -> None:
    label = Label(pallet_id=text, number=1, of=1)
    assert codes_on(render(some_labels(labels=(label,)))) == [[text]]


def test_an_sscc_has_its_prefix_its_serial_number_and_its_check_digit() -> None:
    # GS1 General Specifications, 7.9.1: the check digit of 37610425002123456 is 9.
    assert is_sscc("376104250021234569")
    assert sscc_of("0614141", 123_456_789) == "006141411234567890"
    assert is_sscc(sscc_of("0614141", 9_999_999_999))
    assert sscc_of("0614141", 5_000_000_000)[0] == "5"
    for prefix, serial in (("061414A", 1), ("0614141", 10_000_000_000), ("0614141", -1)):
        with pytest.raises(ValueError):
            sscc_of(prefix, serial)


def test_evidence_has_what_was_agreed_bid_paid_signed_and_said() -> None:
    content = some_evidence()
    found = texts(content)
    for shown in ("Robin Hart", "203.0.113.7", "Version 2", "107", "$11,907.50", "BOL-000031"):
        assert shown in found
    assert {"The goods are fine.", "Terms of the seller", "Paid: pi_3Abc"} <= set(found)
    assert b"/Subtype /Image" in render(content)
    damaged = replace(content.photos[0], data=b"no picture")
    assert "(the photo is damaged)" in said(replace(content, photos=(damaged,)))


def test_the_longest_manifest_is_set_within_its_bounds() -> None:
    line = a_manifest_line(1, description="W" * 300)
    content = a_manifest(lines=tuple(replace(line, line=n) for n in range(1, 301)))
    assert page_count(render(content)) < 300
    assert MAX_LINES == 20_000


def test_figures_are_written_with_all_of_their_decimals() -> None:
    assert [figure(minor, "USD") for minor in (0, 5, -1_250, 119_075_000)] == [
        *("0.00", "0.05"),
        *("-12.50", "1,190,750.00"),
    ]
    assert (amount(-150, "USD"), amount(150_000, "JPY")) == ("-$1.50", "\u00a5150,000")
    assert [rate(ppm) for ppm in (82_500, 100_000, 0, 62_525)] == [
        *("8.25 %", "10 %"),
        *("0 %", "6.2525 %"),
    ]
    assert clock(DUE, CHICAGO) == "Tue 10 Mar 2026, 17:00 CDT"
