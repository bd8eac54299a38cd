"""/desk/import: a file is dropped, looked at as it was understood, and made into lots.

A file is read again when its columns are corrected; the form asks for it again, and where scripts
run it is still there. Nothing is in stock before somebody says how.
"""

import re
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, field

from accounts.http.common import word_of
from accounts.http.guard import require
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.catalog.goods import Condition
from auction.catalog.importing.bounds import MAX_FILE_BYTES
from auction.catalog.importing.vocabulary import FIELDS
from auction.catalog.words import count_words
from auction.desk.access import RUN, own_desk, own_seller
from auction.desk.api_common import REFUSALS
from auction.desk.imports import Making, Preview
from auction.desk.lot_drafts import LotDraft
from auction.desk.lots import MAX_AT_ONCE
from auction.desk.pages import mixes
from auction.desk.pages.navigation import TABS
from auction.desk.pages.room import IMPORT, LOTS, DeskPagesRoom, lot_path, show, status_of
from auction.desk.refusals import Refusal, Refused
from auction.ids import ABidderId, LiquidatorId
from auction.money import EXPONENTS
from foundation.http.forms import Form, Upload, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route

# The file and the fields around it.
_BODY_BYTES: Final = MAX_FILE_BYTES + 64 * 1_024
# Lines of each kind of a difference, and problems, that a page shows; all are counted.
SHOWN: Final = 100

Short = Annotated[str, Meta(max_length=120)]

FIELD_WORDS: Final = {
    "gtin": "UPC, EAN or GTIN",
    "lpn": "LPN",
    "unit_msrp": "MSRP of one",
    "extended_msrp": "MSRP of all",
    "item_number": "Item number",
    "weight_unit": "Unit of weight",
}
CURRENCIES: Final = tuple((code, code) for code in EXPONENTS)


class Uploading(Input):
    """A file. ``columns``: for each field ``field=header``, when somebody has looked at them."""

    file: Annotated[Upload, Meta(extra={"message": "Choose a file."})]
    currency: Annotated[str, Meta(pattern=rf"\A({'|'.join(EXPONENTS)})\Z")] = "USD"
    lot: Annotated[str, Meta(max_length=64)] = ""
    lot_column: Annotated[str, Meta(max_length=200)] = ""
    columns: Annotated[list[str], Meta(max_length=40)] = field(default_factory=list)


class MakingLots(Input):
    """How the lines become lots, and what is said of each."""

    making: Annotated[Making, Meta(extra={"message": "Choose how lines become lots."})]
    category: Short = ""
    source: Short = ""
    company: Short = ""
    street: Short = ""
    city: Short = ""
    region: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    postal_code: Annotated[str, Meta(pattern=r"\A[0-9]{5}\Z")] | None = None
    load: Short = ""
    consignor_id: ABidderId | None = None


