"""What a CSV file may look like, and what is said of each way in which it can be wrong."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from softclose.replay.input_csv import BadInput, Row, days_us, instant_us, read_rows

COLUMNS: Final = ("auctionid", "bid", "bidtime", "bidder", "openbid")
HEADER: Final = b"auctionid,bid,bidtime,bidder,openbid\n"
GOOD: Final = b"163,177.5,2.230949,ann,99\n"


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    return tmp_path / "bids.csv"


def read_all(file: Path, content: bytes) -> list[Row]:
    """The rows of a file with this content, each column read as replay reads it."""
    file.write_bytes(content)
    rows = list(read_rows(file, COLUMNS))
    for row in rows:
        row.name("auctionid")
        row.positive_minor("bid")
        row.days("bidtime")
        row.name("bidder")
        row.amount_minor("openbid")
    return rows


LIKE_GOOD: Final = {
    "plain": HEADER + GOOD,
    "no line end at the end": HEADER + GOOD.rstrip(),
    "CRLF": (HEADER + GOOD).replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + HEADER + GOOD,
    "byte order mark and quotes": b'\xef\xbb\xbf"auctionid",' + HEADER[10:] + GOOD,
    "other order, more columns": b"item,openbid,bidder,bidtime,bid,auctionid,price\n"
    b'"wrist, watch",99,ann,2.230949,177.5,163,180\n',
    "blanks around": HEADER.replace(b",", b" , ") + b"163, 177.50 ,2.230949 ,ann, 99.0\n",
    "blank lines": b"\n" + HEADER + b"\n\n" + GOOD + b"\n",
    "quoted": HEADER + b'"163","177.50","2.230949","ann","99"\n',
}


@pytest.mark.parametrize("name", LIKE_GOOD)
def test_what_spreadsheets_make_of_the_same_row_is_read_alike(name: str, bids: Path) -> None:
    (row,) = read_all(bids, LIKE_GOOD[name])
    assert (row.name("auctionid"), row.name("bidder")) == ("163", "ann")
    assert (row.amount_minor("bid"), row.amount_minor("openbid")) == (177_50, 99_00)
    assert row.days("bidtime") == Decimal("2.230949")


def test_a_quoted_field_may_hold_commas_quotes_and_lines(bids: Path) -> None:
    (row,) = read_all(bids, HEADER + b'163,5,1,"a, ""b""\nc",5\n')
    assert row.name("bidder") == 'a, "b"\nc'


def test_ids_of_any_language_are_taken_as_they_stand(bids: Path) -> None:
    (row,) = read_all(bids, HEADER + "163,5,1, Zoë ☂,5\n".encode())
    assert row.name("bidder") == " Zoë ☂"


@pytest.mark.parametrize(
    ("days", "us"),
    [
        ("0", 0),
        ("2.230949", 192_753_993_600),
        ("6.99999", 604_799_136_000),
        ("0.000567", 48_988_800),
        ("1e-3", 86_400_000),
        ("5.67E-04", 48_988_800),
        ("0.0000000000115740740740740", 0),  # just under a microsecond
        ("0.00000000001157407407407408", 1),
    ],
)
def test_days_are_exact_microseconds(days: str, us: int, bids: Path) -> None:
    (row,) = read_all(bids, HEADER + f"163,5,{days},ann,5\n".encode())
    assert days_us(row.days("bidtime")) == us


BAD: Final = (
    {
        # The file
        "empty": (b"", ":1: the file is empty; its first line names the columns"),
        "only blank lines": (b"\n\r\n", ":1: the file is empty; its first line names the columns"),
        "a column is missing": (
            b"auctionid,bid,bidtime,bidder\n163,5,1,ann\n",
            ":1: column openbid: is missing; the header has 'auctionid, bid, bidtime, bidder'",
        ),
        "semicolons": (
            HEADER.replace(b",", b";"),
            ":1: column auctionid: is missing; the header has 'auctionid;bid;bidtime;",
        ),
        "a column twice": (
            b"bid," + HEADER + b"5," + GOOD,
            ":1: column bid: stands more than once in the header",
        ),
        "a bad header after a blank line": (
            b"\n" + GOOD,
            ":2: column auctionid: is missing; the header has '163, 177.5, ",
        ),
        "no header": (GOOD, ":1: column auctionid: is missing; the header has "),
        # Bytes
        "Latin-1": (
            HEADER + GOOD + b"163,5,1,Zo\xeb,5\n",
            ":3: byte 11 of the line (0xeb) is not UTF-8; save the file as UTF-8",
        ),
        "UTF-16": (
            (HEADER + GOOD).decode().encode("utf-16"),
            ":1: the file is UTF-16; save it as UTF-8",
        ),
        "NUL": (HEADER + b"163,5,1,a\0n,5\n", ":2: byte 10 of the line is NUL: not a text file"),
        "a line without end": (
            HEADER + b"163,5,1," + b"a" * 70_000 + b",5\n",
            ":2: the line is longer than 65,536 bytes",
        ),
        "a field without end": (
            HEADER + b'163,5,1,"ann\n' + b"and more\n" * 20_000,
            ":2: not well-formed CSV: field larger than field limit",
        ),
        "an open quote": (HEADER + GOOD + b'163,5,1,"ann,5\n', ":3: not well-formed CSV: "),
        "text after a quote": (HEADER + b'163,5,1,"ann"a,5\n', ":2: not well-formed CSV: "),
        "carriage returns alone": (
            (HEADER + GOOD).replace(b"\n", b"\r"),
            ":1: a line ends with a carriage return alone; save the file with LF or CRLF line ends",
        ),
        # Rows
        "a field too few": (
            HEADER + b"163,5,1,ann\n",
            ":2: column openbid: the row has 4 fields and the header 5",
        ),
        "a field too many": (
            HEADER + b"163,5,1,ann,5,5\n",
            ":2: column openbid: the row has 6 fields and the header 5",
        ),
        "the row begins before its last line": (
            HEADER + b'163,5,1,"a\nb",5\n' + b'163,x,1,"a\nb",5\n',
            ":4: column bid: 'x' is not an amount such as 177.50",
        ),
        # Ids
        "no auction": (HEADER + b",5,1,ann,5\n", ":2: column auctionid: is empty"),
        "a blank bidder": (HEADER + b"163,5,1,  ,5\n", ":2: column bidder: is empty"),
    }
    | {
        # Amounts
        f"bid {text!r}": (
            HEADER + GOOD + f'163,"{text}",1,ann,5\n'.encode(),
            f":3: column bid: {says}",
        )
        for text, says in {
            "abc": "'abc' is not an amount such as 177.50",
            "": "'' is not an amount such as 177.50",
            "-5": "'-5' is not an amount such as 177.50",
            "+5": "'+5' is not an amount such as 177.50",
            "1,025.00": "'1,025.00' is not an amount such as 177.50",
            "$5": "'$5' is not an amount such as 177.50",
            "1e3": "'1e3' is not an amount such as 177.50",
            "NaN": "'NaN' is not an amount such as 177.50",
            "Infinity": "'Infinity' is not an amount such as 177.50",
            "5.0.0": "'5.0.0' is not an amount such as 177.50",
            ".": "'.' is not an amount such as 177.50",
            "٣": "'٣' is not an amount such as 177.50",
            "²": "'²' is not an amount such as 177.50",
            "\x1b[2J": "'\\x1b[2J' is not an amount such as 177.50",
            "177.505": "177.505 is finer than the smallest unit of USD",
            "90071992547409.93": "90071992547409.93 is larger than any amount that can be bid",
            "9" * 60: f"'{'9' * 40}'... is not an amount such as 177.50",
            "0": "an amount must be more than 0",
            "0.00": "an amount must be more than 0",
        }.items()
    }
    | {
        # Times
        f"bidtime {text!r}": (
            HEADER + GOOD + f'163,5,"{text}",ann,5\n'.encode(),
            f":3: column bidtime: {says}",
        )
        for text, says in {
            "soon": "'soon' is not a number of days such as 2.230949",
            "": "'' is not a number of days such as 2.230949",
            "-1": "'-1' is not a number of days such as 2.230949",
            "1_0": "'1_0' is not a number of days such as 2.230949",
            "nan": "'nan' is not a number of days such as 2.230949",
            "1e400": "'1e400' is not a number of days such as 2.230949",
            "1e99": "1e99 is more than 366 days",
            "367": "367 is more than 366 days",
            "1" * 50: f"'{'1' * 40}'... is not a number of days such as 2.230949",
        }.items()
    }
)


@pytest.mark.parametrize("name", BAD)
def test_a_fault_is_named_by_file_line_and_column(name: str, bids: Path) -> None:
    content, says = BAD[name]
    with pytest.raises(BadInput) as error:
        read_all(bids, content)
    assert str(error.value).startswith(f"{bids}{says}")
    assert error.value.exit_code == 2
    assert len(str(error.value)) < len(str(bids)) + 300


def read_time(file: Path, text: str) -> int:
    file.write_text(f"t\n{text}\n")
    (row,) = read_rows(file, ("t",))
    return instant_us(row.time("t"))


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-20T21:00:00-0500",
        "2025-11-20T21:00:00-05:00",
        "2025-11-20 21:00:00-05:00",
        "2025-11-21T02:00:00Z",
        "2025-11-21T02:00:00.000000+00:00",
        "2025-11-21T07:30:00+05:30",
    ],
)
def test_a_time_is_read_with_any_offset(text: str, bids: Path) -> None:
    assert read_time(bids, text) == 1_763_690_400_000_000


def test_a_time_keeps_its_microseconds(bids: Path) -> None:
    assert read_time(bids, "1970-01-01T00:00:00.123456Z") == 123_456


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "'yesterday' is not a time such as "),
        ("2025-11-31T00:00:00Z", "'2025-11-31T00:00:00Z' is not a time such as "),
        ("2025-11-20T21:00:00", "'2025-11-20T21:00:00' has no offset from UTC"),
        ("1969-12-31T23:59:59Z", "'1969-12-31T23:59:59Z' is not between 1970 and 2200"),
        ("2200-01-01T00:00:00Z", "'2200-01-01T00:00:00Z' is not between 1970 and 2200"),
        ("0001-01-01T00:00:00+23:59", "is not between 1970 and 2200"),
        ("9999-12-31T23:59:59-23:59", "is not between 1970 and 2200"),
    ],
)
def test_a_bad_time_is_named(text: str, says: str, bids: Path) -> None:
    with pytest.raises(BadInput) as error:
        read_time(bids, text)
    assert str(error.value).startswith(f"{bids}:2: column t: ")
    assert says in str(error.value)


@pytest.mark.parametrize("text", ["1.0", "-1", "", "x", "1" * 16, "٣"])
def test_a_bad_number_is_named(text: str, bids: Path) -> None:
    bids.write_text(f't,u\n"{text}",\n')
    (row,) = read_rows(bids, ("t",))
    with pytest.raises(BadInput, match=r":2: column t: .* is not a whole number such as 12"):
        row.whole("t")


def test_offsets_of_a_time_are_kept(bids: Path) -> None:
    bids.write_text("t\n2025-11-20T21:00:00-0500\n")
    (row,) = read_rows(bids, ("t",))
    assert row.time("t").utcoffset() == timedelta(hours=-5)
