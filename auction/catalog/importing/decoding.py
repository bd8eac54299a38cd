"""Bytes of a text file as its lines: which encoding it is, and where it is none.

UTF-8 with or without its mark, UTF-16 with its mark or recognised by its zero bytes, else Windows
code page 1252, in which spreadsheets of western Windows save "CSV".
"""

import codecs
from collections.abc import Iterator
from typing import Final

from auction.catalog.importing.bounds import MAX_LINE_BYTES, MAX_ROWS
from auction.catalog.importing.faults import Unreadable

_PIECE: Final = 2**20
# A text in UTF-8 with some damaged characters is still one; in cp1252 nearly all are "damaged".
_DAMAGED_SHARE: Final = 0.1
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27})


class Text:
    """A file's lines under an encoding; ``damaged`` are lines where characters were lost."""

    def __init__(self, encoding: str, raw_lines: list[bytes], lines: list[str] | None) -> None:
        self.encoding = encoding
        self.damaged: list[int] = []
        self._raw, self._lines = raw_lines, lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines) if self._lines is not None else self._decoded()

    def _decoded(self) -> Iterator[str]:
        self.damaged.clear()
        for number, raw in enumerate(self._raw, start=1):
            line = raw.decode(self.encoding, "replace")
            if "\ufffd" in line:
                self.damaged.append(number)
            yield line


def text_of(data: bytes) -> Text:
    """The lines of a text file. Raises `Unreadable`."""
    utf16 = _utf16(data)
    if utf16 is not None:
        return _utf16_text(data, utf16)
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        encoding = "utf-8"
    else:
        encoding = _encoding(data)
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        message = f"line {line} holds a NUL byte: this is not a text file; save it again as CSV"
        raise Unreadable("nul", message, line)
    return Text(encoding, _lines_of(data), None)


def _lines_of(data: bytes) -> list[bytes]:
    end = b"\n" if b"\n" in data else b"\r"  # a carriage return alone: old Macintosh
    _check_count(data.count(end) + 1)
    lines = data.split(end)
    if end == b"\n":
        lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise _too_long(number)
    return lines


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        raise Unreadable(
            "too_many_rows",
            f"the file has {count:,} lines of text, and a manifest at most {MAX_ROWS:,}; split it",
            MAX_ROWS + 1,
        )


def _too_long(number: int) -> Unreadable:
    return Unreadable(
        "line_too_long",
        f"line {number} is longer than {MAX_LINE_BYTES // 1024} KiB: a quote that is not closed, "
        "or not a list of goods",
        number,
    )


def _encoding(data: bytes) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    damaged = beyond_ascii = 0
    for start in range(0, len(data), _PIECE):
        text = decoder.decode(data[start : start + _PIECE], final=start + _PIECE >= len(data))
        if not text.isascii():
            damaged += text.count("\ufffd")
            beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
    return "utf-8" if damaged <= _DAMAGED_SHARE * beyond_ascii else "cp1252"


def _utf16(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:4_096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    # Text of western languages has a zero in each second byte, and none in the others.
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _utf16_text(data: bytes, encoding: str) -> Text:
    try:
        whole = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"line {line} is damaged: it is not UTF-16 as the rest is; save the file as UTF-8"
        raise Unreadable("encoding", message, line) from None
    nul = whole.find("\0")
    if nul >= 0:
        line = whole.count("\n", 0, nul) + 1
        raise Unreadable("nul", f"line {line} holds a NUL: this is not a text file", line)
    whole = whole.removeprefix("\ufeff")
    end = "\n" if "\n" in whole else "\r"
    _check_count(whole.count(end) + 1)
    lines = [line.removesuffix("\r") for line in whole.split(end)]
    if not lines[-1]:
        lines.pop()
    long = next((at for at, line in enumerate(lines, 1) if len(line) > MAX_LINE_BYTES), None)
    if long is not None:
        raise _too_long(long)
    return Text("utf-16", [], lines)


def looks_binary(data: bytes) -> bool:
    """Whether these bytes are no text in any encoding that is read here."""
    sample = data[:4_096]
    if _utf16(data) is not None or not sample:
        return False
    return len(sample) - len(sample.translate(None, _CONTROLS)) > 0.05 * len(sample)
