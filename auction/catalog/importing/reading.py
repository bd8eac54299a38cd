"""What kind of file it is, by its content and not by its name, and its sheets."""

import re
from typing import Final

from auction.catalog.importing.bounds import MAX_FILE_BYTES
from auction.catalog.importing.decoding import looks_binary
from auction.catalog.importing.delimited import read_delimited
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.sheets import Source
from auction.catalog.importing.workbook import OLE, ZIP, read_xls, read_xlsx

_MARKUP: Final = re.compile(
    rb"\A(\xef\xbb\xbf)?\s*<(\?xml|!doctype|html|table|workbook|head|meta)", re.IGNORECASE
)


def read_source(data: bytes) -> Source:
    """The sheets of a file. Raises `Unreadable`."""
    if not data.strip():
        raise Unreadable("empty", "the file is empty", 1)
    if len(data) > MAX_FILE_BYTES:
        raise too_large(len(data))
    if data.startswith(ZIP):
        return read_xlsx(data)
    if data.startswith(OLE):
        return read_xls(data)
    if _MARKUP.match(data):
        message = (
            "this is a web page or XML under a spreadsheet's name; open it and save it as XLSX"
        )
        raise Unreadable("markup", message, 1)
    if data.startswith(b"%PDF"):
        message = "this is a PDF; ask for the manifest as a spreadsheet"
        raise Unreadable("not_a_spreadsheet", message)
    if looks_binary(data):
        message = "this is not a spreadsheet: neither CSV nor XLSX nor XLS"
        raise Unreadable("not_a_spreadsheet", message)
    return read_delimited(data)


def too_large(size: int) -> Unreadable:
    """The error for a file beyond the bound."""
    most = MAX_FILE_BYTES // 2**20
    message = f"the file has {size / 2**20:,.0f} MiB, and a manifest at most {most} MiB; split it"
    return Unreadable("too_large", message)
