"""An ACH file is what banks take: read again here, field by field, by the published places."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.payouts.nacha import Credit, Originator, ach_file, traced

US = Originator(
    destination="121000248",
    bank_name="Wells Fargo",
    origin="1234567890",
    company_name="Softclose",
    company_id="1987654321",
)
MADE_US = 1_790_000_000_000_000  # 2026-09-21 14:13:20 UTC
ON = date(2026, 9, 22)
ROUTING = ("121000248", "026009593", "021000021", "011000015")


def credit(place: int = 1, **changes: Any) -> Credit:
    facts: dict[str, Any] = {
        "routing": ROUTING[place % 4],
        "account": f"000{place:08d}",
        "is_savings": False,
        "is_company": True,
        "holder": f"Seller {place}",
        "reference": f"SC7-{place}",
        "amount_minor": 836_000,
    }
    return Credit(**(facts | changes))


def made(*credits_: Credit) -> bytes:
    return ach_file(US, traced(US, credits_, 1), MADE_US, ON)


def parsed(content: bytes) -> dict[str, Any]:
    """What a bank reads, with every sum checked by a count of its own."""
    lines = content.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert len(lines) % 10 == 0
    assert {len(line) for line in lines} == {94}
    assert lines[0][:3] == "101" and lines[0][34:40] == "094101"
    control = next(line for line in lines[1:] if line[0] == "9")
    padding = lines[lines.index(control) + 1 :]
    assert set(padding) <= {"9" * 94} and len(padding) < 10
    batches: list[dict[str, Any]] = []
    for line in lines[1 : lines.index(control)]:
        if line[0] == "5":
            header = line
            batches.append({"class": line[50:53], "entries": [], "on": line[69:75]})
            assert line[1:4] == "220" and line[78] == "1" and line[79:87] == "12100024"
        elif line[0] == "6":
            batches[-1]["entries"].append(_entry(line))
        else:
            assert line[0] == "8" and line[1:4] == "220"
            entries = batches[-1]["entries"]
            assert int(line[4:10]) == len(entries)
            assert int(line[10:20]) == _hash(entries)
            assert int(line[20:32]) == 0
            assert int(line[32:44]) == sum(each["amount"] for each in entries)
            assert line[44:54] == header[40:50]
            assert line[79:94] == header[79:94]
    every = [each for batch in batches for each in batch["entries"]]
    assert int(control[1:7]) == len(batches)
    assert int(control[7:13]) == len(lines) // 10
    assert int(control[13:21]) == len(every)
    assert int(control[21:31]) == _hash(every)
    assert int(control[31:43]) == 0
    assert int(control[43:55]) == sum(each["amount"] for each in every)
    return {
        "destination": lines[0][3:13],
        "origin": lines[0][13:23],
        "made": lines[0][23:33],
        "names": (lines[0][40:63].strip(), lines[0][63:86].strip()),
        "batches": batches,
        "entries": every,
    }


def _entry(line: str) -> dict[str, Any]:
    assert line[78] == "0"
    return {
        "code": line[1:3],
        "routing": line[3:12],
        "account": line[12:29].strip(),
        "amount": int(line[29:39]),
        "reference": line[39:54].strip(),
        "holder": line[54:76].strip(),
        "trace": line[79:94],
    }


def _hash(entries: list[dict[str, Any]]) -> int:
    return sum(int(each["routing"][:8]) for each in entries) % 10**10


def test_a_file_says_who_sends_what_to_whom() -> None:
    read = parsed(made(credit(1), credit(2, is_savings=True, amount_minor=1)))
    assert (read["destination"], read["origin"]) == (" 121000248", "1234567890")
    assert (read["made"], read["names"]) == ("2609211413", ("WELLS FARGO", "SOFTCLOSE"))
    assert [batch["class"] for batch in read["batches"]] == ["CCD"]
    assert read["batches"][0]["on"] == "260922"
    assert read["entries"] == [
        {
            "code": "22",
            "routing": "026009593",
            "account": "00000000001",
            "amount": 836_000,
            "reference": "SC7-1",
            "holder": "SELLER 1",
            "trace": "121000240000001",
        },
        {
            "code": "32",
            "routing": "021000021",
            "account": "00000000002",
            "amount": 1,
            "reference": "SC7-2",
            "holder": "SELLER 2",
            "trace": "121000240000002",
        },
    ]


def test_persons_are_paid_in_a_batch_of_their_own() -> None:
    read = parsed(made(credit(1, is_company=False), credit(2)))
    assert [batch["class"] for batch in read["batches"]] == ["CCD", "PPD"]
    assert [each["reference"] for each in read["entries"]] == ["SC7-2", "SC7-1"]


@given(st.integers(1, 40), st.data())
def test_every_file_is_whole_blocks_and_its_sums_are_right(count: int, data: st.DataObject) -> None:
    credits_ = [
        credit(
            place,
            amount_minor=data.draw(st.integers(1, 9_999_999_999)),
            is_company=data.draw(st.booleans()),
            holder=data.draw(st.text(min_size=1, max_size=60)),
        )
        for place in range(1, count + 1)
    ]
    read = parsed(made(*credits_))
    assert sorted(each["amount"] for each in read["entries"]) == sorted(
        each.amount_minor for each in credits_
    )
    assert len({each["trace"] for each in read["entries"]}) == count


def test_the_same_facts_are_the_same_bytes() -> None:
    assert made(credit(1), credit(2)) == made(credit(1), credit(2))


def test_accents_are_left_off_and_nothing_breaks_a_line() -> None:
    (only,) = parsed(made(credit(1, holder="Café Größe\r\n\x00=1+1 GmbH & Co. KG")))["entries"]
    assert only["holder"] == "CAFE GROSSE    1 1 GMB"


@pytest.mark.parametrize("amount_minor", [0, -1, 10_000_000_000])
def test_an_amount_that_has_no_place_is_refused(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        made(credit(1, amount_minor=amount_minor))


def test_numbers_of_entries_are_never_used_twice() -> None:
    with pytest.raises(ValueError, match="used up"):
        traced(US, [credit(1)], 10_000_000)
