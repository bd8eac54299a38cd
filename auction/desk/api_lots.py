"""Lots before a sale, over HTTP."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from auction.catalog.goods import ManifestLine
from auction.desk.access import RUN, VIEW, draft_of, own_seller, seller_of, visible
from auction.desk.api_common import (
    DESK,
    DeskLot,
    DeskLots,
    DeskPaging,
    DraftId,
    lot_shown,
    lots_shown,
    row,
    wanted_desk,
)
from auction.desk.lot_changes import LotChanges
from auction.desk.lot_drafts import LotDraft
from auction.desk.lots import MAX_AT_ONCE, Lots, SeenLot
from auction.desk.refusals import Refusal
from auction.desk.seller import Seller
from auction.desk.suggesting import Suggestion
from auction.ids import LiquidatorId
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from foundation.http.versions import version_seen

# Lines as JSON: what is longer comes as a file, and is read in a child process.
MAX_JSON_LINES: Final = 2_500
MAX_LINES_BODY: Final = 1_024 * 1_024
# A thousand ids with versions.
MAX_IDS_BODY: Final = 128 * 1_024


class NewLot(Input):
    """A draft, with its manifest if there is one."""

    draft: LotDraft
    lines: Annotated[tuple[ManifestLine, ...], Meta(max_length=MAX_JSON_LINES)] = ()


class NewLines(Input):
    """A whole manifest: lines numbered from 1."""

    lines: Annotated[list[ManifestLine], Meta(min_length=1, max_length=MAX_JSON_LINES)]


class ManyChanges(Input):
    """The same fields of several drafts, each as it was seen."""

    lots: Annotated[list[SeenLot], Meta(min_length=1, max_length=MAX_AT_ONCE)]
    changes: LotChanges


class Joining(Input):
    """Drafts in stock that become one; the first gives its title."""

    draft_ids: Annotated[list[DraftId], Meta(min_length=2, max_length=100)]


class Bundling(Input):
    """Drafts in stock that join another one."""

    draft_ids: Annotated[list[DraftId], Meta(min_length=1, max_length=100)]


class Copying(Input):
    """``lines``: with the same articles, without what tells single pieces apart."""

    lines: bool = False


class StockKey(Struct, frozen=True):
    """The place of a draft in the stock."""

    draft_id: str


class DraftLineKey(Struct, frozen=True):
    """The place of a line in a draft's manifest."""

    line: int


