"""What each reseller has to do with which lots: kept by a follower of the log.

No maximum is kept here: a bid's row says where in the log it is, and who owns it may have it read
from there (`my_bids`). Bids are gathered and written once for each bidder and lot; what is rare
is written as it comes, after the bids before it.
"""

from collections.abc import Sequence

import msgspec

from auction.codec import Recorded
from auction.events import (
    AnyEvent,
    AwardFunded,
    BidderRegistered,
    BidPlaced,
    BidsVoided,
    CounterDeclined,
    IfBidCountered,
    LimitChanged,
    LotPassed,
    LotSold,
    MaximumRaised,
    SaleClosed,
)
from auction.ids import LotId, SaleId
from auction.terms import VoidRule
from foundation.database import AnyConnection

_BIDS = """
insert into bidder_lot (bidder_id, sale_id, lot_id, position, bid_at_us)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
on conflict (bidder_id, sale_id, lot_id) do update set
    position = excluded.position, bid_at_us = excluded.bid_at_us, voided = false
"""

_PEOPLE = """
insert into person_lot (person_id, sale_id, lot_id, bid_at_us)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
on conflict (person_id, sale_id, lot_id) do update set bid_at_us = excluded.bid_at_us
"""

_ADMIT = """
insert into admission (bidder_id, sale_id, paddle, terms_version, restrictions, deposit_minor,
    limit_minor, tax_bps, certificate, registered_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (bidder_id, sale_id) do update set
    terms_version = excluded.terms_version, restrictions = excluded.restrictions,
    deposit_minor = excluded.deposit_minor, limit_minor = excluded.limit_minor,
    tax_bps = excluded.tax_bps, certificate = excluded.certificate
"""

_LIMIT = "update admission set limit_minor = $3 where bidder_id = $1 and sale_id = $2"

_VOID = """
update bidder_lot set voided = true
where sale_id = $1 and lot_id = $2 and ($3::text is null or bidder_id = $3)
"""

_VOID_RULE = "select terms ->> 'void_rule' from sale_board where sale_id = $1"

_COUNTER = """
update bidder_lot set counter_minor = $4 where bidder_id = $1 and sale_id = $2 and lot_id = $3
"""

_NO_COUNTER = """
update bidder_lot set counter_minor = null
where sale_id = $1 and lot_id = $2 and counter_minor is not null
"""

_WON = """
insert into won_lot (bidder_id, sale_id, lot_id, quantity, hammer_price_minor, tax_bps, sold_at_us)
select bidder_id, sale_id, $3, $4, $5, tax_bps, $6
from admission where bidder_id = $1 and sale_id = $2
"""

_PAID = """
update won_lot set paid_at_us = $4 where bidder_id = $1 and sale_id = $2 and lot_id = $3
"""

# What an unpaid award took of a reseller's whole limit is shared out again (`registrar`).
_LOOK_AGAIN = """
update registration set revision = revision + 1, next_try_at_us = 0
where sale_id = $1 and ($2::text is null or organisation_id = $2)
"""

_RARE = (
    BidderRegistered,
    LimitChanged,
    BidsVoided,
    IfBidCountered,
    CounterDeclined,
    LotSold,
    LotPassed,
    AwardFunded,
    SaleClosed,
)


class _Bids(msgspec.Struct):
    """Bids that are gathered: the latest of each bidder, and of each person, on each lot."""

    bidders: dict[tuple[str, SaleId, LotId], tuple[int, int]] = msgspec.field(default_factory=dict)
    people: dict[tuple[str, SaleId, LotId], int] = msgspec.field(default_factory=dict)

    def add(self, one: Recorded, event: BidPlaced | MaximumRaised) -> None:
        self.bidders[event.bidder_id, one.sale_id, event.lot_id] = (one.position, one.at_us)
        if event.person_id is not None:
            self.people[event.person_id, one.sale_id, event.lot_id] = one.at_us

    async def write(self, connection: AnyConnection) -> None:
        if self.bidders:
            ids = zip(*self.bidders, strict=True)
            values = zip(*self.bidders.values(), strict=True)
            await connection.execute(_BIDS, *ids, *values)
        if self.people:
            ids = zip(*self.people, strict=True)
            await connection.execute(_PEOPLE, *ids, list(self.people.values()))
        self.bidders, self.people = {}, {}


async def keep_bidder_tables(connection: AnyConnection, recorded: Sequence[Recorded]) -> None:
    """Bring the rows up to these events, in the follower's transaction."""
    bids = _Bids()
    for one in recorded:
        event = one.event
        if isinstance(event, BidPlaced | MaximumRaised):
            bids.add(one, event)
        elif isinstance(event, _RARE):
            await bids.write(connection)
            await _write(connection, one, event)
    await bids.write(connection)


async def _write(connection: AnyConnection, one: Recorded, event: AnyEvent) -> None:
    sale_id = one.sale_id
    match event:
        case BidderRegistered():
            await connection.execute(
                _ADMIT,
                event.bidder_id,
                sale_id,
                event.paddle,
                event.terms_version,
                event.restrictions,
                event.deposit_minor,
                event.limit_minor,
                event.tax_bps,
                event.certificate,
                one.at_us,
            )
        case LimitChanged():
            await connection.execute(_LIMIT, event.bidder_id, sale_id, event.limit_minor)
        case BidsVoided():
            rule = await connection.fetchval(_VOID_RULE, sale_id)
            only = None if rule == VoidRule.NO_REVIVE else event.bidder_id
            await connection.execute(_VOID, sale_id, event.lot_id, only)
        case IfBidCountered():
            place = (event.bidder_id, sale_id, event.lot_id)
            await connection.execute(_COUNTER, *place, event.amount_minor)
        case CounterDeclined():
            await connection.execute(_COUNTER, event.bidder_id, sale_id, event.lot_id, None)
        case LotSold():
            await connection.execute(_NO_COUNTER, sale_id, event.lot_id)
            for winner, part in zip(event.winners, event.allocations, strict=True):
                values = (event.lot_id, part.quantity, part.amount_minor, one.at_us)
                await connection.execute(_WON, winner, sale_id, *values)
        case LotPassed():
            await connection.execute(_NO_COUNTER, sale_id, event.lot_id)
        case AwardFunded():
            await connection.execute(_PAID, event.bidder_id, sale_id, event.lot_id, one.at_us)
            await connection.execute(_LOOK_AGAIN, sale_id, event.bidder_id)
        case SaleClosed():
            await connection.execute(_LOOK_AGAIN, sale_id, None)
