"""Tells the engine what it has to know of the resellers in its sales, until it has answered.

A row of `registration` is a standing wish, and its own outbox. Whatever may change what the
engine should know (an approval, a certificate, a deposit, a limit, a ceiling) raises the row's
``revision``. Telling (`Registrar.settle`) claims the row, looks at the facts as they are, sends
commands made of them (`telling`), and puts ``settled`` to the revision that it began with. The
commands say how things should be, so that sending them again changes nothing.

What a crash leaves behind, at each await of ``settle``:

* after the claim: nothing else; the claim runs out after ``CLAIM_US``;
* after a command, also when its answer is lost: an engine that knows more than the row. The row
  is due still, and is told of again;
* what a sale may take of a whole limit is raised (``held_minor``) before a command that says
  more, and lowered after the answer to one that says less. So whichever of them is lost, the sum
  over a reseller's sales stays within the whole.

One process at a time tells about a row. Who was stopped until its claim ran out sends nothing
more; and since its last command may have overtaken somebody else's, it leaves the row due.
"""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

import structlog

from accounts.clock import Clock
from accounts.directory import people_of, standings_changed_since
from accounts.ids import OrganisationId
from auction.ports import Engine
from bidder_gateway import registration_rows as rows
from bidder_gateway.folds import Folds
from bidder_gateway.registration_rows import SECOND_US, Key
from bidder_gateway.telling import NotAnswered, TaxRates, Telling, ceilings_by_team
from foundation.database import Pool, transaction

# Rows told of at once: each is two or three commands and as many statements.
AT_ONCE: Final = 8
# The floor under the bell; approvals are looked at as often.
POLL_S: Final = 2.0
# What nobody rings for is looked at this often: ceilings, and parts held above their limit; and,
# seldom, everything, for what runs out by itself, such as a certificate.
OFTEN_US: Final = 10 * SECOND_US
SELDOM_US: Final = 3_600 * SECOND_US
# Changes of approvals are asked for again from so far back: they may have been being committed.
OVERLAP_US: Final = 30 * SECOND_US

_logger = structlog.get_logger(__name__)


class Registrar:
    """Keeps the engine in step. ``run`` may run in several processes; one would do."""

    def __init__(
        self, pool: Pool, engine: Engine, folds: Folds, rates: TaxRates, clock: Clock
    ) -> None:
        self._pool, self._clock = pool, clock
        self._telling = Telling(pool, engine, folds, rates, clock)
        self._bell = asyncio.Event()
        # In one process who comes second waits, and finds it done.
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._approvals: dict[OrganisationId, int] = {}  # when they changed, as seen last
        self._approvals_since_us = 0

    def ring(self) -> None:
        """Something is due."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled. What cannot be told now is told later."""
        often_at_us = seldom_at_us = 0
        while True:
            self._bell.clear()
            try:
                now_us = self._clock()
                if now_us >= seldom_at_us:
                    await self.look_at_all()
                    seldom_at_us = now_us + SELDOM_US
                if now_us >= often_at_us:
                    await self.look_at_the_quiet()
                    often_at_us = now_us + OFTEN_US
                await self.look_at_approvals()
                while await self.settle_due():
                    pass
            except Exception:  # nothing is passed over: what is due stays due, and the log tells
                _logger.warning("registrar_failed", exc_info=True)
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._bell.wait()
        except TimeoutError:
            pass

    async def settle_due(self) -> int:
        """Tell of what is due now, some rows of it; how many were taken up."""
        keys = await rows.due(self._pool, self._clock(), AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for key in keys:
                tasks.create_task(self.settle(key))
        return len(keys)

    async def settle(self, key: Key) -> None:
        """Tell the engine of this row, if it is due and no other process does.

        When it cannot be told the row stays due. Raises what the database raises.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            wish = await rows.claim(self._pool, key, self._clock())
            if wish is None:
                return
            try:
                told = await self._telling.tell(wish)
            except Exception as error:  # whatever it is, the row is due still; the log tells
                unexpected = not isinstance(error, NotAnswered)
                _logger.warning("bidder_not_told", sale_id=key[1], exc_info=unexpected)
                await rows.not_answered(self._pool, wish, self._clock())
                return
            await rows.write_answer(self._pool, wish, told, self._clock())
        self.ring()  # perhaps others wait for what this sale held

    # What nobody rings for.

    async def look_at_all(self) -> None:
        """At the start, and for what runs out by itself: all open sales are told of again."""
        self._approvals_since_us = self._clock()
        await rows.make_all_due(self._pool)

    async def look_at_approvals(self) -> None:
        """Resellers whose approval, certificates, address or limit changed."""
        since_us = self._approvals_since_us - OVERLAP_US
        found = await standings_changed_since(self._pool, since_us)
        seen, self._approvals = (
            self._approvals,
            {one.organisation_id: one.changed_at_us for one in found},
        )
        changed = [
            one.organisation_id
            for one in found
            if seen.get(one.organisation_id) != one.changed_at_us
        ]
        if changed:
            self._approvals_since_us = max(self._approvals.values())
            async with transaction(self._pool) as connection:
                await rows.make_resellers_due(connection, changed)

    async def look_at_the_quiet(self) -> None:
        """Ceilings that are not those that the engine was told; parts held above their limit."""
        await rows.make_held_due(self._pool)
        told = await rows.ceilings_told(self._pool)
        people = await people_of(self._pool, *{key[0] for key, _ in told})
        now = ceilings_by_team(people)
        async with transaction(self._pool) as connection:
            for key, ceilings in told:
                if ceilings != now.get(key[0], {}):
                    await rows.make_due(connection, *key)
