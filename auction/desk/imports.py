"""From an uploaded file to drafts of lots: looked at first, then made into lots once.

A file is read in a child process (``catalog.importing``). What was read is kept for an hour as a
*preview*; making lots of it uses it up in the same transaction, so that its goods are there once
however often somebody clicks. A person's corrections of columns are remembered by the headers, for
the liquidator's next file of that make.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Raw, Struct, structs

from accounts.ids import new_id
from auction.catalog.goods import Condition, ManifestLine
from auction.catalog.importing.changes import Difference, diff
from auction.catalog.importing.faults import Problem, Unreadable
from auction.catalog.importing.importer import Importer, TooManyImports
from auction.catalog.importing.results import CategorySum, ColumnUsed, Head, Manifest
from auction.catalog.importing.vocabulary import Field
from auction.desk.agreements import book_of
from auction.desk.joining import MAX_PALLETS, grouped, part_of
from auction.desk.lot_drafts import DraftedLot, LotDraft, Origin, add_lot, change_lines, read_lot
from auction.desk.lot_lines import decoded, read_lines
from auction.desk.lots import MAX_AT_ONCE
from auction.desk.owning import owner_by
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.desk.suggesting import suggestion
from auction.ids import LiquidatorId
from auction.terms import LotKind
from foundation.database import AnyConnection, Pool, acquire, transaction

KEPT_US: Final = 3_600 * 1_000_000
# Of one liquidator; the oldest goes.
MOST_KEPT: Final = 20
MAX_FILE_NAME: Final = 200
# Lines that a person looks at to see whether the columns are right.
SHOWN_LINES: Final = 50
# Headers under which sellers number lots of their own.
_LOT_HEADER: Final = re.compile(
    r"(?:auction|sale)?\s*lots?\s*[._#-]?\s*(?:id|no|nr|num|number|#)?\.?", re.IGNORECASE
)


class Making(StrEnum):
    """How lines become lots."""

    ONE = "ONE"  # all in one
    PALLETS = "PALLETS"  # one for each pallet that they name
    LOTS = "LOTS"  # one for each value of the file's own column of lots
    LINES = "LINES"  # one for each line


class Kept(Struct, frozen=True):
    """What was read. ``groups``: for each line the lot that the file's own column says."""

    file_name: str
    manifest: Manifest
    groups: list[str]


class _StoredManifest(Struct, frozen=True):
    head: Head
    lines: list[Raw]
    rows: list[int]
    errors: list[Problem]
    warnings: list[Problem]


class _Stored(Struct, frozen=True):
    """``Kept`` with its lines still packed."""

    file_name: str
    manifest: _StoredManifest
    groups: list[str]


class Preview(Struct, frozen=True, kw_only=True):
    """A file as it was understood; ``importable``: without errors.

    ``lines`` are the first of ``line_count``. ``pallets`` and ``lots``: lines by the pallet, and by
    the lot of the file's own column; ``lot_columns``: headers that look like such a column.
    ``remembered``: corrections of an earlier file with these headers were used.
    """

    preview_id: str
    until_us: int
    file_name: str
    importable: bool
    kind: str
    sheets: Sequence[str]
    headers: Sequence[str]
    columns: Sequence[ColumnUsed]
    unused: Sequence[str]
    lot_columns: Sequence[str]
    remembered: bool
    currency: str
    line_count: int
    units: int
    retail_minor: int
    gtins_valid: int
    condition: Condition | None
    conditions: Mapping[str, int]
    categories: Mapping[str, CategorySum]
    pallets: Mapping[str, int]
    lots: Mapping[str, int]
    lines: Sequence[ManifestLine]
    errors: Sequence[Problem]
    error_count: int
    warnings: Sequence[Problem]
    warning_count: int
    notes: Sequence[str]


_KEEP: Final = """
insert into manifest_preview (preview_id, liquidator_id, content, until_us) values ($1, $2, $3, $4)
"""

