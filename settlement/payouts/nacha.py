"""An ACH file as banks of the United States take it: credits in dollars. Pure.

The form is Nacha's (Operating Rules, Appendix Three): records of 94 characters, a file header, for
each class of receivers a batch with its header, entries and control, a file control, and lines of
nines until the count is a multiple of ten. Companies are paid as CCD, persons as PPD. The file is
unbalanced: the bank debits the house's account by itself.

The same facts make the same bytes, so a file can be made again and compared.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

from msgspec import Struct

RECORD: Final = 94
BLOCK: Final = 10
# Ten digits of cents.
MAX_AMOUNT_MINOR: Final = 9_999_999_999
# Twelve digits of cents, and six of a count.
MAX_TOTAL_MINOR: Final = 999_999_999_999
MAX_ENTRIES: Final = 10_000
_HASH: Final = 10**10
_CREDITS_ONLY: Final = "220"


class Originator(Struct, frozen=True, kw_only=True):
    """As whom the house sends: ``destination`` is its bank's routing number, ``origin`` and
    ``company_id`` what the bank gave it, ten characters at most."""

    destination: str
    bank_name: str
    origin: str
    company_name: str
    company_id: str


class Credit(Struct, frozen=True, kw_only=True):
    """What one receiver gets. ``reference``: ours, which its bank shows it."""

    routing: str
    account: str
    is_savings: bool
    is_company: bool
    holder: str
    reference: str
    amount_minor: int


class Traced(Struct, frozen=True):
    """A credit with the number under which its bank would send it back."""

    trace: str
    credit: Credit


def traced(originator: Originator, credits_: Iterable[Credit], first: int) -> list[Traced]:
    """The credits in the file's order, companies before persons, numbered from ``first`` on.

    A trace number is the bank's eight digits and seven of ours, which rise through all files.
    """
    ordered = sorted(credits_, key=lambda credit: not credit.is_company)
    if first + len(ordered) > 10**7:
        raise ValueError("the numbers of this bank account are used up")
    odfi = originator.destination[:8]
    return [
        Traced(f"{odfi}{number:07d}", credit) for number, credit in enumerate(ordered, start=first)
    ]


def ach_file(
    originator: Originator, entries: Sequence[Traced], made_at_us: int, pays_on: date
) -> bytes:
    """The file. ``ValueError`` for what cannot be sent in one."""
    _check(entries)
    made = datetime.fromtimestamp(made_at_us / 1_000_000, UTC)
    lines = [_file_header(originator, made)]
    totals = []
    groups = groupby(entries, key=lambda entry: entry.credit.is_company)
    for number, (is_company, group) in enumerate(groups, start=1):
        batch = list(group)
        lines.append(_batch_header(originator, number, is_company=is_company, pays_on=pays_on))
        lines += [_entry(entry) for entry in batch]
        lines.append(_batch_control(originator, number, batch))
        totals.append(_hash(batch))
    blocks = -(-(len(lines) + 1) // BLOCK)
    lines.append(_file_control(totals, blocks, entries))
    lines += ["9" * RECORD] * (blocks * BLOCK - len(lines))
    assert all(len(line) == RECORD for line in lines), "each record has its length"
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _check(entries: Sequence[Traced]) -> None:
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise ValueError(f"a file has from 1 to {MAX_ENTRIES} entries")
    for entry in entries:
        if not 1 <= entry.credit.amount_minor <= MAX_AMOUNT_MINOR:
            raise ValueError(f"{entry.credit.reference}: the amount does not fit into an entry")
    if sum(entry.credit.amount_minor for entry in entries) > MAX_TOTAL_MINOR:
        raise ValueError("the amounts do not fit into a file")


def _file_header(originator: Originator, made: datetime) -> str:
    return (
        "101"
        + f" {originator.destination}"
        + _right(originator.origin, 10)
        + made.strftime("%y%m%d%H%M")
        + "A"
        + "094101"
        + _left(originator.bank_name, 23)
        + _left(originator.company_name, 23)
        + " " * 8
    )


def _batch_header(originator: Originator, number: int, *, is_company: bool, pays_on: date) -> str:
    return (
        f"5{_CREDITS_ONLY}"
        + _left(originator.company_name, 16)
        + " " * 20
        + _left(originator.company_id, 10)
        + ("CCD" if is_company else "PPD")
        + _left("PAYOUT", 10)
        + " " * 6
        + pays_on.strftime("%y%m%d")
        + " " * 3
        + "1"
        + originator.destination[:8]
        + f"{number:07d}"
    )


def _entry(entry: Traced) -> str:
    credit = entry.credit
    return (
        ("632" if credit.is_savings else "622")
        + credit.routing
        + _left(credit.account, 17)
        + f"{credit.amount_minor:010d}"
        + _left(credit.reference, 15)
        + _left(credit.holder, 22)
        + "  0"
        + entry.trace
    )


def _batch_control(originator: Originator, number: int, batch: Sequence[Traced]) -> str:
    return (
        f"8{_CREDITS_ONLY}"
        + f"{len(batch):06d}"
        + f"{_hash(batch) % _HASH:010d}"
        + "0" * 12
        + f"{_total(batch):012d}"
        + _left(originator.company_id, 10)
        + " " * 25
        + originator.destination[:8]
        + f"{number:07d}"
    )


def _file_control(hashes: Sequence[int], blocks: int, entries: Sequence[Traced]) -> str:
    return (
        f"9{len(hashes):06d}"
        + f"{blocks:06d}"
        + f"{len(entries):08d}"
        + f"{sum(hashes) % _HASH:010d}"
        + "0" * 12
        + f"{_total(entries):012d}"
        + " " * 39
    )


def _hash(entries: Iterable[Traced]) -> int:
    """The receivers' banks, without their check digits, summed."""
    return sum(int(entry.credit.routing[:8]) for entry in entries)


def _total(entries: Iterable[Traced]) -> int:
    return sum(entry.credit.amount_minor for entry in entries)


def _left(text: str, width: int) -> str:
    return _ascii(text)[:width].ljust(width)


def _right(text: str, width: int) -> str:
    return _ascii(text)[:width].rjust(width)


def _ascii(text: str) -> str:
    """In the characters that every bank takes; an accent is left off, what is none is a blank."""
    flat = unicodedata.normalize("NFKD", text).upper()
    kept = (sign for sign in flat if not unicodedata.combining(sign))
    known = (
        sign if sign.isascii() and (sign.isalnum() or sign in " .,&-/'") else " " for sign in kept
    )
    return "".join(known)
