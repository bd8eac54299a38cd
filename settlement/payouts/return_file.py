"""A file of ACH returns as a bank sends it: what came back of ours, read strictly. Pure.

The form is Nacha's (Operating Rules, Appendix Four): records of 94 characters as in the files that
we send (`nacha`). A returned credit is an entry of its own with an addenda record of type 99, which
has the reason (R01, R02, ...) and the trace number of the entry that we sent. A bank may put
notices of change beside them (type 98: C01, C02, ...): the credit has arrived, and somebody is to
ask the payee for its account anew; they are told and change nothing.

Counts and sums of the controls are checked, so that a file that was cut is none. Whatever is not
as it should be is named by its line; a file with one such line is refused whole.
"""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from settlement.payouts.nacha import RECORD
from settlement.reconciliation.statement_file import Fault

# Of ten thousand payments that a file of ours may have, a bank sends back some; twice as many
# would be a fault somewhere.
MAX_RETURNS: Final = 1_000
# Entry and addenda of each, in batches of their own, with line ends.
MAX_BYTES: Final = MAX_RETURNS * 6 * (RECORD + 2)
# As many as somebody reads before asking the bank.
MAX_FAULTS: Final = 50
MAX_TOLD: Final = 44

# Credits to current and savings accounts that come back, as a return or with a notice.
_CREDITS_BACK: Final = frozenset({"21", "31"})
_RETURN: Final = re.compile(r"R[0-9]{2}")
_NOTICE: Final = re.compile(r"C[0-9]{2}")
_TRACE: Final = re.compile(r"[0-9]{15}")


class ReturnedCredit(Struct, frozen=True, kw_only=True):
    """A payment of ours that came back. ``line``: of its addenda record, from 1."""

    line: int
    trace: str
    code: str
    amount_minor: int
    words: str


class Notice(Struct, frozen=True, kw_only=True):
    """A payee's bank asks for the account to be mended; ``words``: what it should be."""

    line: int
    trace: str
    code: str
    words: str


class ReturnFile(Struct, frozen=True):
    """What a file tells."""

    returns: Sequence[ReturnedCredit]
    notices: Sequence[Notice]


