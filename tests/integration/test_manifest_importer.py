"""Manifests in the child process: what it may take, what hostile files do, that callers go on."""

import asyncio
import io
import os
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest

from auction.catalog.goods import manifest_fault
from auction.catalog.importing import importer as importing
from auction.catalog.importing.bounds import MAX_FILE_BYTES, MEMORY_BYTES
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.importer import MAX_WAITING, Importer, TooManyImports
from auction.catalog.importing.workbook import OLE
from tests.manifest_layouts import LAYOUTS, layout, value
from tests.waiting import until
from tests.workbooks import Cell, package, sheet_xml, xlsx

HEADER = ["Item Description", "UPC", "Qty", "Unit Retail", "Ext. Retail", "Condition", "Brand"]
GOODS: list[Cell] = ["Water bottle", "036000291452", 2, 10.0, 20.0, "New", "Hydrel"]
PLAIN = xlsx({"Sheet1": [HEADER, GOODS]})

# The engine's loop must never wait longer; twice that here, where other tests run beside.
STALL_S = 0.05
BUDGET_S = 5.0
REFUSED_S = 2.0


async def read(data: bytes) -> object:
    return await Importer().read(data)


async def test_a_manifest_is_read_in_a_child_process() -> None:
    headers, rows, fields = layout("electronics")
    steps: list[tuple[int, int]] = []
    manifest = await Importer().read(
        xlsx({"Sheet1": [headers, *rows]}), report=lambda done, whole: steps.append((done, whole))
    )
    assert manifest.columns == fields
    assert manifest_fault(manifest.lines) is None
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


async def test_corrections_and_the_currency_are_passed_on() -> None:
    corrections = {"description": "Brand", "brand": ""}
    manifest = await Importer().read(PLAIN, corrections=corrections, currency="GBP")
    assert manifest.lines[0].description == "Hydrel"
    assert manifest.head.currency == "GBP"


async def test_all_errors_come_over() -> None:
    bad = [[*GOODS[:2], 0, *GOODS[3:]] for _ in range(1_234)]
    manifest = await Importer().read(xlsx({"Sheet1": [HEADER, GOODS, *bad]}))
    assert (len(manifest.errors), manifest.head.error_count) == (1_000, 1_234)
    assert manifest.lines == []


def test_the_real_manifest_imports_without_any_mapping() -> None:
    folder = Path(os.environ.get("SOFTCLOSE_TEST_DATA", "../shared/data"))
    file = Path(__file__).parents[2] / folder / "manifests/target_truckload_bikes_sample50.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there; SOFTCLOSE_TEST_DATA may say where it is")
    manifest = asyncio.run(Importer().read(file.read_bytes()))
    assert manifest.columns == {
        "description": "Item Description",
        "brand": "Brand",
        "category": "Category",
        "subcategory": "Subcategory",
        "condition": "Condition",
        "item_number": "Item #",
        "gtin": "UPC",
        "quantity": "Qty",
        "unit_msrp": "Unit Retail",
        "extended_msrp": "Ext. Retail",
        "pallet": "Pallet ID",
    }
    assert (len(manifest.lines), manifest.units, manifest.retail_minor) == (
        50,
        91,
        408_468,
    )
    assert (manifest.gtins_valid, manifest.head.currency) == (50, "USD")
    assert manifest.conditions == {
        "NEW": 19,
        "LIKE_NEW": 1,
        "USED_GOOD": 23,
        "SALVAGE": 7,
    }
    assert (manifest.errors, manifest.warnings) == ([], [])
    assert 'Blackburn 20" Self Sealing Bike Tube - Black' in {
        line.description for line in manifest.lines
    }


# Budgets


def a_long_workbook(lines: int) -> bytes:
    rng = Random(7)
    kinds = [part.strip().rsplit(":", 1)[1].partition("=")[0] for part in LONG.split("|")]
    headers = [part.strip().rsplit(":", 1)[0] for part in LONG.split("|")]
    rows: list[list[Cell]] = [list(headers)]
    for number in range(lines):
        quantity, unit = rng.randrange(1, 7), Decimal(rng.randrange(299, 40_000)) / 100
        texts = [value(kind, number, quantity, unit, rng) for kind in kinds]
        rows.append([float(text) if kind in NUMBERS else text
                     for kind, text in zip(kinds, texts, strict=True)])  # fmt: skip
    return xlsx({"Manifest": rows})


