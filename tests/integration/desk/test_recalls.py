"""A recall finds every lot that holds an article, and takes the open ones out of their sales."""

from collections.abc import AsyncIterator

import pytest

from auction.commands import ChangeReserve, Command, ScheduleSale
from auction.cursors_postgres import PostgresCursors
from auction.desk.recalls import Recall, Recalls
from auction.desk.refusals import Refused
from auction.desk.seller import Seller
from auction.ids import LotId, SaleId, shard_of
from auction.sale import LotStatus
from auction.verdicts import Acceptance
from foundation.follower import LogFollower
from softclose.followers import FOLLOWINGS, handler_of
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line, with_check_digit
from tests.desk import SELLER, Desk, a_desk, a_lot_draft

TOASTER = with_check_digit("00412345678")
KETTLE = with_check_digit("00487654321")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(database_url) as desk:
        yield desk


async def follows(desk: Desk, sale_id: SaleId) -> None:
    (keepers,) = FOLLOWINGS.values()
    shard = shard_of(sale_id)
    follower = LogFollower("board", shard, handler_of(keepers), PostgresCursors(desk.pool))
    while await follower.step():
        pass


async def published(desk: Desk) -> SaleId:
    """Lot 1 holds toasters, lot 2 a kettle and a toaster, lot 3 neither; without reserve."""
    toasters = [a_line(1, gtin=TOASTER, quantity=4, lpn="LPN1")]
    both = [a_line(1, gtin=KETTLE), a_line(2, gtin=TOASTER, quantity=3, brand="Grill & Co")]
    draft = a_lot_draft(reserve_minor=None)
    drafts = [await desk.lot(draft, lines) for lines in (toasters, both, [a_line()])]
    sale_id = await desk.sale(*drafts)
    version = await desk.version(sale_id)
    await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)
    await follows(desk, sale_id)
    return sale_id


async def test_it_finds_what_is_in_stock_and_what_is_in_a_sale(desk: Desk) -> None:
    sale_id = await published(desk)
    in_stock = await desk.lot(lines=[a_line(1), a_line(2, gtin=TOASTER, quantity=7)])
    recalls = Recalls(desk.pool, desk.engine)
    found = await recalls.find(SELLER, Recall(gtins=(TOASTER.lstrip("0"),)))
    assert [(lot.sale_id, lot.lot_id, lot.draft_id, lot.lines, lot.units) for lot in found] == [
        (sale_id, "1", None, (1,), 4),
        (sale_id, "2", None, (2,), 3),
        (None, None, in_stock, (2,), 7),
    ]


@pytest.mark.parametrize(
    ("recall", "lots"),
    [
        (Recall(gtins=(TOASTER,)), ["1", "2"]),
        (Recall(lpns=("LPN1",)), ["1"]),
        (Recall(brands=("GRILL & co",)), ["2"]),
        (Recall(gtins=(KETTLE,), lpns=("LPN1",)), ["1", "2"]),
        (Recall(lpns=("LPN",)), []),
    ],
)
async def test_by_gtin_plate_number_and_brand(desk: Desk, recall: Recall, lots: list[str]) -> None:
    await published(desk)
    found = await Recalls(desk.pool, desk.engine).find(SELLER, recall)
    assert [lot.lot_id for lot in found] == lots


async def test_another_liquidators_goods_are_not_found(desk: Desk, rival: Seller) -> None:
    await published(desk)
    recall = Recall(gtins=(TOASTER,))
    assert await Recalls(desk.pool, desk.engine).find(rival.liquidator_id, recall) == []
    assert await Recalls(desk.pool, desk.engine).withdraw(rival, recall, "it burns") == []


async def test_open_lots_that_hold_it_are_withdrawn_and_others_stay(
    desk: Desk, seller: Seller
) -> None:
    sale_id = await published(desk)
    recalls, recall = Recalls(desk.pool, desk.engine), Recall(gtins=(TOASTER,))
    withdrawn = await recalls.withdraw(seller, recall, "The heating element burns.")
    assert [(one.lot_id, one.code) for one in withdrawn] == [
        ("1", Acceptance.ACCEPTED),
        ("2", Acceptance.ACCEPTED),
    ]
    still_open = ChangeReserve(
        sale_id=sale_id, lot_id=LotId("3"), reserve_minor=500_00, actor_id=STAFF_MEMBER
    )
    assert (await desk.engine.submit(still_open)).accepted
    await follows(desk, sale_id)
    assert {lot.status for lot in await recalls.find(SELLER, recall)} == {LotStatus.WITHDRAWN}
    assert await recalls.withdraw(seller, recall, "again") == []


async def test_what_is_no_gtin_and_a_recall_of_nothing_are_refused(desk: Desk) -> None:
    recalls = Recalls(desk.pool, desk.engine)
    with pytest.raises(Refused, match="NOTHING_NAMED"):
        await recalls.find(SELLER, Recall())
    with pytest.raises(Refused, match="BAD_GTIN"):
        await recalls.find(SELLER, Recall(gtins=(TOASTER[:-1] + "x",)))


async def test_what_is_just_being_published_is_found_and_withdrawn(
    desk: Desk, seller: Seller
) -> None:
    recalls, recall = Recalls(desk.pool, desk.engine), Recall(gtins=(TOASTER,))
    draft_id = await desk.lot(lines=[a_line(1, gtin=TOASTER)])
    sale_id = await desk.sale(draft_id)
    seen: list[tuple[str | None, SaleId | None, LotId | None]] = []

    async def recalled(command: Command) -> None:
        if not isinstance(command, ScheduleSale):
            return
        desk.engine.after = None
        found = await recalls.find(SELLER, recall)
        seen.extend((lot.draft_id, lot.sale_id, lot.lot_id) for lot in found)
        (withdrawn,) = await recalls.withdraw(seller, recall, "It burns.")
        assert withdrawn.code == Acceptance.ACCEPTED

    desk.engine.after = recalled
    version = await desk.version(sale_id)
    await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)
    assert seen == [(draft_id, sale_id, LotId("1"))]
    await follows(desk, sale_id)
    (lot,) = await recalls.find(SELLER, recall)
    assert (lot.draft_id, lot.status) == (None, LotStatus.WITHDRAWN)


async def test_a_buyer_is_named_once_the_sale_has_closed(desk: Desk) -> None:
    sale_id = await published(desk)
    recalls, recall = Recalls(desk.pool, desk.engine), Recall(lpns=("LPN1",))
    sold = (
        "update lot_result set outcome = 'SOLD', hammer_minor = 1, winner_ids = '{ann}',"
        " winner_paddles = '{1}', closed_at_us = 1 where sale_id = $1 and lot_id = '1'"
    )
    await desk.pool.execute(sold, sale_id)
    (lot,) = await recalls.find(SELLER, recall)
    assert lot.buyers == ()
    await desk.pool.execute("update sale_result set closed_at_us = 2 where sale_id = $1", sale_id)
    (lot,) = await recalls.find(SELLER, recall)
    assert lot.buyers == ("ann",)
