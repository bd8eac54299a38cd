"""Lanes: each takes due envelopes of one way and carries them, several at once.

Urgent pushes have a lane of their own, so that who is outbid does not stand behind ten thousand
who are told of a pause. A lane that was woken looks at once; by itself it looks every ``POLL_S``,
which is also how late it finds what another process wrote.

What a crash leaves, by the place: after the claim, a lease that runs out, and all is done again;
after the carrier has handed a parcel over and before that is settled, a parcel that goes out a
second time; after that, nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import structlog
from msgspec import Struct, field

from accounts import directory
from accounts.directory import PersonEntry
from auction.ids import SaleId
from bidder_gateway.notices import outbox
from bidder_gateway.notices.addressing import Notice, NoticeId
from bidder_gateway.notices.carriers import AddressGone, Carrier, NotNow, NotSent, Parcel
from bidder_gateway.notices.judging import Drop, Dropped, Reader, Send, Times, Wait, judge
from bidder_gateway.notices.kinds import Way
from bidder_gateway.notices.outbox import Envelope, Outcome, Waiting
from bidder_gateway.notices.preferences import Settings, choices_of, settings_of
from bidder_gateway.notices.sales import Key, Sales, load_lots
from foundation.database import Pool, acquire

# Of the five seconds in which who was outbid is to know it, should the waking be lost.
POLL_S: Final = 1.0
# Beyond this a carrier hangs; the lease is longer.
CARRY_S: Final = 30.0
# After a step that failed, because the database is away.
RETRY_S: Final = 2.0

Clock = Callable[[], int]

_logger = structlog.get_logger(__name__)


class Figures(Struct):
    """What a lane has done, for /metrics."""

    sent: int = 0
    dropped: int = 0
    failed: int = 0
    tried_again: int = 0


class _Sorted(Struct):
    """An envelope's notices: those that go out now, and what becomes of the others."""

    sending: list[Notice] = field(default_factory=list)
    dropped: dict[NoticeId, str] = field(default_factory=dict)
    wait_until_us: int = 0

    def outcome(self, *, sent: bool = False, failed: str = "", wait_until_us: int = 0) -> Outcome:
        """What is written down: ``failed`` is why what was to go out never will."""
        ids = [notice.notice_id for notice in self.sending]
        return Outcome(
            sent=ids if sent else (),
            dropped=self.dropped,
            failed=dict.fromkeys(ids, failed) if failed else {},
            wait_until_us=max(self.wait_until_us, wait_until_us),
        )