LONG = LAYOUTS["returns of an online shop"] + "|" + LAYOUTS["electronics"].replace(":", " 2:")
NUMBERS = {"qty", "unit", "ext", "upc"}


class Watch:
    """Measures how long the event loop keeps others waiting."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            self.longest_s = max(self.longest_s, now - before)
            before = now
            await asyncio.sleep(0.001)
            before = time.perf_counter()


async def test_ten_thousand_lines_are_read_in_time_and_memory_and_hold_up_nobody() -> None:
    data = await asyncio.to_thread(a_long_workbook, 10_000)
    watch = Watch()
    watching = asyncio.create_task(watch.run())
    started_s = time.perf_counter()
    manifest = await Importer().read(data)
    took_s = time.perf_counter() - started_s
    watching.cancel()
    assert len(manifest.lines) == 10_000, manifest.errors[:3]
    assert manifest.head.cpu_ms < BUDGET_S * 1_000, "a wide margin: the wall's clock is others' too"
    assert took_s < 2 * BUDGET_S
    assert manifest.head.peak_kib * 1_024 < MEMORY_BYTES * 0.8
    assert watch.longest_s < 2 * STALL_S


# Hostile files


def with_part(name: str, content: bytes | str) -> bytes:
    return package({"xl/worksheets/sheet1.xml": sheet_xml([HEADER, GOODS])}, more={name: content})


@lru_cache
def zip_bomb() -> bytes:
    """A sheet that inflates to a gibibyte, a thousandth of that packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with zipfile.ZipFile(io.BytesIO(PLAIN)) as plain:
            for part in plain.infolist():
                if not part.filename.startswith("xl/worksheets"):
                    archive.writestr(part.filename, plain.read(part))
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as stream:
            for _ in range(1_024):
                stream.write(b"<row><c><v>1</v></c></row>" * 40_330)
    return out.getvalue()


def a_lying_bomb() -> bytes:
    """A part that inflates to far more than both directories say."""
    honest = bytearray(with_part("xl/sharedStrings.xml", b"<sst>" + b" " * 200 * 2**20 + b"</sst>"))
    size = (200 * 2**20 + 11).to_bytes(4, "little")
    return bytes(honest.replace(size, (100).to_bytes(4, "little")))


def many_sheets() -> bytes:
    return xlsx({f"Sheet{number}": [HEADER, GOODS] for number in range(150)})


def with_dtd(text: str) -> bytes:
    sheet = sheet_xml([HEADER, GOODS])
    return package({"xl/worksheets/sheet1.xml": f'<?xml version="1.0"?>{text}{sheet}'})


BILLION_LAUGHS = (
    "<!DOCTYPE lolz [<!ENTITY a 'ha'>"
    + "".join(
        f"<!ENTITY {chr(98 + number)} '{f'&{chr(97 + number)};' * 10}'>" for number in range(12)
    )
    + "]>"
)
OUTSIDE = "<!DOCTYPE x [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"


def claiming(reference: str) -> bytes:
    cell = f'<row r="1048576"><c r="{reference}"><v>1</v></c></row></sheetData>'
    sheet = sheet_xml([HEADER, GOODS]).replace("</sheetData>", cell)
    return package({"xl/worksheets/sheet1.xml": sheet})


def locked() -> bytes:
    """What Excel writes with a password: an OLE file around an encrypted package."""
    return OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le")


def encrypted_zip() -> bytes:
    data = bytearray(PLAIN)
    for start in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[start] |= 1
    return bytes(data)


