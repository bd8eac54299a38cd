"""The bundle of evidence that is sent to a bank whose customer disputes a payment, as PDF."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]

from settlement.papers.contents import EvidenceContent, Photo, Said
from settlement.papers.invoice_paper import write_invoice
from settlement.papers.loading_paper import write_loading
from settlement.papers.pages import MARGIN, Cell, Column, Sheets
from settlement.papers.styles import BODY, SMALL
from settlement.papers.words import amount, clock, figure, grouped, second

_ACCEPTED: Final = (
    Column("Accepted", 2.0),
    Column("By", 1.6),
    Column("From address", 1.3),
    Column("Version and SHA-256 of the terms", 3.0),
)
_BIDS: Final = (
    Column("When", 2.2),
    Column("Paddle", 0.8, right=True),
    Column("It came to", 1.2, right=True),
    Column("Leading then", 1.0, right=True),
    Column("Place in the log", 1.2, right=True),
)
_SAID: Final = (Column("When", 2.0), Column("Who", 1.6), Column("What", 4.3))
_PHOTO_HEIGHT: Final = 230.0


def evidence_pdf(content: EvidenceContent) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Evidence of a sale",
        number=content.number,
        made_at_us=content.as_of_us,
        running=content.buyer.name,
    )
    sheets.parties([("Buyer", content.buyer)])
    sheets.facts(content.facts, columns=3)
    sheets.text(f"SHA-256 of the manifest: {grouped(content.manifest_sha256)}", SMALL)
    _accepted(sheets, content)
    _bids(sheets, content)
    _happened(sheets, "What happened", content.happened, content.zone)
    sheets.turn()
    sheets.section(f"Invoice {content.invoice.number}", 100)
    write_invoice(sheets, content.invoice)
    for loading in content.loading:
        sheets.turn()
        sheets.section(f"Bill of lading {loading.number}", 100)
        write_loading(sheets, loading)
    if content.delivery:
        sheets.section("Proof of delivery", 60)
        sheets.listed(content.delivery)
    _happened(sheets, "Messages", content.messages, content.zone)
    _terms(sheets, content)
    if content.photos:
        sheets.section("Photos", _PHOTO_HEIGHT + 30)
    for photo in content.photos:
        _photo(sheets, photo, content.zone)
    return sheets.end()


def _accepted(sheets: Sheets, content: EvidenceContent) -> None:
    sheets.section("The terms that the buyer accepted", 60)
    if not content.acceptances:
        sheets.text("There is no record of an acceptance.")
        return
    sheets.table(_ACCEPTED)
    for one in content.acceptances:
        version = Cell(f"Version {one.version}", grouped(one.sha256))
        sheets.row([second(one.at_us, content.zone), one.person, one.address, version])
    sheets.end_table()


def _bids(sheets: Sheets, content: EvidenceContent) -> None:
    if not content.bids:
        return
    currency = content.currency
    sheets.section(f"The buyer's bids on the lot, in {currency}", 60)
    sheets.table(_BIDS)
    for bid in content.bids:
        sheets.row(
            [
                second(bid.at_us, content.zone),
                str(bid.paddle),
                figure(bid.price_minor, currency),
                "yes" if bid.leads else "no",
                f"{bid.position:,}",
            ]
        )
    sheets.end_table()
    last = content.bids[-1]
    sheets.text(f"The buyer's last bid brought the lot to {amount(last.price_minor, currency)}.")


def _happened(sheets: Sheets, title: str, lines: Sequence[Said], zone: str) -> None:
    if not lines:
        return
    sheets.section(title, 60)
    sheets.table(_SAID)
    for line in lines:
        sheets.row([clock(line.at_us, zone), line.actor, line.words])
    sheets.end_table()


def _terms(sheets: Sheets, content: EvidenceContent) -> None:
    if not content.accepted_words:
        return
    sheets.section("The words that were accepted", 60)
    sheets.listed(content.accepted_words, beside=120)


def _photo(sheets: Sheets, photo: Photo, zone: str) -> None:
    """A photo with its words; one that is damaged is named, and not shown."""
    said = photo.title if photo.at_us is None else f"{photo.title}, {clock(photo.at_us, zone)}"
    try:
        with Image.open(BytesIO(photo.data), formats=("JPEG",)) as picture:
            picture.verify()
        image = ImageReader(BytesIO(photo.data))
        wide, pixels = image.getSize()
    except Exception:  # noqa: BLE001 - whatever the bytes lead a decoder to; the paper says so
        sheets.text(f"{said} (the photo is damaged)", BODY)
        return
    scale = min(sheets.inner / wide, _PHOTO_HEIGHT / pixels)
    high = pixels * scale
    sheets.room(high + 26)
    sheets.canvas.drawImage(image, MARGIN, sheets.y - high, wide * scale, high)
    sheets.y -= high + 4
    sheets.text(said, SMALL, after=10)
