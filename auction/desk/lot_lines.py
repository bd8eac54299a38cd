"""The lines of a draft's manifest in their table.

A long manifest is decoded, judged and packed in a thread, and decoded line by line: ten thousand at
once would keep the event loop for a twentieth of a second, since a decoder does not let go of it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec
from msgspec import Raw, structs

from auction.catalog.goods import MAX_LINES, Condition, ManifestLine, manifest_fault
from auction.desk.refusals import Refusal, Refused
from foundation.database import AnyConnection

# Some milliseconds of work, less than a thread is worth.
FEW_LINES: Final = 1_000

_decode = msgspec.msgpack.Decoder(ManifestLine).decode

_LINES = f"""
select {", ".join(ManifestLine.__struct_fields__)} from lot_draft_line
where draft_id = $1 and line > $2 order by line limit $3
"""  # noqa: S608 - the fields above

_SUM_UP = """
update lot_draft set lines = $2, units = $3, retail_minor = $4, conditions = $5::jsonb
where draft_id = $1
"""


async def read_lines(
    connection: AnyConnection, draft_id: str, after: int = 0, limit: int = MAX_LINES
) -> list[ManifestLine]:
    """The manifest of a draft: so many lines after a line, by default all."""
    rows = await connection.fetch(_LINES, draft_id, after, limit)
    if len(rows) <= FEW_LINES:
        return _lines_of(rows)
    return await asyncio.to_thread(_lines_of, rows)


async def write_lines(
    connection: AnyConnection, draft_id: str, lines: Sequence[ManifestLine]
) -> None:
    """The manifest of a draft, in place of what it had. Raises `Refused` BAD_LINES."""
    if len(lines) <= FEW_LINES:
        fault = manifest_fault(lines)
    else:
        fault = await asyncio.to_thread(manifest_fault, lines)
    if fault is not None:
        raise Refused(Refusal.BAD_LINES, detail=fault)
    await _put_lines(connection, draft_id, lines)


async def packed_lines(connection: AnyConnection, draft_id: str) -> bytes:
    """The manifest of a draft as `unpack_lines` puts it back."""
    return await asyncio.to_thread(msgspec.msgpack.encode, await read_lines(connection, draft_id))


async def unpack_lines(connection: AnyConnection, draft_id: str, packed: bytes) -> None:
    """A manifest that the draft had before, in place of what it has."""
    raw = msgspec.msgpack.decode(packed, type=list[Raw])
    await _put_lines(connection, draft_id, await asyncio.to_thread(decoded, raw))


def decoded(raw: Sequence[Raw]) -> list[ManifestLine]:
    """Lines of MessagePack, for a thread."""
    return [_decode(line) for line in raw]


def renumbered(lines: Sequence[ManifestLine]) -> list[ManifestLine]:
    """The lines as a manifest of their own: numbered from 1. Raises `Refused` TOO_MANY."""
    if len(lines) > MAX_LINES:
        raise Refused(Refusal.TOO_MANY, detail=f"A lot has at most {MAX_LINES:,} lines.")
    return [structs.replace(line, line=number) for number, line in enumerate(lines, start=1)]


async def _put_lines(
    connection: AnyConnection, draft_id: str, lines: Sequence[ManifestLine]
) -> None:
    await connection.execute("delete from lot_draft_line where draft_id = $1", draft_id)
    for begin in range(0, len(lines), FEW_LINES):
        await connection.copy_records_to_table(
            "lot_draft_line",
            columns=("draft_id", *ManifestLine.__struct_fields__),
            records=[
                (draft_id, *structs.astuple(line)) for line in lines[begin : begin + FEW_LINES]
            ],
        )
    conditions = msgspec.json.encode(Counter(line.condition for line in lines)).decode()
    await connection.execute(
        _SUM_UP,
        draft_id,
        len(lines),
        sum(line.quantity for line in lines),
        sum(line.extended_msrp_minor for line in lines),
        conditions,
    )


def _lines_of(rows: Sequence[asyncpg.Record]) -> list[ManifestLine]:
    return [
        ManifestLine(**(dict(row) | {"condition": Condition(row["condition"])})) for row in rows
    ]
