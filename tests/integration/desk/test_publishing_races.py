"""Publishing while somebody else changes what is published, or publishes it too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from accounts.clock import wall_clock
from auction.commands import Command, ScheduleSale
from auction.desk.lot_drafts import change_lot, read_lot, remove_lots
from auction.desk.lots import Lots
from auction.desk.publishing import NotYet, Publishing
from auction.desk.refusals import Refused
from auction.desk.sale_drafts import DraftState, change_sale, read_sale
from auction.desk.seller import Seller
from auction.ids import SaleId
from auction.verdicts import Verdict
from foundation.database import transaction
from tests.builders import STAFF_MEMBER
from tests.desk import SELLER, Desk, a_desk, a_lot_draft, a_sale_draft
from tests.integration.desk.test_publishing import in_the_log, once, publish, state_of


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(database_url) as desk:
        yield desk


_SOMEBODY_WAITS = """
select exists (
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
)
"""


async def comes_true(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - a table knows nothing of us
            await asyncio.sleep(0.01)


async def somebody_waits_for_a_lock(desk: Desk) -> None:
    await comes_true(lambda: desk.pool.fetchval(_SOMEBODY_WAITS))


async def test_a_change_that_is_being_made_is_published_with_the_lot(desk: Desk) -> None:
    draft_id = await desk.lot()
    sale_id = await desk.sale(draft_id)
    async with asyncio.TaskGroup() as tasks, transaction(desk.pool) as connection:
        lot = await read_lot(connection, SELLER, draft_id, lock=True)
        publishing = tasks.create_task(publish(desk, sale_id))
        await somebody_waits_for_a_lock(desk)
        dearer = a_lot_draft(title="Another", opening_minor=777_00, reserve_minor=None)
        await change_lot(connection, lot, lot.version, dearer, STAFF_MEMBER, desk.now_us)
    assert publishing.result() is DraftState.PUBLISHED
    (lot_now,) = (await in_the_log(desk, sale_id)).lots.values()
    assert (lot_now.title, lot_now.opening_minor) == ("Another", 777_00)
    assert await desk.pool.fetchval("select title from lot_listing") == "Another"


async def test_a_lot_that_is_being_taken_away_is_not_published(desk: Desk) -> None:
    going, staying = await desk.lot(), await desk.lot()
    sale_id = await desk.sale(going, staying)
    async with asyncio.TaskGroup() as tasks, transaction(desk.pool) as connection:
        lot = await read_lot(connection, SELLER, going, lock=True)
        publishing = tasks.create_task(publish(desk, sale_id))
        await somebody_waits_for_a_lock(desk)
        await remove_lots(connection, [lot], STAFF_MEMBER, desk.now_us)
    assert publishing.result() is DraftState.PUBLISHED
    assert list((await in_the_log(desk, sale_id)).lots) == ["2"]


async def test_who_waited_for_a_publishing_changes_nothing_of_it(desk: Desk) -> None:
    draft_id, lots = await desk.lot(), Lots(desk.pool, wall_clock)
    sale_id, by = await desk.sale(draft_id), Seller(SELLER, STAFF_MEMBER)
    async with transaction(desk.pool) as connection:
        sale = await read_sale(connection, SELLER, sale_id, lock=True)
        await desk.publishing._begin(connection, sale, STAFF_MEMBER, None)
        change = asyncio.create_task(lots.change(by, draft_id, 2, a_lot_draft(title="Late")))
        await somebody_waits_for_a_lock(desk)
    with pytest.raises(Refused, match="PUBLISHED_ALREADY"):
        await change
    await once(desk.publishing)
    (lot,) = (await in_the_log(desk, sale_id)).lots.values()
    assert lot.title == "Kitchen appliances"


async def test_a_sale_that_fails_does_not_hold_up_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.desk.publishing.RETRY_AFTER_S", ())
    sales = [await desk.sale(await desk.lot()) for _ in range(3)]
    broken: list[SaleId] = []

    async def away(_: Command) -> None:
        raise ConnectionError

    desk.engine.before = away
    for sale_id in sales:
        with pytest.raises(ConnectionError):
            await publish(desk, sale_id)

    async def fails(command: Command) -> None:
        if isinstance(command, ScheduleSale) and command.sale_id in broken:
            raise ZeroDivisionError

    desk.engine.before = fails
    first = await desk.pool.fetchval("select sale_id from sale_draft limit 1")
    broken.append(first)
    resuming = asyncio.create_task(desk.publishing.resume())

    async def others_are_published() -> bool:
        states = [await state_of(desk, sale_id) for sale_id in sales if sale_id != first]
        return states == [DraftState.PUBLISHED] * 2

    await comes_true(others_are_published)
    resuming.cancel()
    await asyncio.gather(resuming, return_exceptions=True)
    assert await state_of(desk, first) is DraftState.PUBLISHING


async def test_who_comes_late_takes_back_nothing_that_was_begun_anew(desk: Desk) -> None:
    """Two are refused; one takes it back, the seller mends and publishes, the other wakes."""
    sale_id = await desk.sale(await desk.lot())
    engine, asked, go_on = desk.engine.engine, asyncio.Event(), asyncio.Event()

    class Refusing:
        def __init__(self, *, late: bool) -> None:
            self.late = late

        async def submit(self, command: Command) -> Verdict:
            assert isinstance(command, ScheduleSale)
            lots = tuple(replace(lot, opens_at_us=0, closes_at_us=1) for lot in command.lots)
            verdict = await engine.submit(replace(command, lots=lots))
            if self.late:
                asked.set()
                await go_on.wait()
            return verdict

    sleepy, brisk = (
        Publishing(desk.pool, Refusing(late=late), desk.host.clock.now_us) for late in (True, False)
    )
    version = await desk.version(sale_id)
    late = asyncio.create_task(sleepy.publish(SELLER, sale_id, version, STAFF_MEMBER))
    await asked.wait()
    with pytest.raises(Refused, match="NOT_READY"):
        await brisk._go_on(SELLER, sale_id)
    async with transaction(desk.pool) as connection:
        sale = await read_sale(connection, SELLER, sale_id, lock=True)
        mended = replace(a_sale_draft(desk.now_us), title="Mended")
        await change_sale(connection, sale, sale.version, mended, STAFF_MEMBER, desk.now_us)
    assert await publish(desk, sale_id) is DraftState.PUBLISHED
    go_on.set()
    with pytest.raises((Refused, NotYet)):
        await late
    assert await state_of(desk, sale_id) is DraftState.PUBLISHED
    assert await desk.pool.fetchval("select title from sale_listing") == "Mended"
