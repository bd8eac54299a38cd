"""The facts of each kind of document, read by its subject."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from foundation.database import AnyConnection
from settlement.ids import AwardId
from settlement.papers.contents import Content
from settlement.papers.kinds import PaperKind
from settlement.papers.numbering import give_number
from settlement.papers.reading_dock import (
    labels_content,
    loading_content,
    loadings_of,
    number_pallets,
)
from settlement.papers.reading_evidence import evidence_content
from settlement.papers.reading_payouts import payout_advice
from settlement.papers.reading_purchases import (
    credit_note_content,
    invoice_content,
    manifest_content,
)
from settlement.papers.reading_sellers import consignor_statement, liquidator_statement

_READERS: Final[Mapping[PaperKind, Callable[[AnyConnection, Any], Awaitable[Content]]]] = {
    PaperKind.INVOICE: invoice_content,
    PaperKind.CREDIT_NOTE: credit_note_content,
    PaperKind.MANIFEST: manifest_content,
    PaperKind.LOADING: loading_content,
    PaperKind.LABELS: labels_content,
    PaperKind.LIQUIDATOR_STATEMENT: liquidator_statement,
    PaperKind.CONSIGNOR_STATEMENT: consignor_statement,
    PaperKind.PAYOUT_ADVICE: payout_advice,
    PaperKind.EVIDENCE: evidence_content,
}


async def prepare(connection: AnyConnection, kind: PaperKind, subject: str, now_us: int) -> None:
    """Write what has to be there before a document can be made. In a transaction."""
    if kind is PaperKind.LABELS:
        await number_pallets(connection, AwardId(subject), now_us)
    if kind is PaperKind.EVIDENCE:  # which has the bills of lading in it, by their numbers
        for truck in await loadings_of(connection, AwardId(subject)):
            await give_number(connection, PaperKind.LOADING, truck)


async def content_of(connection: AnyConnection, kind: PaperKind, subject: str) -> Content:
    """The facts as they are now; without the document's number. Raises `Refused`."""
    return await _READERS[kind](connection, subject)
