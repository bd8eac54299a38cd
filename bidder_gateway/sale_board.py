"""What the public knows of each sale, and what is agreed on its lots: kept by a follower.

`lot_board` beside it has what changes with the bids; these rows change seldom. What lots come to is
taken from the catalogue when they are scheduled: it is frozen by then.
"""

from collections.abc import Sequence

import msgspec

from auction.codec import Recorded
from auction.events import (
    BiddersAdmitted,
    BiddersDismissed,
    EndsMoved,
    LotScheduled,
    LotsRescheduled,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection

_SALE = """
insert into sale_board (sale_id, liquidator_id, currency, audience, terms, scheduled_at_us)
values ($1, $2, $3, $4, $5::jsonb, $6)
"""

_LOT = """
insert into lot_rules (sale_id, lot_id, lot_group, restrictions, scheduled_at_us,
    scheduled_closes_at_us, latest_end_us, manifest_sha256)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# Publishing writes a lot before the engine has it and makes it public after, perhaps behind us.
_OPENS = """
update sale_board set
    opens_at_us = least(opens_at_us, $2),
    restrictions = array(
        select distinct restriction collate "C"
        from unnest(restrictions || $3::text[]) as restriction order by 1
    ),
    lots = sale_board.lots + listed.lots,
    units = sale_board.units + listed.units,
    msrp_minor = sale_board.msrp_minor + listed.msrp_minor,
    categories = array(
        select distinct category
        from unnest(sale_board.categories || listed.categories) as category order by 1
    )
from (
    select count(*)::integer as lots, coalesce(sum(units), 0) as units,
        coalesce(sum(msrp_minor), 0) as msrp_minor,
        coalesce(array_agg(distinct category), array[]::text[]) as categories
    from lot_listing
    where sale_id = $1 and lot_id = any ($4::text[])
) as listed
where sale_id = $1
"""

_LATEST_ENDS = """
update lot_rules set latest_end_us = moved.latest_end_us
from unnest($1::text[], $2::text[], $3::bigint[]) as moved (sale_id, lot_id, latest_end_us)
where lot_rules.sale_id = moved.sale_id and lot_rules.lot_id = moved.lot_id
"""

# The board has the new openings already: its keeper comes first in each step.
_RESCHEDULED = """
update lot_rules set scheduled_closes_at_us = moved.closes_at_us,
    latest_end_us = moved.latest_end_us
from unnest($2::text[], $3::bigint[], $4::bigint[]) as moved (lot_id, closes_at_us, latest_end_us)
where lot_rules.sale_id = $1 and lot_rules.lot_id = moved.lot_id
"""

_OPENS_ANEW = """
update sale_board set opens_at_us = (
    select min(opens_at_us) from lot_board where lot_board.sale_id = $1
) where sale_id = $1
"""

_ADMITTED = """
insert into admitted_bidder (sale_id, bidder_id) select $1, unnest($2::text[])
on conflict do nothing
"""

_DISMISSED = "delete from admitted_bidder where sale_id = $1 and bidder_id = any ($2::text[])"

# Whom the engine did not know may have asked to be registered, and is to be told of again.
_LOOK_AGAIN = """
update registration set revision = revision + 1, next_try_at_us = 0
where sale_id = $1 and organisation_id = any ($2::text[])
"""

_CANCELLED = "update sale_board set cancelled_at_us = $2 where sale_id = $1"

_PAUSED = "update sale_board set paused_from_us = $2, paused_reason = $3 where sale_id = $1"

_CLOSED = """
update sale_board set closed_at_us = $2, sold = $3, passed = $4, withdrawn = $5 where sale_id = $1
"""


async def keep_sale_board(  # noqa: C901 - dispatch
    connection: AnyConnection, recorded: Sequence[Recorded]
) -> None:
    """Bring the rows up to these events, in the follower's transaction."""
    lots: dict[SaleId, list[Recorded]] = {}
    latest_ends_us: dict[tuple[SaleId, LotId], int] = {}
    moved_lots: list[tuple[SaleId, LotsRescheduled]] = []
    for one in recorded:
        event = one.event
        match event:
            case SaleScheduled():
                terms = msgspec.json.encode(event.terms).decode()
                who = (event.liquidator_id, event.terms.currency, event.audience)
                await connection.execute(_SALE, one.sale_id, *who, terms, one.at_us)
            case LotScheduled():
                lots.setdefault(one.sale_id, []).append(one)
            case EndsMoved():
                for moved in event.ends:
                    if moved.latest_end_us is not None:
                        latest_ends_us[one.sale_id, moved.lot_id] = moved.latest_end_us
            case LotsRescheduled():
                moved_lots.append((one.sale_id, event))
            case BiddersAdmitted():
                await connection.execute(_ADMITTED, one.sale_id, event.bidder_ids)
                await connection.execute(_LOOK_AGAIN, one.sale_id, event.bidder_ids)
            case BiddersDismissed():
                await connection.execute(_DISMISSED, one.sale_id, event.bidder_ids)
            case SaleCancelled():
                await connection.execute(_CANCELLED, one.sale_id, one.at_us)
            case SalePaused():
                await connection.execute(_PAUSED, one.sale_id, one.at_us, event.reason)
            case SaleResumed():
                await connection.execute(_PAUSED, one.sale_id, None, None)
            case SaleClosed():
                counts = (event.sold, event.passed, event.withdrawn)
                await connection.execute(_CLOSED, one.sale_id, one.at_us, *counts)
            case _:
                pass  # of a lot, or private
    for sale_id, scheduled in lots.items():
        await _add_lots(connection, sale_id, scheduled)
    for sale_id, rescheduled in moved_lots:
        times = [(lot.lot_id, lot.closes_at_us, lot.latest_end_us) for lot in rescheduled.lots]
        await connection.execute(_RESCHEDULED, sale_id, *map(list, zip(*times, strict=True)))
        await connection.execute(_OPENS_ANEW, sale_id)
    if latest_ends_us:
        sale_ids, lot_ids = zip(*latest_ends_us, strict=True)
        await connection.execute(_LATEST_ENDS, sale_ids, lot_ids, list(latest_ends_us.values()))


async def _add_lots(
    connection: AnyConnection, sale_id: SaleId, scheduled: Sequence[Recorded]
) -> None:
    rows, opens_at_us, restrictions = [], [], set[str]()
    for one in scheduled:
        event = one.event
        assert isinstance(event, LotScheduled), "as gathered above"
        rows.append(
            (
                sale_id,
                event.lot_id,
                event.group,
                event.restrictions,
                one.at_us,
                event.closes_at_us,
                event.latest_end_us,
                event.manifest_sha256,
            )
        )
        opens_at_us.append(event.opens_at_us)
        restrictions.update(event.restrictions)
    await connection.executemany(_LOT, rows)
    lot_ids = [row[1] for row in rows]
    await connection.execute(_OPENS, sale_id, min(opens_at_us), sorted(restrictions), lot_ids)