class Replacing(Input):
    """The lot whose lines are replaced, as it was seen."""

    lot: Annotated[str, Meta(max_length=64)]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class ImportPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one, told = f"{IMPORT}/{{preview_id}}", REFUSALS.told
        return [
            Route("GET", IMPORT, told(self.show), "Import a manifest", RUN),
            Route("POST", IMPORT, told(self.upload), "Read a file", RUN, max_body=_BODY_BYTES),
            Route("GET", one, told(self.preview), "A manifest as it was understood", RUN),
            Route("POST", one, told(self.make), "Make lots of a manifest", RUN),
            Route("POST", f"{one}/replace", told(self.replace), "Replace a lot's manifest", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/import; ``lot``: whose manifest is to be replaced."""
        own_desk(request)
        lot = request.query.get("lot", "")[:64]
        return await self._form(request, blank(currency="USD", lot=lot))

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/import."""
        form = await form_of(request, Uploading)
        seller, given = own_seller(request), form.valid
        if given is None:
            return await self._form(request, form, 422)
        try:
            preview = await self._room.imports.read_file(
                seller,
                given.file.file_name,
                given.file.data,
                corrections=_corrections(given.columns),
                lot_column=given.lot_column,
                currency=given.currency,
            )
        except Refused as refused:
            told = form.refused("file", refused.message)
            return await self._form(request, told, status_of(refused))
        return see_other(_path(preview.preview_id, given.lot))

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """GET /desk/import/{preview_id}."""
        owner, preview_id = await self._owner(request)
        form = blank(making=_usual(await self._room.imports.preview(owner, preview_id)))
        return await self._preview(request, form)

    async def make(self, request: web.Request) -> web.StreamResponse:
        """POST /desk/import/{preview_id}."""
        form = await form_of(request, MakingLots)
        _, preview_id = await self._owner(request)
        seller, given = own_seller(request), form.valid
        if given is None:
            return await self._preview(request, form, 422)
        said = {name: getattr(given, name) for name in given.__struct_fields__ if name != "making"}
        try:
            made = await self._room.imports.make(seller, preview_id, given.making, LotDraft(**said))
        except Refused as refused:
            field = refused.field if refused.field in form.values else "making"
            told = form.refused(field, refused.message)
            return await self._preview(request, told, status_of(refused))
        words = f"{count_words(len(made), 'lot')} in stock, made of the manifest."
        return see_other(lot_path(made[0].draft_id) if len(made) == 1 else LOTS, words)

    async def replace(self, request: web.Request) -> web.StreamResponse:
        """POST .../replace."""
        form = await form_of(request, Replacing)
        _, preview_id = await self._owner(request)
        seller, given = own_seller(request), form.valid
        if given is None:
            raise NOT_FOUND()
        try:
            await self._room.imports.replace(seller, preview_id, given.lot, given.version)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(_path(preview_id, given.lot), refused.message, FlashKind.ERROR)
        return see_other(f"{lot_path(given.lot)}#manifest", "The manifest is replaced.")

    async def _owner(self, request: web.Request) -> tuple[LiquidatorId, str]:
        preview_id = word_of(request, "preview_id")
        owner = await self._room.imports.owner_of(preview_id)
        if owner is None:
            raise NOT_FOUND("It was used, or an hour has gone by. Choose the file again.")
        require(request, Action.RUN_SALE, OrganisationId(owner))
        return owner, preview_id

    async def _form(self, request: web.Request, form: Form[Any], status: int = 200) -> web.Response:
        return show(
            request,
            "import.html",
            status=status,
            tabs=TABS,
            form=form,
            currencies=CURRENCIES,
            most_mib=MAX_FILE_BYTES // 2**20,
        )

    async def _preview(
        self, request: web.Request, form: Form[Any], status: int = 200
    ) -> web.Response:
        owner, preview_id = await self._owner(request)
        read = await self._room.imports.preview(owner, preview_id)
        lot_id, lot, difference = request.query.get("lot", "").replace("\0", "")[:64], None, None
        if lot_id and read.importable:
            lot = await self._room.lots.read(owner, lot_id)
            difference = await self._room.imports.difference(owner, preview_id, lot_id)
        used = {column.field: column for column in read.columns}
        return show(
            request,
            "import_preview.html",
            status=status,
            form=form,
            read=read,
            used=used,
            all_fields=[(str(one), field_words(one)) for one in FIELDS],
            problems=(
                ("Errors", "bad", read.errors[:SHOWN], read.error_count),
                ("Warnings", "warn", read.warnings[:SHOWN], read.warning_count),
            ),
            conditions=mixes.counted(read.conditions, lambda grade: Condition(grade).on_pages),
            categories=mixes.valued(
                [
                    (name or "Category not known", part.units, part.retail_minor)
                    for name, part in read.categories.items()
                ],
                read.currency,
            ),
            makings=_makings(read),
            consignors=[
                (one.consignor_id, one.name)
                for one in await self._room.consignors.list(owner)
                if not one.hidden
            ],
            lot=lot,
            difference=difference,
            shown=SHOWN,
        )


def _corrections(columns: list[str]) -> dict[str, str]:
    """Field -> header, of what the form sent."""
    pairs = (column.partition("=") for column in columns)
    return {name: header for name, _, header in pairs if name in set(FIELDS)}


def field_words(name: str) -> str:
    """A field as people read it."""
    return FIELD_WORDS.get(name) or name.replace("_", " ").capitalize()


def confidence_words(confidence: float) -> str:
    """How sure the import is of a column."""
    return "sure" if confidence >= 0.9 else "likely" if confidence >= 0.6 else "a guess"


def _usual(read: Preview) -> str:
    """What most sellers would choose."""
    if read.lots:
        return str(Making.LOTS)
    return str(Making.PALLETS if len([name for name in read.pallets if name]) > 1 else Making.ONE)


def _makings(read: Preview) -> list[tuple[str, str, str]]:
    pallets = len([name for name in read.pallets if name])
    found = [(str(Making.ONE), "One lot", f"All {read.line_count:,} lines together.")]
    if pallets > 1:
        rest = ", and one of what lies on none" if "" in read.pallets else ""
        words = f"{count_words(pallets, 'lot')}{rest}."
        found.append((str(Making.PALLETS), "A lot for each pallet", words))
    if read.lots:
        words = f"{count_words(len(read.lots), 'lot')}, as the file's own column says."
        found.append((str(Making.LOTS), "A lot for each of the file's lots", words))
    if 1 < read.line_count <= MAX_AT_ONCE:
        words = f"{count_words(read.line_count, 'lot')}, such as cases of one article."
        found.append((str(Making.LINES), "A lot for each line", words))
    return found


def _path(preview_id: str, lot: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "", lot)
    return f"{IMPORT}/{preview_id}" + (f"?lot={plain}" if plain else "")
