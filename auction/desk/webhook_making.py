"""Deliveries are made here, by a follower of the log with a cursor of its own.

They are written in the transaction that moves the cursor: a step that did not commit leaves no
delivery, one that did leaves each. Whoever puts the cursor back makes nothing twice, since a
delivery's name follows from its event and its endpoint. What is said follows from the log alone,
because other followers' tables may be behind.

Nearly all of a log are bids: events are decoded only if their bytes name one of ours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct

from auction.codec import Recorded, decode_body
from auction.desk.webhook_rules import (
    KINDS,
    Payload,
    WebhookEvent,
    award_delivery_id_of,
    delivery_id_of,
    moment_of,
    payload_text,
    reserve_outcome,
)
from auction.events import LotScheduled, LotSold, SaleClosed, SaleScheduled, lot_of
from auction.ids import LiquidatorId, LotId, SaleId, Shard
from auction.ports import LoggedEvent
from foundation.database import AnyConnection
from foundation.follower import Cursors, LogFollower

FOLLOWER: Final = "webhooks"
# Deliveries that may wait for one endpoint: ten sales of a thousand lots.
MAX_WAITING: Final = 10_000

_TELLING: Final = (SaleScheduled, LotScheduled, SaleClosed, *KINDS)
_TAGS: Final = tuple(kind.TYPE.encode() for kind in _TELLING)

_SAVE_SALES: Final = """
insert into webhook_sale (sale_id, liquidator_id, currency)
select * from unnest($1::text[], $2::text[], $3::text[]) on conflict (sale_id) do nothing
"""

_SAVE_LOTS: Final = """
insert into webhook_lot (sale_id, lot_id, title)
select * from unnest($1::text[], $2::text[], $3::text[])
on conflict (sale_id, lot_id) do update set title = excluded.title
"""

_TITLES: Final = """
select sale_id, lot_id, title from webhook_lot
join unnest($1::text[], $2::text[]) as wanted (sale_id, lot_id) using (sale_id, lot_id)
"""

# Held until the commit, so that none is removed in between.
_ENDPOINTS: Final = """
select sale_id, currency, webhook_id, events, since_us
from webhook_sale join webhook using (liquidator_id)
where sale_id = any($1) and active for key share of webhook
"""

_ENDPOINTS_OF: Final = """
select webhook_id, events, since_us from webhook
where liquidator_id = $1 and active for key share
"""

_WAITING: Final = """
select webhook_id, count(*) as waiting from webhook_delivery
where webhook_id = any($1) and state = 'WAITING' group by webhook_id
"""

# What comes when the queue is full is not sent, but listed, and can be sent by hand.
_WRITE: Final = """
insert into webhook_delivery (delivery_id, webhook_id, type, sale_id, lot_id, payload, state,
    made_at_us, due_at_us, tries, claims)
select delivery_id, webhook_id, type, sale_id, lot_id, payload,
    case when fits then 'WAITING' else 'FAILED' end, $8, case when fits then $8::bigint end, 0, 0
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
    as made (delivery_id, webhook_id, type, sale_id, lot_id, payload, fits)
on conflict (delivery_id) do nothing
"""

_FORGET: Final = (
    "delete from webhook_lot where sale_id = any($1)",
    "delete from webhook_sale where sale_id = any($1)",
)


class WebhookMaker:
    """Writes deliveries. ``wall_us``: by which they are sent."""

    def __init__(self, wall_us: Callable[[], int]) -> None:
        self._wall_us = wall_us

    def follower(
        self, shard: Shard, cursors: Cursors[AnyConnection, LoggedEvent]
    ) -> LogFollower[AnyConnection, LoggedEvent]:
        """The follower of a shard."""
        return LogFollower(FOLLOWER, shard, self.handle, cursors)

    async def handle(self, connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        """Write what these events give, in the follower's transaction."""
        told = [
            decode_body(row.position, row.body)
            for row in rows
            if any(tag in row.body for tag in _TAGS)
        ]
        told = [one for one in told if isinstance(one.event, _TELLING)]
        if told:
            await _learn(connection, told)
            await self._tell(connection, [one for one in told if type(one.event) in KINDS])
            closed = [one.sale_id for one in told if isinstance(one.event, SaleClosed)]
            if closed:
                for statement in _FORGET:
                    await connection.execute(statement, closed)

    async def _tell(self, connection: AnyConnection, ended: Sequence[Recorded]) -> None:
        sale_ids = sorted({one.sale_id for one in ended})
        endpoints = await connection.fetch(_ENDPOINTS, sale_ids) if ended else []
        if not endpoints:
            return
        places = [(one.sale_id, lot_of(one.event)) for one in ended]
        found = await connection.fetch(_TITLES, *map(list, zip(*places, strict=True)))
        titles = {(row["sale_id"], row["lot_id"]): row["title"] for row in found}
        made = [
            _delivery(one, endpoint, titles)
            for one in ended
            for endpoint in endpoints
            if _wanted(one, endpoint)
        ]
        if made:
            fits = await _fitting(connection, [one[1] for one in made])
            columns = [*map(list, zip(*made, strict=True)), fits]
            await connection.execute(_WRITE, *columns, self._wall_us())


