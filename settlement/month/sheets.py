"""A month's tables as CSV files, each by its name. Pure."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from auction.spreadsheets import Column, Kind, table_csv
from settlement.month.ageing import Aged
from settlement.month.gross import MONTHS, YearlyGross
from settlement.month.report import Forfeit, MonthException, MonthReport, UnknownWire
from settlement.month.taxes import ReliedOn, TaxedPlace

_TEXT, _COUNT, _MONEY, _TIME = Kind.TEXT, Kind.COUNT, Kind.MONEY, Kind.TIME


def _of(kind: Kind, name: str, title: str, width: int = 12) -> Column[Any]:
    return Column(title, kind, lambda row: getattr(row, name), width)


def _aged(place: int) -> Callable[[Aged], int]:
    return lambda row: row.by_age_minor[place]


AGEING: Final[Sequence[Column[Aged]]] = (
    Column("What", _TEXT, lambda row: row.owing.value),
    _of(_TEXT, "party", "Party"),
    _of(_TEXT, "name", "Name"),
    Column("0-30 days", _MONEY, _aged(0)),
    Column("31-60 days", _MONEY, _aged(1)),
    Column("61-90 days", _MONEY, _aged(2)),
    Column("Over 90 days", _MONEY, _aged(3)),
    _of(_MONEY, "total_minor", "Total"),
)

TAXES: Final[Sequence[Column[TaxedPlace]]] = (
    _of(_TEXT, "place", "Place"),
    _of(_MONEY, "taxable_minor", "Taxable"),
    _of(_MONEY, "exempt_minor", "Exempt"),
    _of(_MONEY, "untaxed_minor", "Not taxed"),
    _of(_MONEY, "collected_minor", "Collected"),
    _of(_MONEY, "credited_minor", "Credited"),
    _of(_MONEY, "net_minor", "Net"),
    _of(_MONEY, "remitted_minor", "Remitted"),
)

CERTIFICATES: Final[Sequence[Column[ReliedOn]]] = (
    _of(_TEXT, "place", "Place"),
    _of(_TEXT, "buyer_id", "Buyer"),
    _of(_TEXT, "buyer_name", "Name"),
    _of(_TEXT, "number", "Certificate"),
    Column("Expires on", _TEXT, lambda row: row.expires_on.isoformat()),
    _of(_COUNT, "sales", "Sales"),
    _of(_MONEY, "exempt_minor", "Exempt"),
)

FORFEITS: Final[Sequence[Column[Forfeit]]] = (
    _of(_TEXT, "key", "Entry"),
    _of(_TEXT, "purpose", "Purpose"),
    _of(_TIME, "at_us", "Time (UTC)"),
    _of(_TEXT, "buyer_id", "Buyer"),
    _of(_TEXT, "invoice_id", "Invoice"),
    _of(_TEXT, "award_id", "Award"),
    _of(_MONEY, "amount_minor", "Amount"),
)

WIRES: Final[Sequence[Column[UnknownWire]]] = (
    _of(_COUNT, "wire_id", "Wire"),
    Column("Received on", _TEXT, lambda row: row.received_on.isoformat()),
    _of(_TEXT, "sender", "Sender"),
    _of(_TEXT, "reference", "Reference"),
    _of(_MONEY, "amount_minor", "Amount"),
    _of(_TEXT, "state", "Now"),
)

EXCEPTIONS: Final[Sequence[Column[MonthException]]] = (
    _of(_COUNT, "exception_id", "Exception"),
    Column("Kind", _TEXT, lambda row: row.kind.value),
    _of(_TEXT, "subject", "Subject"),
    _of(_TIME, "since_us", "Since (UTC)"),
    _of(_MONEY, "stripe_minor", "At Stripe"),
    _of(_MONEY, "booked_minor", "Booked"),
    _of(_TEXT, "owner_id", "Owner"),
    _of(_TEXT, "resolution", "Since then"),
)


def _month(place: int) -> Callable[[YearlyGross], int]:
    return lambda row: row.months_minor[place]


_NAMES: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

GROSS: Final[Sequence[Column[YearlyGross]]] = (
    _of(_TEXT, "payee_id", "Payee"),
    _of(_TEXT, "name", "Name"),
    _of(_COUNT, "year", "Year"),
    _of(_COUNT, "payments", "Payments"),
    _of(_MONEY, "gross_minor", "Gross"),
    _of(_MONEY, "card_minor", "By card"),
    _of(_MONEY, "bank_minor", "By bank"),
    *(Column(_NAMES[place], _MONEY, _month(place)) for place in range(MONTHS)),
)


def month_files(report: MonthReport) -> Mapping[str, bytes]:
    """The tables of a month, by what they are called."""
    tables: Mapping[str, tuple[Sequence[Column[Any]], Sequence[Any]]] = {
        "ageing": (AGEING, report.ageing),
        "tax": (TAXES, report.taxes),
        "certificates": (CERTIFICATES, report.certificates),
        "forfeits": (FORFEITS, report.forfeits),
        "wires": (WIRES, report.wires),
        "exceptions": (EXCEPTIONS, report.exceptions),
    }
    return {
        name: table_csv(columns, rows, report.currency) for name, (columns, rows) in tables.items()
    }


def gross_csv(rows: Sequence[YearlyGross], currency: str) -> bytes:
    """The year of every payee."""
    return table_csv(GROSS, rows, currency)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files as one ZIP; the same files give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return made.getvalue()
