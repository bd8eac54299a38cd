"""Journals as files for QuickBooks Online, Xero, and plain-text accounting. Pure.

* QuickBooks Online, "Import journal entries" (quickbooks.intuit.com/learn-support): journal number,
  journal date, account name, description, debits, credits; a line has either debits or credits, and
  lines of one number are one journal. A number has at most 21 characters.
* Xero, "Enter multiple manual journals using an import template" (help.xero.com,
  ManualJournalsImport): narration, date as "30 Jun 2015", description, account code, tax rate by
  its name, and an amount, a credit's negative. Lines of one narration and date are one journal, and
  a file has at most 300 lines.
* hledger's journal format (hledger.org, "hledger journal"): amounts in units with two blanks before
  them, a debit positive. It declares its accounts and its commodity, and asserts each balance at
  the end, so that ``hledger check --strict`` finds any slip.

How accounts are called there is the accountant's to say. In CSV a text that a spreadsheet could
take for a formula gets an apostrophe in front; an amount is a number, also a negative one.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Final

from auction.money import EXPONENTS, format_minor
from settlement.chart import Account, Family, Kind, Side
from settlement.journals import Journal, day_of
from settlement.statements import Line, Period

XERO_LINES: Final = 300
# A line of each kind on each side is the most that a journal has: it always fits into a file.
assert 2 * len(Kind) <= XERO_LINES
# Spreadsheets look for formulas behind these.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_QUICKBOOKS: Final = (
    "Journal No.",
    "Journal Date",
    "Account Name",
    "Description",
    "Debits",
    "Credits",
)
_XERO: Final = ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount")
_MONTHS: Final = ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()  # noqa: SIM905
_FAMILIES: Final = {
    Family.ASSET: "assets",
    Family.LIABILITY: "liabilities",
    Family.INCOME: "revenues",
    Family.EXPENSE: "expenses",
}


def quickbooks_csv(
    journals: Iterable[Journal], currency: str, names: Mapping[Kind, str] | None = None
) -> str:
    """Journals of one currency. ``names``: of QuickBooks' accounts, else ours."""
    names = names or {}
    rows = (
        (
            _text(journal.number),
            f"{journal.day:%m/%d/%Y}",
            _text(names.get(line.kind, line.kind.value)),
            _text(f"{journal.text} {line.subject}".rstrip()),
            format_minor(line.amount_minor, currency) if line.side is Side.DEBIT else "",
            format_minor(line.amount_minor, currency) if line.side is Side.CREDIT else "",
        )
        for journal in journals
        for line in journal.lines
    )
    return _csv(_QUICKBOOKS, rows)


def xero_csvs(
    journals: Iterable[Journal], currency: str, codes: Mapping[Kind, str], tax_rate: str
) -> list[str]:
    """Journals of one currency as files that Xero takes, none of which parts a journal.

    ``codes``: Xero's account of each kind that occurs; ``ValueError`` names one that is missing.
    ``tax_rate``: the name of the organisation's rate for lines that bear no tax.
    """
    files: list[list[Sequence[str]]] = []
    for journal in journals:
        rows = list(_xero_rows(journal, currency, codes, tax_rate))
        if not files or len(files[-1]) + len(rows) > XERO_LINES:
            files.append([])
        files[-1] += rows
    return [_csv(_XERO, rows) for rows in files]


def hledger_journal(
    opening: Mapping[Account, int], lines: Iterable[Line], currency: str, period: Period
) -> str:
    """Every entry with its accounts. ``opening``: balances before it; ``lines``: in their order."""
    kept = list(lines)
    balances = {account: _debit(account, of) for account, of in opening.items() if of}
    out = [*_declared(kept, balances, currency), ""]
    if balances:
        out += [f"{day_of(period.from_us).isoformat()} opening balances"]
        out += [_posting(account, of, currency) for account, of in sorted(balances.items())] + [""]
    key = ""
    for line in kept:
        if line.key != key:
            key = line.key
            out += ["", f"{day_of(line.at_us).isoformat()} {line.purpose}", f"    ; key: {key}"]
            out += [f"    ; note: {_plain(line.note)}"] if line.note else []
        for account, amount in ((line.debit, line.amount_minor), (line.credit, -line.amount_minor)):
            out.append(_posting(account, amount, currency))
            balances[account] = balances.get(account, 0) + amount
    if balances:
        last = kept[-1].at_us if kept else period.from_us
        out += ["", f"{day_of(last).isoformat()} closing balances"]
        out += [
            f"{_posting(account, 0, currency)} = {_amount(of, currency)}"
            for account, of in sorted(balances.items())
        ]
    return "\n".join(out) + "\n"


def hledger_name(account: Account) -> str:
    """An account below its family, so that balance sheets and income statements know it."""
    return f"{_FAMILIES[account.row.family]}:{account.name}"


def _xero_rows(
    journal: Journal, currency: str, codes: Mapping[Kind, str], tax_rate: str
) -> Iterator[Sequence[str]]:
    for line in journal.lines:
        if line.kind not in codes:
            raise ValueError(f"{line.kind}: it has no account code in Xero")
        signed = line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
        day = journal.day
        yield (
            _text(f"{journal.number} {journal.text}"),
            f"{day.day} {_MONTHS[day.month - 1]} {day.year}",
            _text(f"{line.kind} {line.subject}".rstrip()),
            _text(codes[line.kind]),
            _text(tax_rate),
            format_minor(signed, currency),
        )


def _declared(
    lines: Iterable[Line], balances: Mapping[Account, int], currency: str
) -> Iterator[str]:
    exponent = EXPONENTS[currency]
    yield f"commodity 1.{'0' * exponent} {currency}"
    used = {account for line in lines for account in (line.debit, line.credit)} | balances.keys()
    for account in sorted(used):
        yield f"account {hledger_name(account)}"


def _posting(account: Account, debit_minor: int, currency: str) -> str:
    return f"    {hledger_name(account)}  {_amount(debit_minor, currency)}"


def _amount(debit_minor: int, currency: str) -> str:
    return f"{format_minor(debit_minor, currency)} {currency}"


def _debit(account: Account, balance_minor: int) -> int:
    return balance_minor if account.row.side is Side.DEBIT else -balance_minor


def _plain(text: str) -> str:
    """One line of a comment: what ends it or parts its tags becomes a blank."""
    return " ".join("".join(" " if c == "," or not c.isprintable() else c for c in text).split())


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows(rows)
    return written.getvalue()