class Lane:
    """One way's envelopes, urgent or not. Its owner runs it as a task."""

    def __init__(
        self,
        pool: Pool,
        way: Way,
        carrier: Carrier,
        *,
        urgent: bool,
        at_once: int,
        now_us: Clock,
        wall_us: Clock,
    ) -> None:
        self._pool, self.way, self._carrier = pool, way, carrier
        self.urgent, self._at_once = urgent, at_once
        self._now_us, self._wall_us = now_us, wall_us
        self._busy, self._stopping = 0, False
        self._woken = asyncio.Event()
        self.figures = Figures()

    def wake(self) -> None:
        """There may be something to carry."""
        self._woken.set()

    def stop(self) -> None:
        """Take nothing more; `run` returns when what is under way has been settled."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Carry until stopped."""
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                self._woken.clear()
                claimed = await self._claim()
                for envelope in claimed:
                    tasks.create_task(self._carry_counted(envelope))
                if not claimed or self._busy >= self._at_once:
                    await self._wait()

    async def round(self) -> int:
        """Carry what is due now, and return when that is done; how many envelopes it was."""
        claimed = await self._claim()
        await asyncio.gather(*(self._carry_counted(envelope) for envelope in claimed))
        return len(claimed)

    async def _claim(self) -> Sequence[Envelope]:
        free = self._at_once - self._busy
        if free <= 0:
            return ()
        try:
            claimed = await outbox.claim(
                self._pool, self.way, urgent=self.urgent, limit=free, now_us=self._wall_us()
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _logger.warning("lane_waits", way=self.way, reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RETRY_S)
            return ()
        self._busy += len(claimed)
        return claimed

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _carry_counted(self, envelope: Envelope) -> None:
        try:
            await self._carry(envelope)
        except Exception:  # the lease runs out, and it is tried again; until then the log tells
            _logger.exception("envelope_not_carried", way=self.way, tries=envelope.tries)
        finally:
            if self._busy >= self._at_once:
                self._woken.set()
            self._busy -= 1

    async def _carry(self, envelope: Envelope) -> None:
        found = (await directory.people(self._pool, [envelope.person_id])).get(envelope.person_id)
        async with acquire(self._pool) as connection:
            waiting = await outbox.contents_of(connection, envelope)
            if found is None:
                left = {one.notice.notice_id: Dropped.LEFT for one in waiting}
                await self._settle(envelope, Outcome(dropped=left))
                return
            settings = await settings_of(connection, [envelope.person_id])
            choices = await choices_of(connection, [envelope.person_id])
            keys = {key for one in waiting if (key := _key(one.notice)) is not None}
            sale_ids = {SaleId(one.notice.sale_id) for one in waiting if one.notice.sale_id}
            sales = await load_lots(connection, keys, sorted(sale_ids))
        own = settings.get(envelope.person_id, Settings())
        reader = Reader(found.time_zone, choices.get(envelope.person_id, {}), own)
        contents = self._sort(waiting, reader, sales)
        if not contents.sending:
            await self._settle(envelope, contents.outcome())
            return
        await self._hand_over(envelope, contents, found, own)

    def _sort(self, waiting: Sequence[Waiting], reader: Reader, sales: Sales) -> _Sorted:
        contents = _Sorted()
        times = Times(self._now_us(), self._wall_us())
        for one in waiting:
            notice = one.notice
            sale = None if notice.sale_id is None else sales.sales[notice.sale_id]
            known = sale is not None and sale.currency != ""
            verdict = judge(
                notice,
                seen=one.seen,
                way=self.way,
                reader=reader,
                times=times,
                sale=sale if known else None,
                lot=None if sale is None or notice.lot_id is None else sale.lots.get(notice.lot_id),
            )
            match verdict:
                case Send(ready):
                    contents.sending.append(ready)
                case Drop(reason):
                    contents.dropped[notice.notice_id] = reason
                case Wait(until_us):
                    contents.wait_until_us = max(contents.wait_until_us, until_us)
        return contents

    async def _hand_over(
        self, envelope: Envelope, contents: _Sorted, reader: PersonEntry, settings: Settings
    ) -> None:
        parcel = Parcel(
            reader=reader,
            device=envelope.device,
            phone=settings.phone,
            notices=contents.sending[-outbox.MAX_TOGETHER :],
        )
        try:
            async with asyncio.timeout(CARRY_S):
                await self._carrier.carry(parcel)
        except AddressGone:
            person_id = envelope.person_id
            await outbox.forget_device(self._pool, person_id, envelope.device, self._wall_us())
            self.figures.dropped += len(contents.sending) + len(contents.dropped)
        except NotNow as resting:
            await self._settle(envelope, contents.outcome(wait_until_us=resting.until_us))
        except (NotSent, TimeoutError) as error:
            await self._not_sent(envelope, contents, error)
        else:
            await self._settle(envelope, contents.outcome(sent=True))

    async def _not_sent(
        self, envelope: Envelope, contents: _Sorted, error: NotSent | TimeoutError
    ) -> None:
        reason = str(error) or type(error).__name__
        permanent = isinstance(error, NotSent) and error.permanent
        last = permanent or envelope.tries >= outbox.MAX_TRIES
        say = _logger.error if last else _logger.warning
        say("notice_not_sent", way=self.way, reason=reason, tries=envelope.tries, final=last)
        if last:
            await self._settle(envelope, contents.outcome(failed=reason[:200]))
            return
        self.figures.tried_again += 1
        after_s = error.retry_after_s if isinstance(error, NotSent) else 0.0
        wait_us = max(outbox.pause_us(envelope.tries), round(after_s * 1e6))
        await outbox.pause(self._pool, envelope, self._wall_us() + wait_us)

    async def _settle(self, envelope: Envelope, outcome: Outcome) -> None:
        await outbox.settle(self._pool, envelope, outcome, self._wall_us())
        self.figures.sent += len(outcome.sent)
        self.figures.dropped += len(outcome.dropped)
        self.figures.failed += len(outcome.failed)


def _key(notice: Notice) -> Key | None:
    if notice.sale_id is None or notice.lot_id is None:
        return None
    return notice.sale_id, notice.lot_id