_TIDY: Final = """
delete from manifest_preview where until_us <= $2 or preview_id in (
    select preview_id from manifest_preview where liquidator_id = $1
    order by until_us desc offset $3
)
"""

_READ: Final = """
select content, until_us from manifest_preview
where preview_id = $1 and liquidator_id = $2 and until_us > $3
"""

_USE_UP: Final = """
delete from manifest_preview where preview_id = $1 and liquidator_id = $2 and until_us > $3
returning content
"""

_REMEMBER: Final = """
insert into column_memory (liquidator_id, signature, corrections, changed_at_us)
values ($1, $2, $3::jsonb, $4)
on conflict (liquidator_id, signature) do update set
corrections = excluded.corrections, changed_at_us = excluded.changed_at_us
"""

_MEMORY: Final = """
select corrections from column_memory where liquidator_id = $1 and signature = $2
"""


class Imports:
    """Uploads. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, importer: Importer, now_us: Callable[[], int]) -> None:
        self._pool, self._importer, self._now_us = pool, importer, now_us

    async def owner_of(self, preview_id: str) -> LiquidatorId | None:
        """Whose upload it was; ``None``: there is none."""
        return await owner_by(
            self._pool,
            "select liquidator_id from manifest_preview where preview_id = $1",
            preview_id,
        )

    async def read_file(
        self,
        seller: Seller,
        file_name: str,
        data: bytes,
        *,
        corrections: Mapping[str, str],
        lot_column: str = "",
        currency: str | None = None,
    ) -> Preview:
        """A file as it is understood, kept for an hour.

        ``corrections``: field -> header, "" for none; they are remembered. Without any, those of
        an earlier file with the same headers hold. Raises `Refused` UNREADABLE_FILE, BUSY.
        """
        owner, remembered = seller.liquidator_id, dict[str, str]()
        manifest = await self._read(data, corrections, currency)
        if corrections:
            await self._remember(owner, manifest.signature, corrections)
        elif remembered := await self._memory(owner, manifest.signature):
            manifest = await self._read(data, remembered, currency)
        groups: list[str] = []
        if lot_column:
            groups = await self._groups(data, manifest, corrections or remembered, lot_column)
        kept = Kept(file_name[:MAX_FILE_NAME], manifest, groups)
        preview_id, until_us = new_id("preview"), self._now_us() + KEPT_US
        content = await asyncio.to_thread(msgspec.msgpack.encode, kept)
        async with transaction(self._pool) as connection:
            await connection.execute(_KEEP, preview_id, owner, content, until_us)
            await connection.execute(_TIDY, owner, self._now_us(), MOST_KEPT)
        # Sums over 20,000 lines take a tenth of a second: not on the loop.
        return await asyncio.to_thread(
            _preview, kept, preview_id, until_us, remembered=bool(remembered)
        )

    async def preview(self, liquidator_id: LiquidatorId, preview_id: str) -> Preview:
        """A file that was read. Raises `Refused` NOT_FOUND."""
        kept, until_us = await self._kept(liquidator_id, preview_id)
        return await asyncio.to_thread(_preview, kept, preview_id, until_us, remembered=False)

    async def make(
        self, seller: Seller, preview_id: str, making: Making, words: LotDraft
    ) -> list[DraftedLot]:
        """Lots in stock of what was read, which is used up. ``words``: what is said of each.

        Blank words are filled with what its lines suggest. Raises `Refused` NOT_FOUND, BAD_LINES,
        NO_PALLETS, NO_LOT_COLUMN, TOO_MANY, UNKNOWN_CONSIGNOR, UNKNOWN_AGREEMENT.
        """
        owner, actor_id, now_us = seller.liquidator_id, seller.actor_id, self._now_us()
        async with transaction(self._pool) as connection:
            kept = await _used_up(connection, owner, preview_id, now_us)
            said = structs.replace(words, currency=kept.manifest.head.currency)
            said = (await book_of(connection, owner, [said], now_us)).bound(None, said)
            parts = await asyncio.to_thread(_parts, kept, making, said)
            made: list[DraftedLot] = []
            for draft, lines, origin in parts:
                added = await add_lot(connection, owner, draft, lines, origin, actor_id, now_us)
                made.append(await read_lot(connection, owner, added))
            return made

    async def difference(
        self, liquidator_id: LiquidatorId, preview_id: str, draft_id: str
    ) -> Difference:
        """What the file would change of a draft's lines. Raises `Refused` NOT_FOUND, BAD_LINES."""
        kept, _ = await self._kept(liquidator_id, preview_id)
        async with acquire(self._pool) as connection:
            await read_lot(connection, liquidator_id, draft_id)
            before = await read_lines(connection, draft_id)
        return await asyncio.to_thread(diff, before, _lines_of(kept))

    async def replace(
        self, seller: Seller, preview_id: str, draft_id: str, version: int
    ) -> tuple[DraftedLot, Difference]:
        """The file's lines in place of a draft's, and what that changed; it is used up.

        Raises `Refused` NOT_FOUND, BAD_LINES, CHANGED_MEANWHILE, PUBLISHED_ALREADY,
        DIFFERENT_CURRENCIES.
        """
        owner, actor_id, now_us = seller.liquidator_id, seller.actor_id, self._now_us()
        async with transaction(self._pool) as connection:
            lot = await read_lot(connection, owner, draft_id, lock=True)
            kept = await _used_up(connection, owner, preview_id, now_us)
            lines = _lines_of(kept)
            if kept.manifest.head.currency != lot.draft.currency:
                raise Refused(Refusal.DIFFERENT_CURRENCIES)
            before = await read_lines(connection, draft_id)
            await change_lines(connection, lot, version, lines, actor_id, now_us)
            changed = await read_lot(connection, owner, draft_id)
        return changed, await asyncio.to_thread(diff, before, lines)

    async def _kept(self, liquidator_id: LiquidatorId, preview_id: str) -> tuple[Kept, int]:
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_READ, preview_id, liquidator_id, self._now_us())
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        return await asyncio.to_thread(_unpacked, row["content"]), row["until_us"]

    async def _read(
        self, data: bytes, corrections: Mapping[str, str], currency: str | None
    ) -> Manifest:
        try:
            return await self._importer.read(data, corrections=corrections, currency=currency)
        except Unreadable as fault:
            place = f" (line {fault.line})" if fault.line else ""
            raise Refused(Refusal.UNREADABLE_FILE, detail=f"{fault}{place}.") from None
        except TooManyImports:
            raise Refused(Refusal.BUSY) from None

    async def _groups(
        self, data: bytes, manifest: Manifest, corrections: Mapping[str, str], lot_column: str
    ) -> list[str]:
        """For each line what its column of lots says: read once more as if it named pallets."""
        if not manifest.importable:
            return []
        as_pallets = {**corrections, Field.PALLET.value: lot_column}
        again = await self._read(data, as_pallets, manifest.head.currency)
        # The same file, the same lines; were they not, it would name no lots.
        return [line.pallet for line in again.lines] if again.rows == manifest.rows else []

    async def _remember(
        self, liquidator_id: LiquidatorId, signature: str, corrections: Mapping[str, str]
    ) -> None:
        text = msgspec.json.encode(corrections).decode()
        async with acquire(self._pool) as connection:
            await connection.execute(_REMEMBER, liquidator_id, signature, text, self._now_us())

    async def _memory(self, liquidator_id: LiquidatorId, signature: str) -> dict[str, str]:
        async with acquire(self._pool) as connection:
            text = await connection.fetchval(_MEMORY, liquidator_id, signature)
        return {} if text is None else msgspec.json.decode(text, type=dict[str, str])