class LotsApi:
    """Handlers."""

    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def routes(self) -> list[Route]:
        """Their rows."""
        lots, lot = "/lots", "/lots/{draft_id}"
        published = Refusal.PUBLISHED_ALREADY
        whose = (Refusal.UNKNOWN_CONSIGNOR, Refusal.UNKNOWN_AGREEMENT)
        together = (
            Refusal.NOT_FOUND,
            Refusal.NOT_IN_STOCK,
            Refusal.DIFFERENT_CURRENCIES,
            Refusal.DIFFERENT_CONSIGNORS,
            Refusal.TOO_MANY,
        )
        return [
            row(
                "GET",
                lots,
                self.stock,
                "Drafts of lots that are in no sale",
                VIEW,
                Refusal.NOT_FOUND,
                query=DeskPaging,
                answer=Listing[DeskLot],
                problems=(INVALID,),
            ),
            row(
                "POST",
                lots,
                self.add_lot,
                "A new draft of a lot",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.BAD_LINES, Refusal.TOO_MANY, *whose),
                body=NewLot,
                answer=DeskLot,
                status=201,
                max_body=MAX_LINES_BODY,
            ),
            row(
                "POST",
                "/lot-changes",
                self.change_lots,
                "Change the same fields of several drafts, all or none",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.CHANGED_MEANWHILE, published, *whose),
                body=ManyChanges,
                answer=DeskLots,
                max_body=MAX_IDS_BODY,
            ),
            row(
                "POST",
                "/lot-joins",
                self.join_lots,
                "Make one draft of several, instead of them",
                RUN,
                *together,
                body=Joining,
                answer=DeskLot,
                status=201,
            ),
            row("GET", lot, self.lot, "A draft of a lot", VIEW, answer=DeskLot),
            row(
                "PUT",
                lot,
                self.change_lot,
                "Replace what a draft says",
                RUN,
                *(published, *whose),
                seen=True,
                body=LotDraft,
                answer=DeskLot,
            ),
            row(
                "PATCH",
                lot,
                self.change_fields,
                "Change some fields of a draft",
                RUN,
                *(published, *whose),
                seen=True,
                body=LotChanges,
                answer=DeskLot,
            ),
            row(
                "DELETE",
                lot,
                self.remove_lot,
                "Take a draft away",
                RUN,
                published,
                seen=True,
                status=204,
            ),
            row(
                "POST",
                f"{lot}/undo",
                self.undo_lot,
                "Take back the last change of what a draft says",
                RUN,
                *(published, Refusal.NOTHING_TO_UNDO),
                seen=True,
                answer=DeskLot,
            ),
            row(
                "POST",
                f"{lot}/bring-back",
                self.bring_lot_back,
                "Bring back a draft that was taken away, split or joined",
                RUN,
                Refusal.GOODS_ELSEWHERE,
                answer=DeskLot,
            ),
            row(
                "POST",
                f"{lot}/copy",
                self.copy_lot,
                "A new draft with the same words",
                RUN,
                Refusal.TOO_MANY,
                body=Copying,
                answer=DeskLot,
                status=201,
            ),
            row(
                "POST",
                f"{lot}/split",
                self.split_lot,
                "A draft for each pallet that its lines name, instead of it",
                RUN,
                *(Refusal.NOT_IN_STOCK, Refusal.NO_PALLETS, Refusal.TOO_MANY),
                seen=True,
                answer=DeskLots,
                status=201,
            ),
            row(
                "POST",
                f"{lot}/bundle",
                self.bundle_lots,
                "Join slow lots with this one, under its words",
                RUN,
                *together,
                body=Bundling,
                answer=DeskLot,
                status=201,
            ),
            row(
                "GET",
                f"{lot}/lines",
                self.lines_of_lot,
                "The manifest of a draft",
                VIEW,
                query=Paging,
                answer=Listing[ManifestLine],
                problems=(INVALID,),
            ),
            row(
                "PUT",
                f"{lot}/lines",
                self.replace_lines,
                "Replace the manifest of a draft",
                RUN,
                *(published, Refusal.BAD_LINES),
                seen=True,
                body=NewLines,
                answer=DeskLot,
                max_body=MAX_LINES_BODY,
            ),
            row(
                "GET",
                f"{lot}/suggestion",
                self.suggest_words,
                "Title, description, category and source that its lines suggest",
                VIEW,
                answer=Suggestion,
            ),
        ]

    async def stock(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots."""
        asked = query_of(request, DeskPaging)
        key = key_of_cursor(asked.cursor, StockKey)
        owner = wanted_desk(request, asked)
        after = "" if key is None else key.draft_id
        found = await self._lots.stock(owner, after, asked.limit + 1)
        page = listing(found, asked.limit, lot_shown, lambda lot: StockKey(lot.draft_id))
        return answer(request, page)

    async def add_lot(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots."""
        asked = await body_of(request, NewLot)
        lot = await self._lots.create(own_seller(request), asked.draft, asked.lines)
        return created(request, lot_shown(lot), f"{DESK}/lots/{lot.draft_id}")

    async def change_lots(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lot-changes."""
        asked = await body_of(request, ManyChanges)
        changed = await self._lots.change_many(own_seller(request), asked.lots, asked.changes)
        return answer(request, lots_shown(changed))

    async def join_lots(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lot-joins."""
        asked = await body_of(request, Joining)
        lot = await self._lots.join(own_seller(request), asked.draft_ids)
        return created(request, lot_shown(lot), f"{DESK}/lots/{lot.draft_id}")

    async def lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots/{draft_id}."""
        lot = await self._lots.read(await self._visible(request), draft_of(request))
        return answer(request, lot_shown(lot), version=lot.version)

    async def change_lot(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/lots/{draft_id}."""
        version, words = version_seen(request), await body_of(request, LotDraft)
        by = await self._seller(request)
        lot = await self._lots.change(by, draft_of(request), version, words)
        return answer(request, lot_shown(lot))

    async def change_fields(self, request: web.Request) -> web.StreamResponse:
        """PATCH /api/v1/desk/lots/{draft_id}."""
        version, changes = version_seen(request), await body_of(request, LotChanges)
        by = await self._seller(request)
        lot = await self._lots.change(by, draft_of(request), version, changes)
        return answer(request, lot_shown(lot))

    async def remove_lot(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/v1/desk/lots/{draft_id}."""
        version, by = version_seen(request), await self._seller(request)
        await self._lots.remove(by, draft_of(request), version)
        return no_content()

    async def undo_lot(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/undo."""
        version, by = version_seen(request), await self._seller(request)
        return answer(request, lot_shown(await self._lots.undo(by, draft_of(request), version)))

    async def bring_lot_back(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/bring-back."""
        by = await self._seller(request)
        return answer(request, lot_shown(await self._lots.bring_back(by, draft_of(request))))

    async def copy_lot(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/copy."""
        asked, by = await body_of(request, Copying), await self._seller(request)
        lot = await self._lots.copy(by, draft_of(request), lines=asked.lines)
        return created(request, lot_shown(lot), f"{DESK}/lots/{lot.draft_id}")

    async def split_lot(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/split."""
        version, by = version_seen(request), await self._seller(request)
        parts = await self._lots.split(by, draft_of(request), version)
        return answer(request, lots_shown(parts), status=201)

    async def bundle_lots(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/lots/{draft_id}/bundle."""
        asked, by = await body_of(request, Bundling), await self._seller(request)
        lot = await self._lots.bundle(by, draft_of(request), asked.draft_ids)
        return created(request, lot_shown(lot), f"{DESK}/lots/{lot.draft_id}")

    async def lines_of_lot(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots/{draft_id}/lines."""
        asked = query_of(request, Paging)
        key = key_of_cursor(asked.cursor, DraftLineKey)
        owner, after = await self._visible(request), 0 if key is None else key.line
        lines = await self._lots.lines(owner, draft_of(request), after, asked.limit + 1)
        page = listing(lines, asked.limit, lambda line: line, lambda line: DraftLineKey(line.line))
        return answer(request, page)

    async def replace_lines(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/lots/{draft_id}/lines."""
        version, asked = version_seen(request), await body_of(request, NewLines)
        by = await self._seller(request)
        lot = await self._lots.replace_lines(by, draft_of(request), version, asked.lines)
        return answer(request, lot_shown(lot))

    async def suggest_words(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/lots/{draft_id}/suggestion."""
        owner = await self._visible(request)
        return answer(request, await self._lots.suggest(owner, draft_of(request)))

    async def _visible(self, request: web.Request) -> LiquidatorId:
        return visible(request, await self._lots.owner_of(draft_of(request)))

    async def _seller(self, request: web.Request) -> Seller:
        return seller_of(request, await self._lots.owner_of(draft_of(request)))
