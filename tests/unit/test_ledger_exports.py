"""Files for accountants, read back by rules of their own: nothing lost, all in balance."""

import csv
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest

from settlement.chart import PREMIUMS, STRIPE, Account, Kind, held, seller_payable
from settlement.entries import Purpose
from settlement.exports import (
    XERO_LINES,
    hledger_journal,
    hledger_name,
    quickbooks_csv,
    xero_csvs,
)
from settlement.ids import AwardId, EntryKey
from settlement.journals import journals_by_day
from settlement.statements import Line, Period
from tests.books import DAY_US, LOT, NOON_US, NORTH

OTHER = AwardId("S1~13")
CODES = {kind: f"{600 + place}" for place, kind in enumerate(Kind)}


def line(
    number: int,
    debit: Account,
    credit: Account,
    amount: int,
    day: int = 0,
    note: str = "",
    place: int = 0,
) -> Line:
    return Line(
        order=(number, place),
        key=EntryKey(f"adjustment:a{number}:1"),
        purpose=Purpose.ADJUSTMENT,
        at_us=NOON_US + day * DAY_US,
        debit=debit,
        credit=credit,
        amount_minor=amount,
        note=note,
    )


LINES = [
    line(1, STRIPE, held(LOT), 100_005),
    line(1, STRIPE, held(OTHER), 50_000, place=1),
    line(2, held(LOT), seller_payable(NORTH), 90_000, day=1, note='=HYPERLINK("http://x"), a\nb'),
    line(2, held(LOT), PREMIUMS, 10_005, day=1, place=1, note='=HYPERLINK("http://x"), a\nb'),
]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_quickbooks_gets_a_journal_for_each_day_with_debits_or_credits() -> None:
    rows = read(quickbooks_csv(journals_by_day(LINES), "USD", {Kind.HELD: "Held funds:Lots"}))
    assert list(rows[0]) == [
        "Journal No.", "Journal Date", "Account Name", "Description", "Debits", "Credits",
    ]  # fmt: skip
    assert [tuple(row.values())[:3] + tuple(row.values())[4:] for row in rows] == [
        ("SC-20260310", "03/10/2026", "stripe_balance", "1500.05", ""),
        ("SC-20260310", "03/10/2026", "Held funds:Lots", "", "1500.05"),
        ("SC-20260311", "03/11/2026", "Held funds:Lots", "1000.05", ""),
        ("SC-20260311", "03/11/2026", "seller_payable", "", "900.00"),
        ("SC-20260311", "03/11/2026", "premium_income", "", "100.05"),
    ]


def test_xero_gets_signed_amounts_that_sum_to_nothing() -> None:
    [text] = xero_csvs(journals_by_day(LINES), "USD", CODES, "Tax Exempt")
    rows = read(text)
    assert list(rows[0]) == [
        "*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount",
    ]  # fmt: skip
    assert [row["*Amount"] for row in rows] == [
        "1500.05",
        "-1500.05",
        "1000.05",
        "-900.00",
        "-100.05",
    ]
    assert rows[0]["*Date"] == "10 Mar 2026"
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["*Narration"]] += Decimal(row["*Amount"])  # type: ignore[assignment]
    assert len(sums) == 2
    assert not any(sums.values())


def test_a_file_for_xero_has_whole_journals_and_no_more_lines_than_it_takes() -> None:
    lines = [line(n, STRIPE, held(LOT), n, day=n) for n in range(1, 400)]
    files = [read(text) for text in xero_csvs(journals_by_day(lines), "USD", CODES, "None")]
    assert [len(rows) for rows in files] == [XERO_LINES, XERO_LINES, 198]
    for rows in files:
        assert sum(Decimal(row["*Amount"]) for row in rows) == 0


def test_an_account_without_a_code_is_named() -> None:
    with pytest.raises(ValueError, match="held: it has no account code"):
        xero_csvs(journals_by_day(LINES), "USD", {Kind.STRIPE_BALANCE: "1"}, "None")


