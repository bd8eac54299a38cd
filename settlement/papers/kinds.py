"""Which documents there are, what each is about, and why one is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from foundation.refusals import RefusedBecause
from settlement.papers import contents


class PaperKind(StrEnum):
    """A document; its subject is the id that follows."""

    INVOICE = "INVOICE"  # an invoice
    CREDIT_NOTE = "CREDIT_NOTE"  # the ledger's entry, or void:{award} of what was never paid
    MANIFEST = "MANIFEST"  # an award
    LOADING = "LOADING"  # a pickup: its release, and the bill of lading that it becomes
    LABELS = "LABELS"  # an award
    LIQUIDATOR_STATEMENT = "LIQUIDATOR_STATEMENT"  # a sale
    CONSIGNOR_STATEMENT = "CONSIGNOR_STATEMENT"  # {consignor}:2026-03, or with :EUR
    PAYOUT_ADVICE = "PAYOUT_ADVICE"  # the ledger's entry
    EVIDENCE = "EVIDENCE"  # an award


PREFIXES: Final[Mapping[PaperKind, str]] = {
    PaperKind.INVOICE: "INV",
    PaperKind.CREDIT_NOTE: "CN",
    PaperKind.MANIFEST: "MF",
    PaperKind.LOADING: "BOL",
    PaperKind.LABELS: "LB",
    PaperKind.LIQUIDATOR_STATEMENT: "ST",
    PaperKind.CONSIGNOR_STATEMENT: "CS",
    PaperKind.PAYOUT_ADVICE: "PA",
    PaperKind.EVIDENCE: "EV",
}

CONTENTS: Final[Mapping[PaperKind, type[Struct]]] = {
    PaperKind.INVOICE: contents.InvoiceContent,
    PaperKind.CREDIT_NOTE: contents.CreditNoteContent,
    PaperKind.MANIFEST: contents.ManifestContent,
    PaperKind.LOADING: contents.LoadingContent,
    PaperKind.LABELS: contents.LabelsContent,
    PaperKind.LIQUIDATOR_STATEMENT: contents.LiquidatorStatement,
    PaperKind.CONSIGNOR_STATEMENT: contents.ConsignorStatement,
    PaperKind.PAYOUT_ADVICE: contents.PayoutAdvice,
    PaperKind.EVIDENCE: contents.EvidenceContent,
}


def numbered(kind: PaperKind, number: int) -> str:
    """A document's number as people write it: ``INV-000123``."""
    return f"{PREFIXES[kind]}-{number:06}"


class PaperRefusal(StrEnum):
    """Why there is no document."""

    NOT_FOUND = "NOT_FOUND"
    NO_SUCH_FORM = "NO_SUCH_FORM"
    NOT_INVOICED = "NOT_INVOICED"
    NOT_FUNDED = "NOT_FUNDED"
    CANCELLED = "CANCELLED"
    NO_MANIFEST = "NO_MANIFEST"
    TOO_LONG = "TOO_LONG"
    BUSY = "BUSY"
    BAD_HOUSE = "BAD_HOUSE"


MEANINGS: Final[Mapping[PaperRefusal, str]] = {
    PaperRefusal.NOT_FOUND: "There is no such document.",
    PaperRefusal.NO_SUCH_FORM: "The document does not come in this format.",
    PaperRefusal.NOT_INVOICED: "The lot is not invoiced yet.",
    PaperRefusal.NOT_FUNDED: "The lot is not paid yet: its manifest and address come with payment.",
    PaperRefusal.CANCELLED: "The lot was cancelled.",
    PaperRefusal.NO_MANIFEST: "The lot was sold without a manifest.",
    PaperRefusal.TOO_LONG: "The document would be too long. Ask for a shorter period.",
    PaperRefusal.BUSY: "Other documents are being made. Try again in a moment.",
    PaperRefusal.BAD_HOUSE: "The house cannot be printed like this.",
}


class Refused(RefusedBecause[PaperRefusal]):
    """There is no document, for this reason."""

    meanings = MEANINGS