class AwardNews(Struct, frozen=True, kw_only=True):
    """What happened to the award of a lot."""

    event: WebhookEvent
    award_id: str
    sale_id: SaleId
    lot_id: LotId
    title: str
    hammer_minor: int
    currency: str
    at_us: int


async def tell_of_awards(
    connection: AnyConnection, liquidator_id: LiquidatorId, news: Sequence[AwardNews], now_us: int
) -> None:
    """Write the deliveries of these, in the transaction in which they happen."""
    endpoints = await connection.fetch(_ENDPOINTS_OF, liquidator_id)
    made = [
        _award_delivery(one, endpoint["webhook_id"])
        for one in news
        for endpoint in endpoints
        if one.event in endpoint["events"] and one.at_us >= endpoint["since_us"]
    ]
    if made:
        fits = await _fitting(connection, [one[1] for one in made])
        await connection.execute(_WRITE, *map(list, zip(*made, strict=True)), fits, now_us)


async def _learn(connection: AnyConnection, told: Sequence[Recorded]) -> None:
    sales = [
        (one.sale_id, one.event.liquidator_id, one.event.terms.currency)
        for one in told
        if isinstance(one.event, SaleScheduled)
    ]
    # A statement may not write one row twice: of equal names the last counts.
    lots = {
        (one.sale_id, one.event.lot_id): one.event.title
        for one in told
        if isinstance(one.event, LotScheduled)
    }
    if sales:
        await connection.execute(_SAVE_SALES, *map(list, zip(*sales, strict=True)))
    if lots:
        rows = [(*key, title) for key, title in lots.items()]
        await connection.execute(_SAVE_LOTS, *map(list, zip(*rows, strict=True)))


def _wanted(one: Recorded, endpoint: asyncpg.Record) -> bool:
    return (
        endpoint["sale_id"] == one.sale_id
        and KINDS[type(one.event)] in endpoint["events"]
        and one.at_us >= endpoint["since_us"]
    )


def _delivery(
    one: Recorded, endpoint: asyncpg.Record, titles: Mapping[tuple[str, str], str]
) -> tuple[Any, ...]:
    """The first columns of a delivery, in the order of `_WRITE`."""
    event, lot_id = one.event, lot_of(one.event)
    assert one.sequence is not None and lot_id is not None, "the end of a lot is public"
    webhook_id = endpoint["webhook_id"]
    delivery_id = delivery_id_of(one.sale_id, one.sequence, webhook_id)
    payload = Payload(
        id=delivery_id,
        type=KINDS[type(event)],
        at=moment_of(one.at_us),
        sale_id=one.sale_id,
        lot_id=lot_id,
        title=titles.get((one.sale_id, lot_id), ""),
        hammer_minor=event.hammer_price_minor if isinstance(event, LotSold) else None,
        currency=endpoint["currency"],
        reserve=reserve_outcome(event),
    )
    return (delivery_id, webhook_id, payload.type, one.sale_id, lot_id, payload_text(payload))


def _award_delivery(one: AwardNews, webhook_id: str) -> tuple[Any, ...]:
    """The first columns of a delivery, in the order of `_WRITE`."""
    delivery_id = award_delivery_id_of(one.event, one.award_id, webhook_id)
    payload = Payload(
        id=delivery_id,
        type=one.event,
        at=moment_of(one.at_us),
        sale_id=one.sale_id,
        lot_id=one.lot_id,
        title=one.title,
        hammer_minor=one.hammer_minor,
        currency=one.currency,
    )
    return (delivery_id, webhook_id, payload.type, one.sale_id, one.lot_id, payload_text(payload))


async def _fitting(connection: AnyConnection, webhook_ids: Sequence[str]) -> list[bool]:
    """For each delivery whether it fits in the queue of its endpoint."""
    rows = await connection.fetch(_WAITING, sorted(set(webhook_ids)))
    waiting = {row["webhook_id"]: row["waiting"] for row in rows}
    fits = []
    for webhook_id in webhook_ids:
        waiting[webhook_id] = waiting.get(webhook_id, 0) + 1
        fits.append(waiting[webhook_id] <= MAX_WAITING)
    return fits