def test_what_looks_like_a_formula_is_text() -> None:
    names = {Kind.STRIPE_BALANCE: "=1+1", Kind.HELD: "@x", Kind.PREMIUM_INCOME: "-y"}
    rows = read(quickbooks_csv(journals_by_day(LINES), "USD", names))
    cells = [cell for row in rows for cell in row.values()]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_currencies_have_the_fractions_that_they_have() -> None:
    yen = quickbooks_csv(journals_by_day([line(1, STRIPE, held(LOT), 1_234)]), "JPY")
    dinars = quickbooks_csv(journals_by_day([line(1, STRIPE, held(LOT), 1_234)]), "KWD")
    assert read(yen)[0]["Debits"] == "1234"
    assert read(dinars)[0]["Debits"] == "1.234"


POSTING = re.compile(r" {4}(\S+(?: \S+)*) {2,}(-?[0-9.]+) ([A-Z]{3})(?: = (-?[0-9.]+) ([A-Z]{3}))?")


class Strict:
    """A reader of hledger's format that takes no more than what is declared and in balance."""

    def __init__(self, text: str) -> None:
        self.accounts: set[str] = set()
        self.balances: dict[str, Decimal] = {}
        self.entries: list[tuple[date, str, list[tuple[str, Decimal]]]] = []
        self.commodity = ""
        for row in text.splitlines():
            self._takes(row)
        for _, _, postings in self.entries:
            assert sum(amount for _, amount in postings) == 0
        days = [day for day, _, _ in self.entries]
        assert days == sorted(days)

    def _takes(self, row: str) -> None:
        if row.startswith("commodity "):
            _, shown, self.commodity = row.split(" ")
            assert "." in shown
        elif row.startswith("account "):
            self.accounts.add(row.removeprefix("account "))
        elif row.startswith("    ;") or not row:
            return
        elif row.startswith("    "):
            found = POSTING.fullmatch(row)
            assert found, row
            account, amount, of, asserted, _ = found.groups()
            assert account in self.accounts
            assert of == self.commodity
            self.entries[-1][2].append((account, Decimal(amount)))
            self.balances[account] = self.balances.get(account, Decimal()) + Decimal(amount)
            if asserted is not None:
                assert self.balances[account] == Decimal(asserted)
        else:
            day, _, text = row.partition(" ")
            self.entries.append((date.fromisoformat(day), text, []))


def test_plain_text_accounting_reads_every_entry_and_every_balance() -> None:
    text = hledger_journal({}, LINES, "USD", Period(NOON_US))
    book = Strict(text)
    assert [name for _, name, _ in book.entries] == ["adjustment", "adjustment", "closing balances"]
    assert {name: of for name, of in book.balances.items() if of} == {
        "assets:stripe_balance": Decimal("1500.05"),
        "liabilities:held:S1~13": Decimal("-500.00"),
        "liabilities:seller_payable:north": Decimal("-900.00"),
        "revenues:premium_income": Decimal("-100.05"),
    }
    assert '    ; note: =HYPERLINK("http://x") a b' in text.splitlines()


def test_plain_text_accounting_begins_with_the_balances_before() -> None:
    opening = {STRIPE: 100, held(LOT): 60, PREMIUMS: 40, held(OTHER): 0}
    book = Strict(hledger_journal(opening, LINES[2:], "USD", Period(NOON_US)))
    assert book.entries[0][1] == "opening balances"
    assert book.balances[hledger_name(STRIPE)] == Decimal("1.00")
    assert book.balances[hledger_name(PREMIUMS)] == Decimal("-100.45")


def test_yen_in_plain_text_have_a_decimal_mark_in_their_declaration() -> None:
    text = hledger_journal({}, [line(1, STRIPE, held(LOT), 5)], "JPY", Period())
    assert text.splitlines()[0] == "commodity 1. JPY"
    assert Strict(text).balances[hledger_name(STRIPE)] == 5
