"""``softclose desk import``: a manifest is looked at without a server or a database."""

import json
from pathlib import Path

import pytest

from tests.processes import softclose
from tests.workbooks import xlsx

GOOD = (
    "Item Description,UPC,Qty,Unit Retail,Ext. Retail,Condition\n"
    "Water bottle,036000291452,2,10.00,20.00,New\nDesk lamp,4006381333931,1,5.50,5.50,Salvage\n"
)


def written(folder: Path, content: str | bytes, name: str = "manifest.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_a_manifest_as_json(tmp_path: Path) -> None:
    ended = softclose("desk", "import", written(tmp_path, GOOD), "--dry-run", "--json")
    assert ended.code == 0
    said = json.loads(ended.out)
    assert said["columns"] == {
        "description": "Item Description",
        "gtin": "UPC",
        "quantity": "Qty",
        "unit_msrp": "Unit Retail",
        "extended_msrp": "Ext. Retail",
        "condition": "Condition",
    }
    assert (said["lines"], said["units"], said["retail_minor"]) == (2, 3, 2_550)
    assert (said["currency"], said["gtins_valid"]) == ("USD", 2)
    assert said["conditions"] == {"NEW": 1, "SALVAGE": 1}
    assert (said["errors"], said["warnings"], said["header_line"]) == ([], [], 1)


def test_errors_have_their_lines_and_the_exit_code_is_1(tmp_path: Path) -> None:
    bad = GOOD.replace(",2,10.00", ",0,10.00").replace("333931", "333932")
    ended = softclose("desk", "import", written(tmp_path, bad), "--dry-run", "--json")
    assert ended.code == 1
    said = json.loads(ended.out)
    assert [(error["line"], error["column"]) for error in said["errors"]] == [(2, "Qty")]
    assert [(warning["line"], warning["code"]) for warning in said["warnings"]] == [
        (3, "gtin_check_digit")
    ]
    assert (said["importable"], said["lines"], said["faulty_lines"]) == (False, 1, 1)


def test_a_file_that_cannot_be_read_is_exit_code_2(tmp_path: Path) -> None:
    file = written(tmp_path, b"\x7fELF" + bytes(range(256)) * 9)
    ended = softclose("desk", "import", file, "--dry-run", "--json")
    assert ended.code == 2
    assert json.loads(ended.out)["errors"][0]["code"] == "not_a_spreadsheet"
    assert f"softclose: {file}: this is not a spreadsheet" in ended.err


def test_a_person_sees_tables_and_problems(tmp_path: Path) -> None:
    table = [line.split(",") for line in GOOD.replace("New", "Qxz").splitlines()]
    ended = softclose(
        "desk", "import", written(tmp_path, xlsx({"Goods": table}), "m.xlsx"), "--dry-run"
    )
    assert ended.code == 0
    assert "XLSX, sheet Goods, header on line 1" in ended.out
    assert "line 2, Condition: 'Qxz' is no condition" in ended.out
    assert "2 lines, 3 units, 25.50 USD, 2 GTINs, lowest condition Uninspected" in ended.out


def test_a_column_is_corrected(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD.replace("Item Description", "What"))
    corrected = ("--map", "description=What", "--map", "condition=")
    ended = softclose("desk", "import", file, "--dry-run", "--json", *corrected)
    said = json.loads(ended.out)
    assert (said["columns"]["description"], said["confidence"]["description"]) == ("What", 1.0)
    assert "condition" not in said["columns"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "put an API token with the scope sell into SOFTCLOSE_TOKEN"),
        (("--dry-run", "--map", "colour=Color"), "'colour=Color' is not FIELD=HEADER"),
        (("--dry-run", "--map", "brand=Colour"), "there is no column 'Colour'"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    ended = softclose("desk", "import", written(tmp_path, GOOD), *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
