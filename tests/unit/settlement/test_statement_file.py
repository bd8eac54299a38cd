"""A bank's file is read strictly: every bad row is named, and nothing of a bad file is taken."""

import time
from datetime import date

import pytest

from settlement.reconciliation.statement_file import (
    MAX_BYTES,
    MAX_FAULTS,
    MAX_ROWS,
    BadStatement,
    StatementRow,
    parse_statement,
)

TODAY = date(2026, 3, 10)
TITLES = "date,amount,currency,sender,reference,bank id\n"
GOOD = "2026-03-09,1540.54,USD,Acme Resale LLC,INV 1042,20260309-1\n"


def parsed(text: str | bytes) -> list[StatementRow]:
    data = text.encode() if isinstance(text, str) else text
    return parse_statement(data, "USD", TODAY)


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(BadStatement) as raised:
        parsed(text)
    return [str(fault) for fault in raised.value.faults]


def test_rows_are_read_as_they_stand() -> None:
    text = "\ufeff" + TITLES + GOOD + '\n2026-03-10,0.01,USD,"Smith, Jo","=HYPERLINK(""x"")",B/2\n'
    first, second = parsed(text)
    assert (first.amount_minor, first.received_on, first.line) == (154_054, date(2026, 3, 9), 2)
    assert (second.sender, second.reference, second.line) == ("Smith, Jo", '=HYPERLINK("x")', 4)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2026-03-09,10.005,USD,A,R,1", "10.005 is finer than the smallest unit of USD"),
        ("2026-03-09,-1,USD,A,R,1", "'-1' is not an amount such as 177.50"),
        ("2026-03-09,0,USD,A,R,1", "the amount is not above zero: what left the account"),
        ("2026-03-09,1e400,USD,A,R,1", "'1e400' is not an amount"),
        ("2026-03-09,NaN,USD,A,R,1", "'NaN' is not an amount"),
        ("2026-03-09,\u0661,USD,A,R,1", "is not an amount"),
        ("2026-03-09,90071992547409930,USD,A,R,1", "larger than any amount"),
        ("2026-03-09," + "9" * 5_000 + ",USD,A,R,1", "larger than any amount"),
        ('2026-03-09,"1,540.54",USD,A,R,1', "'1,540.54' is not an amount"),
        ("2026-03-09,1,EUR,A,R,1", "the currency is 'EUR', not USD"),
        ("09/03/2026,1,USD,A,R,1", "'09/03/2026' is no date such as 2026-03-09"),
        ("2026-02-30,1,USD,A,R,1", "day is out of range for month"),
        ("20260309,1,USD,A,R,1", "'20260309' is no date"),
        ("2026-03-12,1,USD,A,R,1", "2026-03-12 is not within the last 400 days"),
        ("2024-03-12,1,USD,A,R,1", "2024-03-12 is not within the last 400 days"),
        ("2026-03-09,1,USD,A\x07,R,1", "a text has characters that cannot be printed"),
        ('2026-03-09,1,USD,A,"two\nlines",1', "a text has characters that cannot be printed"),
        ("2026-03-09,1,USD," + "x" * 201 + ",R,1", "a text has more than 200 characters"),
        ("2026-03-09,1,USD,A,R,", "'' is no bank id"),
        ("2026-03-09,1,USD,A,R,../x y", "is no bank id"),
        ("2026-03-09,1,USD,A,R", "it has 5 cells, not 6"),
        ("2026-03-09,1,USD,A,R,1" + "," * 10_000, "it has 10006 cells, not 6"),
        ("2026-03-09,1,USD,A,R,20260309-1", "the bank id is that of line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row: str, words: str) -> None:
    (fault,) = faults(TITLES + GOOD + row + "\n")
    assert fault.startswith("Line 3: ")
    assert words in fault


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Line 1: the titles are not date,amount"),
        (b"when,how much\n1,2\n", "Line 1: the titles are not date,amount"),
        (TITLES.encode(), "It has no rows."),
        ((TITLES + GOOD).encode("utf-16"), "Line 1: it is not UTF-8"),
        ((TITLES + GOOD).encode() + b"\xff", "Line 3: it is not UTF-8"),
        ((TITLES + GOOD + "a\0b").encode(), "Line 3: it has a NUL"),
        ((TITLES + GOOD + '2026-03-09,1,USD,"A,R,1\n').encode(), "Line 3: it is no CSV"),
        ((TITLES + "x" * 200_000).encode(), "Line 2: it is no CSV: field larger"),
        (b"x" * (MAX_BYTES + 1), "It is larger than 2 MiB."),
        ((TITLES + GOOD * (MAX_ROWS + 1)).encode(), "Line 3: the bank id is that of line 2"),
    ],
)
def test_what_is_no_statement_is_refused(data: bytes, words: str) -> None:
    assert faults(data)[0].startswith(words)


def test_all_bad_rows_are_named_up_to_a_bound() -> None:
    good = GOOD.replace("09-1", "09-2")
    assert faults(TITLES + GOOD + "bad\n" + good + "bad,too\n") == [
        "Line 3: it has 1 cells, not 6",
        "Line 5: it has 2 cells, not 6",
    ]
    assert len(faults(TITLES + "bad\n" * 1_000)) == MAX_FAULTS


def test_too_many_rows_are_refused() -> None:
    rows = (f"2026-03-09,1,USD,A,R,{number}\n" for number in range(MAX_ROWS + 1))
    assert faults(TITLES + "".join(rows)) == [f"Line {MAX_ROWS + 2}: there are more than 5000 rows"]


def test_a_hostile_file_is_refused_soon() -> None:
    begun = time.perf_counter()
    for data in (b"," * MAX_BYTES, b'"' * MAX_BYTES, b"\n" * MAX_BYTES, b"a\r" * (MAX_BYTES // 2)):
        faults(TITLES.encode() + data[: MAX_BYTES - len(TITLES)])
    assert time.perf_counter() - begun < 2
