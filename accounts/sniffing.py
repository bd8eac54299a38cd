"""What an uploaded document is, by its bytes: its name and declared type are only claims.

We never open one: it is kept, and handed to staff as a file that their browser will not run. So
it is enough to know that it is whole and of a kind that is no web page.
"""

from accounts.refusals import Refusal, Refused

# A scan of a page has some hundred kilobytes, a photo of one some megabytes.
LARGEST = 5 * 1024 * 1024

_PNG_HEAD, _PNG_TAIL = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG_HEAD, _JPEG_TAIL = b"\xff\xd8\xff", b"\xff\xd9"
_PDF_HEAD, _PDF_TAIL = b"%PDF-", b"%%EOF"
# Where readers look for them: some programs write a few bytes around.
_TAIL_WITHIN = 1_024


def media_type_of(data: bytes) -> str:
    """The media type. Raises `Refused`: DOCUMENT_TOO_LARGE, DOCUMENT_UNREADABLE."""
    if len(data) > LARGEST:
        raise Refused(Refusal.DOCUMENT_TOO_LARGE, field="document")
    tail = data[-_TAIL_WITHIN:]
    if data.startswith(_PDF_HEAD) and _PDF_TAIL in tail:
        return "application/pdf"
    if data.startswith(_PNG_HEAD) and data[12:16] == b"IHDR" and tail.endswith(_PNG_TAIL):
        return "image/png"
    if data.startswith(_JPEG_HEAD) and tail.rstrip(b"\0").endswith(_JPEG_TAIL):
        return "image/jpeg"
    raise Refused(Refusal.DOCUMENT_UNREADABLE, field="document")
