"""Uploads of manifests over HTTP: look at one, correct its columns, make lots of it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import word_of
from auction.catalog.goods import ManifestLine
from auction.catalog.importing.bounds import MAX_FILE_BYTES
from auction.catalog.importing.changes import ChangedLine, Difference
from auction.desk.access import RUN, VIEW, draft_of, own_seller, seller_of, visible
from auction.desk.api_common import DESK, DeskLot, DeskLots, DraftId, lot_shown, lots_shown, row
from auction.desk.imports import MAX_FILE_NAME, Imports, Making, Preview
from auction.desk.lot_drafts import LotDraft
from auction.desk.refusals import Refusal
from auction.ids import LiquidatorId
from auction.money import EXPONENTS
from auction.terms import STORABLE
from foundation.http.answers import answer, created
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, file_of, query_of
from foundation.http.routes import Media, Route
from foundation.http.versions import version_seen

FILE: Final = "application/octet-stream"
# Lines of each kind that an answer shows; all are counted.
SHOWN: Final = 200

Header = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
Correction = Annotated[str, Meta(max_length=260, pattern=r"\A[a-z_]{1,40}=[^\x00\ud800-\udfff]*\Z")]


OwnerOf = Callable[[str], Awaitable[LiquidatorId | None]]


class Uploading(Input):
    """How a file is to be read.

    ``correction``: field=header, once for each column that was understood wrongly, an empty header
    for none; they are remembered. ``lot_column``: the header of the sender's own lot numbers.
    ``currency``: of amounts that name none.
    """

    file_name: Annotated[str, Meta(max_length=MAX_FILE_NAME, pattern=STORABLE)] = ""
    correction: Annotated[tuple[Correction, ...], Meta(max_length=40)] = ()
    lot_column: Header = ""
    currency: Annotated[str, Meta(pattern=rf"\A({'|'.join(EXPONENTS)})\Z")] = "USD"


class MakingLots(Input):
    """How lines become lots, and what is said of each of them."""

    making: Making
    words: LotDraft = LotDraft()


class AgainstDraft(Input):
    """The draft whose lines the file's would replace."""

    draft_id: DraftId


class Replacing(Input):
    """The file whose lines replace the draft's."""

    preview_id: DraftId


class FieldChanged(Struct, frozen=True):
    """A field of a line that says something else."""

    field: str
    before: str | int | None
    after: str | int | None


class LineChanged(Struct, frozen=True):
    """A line as it will be, and what of it says something else."""

    line: ManifestLine
    fields: Sequence[FieldChanged]


class LineChanges(Struct, frozen=True, kw_only=True):
    """What a file changes of a manifest; of each kind the first lines are shown, all are counted.

    Lines that only moved are unchanged.
    """

    added: int
    removed: int
    changed: int
    unchanged: int
    added_lines: Sequence[ManifestLine]
    removed_lines: Sequence[ManifestLine]
    changed_lines: Sequence[LineChanged]


class ReplacedLines(Struct, frozen=True):
    """The draft with its new lines, and what they changed."""

    lot: DeskLot
    changes: LineChanges


class ImportsApi:
    """Handlers."""

    def __init__(self, imports: Imports, owner_of_lot: OwnerOf) -> None:
        self._imports, self._owner_of_lot = imports, owner_of_lot

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/imports/{preview_id}"
        return [
            row(
                "POST",
                "/imports",
                self.read_file,
                "Read a manifest, CSV or XLSX; what was understood is kept for an hour",
                RUN,
                *(Refusal.NOT_FOUND, Refusal.UNREADABLE_FILE),
                takes=Media(FILE),
                query=Uploading,
                answer=Preview,
                status=201,
                max_body=MAX_FILE_BYTES,
            ),
            row("GET", one, self.preview, "A manifest that was read", VIEW, answer=Preview),
            row(
                "POST",
                f"{one}/lots",
                self.make_lots,
                "Make lots of a manifest that was read, which is used up",
                RUN,
                Refusal.BAD_LINES,
                Refusal.NO_PALLETS,
                Refusal.NO_LOT_COLUMN,
                *(Refusal.TOO_MANY, Refusal.UNKNOWN_CONSIGNOR, Refusal.UNKNOWN_AGREEMENT),
                body=MakingLots,
                answer=DeskLots,
                status=201,
            ),
            row(
                "GET",
                f"{one}/changes",
                self.changes,
                "What a manifest that was read would change of a draft's",
                VIEW,
                Refusal.BAD_LINES,
                query=AgainstDraft,
                answer=LineChanges,
            ),
            row(
                "PUT",
                "/lots/{draft_id}/import",
                self.replace_with_import,
                "Replace the lines of a draft with a manifest that was read, which is used up",
                RUN,
                Refusal.PUBLISHED_ALREADY,
                Refusal.BAD_LINES,
                Refusal.DIFFERENT_CURRENCIES,
                seen=True,
                body=Replacing,
                answer=ReplacedLines,
            ),
        ]

    async def read_file(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/imports."""
        asked, by = query_of(request, Uploading), own_seller(request)
        corrections = dict(one.split("=", 1) for one in asked.correction)
        if len(corrections) != len(asked.correction):
            raise INVALID("A field is corrected twice.", place="?correction")
        preview = await self._imports.read_file(
            by,
            asked.file_name,
            await file_of(request, FILE),
            corrections=corrections,
            lot_column=asked.lot_column,
            currency=asked.currency,
        )
        return created(request, preview, f"{DESK}/imports/{preview.preview_id}")

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/imports/{preview_id}."""
        preview_id = _preview_of(request)
        owner = visible(request, await self._imports.owner_of(preview_id))
        return answer(request, await self._imports.preview(owner, preview_id))

    async def make_lots(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/imports/{preview_id}/lots."""
        asked, preview_id = await body_of(request, MakingLots), _preview_of(request)
        by = seller_of(request, await self._imports.owner_of(preview_id))
        lots = await self._imports.make(by, preview_id, asked.making, asked.words)
        return answer(request, lots_shown(lots), status=201)

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/imports/{preview_id}/changes."""
        asked, preview_id = query_of(request, AgainstDraft), _preview_of(request)
        owner = visible(request, await self._imports.owner_of(preview_id))
        found = await self._imports.difference(owner, preview_id, asked.draft_id)
        return answer(request, _shown(found))

    async def replace_with_import(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/lots/{draft_id}/import."""
        version, asked = version_seen(request), await body_of(request, Replacing)
        by = seller_of(request, await self._owner_of_lot(draft_of(request)))
        lot, found = await self._imports.replace(by, asked.preview_id, draft_of(request), version)
        return answer(request, ReplacedLines(lot_shown(lot), _shown(found)))


def _preview_of(request: web.Request) -> str:
    return word_of(request, "preview_id")


def _shown(found: Difference) -> LineChanges:
    return LineChanges(
        added=len(found.added),
        removed=len(found.removed),
        changed=len(found.changed),
        unchanged=found.unchanged,
        added_lines=found.added[:SHOWN],
        removed_lines=found.removed[:SHOWN],
        changed_lines=[_line_changed(change) for change in found.changed[:SHOWN]],
    )


def _line_changed(change: ChangedLine) -> LineChanged:
    before, after = change.before, change.after
    fields = [
        FieldChanged(one.field, getattr(before, one.field), getattr(after, one.field))
        for one in change.fields
    ]
    return LineChanged(after, fields)
