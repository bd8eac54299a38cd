"""What a bank sends back is read strictly: each fault by its line, and nothing of a bad file."""

import pytest

from settlement.payouts.return_file import MAX_BYTES, MAX_RETURNS, BadReturns, parse_returns
from tests.return_files import a_return_file

FIRST, SECOND = "121000240000001", "121000240000002"
GOOD = a_return_file((FIRST, 1_800_000, "R03"), (SECOND, 5, "R01"))


def faults(data: bytes) -> list[str]:
    with pytest.raises(BadReturns) as refused:
        parse_returns(data)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("end", ["\r\n", "\n", ""])
def test_what_came_back_is_read_with_why(end: str) -> None:
    data = a_return_file((FIRST, 1_800_000, "R03"), (SECOND, 5, "R01"), end=end)
    found = parse_returns(data)
    assert [(one.trace, one.amount_minor, one.code) for one in found.returns] == [
        (FIRST, 1_800_000, "R03"),
        (SECOND, 5, "R01"),
    ]
    assert [one.line for one in found.returns] == [4, 8]
    assert found.returns[0].words == "NO ACCOUNT"


def test_a_notice_of_change_is_told_and_is_no_return() -> None:
    found = parse_returns(a_return_file((FIRST, 100, "C01"), (SECOND, 5, "R01")))
    assert [(one.code, one.trace, one.words) for one in found.notices] == [
        ("C01", FIRST, "NO ACCOUNT")
    ]
    assert [one.trace for one in found.returns] == [SECOND]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"621121000248", b"627121000248", "Line 3: it is no returned credit"),
        (b"0001800000REF", b"00018x0000REF", "Line 3: the amount is no number"),
        (b"799R03", b"799X03", "Line 4: the reason is R and two digits"),
        (b"799R03", b"705R03", "Line 4: it tells of no return"),
        (b"799R03" + FIRST.encode(), b"799R03" + b"A" * 15, "Line 4: the trace number"),
        (b"0000000005REF", b"0000000006REF", "Line 9: the batch does not have"),
        (b"R01" + SECOND.encode(), b"R01" + FIRST.encode(), "Line 8: the payment came back in"),
        (b"9000002", b"9000003", "Line 10: the file does not have"),
        (b"NORTH", b"NORTHERN NORTH", "Line 3: a record has 94 characters"),
        (b"NO ACCOUNT", b"NO ACCOUN\xc3", "Line 4: it has characters"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_line(old: bytes, new: bytes, said: str) -> None:
    assert old in GOOD
    assert faults(GOOD.replace(old, new, 1))[0].startswith(said)


def test_a_file_that_was_cut_is_none() -> None:
    lines = GOOD.splitlines(keepends=True)
    assert "cut" in faults(b"".join(lines[:9]))[0]
    assert faults(b"".join([*lines[:3], *lines[4:]]))[0].startswith("Line 3: an addenda record")
    assert faults(b"".join(lines[1:]))[0].startswith("Line 1: an ACH file begins")
    assert faults(b"".join(lines) + b"101")[0].startswith("Line 11: something follows")
    assert faults(b"") == ["the file is empty"]
    assert faults(a_return_file()) == ["nothing came back by this file"]


def test_a_file_is_bounded_and_so_is_what_is_said_of_it() -> None:
    assert "bytes" in faults(b"1" * (MAX_BYTES + 1))[0]
    many = [(f"12100024{number:07}", 1, "R01") for number in range(MAX_RETURNS + 1)]
    assert f"at most {MAX_RETURNS:,} returns" in faults(a_return_file(*many))[0]
    assert len(faults(b"x\n" * 100_000)) == 50
