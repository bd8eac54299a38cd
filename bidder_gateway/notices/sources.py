"""Notices that do not come from the log: what is due by the clock, what other tables tell.

Each source looks by itself every so often, in a transaction that holds its row of
``notice_source``: of several processes one looks. What it has told of moves in the same
transaction as the notices, so a crash leaves either both or neither.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import asyncpg
import structlog

from accounts.approval_states import ApprovalState
from accounts.directory import Standing, standings_changed_since
from accounts.ids import PersonId
from auction.ids import BidderId, LotId, SaleId
from auction.sale import LotStatus
from bidder_gateway.notices.book import Book, Entered
from bidder_gateway.notices.kinds import MINUTE_US, SECOND_US, Kind
from bidder_gateway.notices.preferences import LEADS
from bidder_gateway.notices.rules import Draft, Facts, To
from bidder_gateway.notices.sales import load_lots
from bidder_gateway.saved_searches import SETTLED_AFTER_US, Alert, next_alerts
from foundation.database import AnyConnection, Pool, acquire, transaction

# Lots that are told of in one transaction, searches that are looked at in one.
LOTS_AT_ONCE: Final = 200
SEARCHES_AT_ONCE: Final = 50
# Changes of approvals that were being committed while others were read.
OVERLAP_US: Final = 10 * SECOND_US
RETRY_S: Final = 10.0

Clock = Callable[[], int]
AfterCommit = Callable[[Sequence[Entered]], None]

_logger = structlog.get_logger(__name__)

_CREATE = "insert into notice_source (name, at_us) values ($1, 0) on conflict do nothing"
_HOLD = "select at_us from notice_source where name = $1 for update skip locked"
_MOVE = "update notice_source set at_us = $2 where name = $1"


class Source(ABC):
    """Looks every ``EVERY_S`` seconds. ``now_us`` is the engine's time, ``wall_us`` that of day."""

    NAME: ClassVar[str]
    EVERY_S: ClassVar[float]

    def __init__(
        self, pool: Pool, book: Book, now_us: Clock, wall_us: Clock, after_commit: AfterCommit
    ) -> None:
        self._pool, self._book = pool, book
        self._now_us, self._wall_us = now_us, wall_us
        self._after_commit = after_commit

    @abstractmethod
    async def look(
        self, connection: AnyConnection, at_us: int
    ) -> tuple[Sequence[Draft], int, bool]:
        """What is to be told, how far this source has come, and whether there is more at once."""

    async def step(self) -> bool:
        """Look once, and enter what there is to tell; whether there is more at once."""
        async with acquire(self._pool) as connection:
            await connection.execute(_CREATE, self.NAME)
        async with transaction(self._pool) as connection:
            at_us = await connection.fetchval(_HOLD, self.NAME)
            if at_us is None:  # another process looks
                return False
            drafts, moved_us, more = await self.look(connection, at_us)
            now_us, wall_us = self._now_us(), self._wall_us()
            entered = await self._book.enter(connection, drafts, now_us, wall_us)
            if moved_us != at_us:
                await connection.execute(_MOVE, self.NAME, moved_us)
        if entered:
            self._after_commit(entered)
        return more

    async def run(self) -> None:
        """Look until cancelled. What fails is logged and tried again."""
        while True:
            pause_s = self.EVERY_S
            try:
                while await self.step():
                    pass
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                reason = f"{type(error).__name__}: {error}"
                _logger.warning("notice_source_failed", source=self.NAME, reason=reason)
                pause_s = RETRY_S
            await asyncio.sleep(pause_s)


_DUE = """
select notice_lot.sale_id, notice_lot.lot_id, closes_at_us
from notice_lot join notice_sale using (sale_id)
left join notice_closing on notice_closing.sale_id = notice_lot.sale_id
    and notice_closing.lot_id = notice_lot.lot_id and lead_minutes = $1
where status = 'LIVE' and not paused and opens_at_us <= $2
    and closes_at_us > $2 and closes_at_us <= $2::bigint + $3
    and (told_end_us is null or closes_at_us >= told_end_us + $3)
order by closes_at_us limit $4
"""

_TOLD = """
insert into notice_closing (sale_id, lot_id, lead_minutes, told_end_us) values ($1, $2, $3, $4)
on conflict (sale_id, lot_id, lead_minutes) do update set told_end_us = excluded.told_end_us
"""


