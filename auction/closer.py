"""Closes what is due. A deadline is a field of the state: this only submits ``CloseDue``.

Early, late or repeated it does no harm; it never runs while the service is dark, so that the
outage rule comes first.
"""

import asyncio

from auction.commands import CloseDue
from auction.ids import SaleId, shard_of
from auction.judge import Judge
from auction.liveness import Liveness
from auction.ports import Clock
from auction.shards import next_deadline_us


class Closer:
    """Sleeps until the next deadline of the judge's sales."""

    def __init__(self, judge: Judge, clock: Clock, liveness: Liveness) -> None:
        self._judge, self._clock, self._liveness = judge, clock, liveness
        self._moved = asyncio.Event()

    def look_again(self) -> None:
        """The next deadline may have become earlier."""
        if self._judge.deadlines.moved:
            self._moved.set()

    async def run(self) -> None:
        """Close lots until cancelled. A rule that is broken here ends the writer."""
        deadlines = self._judge.deadlines
        while True:
            await self._liveness.serving.wait()
            deadlines.moved = False
            self._moved.clear()
            next_us = deadlines.next_us()
            if next_us is None or self._clock.now_us() < next_us:
                await self._sleep_until(next_us)
            elif self._liveness.is_dark():
                self._liveness.pause()
            else:
                for sale_id in deadlines.pop(self._clock.now_us()):
                    await self._close(sale_id)

    async def _sleep_until(self, at_us: int | None) -> None:
        """Until ``at_us``, or until an earlier deadline was set."""
        moved = asyncio.create_task(self._moved.wait())
        sleepers: list[asyncio.Task[object]] = [moved]
        if at_us is not None:
            sleepers.append(asyncio.create_task(self._clock.sleep_until(at_us)))
        try:
            await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sleeper in sleepers:
                sleeper.cancel()

    async def _close(self, sale_id: SaleId) -> None:
        """Close what is due in a sale, a chunk at a time; then wait for its next deadline."""
        shard = shard_of(sale_id)
        while self._liveness.ready:
            sale = self._judge.sale(shard, sale_id)
            due_us = None if sale is None else next_deadline_us(sale)
            if due_us is None:
                return
            now_us = self._clock.now_us()
            if now_us < due_us:
                self._judge.deadlines.add(sale_id, due_us)
                return
            self._judge.judge(shard, CloseDue(sale_id=sale_id), now_us)
            self._liveness.wake.set()
            await asyncio.sleep(0)  # bids on other lots go in between
