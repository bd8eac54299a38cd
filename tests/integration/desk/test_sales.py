"""Sales before they are published: their lots, their copies, their templates."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from accounts.clock import wall_clock
from auction.desk.lots import Lots
from auction.desk.photo_drafts import read_photos
from auction.desk.recurrence import Recurrence, Rhythm
from auction.desk.refusals import Refusal, Refused
from auction.desk.relisting import Relisting
from auction.desk.sale_drafts import DraftedSale, DraftState, SaleDraft
from auction.desk.sales import Sales
from auction.desk.seller import Seller
from auction.desk.templates import SaleTemplate, Templates
from auction.ids import LotId, SaleId
from foundation.database import Pool
from tests.catalogue import a_line
from tests.desk import Desk, a_desk, a_lot_draft, a_sale_draft


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(database_url) as desk:
        yield desk


@pytest.fixture
def sales(desk: Desk) -> Sales:
    return Sales(desk.pool, desk.publishing, wall_clock)


@pytest.fixture
def templates(desk: Desk) -> Templates:
    return Templates(desk.pool, wall_clock)


async def stocked(lots: Lots, seller: Seller, count: int) -> list[str]:
    made = [
        await lots.create(seller, a_lot_draft(title=f"Lot {n}"), [a_line(1, lpn=f"PIECE{n}")])
        for n in range(count)
    ]
    return [lot.draft_id for lot in made]


async def numbers(sales: Sales, seller: Seller, sale: DraftedSale) -> dict[str, str | None]:
    found = await sales.lots(seller.liquidator_id, sale.sale_id)
    return {lot.draft_id: lot.number for lot in found}


async def test_lots_come_and_go_and_numbers_stay(sales: Sales, lots: Lots, seller: Seller) -> None:
    a, b, c, d = await stocked(lots, seller, 4)
    sale = await sales.create(seller, a_sale_draft(0))
    sale = await sales.put_in(seller, sale.sale_id, 1, [a, b, c])
    sale = await sales.take_out(seller, sale.sale_id, 2, [b])
    sale = await sales.renumber(seller, sale.sale_id, 3, c, LotId("1A"))
    sale = await sales.put_in(seller, sale.sale_id, 4, [d])
    assert await numbers(sales, seller, sale) == {a: "1", c: "1A", d: "2"}
    sale = await sales.order(seller, sale.sale_id, 5, [d, a, c])
    assert list(await numbers(sales, seller, sale)) == [d, a, c]
    with pytest.raises(Refused, match="NUMBER_TAKEN"):
        await sales.renumber(seller, sale.sale_id, 6, c, LotId("1"))
    assert (sale.version, sale.lots) == (6, 3)
    with pytest.raises(Refused, match="NOT_IN_STOCK"):
        await sales.put_in(seller, sale.sale_id, 6, [a])


async def test_who_has_not_seen_a_lot_does_not_publish_it(
    sales: Sales, lots: Lots, seller: Seller, desk: Desk
) -> None:
    a, b = await stocked(lots, seller, 2)
    sale = await sales.create(seller, a_sale_draft(desk.now_us))
    sale = await sales.put_in(seller, sale.sale_id, 1, [a])
    await sales.put_in(seller, sale.sale_id, 2, [b])
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await sales.publish(seller, sale.sale_id, sale.version)
    assert await sales.publish(seller, sale.sale_id, 3) is DraftState.PUBLISHED


async def test_every_change_names_the_version_that_it_is_of(
    sales: Sales, lots: Lots, seller: Seller
) -> None:
    (a,) = await stocked(lots, seller, 1)
    sale = await sales.create(seller, a_sale_draft(0))
    sale_id = sale.sale_id
    for late in (
        sales.change(seller, sale_id, 9, SaleDraft()),
        sales.put_in(seller, sale_id, 9, [a]),
        sales.take_out(seller, sale_id, 9, [a]),
        sales.order(seller, sale_id, 9, []),
        sales.renumber(seller, sale_id, 9, a, LotId("9")),
        sales.drop(seller, sale_id, 9),
        sales.publish(seller, sale_id, 9),
    ):
        with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
            await late
    assert await sales.read(seller.liquidator_id, sale_id) == sale


async def test_a_dropped_sale_gives_its_lots_back(sales: Sales, lots: Lots, seller: Seller) -> None:
    drafts = await stocked(lots, seller, 2)
    sale = await sales.create(seller, a_sale_draft(0))
    await sales.put_in(seller, sale.sale_id, 1, drafts)
    await sales.drop(seller, sale.sale_id, 2)
    assert {lot.draft_id for lot in await lots.stock(seller.liquidator_id, "", 9)} == set(drafts)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await sales.read(seller.liquidator_id, sale.sale_id)


async def test_a_clone_is_the_same_sale_on_another_day(sales: Sales, seller: Seller) -> None:
    sale = await sales.create(seller, a_sale_draft(0))
    clone = await sales.clone(seller, sale.sale_id, date(2027, 3, 1), None)
    assert clone.sale_id != sale.sale_id and clone.lots == 0
    assert sale.draft.schedule is not None and clone.draft.schedule is not None
    assert clone.draft.schedule.opens == "2027-03-01" + sale.draft.schedule.opens[10:]
    assert replace(clone.draft, schedule=None) == replace(sale.draft, schedule=None)


async def test_a_sale_comes_again_each_week(sales: Sales, seller: Seller) -> None:
    sale = await sales.create(seller, a_sale_draft(0))
    again = await sales.repeat(seller, sale.sale_id, Recurrence(rhythm=Rhythm.WEEKLY), 3)
    days = [one.draft.schedule.opens[:10] for one in again if one.draft.schedule]
    assert days == ["1970-01-08", "1970-01-15", "1970-01-22"]  # the first was on the 1st
    timeless = await sales.create(seller, SaleDraft(title="No times"))
    with pytest.raises(Refused, match="BAD_TIME"):
        await sales.repeat(seller, timeless.sale_id, Recurrence(rhythm=Rhythm.WEEKLY), 3)


async def ended(
    sales: Sales, lots: Lots, seller: Seller, pool: Pool, now_us: int, **statuses: str
) -> DraftedSale:
    """A published sale whose lots have ended so, as the board tells it."""
    drafts = await stocked(lots, seller, len(statuses))
    sale = await sales.create(seller, a_sale_draft(now_us))
    sale = await sales.put_in(seller, sale.sale_id, 1, drafts)
    assert await sales.publish(seller, sale.sale_id, 2) is DraftState.PUBLISHED
    async with pool.acquire() as connection:
        await connection.executemany(
            _BOARD, [(sale.sale_id, name.strip("_"), state) for name, state in statuses.items()]
        )
    return await sales.read(seller.liquidator_id, sale.sale_id)


_BOARD = """
insert into lot_board select * from jsonb_populate_record(null::lot_board, jsonb_build_object(
    'sale_id', $1::text, 'lot_id', $2::text, 'status', $3::text, 'liquidator_id', 'harbor-returns',
    'currency', 'USD', 'kind', 'PALLET', 'title', '', 'opening_minor', 1, 'next_minimum_minor', 1,
    'reserve', 'NONE', 'bid_count', 0, 'extensions', 0, 'opens_at_us', 0, 'closes_at_us', 1,
    'audience', 'PUBLIC'))