class BadReturns(ValueError):
    """The file is not taken; ``faults``: the first of what is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults[:3])))
        self.faults = tuple(faults)


def parse_returns(data: bytes) -> ReturnFile:
    """What came back. Raises `BadReturns`."""
    reader = _Reader()
    for number, record in enumerate(_records(data), start=1):
        if len(record) > RECORD:
            reader.faults.append(Fault(number, f"a record has {RECORD} characters"))
        else:
            reader.read(number, record.ljust(RECORD))
        if len(reader.faults) > MAX_FAULTS:
            break
    return reader.result()


def _records(data: bytes) -> Sequence[str]:
    if len(data) > MAX_BYTES:
        raise BadReturns([Fault(0, f"the file has more than {MAX_BYTES:,} bytes")])
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadReturns([Fault(line, "it has characters that no ACH file has")]) from None
    if "\n" not in text and len(text) > RECORD and len(text) % RECORD == 0:
        return [text[at : at + RECORD] for at in range(0, len(text), RECORD)]
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise BadReturns([Fault(0, "the file is empty")])
    return lines


class _Entry(Struct):
    line: int
    amount_minor: int
    told: bool = False


class _Reader:
    """Goes through the records, in the order that the form gives."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._returns: list[ReturnedCredit] = []
        self._notices: list[Notice] = []
        self._lines: dict[str, int] = {}
        self._opened = self._ended = self._in_batch = False
        self._entry: _Entry | None = None
        # Of the batch and of the file: records, and cents.
        self._records, self._minor = 0, 0
        self._all_records, self._all_minor, self._batches = 0, 0, 0

    def read(self, line: int, record: str) -> None:
        """One record."""
        kind = record[0]
        if self._ended:
            if record != "9" * RECORD:
                self._fault(line, "something follows the end of the file")
        elif kind == "1" and not self._opened:
            self._opened = True
        elif not self._opened:
            self._fault(line, "an ACH file begins with a file header, record type 1")
        elif kind == "5" and not self._in_batch:
            self._in_batch, self._records, self._minor = True, 0, 0
        elif kind == "6" and self._in_batch:
            self._read_entry(line, record)
        elif kind == "7" and self._in_batch:
            self._read_addenda(line, record)
        elif kind == "8" and self._in_batch:
            self._end_batch(line, record)
        elif kind == "9" and not self._in_batch:
            self._end_file(line, record)
        else:
            self._fault(line, f"a record of type {kind!r} cannot stand here")

    def result(self) -> ReturnFile:
        """What was read. Raises `BadReturns`."""
        if not self._ended and not self.faults:
            self._fault(0, "the file is cut: its control record, type 9, is missing")
        if not self.faults and not self._returns and not self._notices:
            self._fault(0, "nothing came back by this file")
        if self.faults:
            raise BadReturns(sorted(self.faults, key=lambda fault: fault.line)[:MAX_FAULTS])
        return ReturnFile(tuple(self._returns), tuple(self._notices))

    def _read_entry(self, line: int, record: str) -> None:
        self._end_entry()
        amount = record[29:39]
        if record[1:3] not in _CREDITS_BACK:
            self._fault(line, "it is no returned credit: transaction code 21 or 31")
        if not _digits(amount):
            self._fault(line, "the amount is no number of cents")
        self._entry = _Entry(line, int(amount) if _digits(amount) else 0)
        self._records += 1
        self._minor += self._entry.amount_minor

    def _read_addenda(self, line: int, record: str) -> None:
        self._records += 1
        entry, code, trace = self._entry, record[3:6], record[6:21]
        if entry is None or entry.told:
            self._fault(line, "an addenda record follows the entry that it is of")
            return
        entry.told = True
        if record[1:3] not in {"98", "99"}:
            self._fault(line, "it tells of no return: an addenda record of type 99 does")
        elif not _TRACE.fullmatch(trace):
            self._fault(line, "the trace number of what was sent has 15 digits")
        elif trace in self._lines:
            self._fault(line, f"the payment came back in line {self._lines[trace]} already")
        elif record[1:3] == "98":
            self._notice(line, code, trace, record[35:64].strip())
        elif not _RETURN.fullmatch(code):
            self._fault(line, "the reason is R and two digits")
        elif len(self._returns) >= MAX_RETURNS:
            self._fault(line, f"a file has at most {MAX_RETURNS:,} returns")
        else:
            self._lines[trace] = line
            self._returns.append(
                ReturnedCredit(
                    line=line,
                    trace=trace,
                    code=code,
                    amount_minor=entry.amount_minor,
                    words=_plain(record[35:79]),
                )
            )

    def _notice(self, line: int, code: str, trace: str, words: str) -> None:
        if not _NOTICE.fullmatch(code):
            self._fault(line, "the kind of change is C and two digits")
            return
        self._lines[trace] = line
        self._notices.append(Notice(line=line, trace=trace, code=code, words=_plain(words)))

    def _end_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is not None and not entry.told:
            self._fault(entry.line, "an addenda record has to say why it came back")

    def _end_batch(self, line: int, record: str) -> None:
        self._end_entry()
        # Entries and addenda, then what is debited and credited: one of both is nothing.
        if not self._controls(record[4:10], record[20:32], record[32:44], self._records):
            self._fault(line, "the batch does not have the records or cents that this one counts")
        self._in_batch = False
        self._batches += 1
        self._all_records += self._records
        self._all_minor += self._minor

    def _end_file(self, line: int, record: str) -> None:
        self._minor = self._all_minor
        fits = self._controls(record[13:21], record[31:43], record[43:55], self._all_records)
        if not fits or not _digits(record[1:7]) or int(record[1:7]) != self._batches:
            self._fault(line, "the file does not have the batches or cents that this one counts")
        self._ended = True

    def _controls(self, count: str, debits: str, credits_: str, records: int) -> bool:
        if not (_digits(count) and _digits(debits) and _digits(credits_)):
            return False
        return int(count) == records and int(debits) + int(credits_) == self._minor

    def _fault(self, line: int, words: str) -> None:
        self.faults.append(Fault(line, words))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _plain(text: str) -> str:
    """Words of a bank, of printable signs alone."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:MAX_TOLD]