async def _used_up(
    connection: AnyConnection, liquidator_id: LiquidatorId, preview_id: str, now_us: int
) -> Kept:
    content = await connection.fetchval(_USE_UP, preview_id, liquidator_id, now_us)
    if content is None:
        raise Refused(Refusal.NOT_FOUND)
    return await asyncio.to_thread(_unpacked, content)


def _unpacked(content: bytes) -> Kept:
    stored = msgspec.msgpack.decode(content, type=_Stored)
    manifest = Manifest(
        **(structs.asdict(stored.manifest) | {"lines": decoded(stored.manifest.lines)})
    )
    return Kept(stored.file_name, manifest, stored.groups)


def _lines_of(kept: Kept) -> list[ManifestLine]:
    if not kept.manifest.importable:
        count = kept.manifest.head.error_count
        raise Refused(Refusal.BAD_LINES, detail=f"The file has {count:,} errors. Mend them first.")
    return kept.manifest.lines


def _parts(
    kept: Kept, making: Making, words: LotDraft
) -> list[tuple[LotDraft, list[ManifestLine], Origin]]:
    """The lots that the lines become, in the order of the file."""
    lines = _lines_of(kept)
    match making:
        case Making.ONE:
            parts = {"": lines}
        case Making.PALLETS:
            parts = grouped(lines, [line.pallet for line in lines])
            if len(parts) == 1 and "" in parts:
                raise Refused(Refusal.NO_PALLETS)
        case Making.LOTS:
            if not kept.groups:
                raise Refused(Refusal.NO_LOT_COLUMN)
            parts = grouped(lines, kept.groups)
        case Making.LINES:
            parts = grouped(lines, [str(line.line) for line in lines])
    if len(parts) > MAX_AT_ONCE:
        raise Refused(Refusal.TOO_MANY, detail=f"At most {MAX_AT_ONCE:,} lots at once.")
    return [
        (
            _filled(_draft_of(words, making, group, part), part),
            part,
            Origin(
                file=kept.file_name,
                pallet=group if making is Making.PALLETS else "",
                group=group if making is Making.LOTS else "",
            ),
        )
        for group, part in parts.items()
    ]


