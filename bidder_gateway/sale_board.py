"""What the public knows of each sale, and what is agreed on its lots: kept by a follower.

`lot_board` beside it has what changes with the bids; these rows change seldom. What lots come to is
taken from the catalogue when they are scheduled: it is frozen by then.
"""

from collections.abc import Sequence

import msgspec

from auction.codec import Recorded
from auction.events import (
    EndsMoved,
    LotScheduled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection

_SALE = """
insert into sale_board (sale_id, liquidator_id, currency, terms, scheduled_at_us)
values ($1, $2, $3, $4::jsonb, $5)
"""

_LOT = """
insert into lot_rules (sale_id, lot_id, lot_group, restrictions, scheduled_at_us,
    scheduled_closes_at_us, latest_end_us, manifest_sha256)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

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
    where sale_id = $1 and lot_id = any ($4::text[]) and published_at_us is not null
) as listed
where sale_id = $1
"""

_LATEST_ENDS = """
update lot_rules set latest_end_us = moved.latest_end_us
from unnest($1::text[], $2::text[], $3::bigint[]) as moved (sale_id, lot_id, latest_end_us)
where lot_rules.sale_id = moved.sale_id and lot_rules.lot_id = moved.lot_id
"""

_PAUSED = "update sale_board set paused_from_us = $2, paused_reason = $3 where sale_id = $1"

_CLOSED = """
update sale_board set closed_at_us = $2, sold = $3, passed = $4, withdrawn = $5 where sale_id = $1
"""


async def keep_sale_board(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
    """Bring the rows up to these events, in the follower's transaction."""
    lots: dict[SaleId, list[Recorded]] = {}
    latest_ends_us: dict[tuple[SaleId, LotId], int] = {}
    for one in recorded:
        event = one.event
        match event:
            case SaleScheduled():
                terms = msgspec.json.encode(event.terms).decode()
                values = (event.liquidator_id, event.terms.currency, terms, one.at_us)
                await connection.execute(_SALE, one.sale_id, *values)
            case LotScheduled():
                lots.setdefault(one.sale_id, []).append(one)
            case EndsMoved():
                for moved in event.ends:
                    if moved.latest_end_us is not None:
                        latest_ends_us[one.sale_id, moved.lot_id] = moved.latest_end_us
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