"""


async def test_what_passed_is_offered_again_once_for_less(
    sales: Sales, lots: Lots, seller: Seller, desk: Desk, pool: Pool
) -> None:
    sale = await ended(sales, lots, seller, pool, desk.now_us, _1="PASSED", _2="SOLD", _3="PASSED")
    first = (await sales.lots(seller.liquidator_id, sale.sale_id))[0]
    await desk.photograph(first.draft_id)
    clone = await sales.clone(seller, sale.sale_id, date(2099, 3, 2), Relisting(20))
    again = await sales.lots(seller.liquidator_id, clone.sale_id)
    assert [lot.draft.title for lot in again] == ["Lot 0", "Lot 2"]
    assert [lot.origin.relisted for lot in again] == [(sale.sale_id, "1"), (sale.sale_id, "3")]
    assert (again[0].draft.opening_minor, again[0].draft.reserve_minor) == (80_00, 320_00)
    lines = await lots.lines(seller.liquidator_id, again[0].draft_id)
    assert [line.lpn for line in lines] == ["PIECE0"]
    async with pool.acquire() as connection:
        photos = [await read_photos(connection, lot.draft_id) for lot in again]
    assert [[photo.alt for photo in one.items] for one in photos] == [["front"], []]
    assert await sales.relist(seller, sale.sale_id, Relisting(50)) == []


async def test_two_that_relist_at_once_relist_once(
    sales: Sales, lots: Lots, seller: Seller, desk: Desk, pool: Pool
) -> None:
    sale = await ended(sales, lots, seller, pool, desk.now_us, _1="PASSED")
    results = await asyncio.gather(
        *(sales.relist(seller, sale.sale_id, Relisting()) for _ in range(3))
    )
    assert sorted(len(result) for result in results) == [0, 0, 1]


async def test_a_relisted_lot_that_was_removed_may_be_relisted_but_not_what_was_split(
    sales: Sales, lots: Lots, seller: Seller, desk: Desk, pool: Pool
) -> None:
    sale = await ended(sales, lots, seller, pool, desk.now_us, _1="PASSED")
    (first,) = await sales.relist(seller, sale.sale_id, Relisting())
    await lots.remove(seller, first.draft_id, 1)
    (second,) = await sales.relist(seller, sale.sale_id, Relisting())
    with pytest.raises(Refused, match="GOODS_ELSEWHERE"):
        await lots.bring_back(seller, first.draft_id)
    two = [a_line(1), a_line(2, pallet="P2")]
    changed = await lots.replace_lines(seller, second.draft_id, 1, two)
    await lots.split(seller, second.draft_id, changed.version)
    assert await sales.relist(seller, sale.sale_id, Relisting()) == []


async def test_a_draft_has_nothing_that_passed(sales: Sales, seller: Seller) -> None:
    sale = await sales.create(seller, a_sale_draft(0))
    with pytest.raises(Refused, match="NOT_PUBLISHED"):
        await sales.relist(seller, sale.sale_id, Relisting())


async def test_checks_say_what_a_sale_lacks(sales: Sales, seller: Seller) -> None:
    sale = await sales.create(seller, SaleDraft())
    codes = {finding.code for finding in await sales.check(seller.liquidator_id, sale.sale_id)}
    assert {"SALE_INCOMPLETE", "NO_LOTS"} <= codes


async def test_templates_have_names_of_their_own(templates: Templates, seller: Seller) -> None:
    weekly = await templates.add(seller, "Weekly", a_sale_draft(0))
    with pytest.raises(Refused, match="NAME_TAKEN"):
        await templates.add(seller, "Weekly", SaleDraft())
    other = await templates.add(seller, "Other", SaleDraft())
    with pytest.raises(Refused, match="NAME_TAKEN"):
        await templates.change(seller, other.template_id, 1, "Weekly", SaleDraft())
    renamed = await templates.change(seller, other.template_id, 1, "Daily", SaleDraft(title="D"))
    assert (renamed.version, renamed.draft.title) == (2, "D")
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await templates.remove(seller, other.template_id, 1)
    assert [one.name for one in await templates.list(seller.liquidator_id)] == ["Daily", "Weekly"]
    await templates.remove(seller, other.template_id, 2)
    assert await templates.list(seller.liquidator_id) == [weekly]


Asked = Callable[[Sales, Seller, SaleId], Coroutine[Any, Any, object]]

ALL_THAT_CAN_BE_ASKED: dict[str, Asked] = {
    "read": lambda sales, by, sale: sales.read(by.liquidator_id, sale),
    "lots": lambda sales, by, sale: sales.lots(by.liquidator_id, sale),
    "check": lambda sales, by, sale: sales.check(by.liquidator_id, sale),
    "change": lambda sales, by, sale: sales.change(by, sale, 1, SaleDraft()),
    "drop": lambda sales, by, sale: sales.drop(by, sale, 1),
    "publish": lambda sales, by, sale: sales.publish(by, sale, 1),
    "put in": lambda sales, by, sale: sales.put_in(by, sale, 1, []),
    "take out": lambda sales, by, sale: sales.take_out(by, sale, 1, []),
    "order": lambda sales, by, sale: sales.order(by, sale, 1, []),
    "renumber": lambda sales, by, sale: sales.renumber(by, sale, 1, "draft-x", LotId("9")),
    "clone": lambda sales, by, sale: sales.clone(by, sale, None, Relisting()),
    "relist": lambda sales, by, sale: sales.relist(by, sale, Relisting()),
    "repeat": lambda sales, by, sale: sales.repeat(by, sale, Recurrence(rhythm=Rhythm.WEEKLY), 2),
}


@pytest.mark.parametrize("what", ALL_THAT_CAN_BE_ASKED)
async def test_anothers_sale_is_one_that_does_not_exist(
    sales: Sales, seller: Seller, rival: Seller, what: str
) -> None:
    sale = await sales.create(seller, a_sale_draft(0))
    for wanted in (sale.sale_id, SaleId("sale-none")):
        with pytest.raises(Refused) as refused:
            await ALL_THAT_CAN_BE_ASKED[what](sales, rival, wanted)
        assert (refused.value.refusal, refused.value.field) == (Refusal.NOT_FOUND, "")
    assert await sales.read(seller.liquidator_id, sale.sale_id) == sale
    assert await sales.list(rival.liquidator_id, None, 9) == []


async def test_anothers_lots_are_not_put_into_a_sale(
    sales: Sales, lots: Lots, seller: Seller, rival: Seller
) -> None:
    foreign = await stocked(lots, rival, 1)
    sale = await sales.create(seller, a_sale_draft(0))
    with pytest.raises(Refused, match="NOT_FOUND"):
        await sales.put_in(seller, sale.sale_id, 1, foreign)


async def test_anothers_template_is_one_that_does_not_exist(
    templates: Templates, seller: Seller, rival: Seller
) -> None:
    mine: SaleTemplate = await templates.add(seller, "Weekly", SaleDraft())
    for wanted in (mine.template_id, "template-none"):
        for asked in (
            templates.read(rival.liquidator_id, wanted),
            templates.change(rival, wanted, 1, "Mine", SaleDraft()),
            templates.remove(rival, wanted, 1),
        ):
            with pytest.raises(Refused, match="NOT_FOUND"):
                await asked
    assert await templates.list(rival.liquidator_id) == []
