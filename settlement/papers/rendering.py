"""A document's bytes from its facts: the same facts, the same bytes. Pure."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from auction.spreadsheets import CSV_TYPE, XLSX_TYPE
from settlement.papers import contents
from settlement.papers.evidence_paper import evidence_pdf
from settlement.papers.invoice_paper import credit_note_pdf, invoice_pdf
from settlement.papers.loading_paper import labels_pdf, loading_pdf
from settlement.papers.manifest_paper import manifest_csv, manifest_pdf, manifest_xlsx
from settlement.papers.statement_papers import (
    consignor_statement_pdf,
    liquidator_statement_pdf,
    payout_advice_pdf,
)

# Goes into the digest of a document's facts: a document that is set in another way is another
# version of it. To be raised with every change of how documents look.
FORM: Final = 1


class Format(StrEnum):
    """As what a document comes."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        return _MEDIA[self]


_MEDIA: Final = {
    Format.PDF: "application/pdf",
    Format.XLSX: XLSX_TYPE,
    Format.CSV: CSV_TYPE,
}

_RENDERERS: Final[Mapping[tuple[type[Struct], Format], Callable[[Any], bytes]]] = {
    (contents.InvoiceContent, Format.PDF): invoice_pdf,
    (contents.CreditNoteContent, Format.PDF): credit_note_pdf,
    (contents.ManifestContent, Format.PDF): manifest_pdf,
    (contents.ManifestContent, Format.XLSX): manifest_xlsx,
    (contents.ManifestContent, Format.CSV): manifest_csv,
    (contents.LoadingContent, Format.PDF): loading_pdf,
    (contents.LabelsContent, Format.PDF): labels_pdf,
    (contents.LiquidatorStatement, Format.PDF): liquidator_statement_pdf,
    (contents.ConsignorStatement, Format.PDF): consignor_statement_pdf,
    (contents.PayoutAdvice, Format.PDF): payout_advice_pdf,
    (contents.EvidenceContent, Format.PDF): evidence_pdf,
}


def formats_of(content: type[Struct]) -> tuple[Format, ...]:
    """As what these facts can come."""
    return tuple(form for kind, form in _RENDERERS if kind is content)


def render(content: contents.Content, form: Format = Format.PDF) -> bytes:
    """The document. ``KeyError`` where these facts do not come as that."""
    return _RENDERERS[type(content), form](content)
