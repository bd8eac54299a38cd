"""Lots before a sale: their goods are in one place only, whatever is done and undone."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from auction.catalog.goods import ManifestLine
from auction.desk.lot_changes import LotChanges
from auction.desk.lot_drafts import MAX_OLDER, DraftedLot
from auction.desk.lots import Lots, SeenLot
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import add_sale, put_in, read_sale
from auction.desk.seller import Seller
from auction.ids import SaleId
from auction.terms import LotKind
from foundation.database import Pool, transaction
from tests.catalogue import a_line
from tests.desk import a_lot_draft, a_sale_draft

TWO_PALLETS = [a_line(1), a_line(2, pallet="P2", quantity=5), a_line(3)]


async def in_stock(lots: Lots, seller: Seller) -> set[str]:
    return {lot.draft_id for lot in await lots.stock(seller.liquidator_id, "", 100)}


async def plates(lots: Lots, seller: Seller) -> list[str]:
    """The plate numbers of all goods in stock: a piece that is there twice is twice in it."""
    found: list[str] = []
    for draft_id in await in_stock(lots, seller):
        found += [line.lpn for line in await lots.lines(seller.liquidator_id, draft_id)]
    return sorted(found)


async def planned(pool: Pool, seller: Seller, *draft_ids: str) -> SaleId:
    """The draft of a sale with these lots."""
    sale_id = SaleId(f"sale-of-{draft_ids[0]}")
    async with transaction(pool) as connection:
        draft, actor = a_sale_draft(0), seller.actor_id
        await add_sale(connection, sale_id, seller.liquidator_id, draft, actor, 0)
        sale = await read_sale(connection, seller.liquidator_id, sale_id, lock=True)
        await put_in(connection, sale, draft_ids, actor, 0)
    return sale_id


async def test_a_lot_is_what_was_said_of_it(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    assert lot.draft == a_lot_draft()
    assert (lot.lines, lot.units, lot.version) == (3, 9, 1)
    assert await lots.lines(seller.liquidator_id, lot.draft_id) == TWO_PALLETS
    assert [one.draft_id for one in await lots.stock(seller.liquidator_id, "", 9)] == [lot.draft_id]
    assert await lots.stock(seller.liquidator_id, lot.draft_id, 9) == []


async def test_who_changes_an_older_version_is_told(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft())
    other = await lots.change(seller, lot.draft_id, 1, a_lot_draft(title="Other"))
    assert (other.draft.title, other.version) == ("Other", 2)
    for again in (
        lots.change(seller, lot.draft_id, 1, a_lot_draft(title="Third")),
        lots.replace_lines(seller, lot.draft_id, 1, TWO_PALLETS),
        lots.remove(seller, lot.draft_id, 1),
        lots.undo(seller, lot.draft_id, 1),
        lots.split(seller, lot.draft_id, 1),
    ):
        with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
            await again
    assert (await lots.read(seller.liquidator_id, lot.draft_id)).draft.title == "Other"


async def test_one_field_is_changed_and_undone(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft())
    changes = LotChanges(reserve_minor=None, title="Better")
    changed = await lots.change(seller, lot.draft_id, 1, changes)
    assert changed.draft == a_lot_draft(reserve_minor=None, title="Better")
    back = await lots.undo(seller, lot.draft_id, 2)
    assert (back.draft, back.version) == (a_lot_draft(), 3)
    with pytest.raises(Refused, match="NOTHING_TO_UNDO"):
        await lots.undo(seller, lot.draft_id, 3)


async def test_undoing_brings_replaced_lines_back(lots: Lots, seller: Seller) -> None:
    owner = seller.liquidator_id
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    await lots.change(seller, lot.draft_id, 1, LotChanges(title="Better"))
    await lots.replace_lines(seller, lot.draft_id, 2, [a_line(1, quantity=7)])
    back = await lots.undo(seller, lot.draft_id, 3)
    assert (back.lines, back.units, back.retail_minor) == (3, 9, lot.retail_minor)
    assert back.draft.title == "Better"
    assert await lots.lines(owner, lot.draft_id) == TWO_PALLETS
    first = await lots.undo(seller, lot.draft_id, 4)
    assert (first.draft, first.lines) == (lot.draft, 3)


async def test_a_lot_that_had_no_lines_has_none_again(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft())
    await lots.replace_lines(seller, lot.draft_id, 1, TWO_PALLETS)
    back = await lots.undo(seller, lot.draft_id, 2)
    assert (back.lines, back.units, back.condition) == (0, 0, None)
    assert await lots.lines(seller.liquidator_id, lot.draft_id) == []


async def test_so_many_older_manifests_are_kept_and_nothing_from_before_them(
    lots: Lots, seller: Seller
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    await lots.change(seller, lot.draft_id, 1, LotChanges(title="Forgotten"))
    for quantity in range(1, MAX_OLDER + 2):
        lines = [a_line(1, quantity=quantity)]
        await lots.replace_lines(seller, lot.draft_id, quantity + 1, lines)
    version = MAX_OLDER + 3
    for quantity in range(MAX_OLDER, 0, -1):
        back = await lots.undo(seller, lot.draft_id, version)
        assert (back.units, back.draft.title) == (quantity, "Forgotten")
        version += 1
    with pytest.raises(Refused, match="NOTHING_TO_UNDO"):
        await lots.undo(seller, lot.draft_id, version)


async def test_other_lines_make_another_version(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    changed = await lots.replace_lines(seller, lot.draft_id, 1, [a_line(1, quantity=7)])
    assert (changed.version, changed.lines, changed.units) == (2, 1, 7)
    with pytest.raises(Refused, match="BAD_LINES"):
        await lots.replace_lines(seller, lot.draft_id, 2, [a_line(4)])
    assert (await lots.read(seller.liquidator_id, lot.draft_id)).lines == 1


async def test_a_removed_lot_comes_back(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    await lots.remove(seller, lot.draft_id, 1)
    assert await in_stock(lots, seller) == set()
    with pytest.raises(Refused, match="NOT_FOUND"):
        await lots.read(seller.liquidator_id, lot.draft_id)
    back = await lots.bring_back(seller, lot.draft_id)
    assert (back.draft, back.lines) == (lot.draft, 3)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await lots.bring_back(seller, lot.draft_id)


async def test_a_split_moves_each_piece_to_its_pallet(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(title="Tools"), TWO_PALLETS)
    before = await plates(lots, seller)
    first, second = await lots.split(seller, lot.draft_id, 1)
    assert await in_stock(lots, seller) == {first.draft_id, second.draft_id}
    assert await plates(lots, seller) == before
    assert (first.draft.title, first.lines) == ("Tools - pallet P1", 2)
    assert (second.units, second.draft.kind) == (5, LotKind.PALLET)
    assert (second.origin.drafts, second.origin.pallet) == ((lot.draft_id,), "P2")


async def test_bringing_back_what_was_split_undoes_the_split(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    first, _ = await lots.split(seller, lot.draft_id, 1)
    before = await plates(lots, seller)
    await lots.bring_back(seller, lot.draft_id)
    assert await in_stock(lots, seller) == {lot.draft_id}
    assert await plates(lots, seller) == before
    with pytest.raises(Refused, match="NOT_FOUND"):  # its goods are in the whole again
        await lots.bring_back(seller, first.draft_id)


async def test_a_part_that_was_removed_does_not_come_back_beside_the_whole(
    lots: Lots, seller: Seller
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    first, _ = await lots.split(seller, lot.draft_id, 1)
    await lots.remove(seller, first.draft_id, 1)
    await lots.bring_back(seller, lot.draft_id)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await lots.bring_back(seller, first.draft_id)


async def test_a_split_can_be_done_again(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    await lots.split(seller, lot.draft_id, 1)
    back = await lots.bring_back(seller, lot.draft_id)
    before = await plates(lots, seller)
    await lots.split(seller, lot.draft_id, back.version)
    assert await plates(lots, seller) == before
    await lots.bring_back(seller, lot.draft_id)
    assert await plates(lots, seller) == before


async def test_a_whole_whose_parts_have_gone_on_stays_away(
    lots: Lots, pool: Pool, seller: Seller
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    first, _ = await lots.split(seller, lot.draft_id, 1)
    await planned(pool, seller, first.draft_id)
    with pytest.raises(Refused, match="GOODS_ELSEWHERE"):
        await lots.bring_back(seller, lot.draft_id)


async def test_a_whole_whose_part_was_joined_to_others_stays_away(
    lots: Lots, seller: Seller
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    other = await lots.create(seller, a_lot_draft(), [a_line(1, lpn="OTHER")])
    first, _ = await lots.split(seller, lot.draft_id, 1)
    await lots.join(seller, [other.draft_id, first.draft_id])
    before = await plates(lots, seller)
    with pytest.raises(Refused, match="GOODS_ELSEWHERE"):
        await lots.bring_back(seller, lot.draft_id)
    assert await plates(lots, seller) == before


async def test_what_is_joined_has_all_lines(lots: Lots, seller: Seller) -> None:
    fast = await lots.create(seller, a_lot_draft(title="Fast"), TWO_PALLETS)
    slow = await lots.create(seller, a_lot_draft(title="Slow"), [a_line(1, lpn="SLOW")])
    before = await plates(lots, seller)
    whole = await lots.bundle(seller, fast.draft_id, [slow.draft_id])
    assert (whole.draft.title, whole.lines, whole.draft.kind) == ("Fast", 4, LotKind.PALLETS)
    assert whole.origin.drafts == (fast.draft_id, slow.draft_id)
    assert await plates(lots, seller) == before
    await lots.bring_back(seller, slow.draft_id)  # and the other with it
    assert await in_stock(lots, seller) == {fast.draft_id, slow.draft_id}
    assert await plates(lots, seller) == before


async def test_a_lot_is_not_joined_to_itself(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await lots.join(seller, [lot.draft_id, lot.draft_id])


async def test_a_lot_of_a_sale_is_neither_split_nor_joined(
    lots: Lots, pool: Pool, seller: Seller
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    other = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    await planned(pool, seller, lot.draft_id)
    with pytest.raises(Refused, match="NOT_IN_STOCK"):
        await lots.split(seller, lot.draft_id, 2)
    with pytest.raises(Refused, match="NOT_IN_STOCK"):
        await lots.join(seller, [other.draft_id, lot.draft_id])
    assert len(await lots.lines(seller.liquidator_id, other.draft_id)) == 3


async def test_two_that_split_at_once_split_once(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    before = await plates(lots, seller)
    results = await asyncio.gather(
        *(lots.split(seller, lot.draft_id, 1) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, list) for result in results) == 1
    assert await plates(lots, seller) == before


async def test_a_copy_has_the_words_and_if_wanted_the_articles(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    words = await lots.copy(seller, lot.draft_id, lines=False)
    whole = await lots.copy(seller, lot.draft_id, lines=True)
    assert (words.draft, words.lines, words.origin.copied) == (lot.draft, 0, lot.draft_id)
    lines = await lots.lines(seller.liquidator_id, whole.draft_id)
    assert [line.lpn for line in lines] == ["", "", ""]
    await lots.remove(seller, lot.draft_id, 1)
    await lots.bring_back(seller, lot.draft_id)  # its copies stay
    assert await in_stock(lots, seller) == {lot.draft_id, words.draft_id, whole.draft_id}


async def test_many_are_changed_together_or_not_at_all(lots: Lots, seller: Seller) -> None:
    drafts = [await lots.create(seller, a_lot_draft(title=f"Lot {n}")) for n in range(3)]
    seen = [SeenLot(lot.draft_id, 1) for lot in drafts]
    changes = LotChanges(reserve_minor=250_00)
    changed = await lots.change_many(seller, seen, changes)
    assert [lot.draft.reserve_minor for lot in changed] == [250_00] * 3
    assert [lot.draft.title for lot in changed] == ["Lot 0", "Lot 1", "Lot 2"]
    stale = [SeenLot(lot.draft_id, 2) for lot in drafts[:2]] + [SeenLot(drafts[2].draft_id, 1)]
    with pytest.raises(Refused, match="CHANGED_MEANWHILE") as refused:
        await lots.change_many(seller, stale, LotChanges(title="x"))
    assert refused.value.field == "lots/2"
    after = [await lots.read(seller.liquidator_id, lot.draft_id) for lot in drafts]
    assert [lot.version for lot in after] == [2, 2, 2]
    assert (await lots.undo(seller, drafts[0].draft_id, 2)).draft == drafts[0].draft


async def test_a_manifest_suggests_words(lots: Lots, seller: Seller) -> None:
    lot = await lots.create(seller, a_lot_draft(title="MARKED"), TWO_PALLETS)
    suggested = await lots.suggest(seller.liquidator_id, lot.draft_id)
    assert suggested.title == "Brindle Toaster, two slots, 9 units, used, good, MSRP $359"


Asked = Callable[[Lots, Seller, DraftedLot], Coroutine[Any, Any, object]]
LINES: list[ManifestLine] = [a_line(1)]

ALL_THAT_CAN_BE_ASKED: dict[str, Asked] = {
    "read": lambda lots, by, lot: lots.read(by.liquidator_id, lot.draft_id),
    "lines": lambda lots, by, lot: lots.lines(by.liquidator_id, lot.draft_id),
    "suggest": lambda lots, by, lot: lots.suggest(by.liquidator_id, lot.draft_id),
    "change": lambda lots, by, lot: lots.change(by, lot.draft_id, 1, a_lot_draft(title="Mine")),
    "lines replaced": lambda lots, by, lot: lots.replace_lines(by, lot.draft_id, 1, LINES),
    "undo": lambda lots, by, lot: lots.undo(by, lot.draft_id, 1),
    "remove": lambda lots, by, lot: lots.remove(by, lot.draft_id, 1),
    "bring back": lambda lots, by, lot: lots.bring_back(by, lot.draft_id),
    "copy": lambda lots, by, lot: lots.copy(by, lot.draft_id, lines=True),
    "split": lambda lots, by, lot: lots.split(by, lot.draft_id, 1),
    "join": lambda lots, by, lot: lots.join(by, [lot.draft_id]),
    "many": lambda lots, by, lot: lots.change_many(
        by,
        [SeenLot(lot.draft_id, 1)],
        LotChanges(title="Mine"),
    ),
}


@pytest.mark.parametrize("what", ALL_THAT_CAN_BE_ASKED)
@pytest.mark.parametrize("removed", [False, True])
async def test_anothers_lot_is_one_that_does_not_exist(
    lots: Lots, seller: Seller, rival: Seller, what: str, *, removed: bool
) -> None:
    lot = await lots.create(seller, a_lot_draft(), TWO_PALLETS)
    if removed:
        await lots.remove(seller, lot.draft_id, 1)
    ask = ALL_THAT_CAN_BE_ASKED[what]
    for wanted in (lot, replace(lot, draft_id="draft-none")):
        with pytest.raises(Refused) as refused:
            await ask(lots, rival, wanted)
        assert (refused.value.refusal, refused.value.field) == (Refusal.NOT_FOUND, "")
    if not removed:
        assert await lots.read(seller.liquidator_id, lot.draft_id) == lot
    assert await lots.stock(rival.liquidator_id, "", 10) == []
