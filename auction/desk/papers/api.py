"""Papers over HTTP. Another liquidator's sale is answered as one that does not exist."""

import asyncio
from typing import Final

from aiohttp import web

from auction.desk.access import VIEW, sale_of, visible
from auction.desk.api_common import row
from auction.desk.papers.reading import Papers
from auction.desk.refusals import Refusal
from auction.ids import LiquidatorId, SaleId
from foundation.http.answers import bytes_answer
from foundation.http.routes import Media, Route

PDF_TYPE: Final = "application/pdf"


class PapersApi:
    """Handlers."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row(
                "GET",
                "/sales/{sale_id}/catalogue.pdf",
                self.catalogue,
                "The catalogue of a sale on paper, as buyers may see it; of a draft too",
                VIEW,
                Refusal.BUSY,
                answer=Media(PDF_TYPE),
            ),
            row(
                "GET",
                "/sales/{sale_id}/floor-tags.pdf",
                self.floor_tags,
                "Tags for its pallets, 4 x 6 inches each, with a QR code and a Code 128",
                VIEW,
                Refusal.TOO_MANY,
                Refusal.BUSY,
                answer=Media(PDF_TYPE),
            ),
        ]

    async def catalogue(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/catalogue.pdf."""
        owner, sale_id = await self._sale(request)
        body = await self._papers.catalogue(owner, sale_id)
        return await _document(request, body, f"catalogue-{sale_id}")

    async def floor_tags(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/floor-tags.pdf."""
        owner, sale_id = await self._sale(request)
        body = await self._papers.floor_tags(owner, sale_id)
        return await _document(request, body, f"floor-tags-{sale_id}")

    async def _sale(self, request: web.Request) -> tuple[LiquidatorId, SaleId]:
        sale_id = sale_of(request)
        return visible(request, await self._papers.owner_of(sale_id)), sale_id


async def _document(request: web.Request, body: bytes, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    # In a thread: the digest of a catalogue with photos takes some hundredths of a second.
    return await asyncio.to_thread(bytes_answer, request, body, PDF_TYPE, headers=headers)