def csv_with(row: bytes) -> bytes:
    return b"Item Description,UPC,Qty,Unit Retail\nA thing,036000291452,1,5.00\n" + row + b"\n"


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a zip bomb": (zip_bomb, "too_large"),
    "a zip bomb that lies about its size": (a_lying_bomb, "damaged"),
    "a picture that claims to be huge": (
        lambda: with_part("xl/media/image1.bmp", bytes(600 * 2**20)), "too_large"),
    "a billion laughs": (lambda: with_dtd(BILLION_LAUGHS), "xml_entities"),
    "an entity from outside": (lambda: with_dtd(OUTSIDE), "xml_entities"),
    "a million rows": (lambda: claiming("A1048576"), "too_many_rows"),
    "the last column": (lambda: claiming("XFD2"), "too_many_columns"),
    "the last cell of all": (lambda: claiming("XFD1048576"), "too_many_columns"),
    "a column beyond all": (lambda: claiming("ZZZZZZ1"), "too_many_columns"),
    "a row without places": (
        lambda: package({"xl/worksheets/sheet1.xml": sheet_xml([HEADER, GOODS]).replace(
            "</sheetData>", '<row r="1048576"><c><v>1</v></c></row></sheetData>')}),
        "too_many_rows"),
    "ten thousand columns": (
        lambda: xlsx({"S": [[str(n) for n in range(10_000)]]}), "too_many_columns"),
    "macros": (lambda: with_part("xl/vbaProject.bin", b"\0" * 99), "macros"),
    "a password": (locked, "password"),
    "an encrypted archive": (encrypted_zip, "password"),
    "too many sheets": (many_sheets, "too_many_sheets"),
    "a binary workbook": (lambda: with_part("xl/workbook.bin", b"x"), "binary_workbook"),
    "an archive of something else": (
        lambda: PLAIN.replace(b"xl/workbook.xml", b"xl/workbook.abc"), "not_a_spreadsheet"),
    "two parts of one name": (
        lambda: with_part("XL/worksheets/SHEET1.xml", sheet_xml([HEADER])), "damaged"),
    "a workbook cut short": (lambda: PLAIN[: len(PLAIN) // 2], "damaged"),
    "a part that is UTF-16": (
        lambda: package({"xl/worksheets/sheet1.xml": sheet_xml([HEADER]).encode("utf-16")}),
        "damaged"),
    "a part that is not XML": (
        lambda: package({"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row><c"}), ""),
    "a million parts": (lambda: PLAIN + b"PK\x01\x02" * 10_000, "too_many_parts"),
    "an old workbook that is none": (
        lambda: OLE + os.urandom(4_096), "not_a_spreadsheet"),
    "an old workbook of noise": (
        lambda: OLE + "Workbook".encode("utf-16-le") + bytes(4_096), "damaged"),
    "a program": (lambda: b"\x7fELF" + bytes(range(256)) * 40, "not_a_spreadsheet"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + os.urandom(5_000), "not_a_spreadsheet"),
    "a PDF": (lambda: b"%PDF-1.7\n" + os.urandom(99), "not_a_spreadsheet"),
    "a web page": (lambda: b"<html><table><tr><td>UPC</td></tr></table></html>", "markup"),
    "a NUL": (lambda: csv_with(b"A \0 thing,036000291452,1,5.00"), "nul"),
    "a line of 100 KiB": (lambda: csv_with(b"x" * 100_000), "line_too_long"),
    "one line without an end": (lambda: b"a,b," * 5_000_000, "line_too_long"),
    "ten thousand columns of text": (lambda: csv_with(b"," * 10_000), "too_many_columns"),
    "lines and nothing else": (lambda: b"\n" * 10_000_000 + b"x", "too_many_rows"),
    "a file that is too large": (lambda: bytes(MAX_FILE_BYTES + 1), "too_large"),
    "nothing": (lambda: b"", "empty"),
}  # fmt: skip

PLACED = {"a NUL": 3, "a line of 100 KiB": 3, "ten thousand columns of text": 3}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_refused_quickly_and_the_next_one_is_read(name: str) -> None:
    make, code = HOSTILE[name]
    data = await asyncio.to_thread(make)
    importer = Importer()
    started_s = time.perf_counter()
    with pytest.raises(Unreadable) as caught:
        await importer.read(data)
    assert time.perf_counter() - started_s < 3 * REFUSED_S, "a wide margin for a busy machine"
    assert not code or caught.value.code == code, str(caught.value)
    assert caught.value.line == PLACED.get(name, caught.value.line)
    assert len(str(caught.value)) < 400
    assert (await importer.read(PLAIN)).importable


HARMLESS = {
    "links to other workbooks": with_part("xl/externalLinks/externalLink1.xml", "<externalLink/>"),
    "a drawing": with_part("xl/drawings/drawing1.xml", "<!DOCTYPE x><x/>"),
    "a dimension that claims everything": package(
        {
            "xl/worksheets/sheet1.xml": sheet_xml([HEADER, GOODS]).replace(
                "<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'
            )
        }
    ),
    "formats down to the last row": package(
        {
            "xl/worksheets/sheet1.xml": sheet_xml([HEADER, GOODS]).replace(
                "</sheetData>", '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
            )
        }
    ),
    "everything merged": xlsx({"S": [HEADER, GOODS]}, merged={"S": ["H1:XFD1048576"]}),
}


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_only_looks_dangerous_is_read(name: str) -> None:
    manifest = await Importer().read(HARMLESS[name])
    assert manifest.importable
    assert len(manifest.lines) == 1


async def test_damaged_workbooks_end_nothing() -> None:
    importer, rng = Importer(), Random(7)
    for _ in range(25):
        damaged = bytearray(PLAIN)
        for _ in range(rng.randrange(1, 30)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with suppress(Unreadable):
            await importer.read(bytes(damaged))
    assert (await importer.read(PLAIN)).importable


async def test_damaged_sheets_end_nothing() -> None:
    importer, rng = Importer(), Random(11)
    sheet = sheet_xml([HEADER, GOODS]).encode()
    for _ in range(25):
        damaged = bytearray(sheet)
        for _ in range(rng.randrange(1, 9)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(32, 127)
        with suppress(Unreadable):
            await importer.read(package({"xl/worksheets/sheet1.xml": bytes(damaged)}))
    assert (await importer.read(PLAIN)).importable


async def test_formulas_come_in_as_text() -> None:
    formula = '=HYPERLINK("https://evil.example","Click")'
    manifest = await Importer().read(xlsx({"S": [HEADER, [formula, *GOODS[1:]]]}))
    assert manifest.lines[0].description == formula
    assert [problem.code for problem in manifest.warnings] == ["formula_text"]


# The child


@pytest.fixture
async def slow_child(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(importing, "PATIENCE_S", 0.0)
    yield


@pytest.mark.usefixtures("slow_child")
async def test_a_file_that_takes_too_long_is_given_up_with_its_child() -> None:
    with pytest.raises(Unreadable) as caught:
        await Importer().read(PLAIN)
    assert caught.value.code == "too_slow"
    assert children() == []


async def test_a_caller_that_leaves_takes_the_child_along() -> None:
    reading = asyncio.create_task(read(a_long_workbook(500)))
    await until(lambda: bool(children()))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert children() == []


async def test_too_many_are_told_to_come_back() -> None:
    importer = Importer()
    asked = [importer.read(PLAIN) for _ in range(MAX_WAITING + 3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers].count(TooManyImports) == 3
    assert sum(getattr(answer, "importable", False) for answer in answers) == MAX_WAITING


async def test_more_cells_than_memory_holds_are_refused() -> None:
    sparse = "".join(
        f'<row r="{number}"><c r="A{number}"><v>1</v></c><c r="X{number}"><v>2</v></c></row>'
        for number in range(1, 99_000)
    )
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{namespace}"><sheetData>{sparse}</sheetData></worksheet>'
    names = [f"S{number}" for number in range(1, 4)]
    parts = {f"xl/worksheets/sheet{number}.xml": sheet for number in range(1, 4)}
    with pytest.raises(Unreadable) as caught:
        await Importer().read(package(parts, names))
    assert caught.value.code in ("too_large", "too_many_rows")


def children() -> list[int]:
    """Processes of this one that run the worker."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            status = (process / "status").read_text()
            parent = int(status.split("PPid:")[1].split()[0])
            if parent == os.getpid() and b"importing.worker" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def test_the_bomb_is_one() -> None:
    bomb = zip_bomb()
    assert len(bomb) < 8 * 2**20
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        assert sum(part.file_size for part in archive.infolist()) > 2**30
