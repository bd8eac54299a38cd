"""Results as tables: amounts to the last unit, no text that is computed, the same bytes again."""

import csv
import io
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from auction.desk.result_sheets import results_csv, results_xlsx
from auction.desk.result_sums import Part, sums
from auction.desk.results import (
    AgainstGuidance,
    AgainstReserve,
    Buyer,
    LotResult,
    SaleResults,
)
from auction.ids import LotId, SaleId
from auction.spreadsheets import defused

CLOSED_US = 1_772_460_000_000_000  # 2 March 2026, 14:00 UTC


def a_lot(**changes: Any) -> LotResult:
    settings: dict[str, Any] = {
        "lot_id": LotId("1"),
        "title": "Toasters",
        "kind": "PALLET",
        "category": "Kitchen",
        "condition": "USED_GOOD",
        "source": "customer returns",
        "consignor_id": None,
        "consignor": None,
        "units": 10,
        "msrp_minor": 1_000_00,
        "opening_minor": 100_00,
        "reserve_minor": None,
        "outcome": "SOLD",
        "reason": None,
        "price_minor": 123_45,
        "hammer_minor": 123_45,
        "recovery_bps": 1_235,
        "of_reserve_bps": None,
        "guidance": None,
        "bids": 3,
        "bidders": 2,
        "extensions": 0,
        "opens_at_us": CLOSED_US - 3_600_000_000,
        "closed_at_us": CLOSED_US + 999_999,
        "buyers": (Buyer(paddle=101, name="Hart"),),
        "funded_at_us": None,
    }
    return LotResult(**(settings | changes))


def results(*lots: LotResult, currency: str = "USD") -> SaleResults:
    return SaleResults(
        sale_id=SaleId("S-1"),
        title="Returns of March",
        currency=currency,
        cancelled_at_us=None,
        closed_at_us=CLOSED_US,
        totals=sums(lots),
        against_reserve=AgainstReserve(
            lots=0,
            sold=0,
            reserve_minor=0,
            sold_reserve_minor=0,
            hammer_minor=0,
            of_reserve_bps=None,
        ),
        against_guidance=AgainstGuidance(lots=0, below=0, within=0, above=0),
        by_category=(Part(key="Kitchen", name="Kitchen", sums=sums(lots)),),
        by_condition=(),
        by_kind=(),
        by_consignor=(),
        distribution=(),
        lots=lots,
    )


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode(), newline="")))


def sheet(book: bytes, name: str = "Lots") -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name(name).to_python()


@pytest.mark.parametrize(
    ("currency", "minor", "written"),
    [
        ("USD", 123_45, "123.45"),
        ("USD", 5, "0.05"),
        ("USD", 2**53, "90071992547409.92"),
        ("JPY", 12_345, "12345"),
        ("KWD", 12_345, "12.345"),
    ],
)
def test_an_amount_is_written_to_its_last_unit(currency: str, minor: int, written: str) -> None:
    told = results(a_lot(hammer_minor=minor), currency=currency)
    assert rows_of(results_csv(told))[0][f"Hammer price ({currency})"] == written
    titles, lot = sheet(results_xlsx(told))
    assert lot[titles.index(f"Hammer price ({currency})")] == pytest.approx(
        float(written), rel=1e-15
    )


def test_rates_and_times_are_what_people_read() -> None:
    (row,) = rows_of(results_csv(results(a_lot())))
    assert row["Recovery %"] == "12.35"
    assert row["Closed (UTC)"] == "2026-03-02T14:00:00Z"
    assert row["% of reserve"] == row["Paid (UTC)"] == row["Reserve (USD)"] == ""
    assert (row["Paddle"], row["Buyer"]) == ("101", "Hart")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_begins_like_a_formula(begin: str) -> None:
    told = results(
        a_lot(
            title=f"{begin}cmd|' /C calc'!A0",
            category=f"{begin}1",
            source=f"{begin}1",
            consignor=f"{begin}1",
            buyers=(Buyer(paddle=101, name=f"{begin}1"),),
        )
    )
    (row,) = rows_of(results_csv(told))
    for name in ("Title", "Category", "Source", "Consignor", "Buyer"):
        assert row[name].startswith(f"'{begin}"), name
    with ZipFile(io.BytesIO(results_xlsx(told))) as book:
        for name in book.namelist():
            assert b"<f>" not in book.read(name), "a formula"


@given(st.text(max_size=30))
def test_a_defused_text_is_the_text(text: str) -> None:
    safe = defused(text)
    assert safe in (text, f"'{text}")
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_same_results_are_the_same_bytes_whenever_they_are_written() -> None:
    told = results(a_lot())
    with ZipFile(io.BytesIO(results_xlsx(told))) as book:
        assert b"2026-03-02T14:00:00Z</dcterms:created>" in book.read("docProps/core.xml")
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_second_sheet_has_the_totals_and_each_breakdown() -> None:
    told = results(a_lot(), a_lot(lot_id=LotId("2"), outcome="PASSED", hammer_minor=None))
    cells = sheet(results_xlsx(told), "Totals")
    assert cells[0][0] == told.note
    names = [row[0] for row in cells if row[0]]
    assert names[1:] == [
        "All lots", "All lots", "Category", "Kitchen", "Condition", "Kind", "Consignor",
    ]  # fmt: skip
    (kitchen,) = [row for row in cells if row[0] == "Kitchen"]
    assert 123.45 in kitchen
