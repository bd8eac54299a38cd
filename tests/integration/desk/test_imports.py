"""From a file to lots: looked at first, made once, corrections remembered."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from auction.catalog.importing.importer import Importer
from auction.desk.imports import KEPT_US, Imports, Making
from auction.desk.lot_drafts import LotDraft
from auction.desk.lots import Lots
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.terms import LotKind
from foundation.database import Pool
from tests.accounts import Clock
from tests.desk import a_lot_draft
from tests.integration.test_manifest_importer import STALL_S, Watch, a_long_workbook

T = TypeVar("T")

FILE = b"""Lot #,Item Description,Brand,UPC,Qty,Unit Retail,Condition,Pallet ID,Box
101,Toaster,Brindle,036000291452,2,39.99,New,P1,B1
101,Kettle,Kestone,012345678905,1,24.50,New,P2,B1
102,Blender,Marlow,036000291452,3,80.00,Used Good,P2,B2
"""
DIRTY = FILE.replace(b",3,80.00", b",many,80.00")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def imports(pool: Pool, clock: Clock) -> Imports:
    return Imports(pool, Importer(), clock)


async def read(
    imports: Imports, seller: Seller, data: bytes = FILE, lot_column: str = "", **corrections: str
) -> str:
    preview = await imports.read_file(
        seller, "returns.csv", data, corrections=corrections, lot_column=lot_column
    )
    return preview.preview_id


async def test_a_preview_tells_what_was_understood(imports: Imports, seller: Seller) -> None:
    preview = await imports.read_file(seller, "returns.csv", FILE, corrections={})
    assert {column.field: column.header for column in preview.columns} == {
        "description": "Item Description",
        "brand": "Brand",
        "gtin": "UPC",
        "quantity": "Qty",
        "unit_msrp": "Unit Retail",
        "condition": "Condition",
        "pallet": "Pallet ID",
    }
    assert (preview.importable, preview.line_count, preview.units) == (True, 3, 6)
    assert (preview.retail_minor, preview.gtins_valid, preview.currency) == (344_48, 3, "USD")
    assert preview.pallets == {"P1": 1, "P2": 2}
    assert (list(preview.lot_columns), preview.lots) == (["Lot #"], {})
    again = await imports.preview(seller.liquidator_id, preview.preview_id)
    assert again == preview


async def test_one_lot_is_made_and_only_once(imports: Imports, lots: Lots, seller: Seller) -> None:
    preview_id = await read(imports, seller)
    results = await asyncio.gather(
        *(imports.make(seller, preview_id, Making.ONE, LotDraft()) for _ in range(3)),
        return_exceptions=True,
    )
    (made,) = [result for result in results if isinstance(result, list)]
    assert len(made) == 1
    assert (made[0].lines, made[0].units, made[0].draft.pallets) == (3, 6, 2)
    assert made[0].draft.title.startswith("Brindle") or "Marlow" in made[0].draft.title
    assert made[0].origin.file == "returns.csv"
    assert len(await lots.stock(seller.liquidator_id, "", 9)) == 1


async def test_a_lot_for_each_pallet(imports: Imports, lots: Lots, seller: Seller) -> None:
    preview_id = await read(imports, seller)
    words = a_lot_draft(title="Returns")
    first, second = await imports.make(seller, preview_id, Making.PALLETS, words)
    assert [first.draft.title, second.draft.title] == [
        "Returns - pallet P1",
        "Returns - pallet P2",
    ]
    assert (first.lines, second.lines, second.draft.kind) == (1, 2, LotKind.PALLET)
    assert second.origin.pallet == "P2"
    lines = await lots.lines(seller.liquidator_id, second.draft_id)
    assert [(line.line, line.description) for line in lines] == [(1, "Kettle"), (2, "Blender")]


async def test_a_lot_for_each_number_in_the_column_of_lots(
    imports: Imports, seller: Seller
) -> None:
    preview_id = await read(imports, seller, lot_column="Lot #")
    preview = await imports.preview(seller.liquidator_id, preview_id)
    assert (preview.lots, preview.pallets) == ({"101": 2, "102": 1}, {"P1": 1, "P2": 2})
    first, second = await imports.make(seller, preview_id, Making.LOTS, LotDraft())
    assert [(first.lines, first.origin.group), (second.lines, second.origin.group)] == [
        (2, "101"),
        (1, "102"),
    ]
    assert (first.draft.pallets, second.draft.kind) == (2, LotKind.PALLET)


async def test_a_lot_for_each_line(imports: Imports, lots: Lots, seller: Seller) -> None:
    made = await imports.make(seller, await read(imports, seller), Making.LINES, LotDraft())
    assert [(lot.lines, lot.draft.title) for lot in made] == [
        (1, "Brindle Toaster, 2 units, new, MSRP $79"),
        (1, "Kestone Kettle, 1 unit, new, MSRP $24"),
        (1, "Marlow Blender, 3 units, used, good, MSRP $240"),
    ]
    (line,) = await lots.lines(seller.liquidator_id, made[1].draft_id)
    assert (line.line, line.description) == (1, "Kettle")


async def test_without_its_column_there_are_no_lots_and_nothing_is_used_up(
    imports: Imports, seller: Seller
) -> None:
    preview_id = await read(imports, seller)
    with pytest.raises(Refused, match="NO_LOT_COLUMN"):
        await imports.make(seller, preview_id, Making.LOTS, LotDraft())
    assert len(await imports.make(seller, preview_id, Making.ONE, LotDraft())) == 1


async def test_a_file_with_errors_becomes_nothing(
    imports: Imports, lots: Lots, seller: Seller
) -> None:
    preview = await imports.read_file(seller, "dirty.csv", DIRTY, corrections={})
    assert (preview.importable, preview.error_count) == (False, 1)
    assert preview.errors[0].line == 4
    for making in Making:
        with pytest.raises(Refused, match="BAD_LINES"):
            await imports.make(seller, preview.preview_id, making, LotDraft())
    assert await lots.stock(seller.liquidator_id, "", 9) == []


async def test_what_is_no_manifest_is_refused_with_a_reason(
    imports: Imports, seller: Seller
) -> None:
    with pytest.raises(Refused, match="UNREADABLE_FILE") as refused:
        await imports.read_file(seller, "x.csv", b"\x00\x01\x02", corrections={})
    assert refused.value.message


async def test_corrections_are_remembered_by_the_headers_and_by_nobody_else(
    imports: Imports, seller: Seller, rival: Seller
) -> None:
    async def pallet_column(by: Seller, data: bytes, **corrections: str) -> tuple[str, bool]:
        found = await imports.read_file(by, "x.csv", data, corrections=corrections)
        columns = {column.field: column.header for column in found.columns}
        return columns["pallet"], found.remembered

    assert await pallet_column(seller, FILE) == ("Pallet ID", False)
    assert await pallet_column(seller, FILE, pallet="Box") == ("Box", False)
    more = FILE + b"103,Oven,Marlow,012345678905,1,99.00,New,P3,B3\n"
    assert await pallet_column(seller, more) == ("Box", True)
    assert await pallet_column(rival, more) == ("Pallet ID", False)
    other_headers = FILE.replace(b"Qty", b"Quantity")
    assert await pallet_column(seller, other_headers) == ("Pallet ID", False)
    assert await pallet_column(seller, FILE, pallet="Pallet ID") == ("Pallet ID", False)
    assert await pallet_column(seller, more) == ("Pallet ID", True)


async def test_a_re_import_shows_what_changed_and_replaces_the_lines(
    imports: Imports, lots: Lots, seller: Seller
) -> None:
    (lot,) = await imports.make(seller, await read(imports, seller), Making.ONE, LotDraft())
    newer = FILE.replace(b"Toaster,Brindle,036000291452,2", b"Toaster,Brindle,036000291452,5")
    newer += b"102,Oven,Marlow,012345678905,1,99.00,New,P3,B3\n"
    preview_id = await read(imports, seller, newer)
    seen = await imports.difference(seller.liquidator_id, preview_id, lot.draft_id)
    assert [line.description for line in seen.added] == ["Oven"]
    assert [(c.field, c.before, c.after) for c in seen.changed[0].fields] == [("quantity", 2, 5)]
    assert (seen.removed, seen.unchanged) == ([], 2)
    assert (await lots.read(seller.liquidator_id, lot.draft_id)).lines == 3
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await imports.replace(seller, preview_id, lot.draft_id, 9)
    changed, difference = await imports.replace(seller, preview_id, lot.draft_id, 1)
    assert (changed.version, changed.lines, changed.units) == (2, 4, 10)
    assert difference == seen
    with pytest.raises(Refused, match="NOT_FOUND"):
        await imports.replace(seller, preview_id, lot.draft_id, 2)


async def test_lines_in_another_currency_do_not_replace(imports: Imports, seller: Seller) -> None:
    (lot,) = await imports.make(seller, await read(imports, seller), Making.ONE, LotDraft())
    canadian = await imports.read_file(seller, "x.csv", FILE, corrections={}, currency="CAD")
    with pytest.raises(Refused, match="DIFFERENT_CURRENCIES"):
        await imports.replace(seller, canadian.preview_id, lot.draft_id, 1)


async def test_after_an_hour_nothing_of_a_file_is_there(
    imports: Imports, seller: Seller, clock: Clock, pool: Pool
) -> None:
    preview_id = await read(imports, seller)
    clock.advance(KEPT_US / 1_000_000)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await imports.preview(seller.liquidator_id, preview_id)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await imports.make(seller, preview_id, Making.ONE, LotDraft())
    await read(imports, seller)  # tidies up
    async with pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from manifest_preview") == 1


async def test_of_many_files_the_oldest_goes(
    imports: Imports, seller: Seller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.desk.imports.MOST_KEPT", 1)
    first = await read(imports, seller)
    clock.advance(1)
    second = await read(imports, seller)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await imports.preview(seller.liquidator_id, first)
    await imports.preview(seller.liquidator_id, second)


@pytest.mark.parametrize("of_whom", ["anothers", "nobodys"])
async def test_anothers_file_is_one_that_does_not_exist(
    imports: Imports, lots: Lots, seller: Seller, rival: Seller, of_whom: str
) -> None:
    mine = await read(imports, seller)
    wanted = mine if of_whom == "anothers" else "preview-none"
    own = await lots.create(rival, a_lot_draft())
    owner = rival.liquidator_id
    asked: list[Callable[[], object]] = [
        lambda: imports.preview(owner, wanted),
        lambda: imports.make(rival, wanted, Making.ONE, LotDraft()),
        lambda: imports.difference(owner, wanted, own.draft_id),
        lambda: imports.replace(rival, wanted, own.draft_id, 1),
    ]
    for ask in asked:
        with pytest.raises(Refused, match="NOT_FOUND") as refused:
            await ask()  # type: ignore[misc]
        assert refused.value.field == ""
    assert (await imports.preview(seller.liquidator_id, mine)).line_count == 3


async def longest_stall_s(work: Awaitable[T]) -> tuple[T, float]:
    """What came of it, and how long it kept the event loop from others at most."""
    watch = Watch()
    watching = asyncio.create_task(watch.run())
    done = await work
    watching.cancel()
    return done, watch.longest_s


async def test_ten_thousand_lines_hold_up_nobody(
    imports: Imports, lots: Lots, seller: Seller
) -> None:
    """From the file to a lot, replaced, undone and split: the loop is never kept for long."""
    data = await asyncio.to_thread(a_long_workbook, 10_000)
    owner, stalls = seller.liquidator_id, dict[str, float]()
    gc.freeze()  # as a serving process does: the collector's rounds over all tests are not ours
    try:
        first, stalls["read"] = await longest_stall_s(
            imports.read_file(seller, "long.xlsx", data, corrections={})
        )
        _, stalls["preview"] = await longest_stall_s(imports.preview(owner, first.preview_id))
        made, stalls["make"] = await longest_stall_s(
            imports.make(seller, first.preview_id, Making.ONE, LotDraft())
        )
        draft_id = made[0].draft_id
        again = await imports.read_file(seller, "long.xlsx", data, corrections={})
        found, stalls["compare"] = await longest_stall_s(
            imports.difference(owner, again.preview_id, draft_id)
        )
        assert (found.unchanged, made[0].lines) == (10_000, 10_000)
        changed, stalls["replace"] = await longest_stall_s(
            imports.replace(seller, again.preview_id, draft_id, 1)
        )
        _, stalls["suggest"] = await longest_stall_s(lots.suggest(owner, draft_id))
        undone, stalls["undo"] = await longest_stall_s(
            lots.undo(seller, draft_id, changed[0].version)
        )
        _, stalls["split"] = await longest_stall_s(lots.split(seller, draft_id, undone.version))
    finally:
        gc.unfreeze()
    assert {step: round(stall, 3) for step, stall in stalls.items() if stall > 2 * STALL_S} == {}