def _draft_of(
    words: LotDraft, making: Making, group: str, lines: Sequence[ManifestLine]
) -> LotDraft:
    if making is Making.PALLETS:
        return part_of(words, group, lines)
    pallets = len({line.pallet for line in lines if line.pallet})
    if words.pallets is not None or not 1 <= pallets <= MAX_PALLETS:
        return words
    kind = LotKind.PALLET if pallets == 1 else LotKind.PALLETS
    return structs.replace(words, pallets=pallets, kind=words.kind or kind)


def _filled(draft: LotDraft, lines: Sequence[ManifestLine]) -> LotDraft:
    """What was left blank, in the words that the lines suggest."""
    suggested = structs.asdict(suggestion(lines, draft.currency))
    blank = {name: text for name, text in suggested.items() if not getattr(draft, name)}
    return structs.replace(draft, **blank)


def _preview(kept: Kept, preview_id: str, until_us: int, *, remembered: bool) -> Preview:
    manifest, head, sums = kept.manifest, kept.manifest.head, kept.manifest.head.sums
    return Preview(
        preview_id=preview_id,
        until_us=until_us,
        file_name=kept.file_name,
        importable=manifest.importable,
        kind=head.kind,
        sheets=head.sheets,
        headers=head.headers,
        columns=head.columns,
        unused=head.unused,
        lot_columns=[header for header in head.headers if _LOT_HEADER.fullmatch(header.strip())],
        remembered=remembered,
        currency=head.currency,
        line_count=sums.lines,
        units=sums.units,
        retail_minor=sums.retail_minor,
        gtins_valid=sums.gtins_valid,
        condition=sums.lowest_condition,
        conditions=sums.conditions,
        categories=sums.categories,
        pallets=_counted([line.pallet for line in manifest.lines]),
        lots=_counted(kept.groups),
        lines=manifest.lines[:SHOWN_LINES],
        errors=manifest.errors,
        error_count=head.error_count,
        warnings=manifest.warnings,
        warning_count=head.warning_count,
        notes=head.notes,
    )


def _counted(groups: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group] = counts.get(group, 0) + 1
    return counts