class ClosingSoon(Source):
    """Lots that end in so many minutes, by the end in force.

    Each lead is told of once for a lot: an extension of some minutes is no news to who knows that
    it ends soon. Only an end that moved by a whole lead, as after an outage, is told of again.
    """

    NAME = "closing"
    EVERY_S = 5.0

    async def look(
        self, connection: AnyConnection, at_us: int
    ) -> tuple[Sequence[Draft], int, bool]:
        """See `Source`."""
        now_us = self._now_us()
        drafts: list[Draft] = []
        more = False
        for lead in LEADS:
            values = (lead, now_us, lead * MINUTE_US, LOTS_AT_ONCE)
            rows = await connection.fetch(_DUE, *values)
            more = more or len(rows) == LOTS_AT_ONCE
            told = [(row["sale_id"], row["lot_id"], lead, row["closes_at_us"]) for row in rows]
            await connection.executemany(_TOLD, told)
            drafts += await self._drafts(connection, lead, rows, now_us)
        return drafts, at_us, more

    async def _drafts(
        self, connection: AnyConnection, lead: int, rows: Sequence[asyncpg.Record], now_us: int
    ) -> list[Draft]:
        keys: list[tuple[SaleId, LotId]] = [(row["sale_id"], row["lot_id"]) for row in rows]
        loaded = await load_lots(connection, keys, sorted({key[0] for key in keys}))
        return [
            Draft(
                kind=Kind.CLOSING_SOON,
                event=("closing", sale.sale_id, lot.lot_id, lead, lot.closes_at_us),
                at_us=now_us,
                facts=Facts(
                    title=lot.title,
                    currency=sale.currency,
                    price_minor=lot.price_minor,
                    next_minimum_minor=lot.next_minimum_minor,
                    closes_at_us=lot.closes_at_us,
                    lead_minutes=lead,
                ),
                sale_id=sale.sale_id,
                lot_id=lot.lot_id,
                to=tuple(To(b, frozenset(known.people)) for b, known in lot.bidders.items()),
                watched=True,
            )
            for sale in loaded.sales.values()
            for lot in sale.lots.values()
            if lot.status is LotStatus.LIVE
        ]


_STATES = "select organisation_id, state from notice_approval where organisation_id = any ($1)"

_KEEP_STATE = """
insert into notice_approval (organisation_id, state) values ($1, $2)
on conflict (organisation_id) do update set state = excluded.state
"""

_DECIDED = frozenset(
    {
        ApprovalState.APPROVED,
        ApprovalState.NEEDS_MORE,
        ApprovalState.DECLINED,
        ApprovalState.SUSPENDED,
    }
)


class Approvals(Source):
    """What staff decided about resellers' applications."""

    NAME = "approvals"
    EVERY_S = 5.0

    async def look(
        self, connection: AnyConnection, at_us: int
    ) -> tuple[Sequence[Draft], int, bool]:
        """See `Source`."""
        changed = await standings_changed_since(self._pool, at_us - OVERLAP_US)
        ids = [standing.organisation_id for standing in changed]
        known = {row[0]: row[1] for row in await connection.fetch(_STATES, ids)}
        news = [one for one in changed if known.get(one.organisation_id) != one.approval]
        await connection.executemany(
            _KEEP_STATE, [(one.organisation_id, one.approval) for one in news]
        )
        drafts = [_decided(one) for one in news if one.approval in _DECIDED]
        moved_us = max((one.changed_at_us for one in changed), default=at_us)
        return drafts, max(at_us, moved_us), False


def _decided(standing: Standing) -> Draft:
    return Draft(
        kind=Kind.APPROVAL_DECIDED,
        event=("approval", standing.organisation_id, standing.approval, standing.changed_at_us),
        at_us=standing.changed_at_us,
        facts=Facts(state=standing.approval),
        to=(To(BidderId(standing.organisation_id), everybody=True),),
    )


_NEW_LOTS = """
select exists (select from lot_rules where scheduled_at_us > $1 and scheduled_at_us <= $2)
"""


class SearchMatches(Source):
    """New lots that saved searches find. Without new lots nobody's search is looked at."""

    NAME = "searches"
    EVERY_S = 15.0

    # Up to when lots are new in a look that takes several steps. A search that was looked at is
    # not looked at again for the same time, so who begins anew after a crash goes on there.
    _until_us: int | None = None

    async def look(
        self, connection: AnyConnection, at_us: int
    ) -> tuple[Sequence[Draft], int, bool]:
        """See `Source`."""
        now_us = self._now_us()
        if self._until_us is None:
            until_us = now_us - SETTLED_AFTER_US
            if not await connection.fetchval(_NEW_LOTS, at_us, until_us):
                return (), at_us, False
            self._until_us = until_us
        until_us = self._until_us
        alerts, last = await next_alerts(
            connection, "", SEARCHES_AT_ONCE, until_us + SETTLED_AFTER_US
        )
        if last is None:
            self._until_us = None
            return (), until_us, False
        return [_found(alert, until_us, now_us) for alert in alerts], at_us, True


def _found(alert: Alert, until_us: int, now_us: int) -> Draft:
    sales = {sale_id for sale_id, _ in alert.lots}
    alone = len(alert.lots) == 1
    return Draft(
        kind=Kind.SEARCH_MATCHED,
        event=("search", alert.search_id, until_us),
        at_us=now_us,
        facts=Facts(search=alert.name, search_id=alert.search_id, lots=len(alert.lots)),
        sale_id=alert.lots[0][0] if len(sales) == 1 else None,
        lot_id=alert.lots[0][1] if alone else None,
        person_id=PersonId(alert.person_id),
    )
