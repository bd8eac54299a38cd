"""What a reseller has bid on, and what it has won.

No table holds a maximum: `bidder_lot` says where in the log the bid is that stands for a bidder
on a lot, and that event is read when its owner asks. So who can read the tables, but not the log,
learns that somebody has bid, and no more.

Why not from the state that the hub folds: a list goes over all of a reseller's sales, also those
that ended a year ago, and folding each of them for a page would read the whole log.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

import asyncpg
import msgspec
from msgspec import Struct

from auction.business_days import due_at_us
from auction.codec import decode_body
from auction.costs import all_in_minor, premium_minor
from auction.events import BidPlaced, MaximumRaised
from auction.ids import BidderId, LotId, Paddle, PersonId, SaleId, shard_of
from auction.sale import LotStatus
from auction.terms import Terms
from bidder_gateway.listed import LotSummary
from bidder_gateway.lots import Lot, summaries
from foundation.database import AnyConnection, Pool, acquire
from foundation.http.cursors import Listing, Paging, cursor_of, key_of_cursor, listing


class BidState(StrEnum):
    """How a reseller stands on a lot that it has bid on."""

    LEADING = "LEADING"
    OUTBID = "OUTBID"
    IF_BID = "IF_BID"  # bound below the reserve, while the seller considers
    WON = "WON"
    LOST = "LOST"
    PASSED = "PASSED"  # nobody has it
    WITHDRAWN = "WITHDRAWN"
    VOIDED = "VOIDED"  # staff voided its bids


class MyLotsQuery(Paging):
    """Which of the lots that one has bid on: those that can still be sold first, by their end.

    ``sale_id``: of this sale; ``open``: only those that can still be sold.
    """

    state: BidState | None = None
    sale_id: SaleId | None = None
    open: bool = False


class MyLot(Struct, frozen=True, kw_only=True):
    """A lot with the reseller's own part of it.

    ``maximum_minor`` is the reseller's secret, ``person_id`` who of the team made that bid.
    ``all_in_minor``: what the lot would come to if it were won at the maximum, with premium, tax
    and the freight that was quoted. ``raise_minimum_minor``: the least that a further bid can be,
    null when none can. ``counter_minor``: what the seller asks for on an if-bid.
    """

    lot: LotSummary
    sale_title: str
    state: BidState
    paddle: Paddle
    maximum_minor: int
    freight_minor: int
    all_in_minor: int
    raise_minimum_minor: int | None
    counter_minor: int | None
    person_id: PersonId | None
    bid_at_us: int


class WonLot(Struct, frozen=True, kw_only=True):
    """What a lot that was won comes to, at the tax of its close; to be paid by ``due_at_us``."""

    sale_id: SaleId
    lot_id: LotId
    sale_title: str
    title: str
    currency: str
    quantity: int
    hammer_price_minor: int
    premium_minor: int
    tax_bps: int
    tax_minor: int
    freight_minor: int
    total_minor: int
    msrp_minor: int
    sold_at_us: int
    due_at_us: int
    paid_at_us: int | None


class MyLotKey(Struct, frozen=True):
    """The place of a lot among those that one has bid on."""

    rank: int
    sale_id: SaleId
    lot_id: LotId


class WonKey(Struct, frozen=True):
    """The place of a lot among those that were won."""

    sold_at_us: int
    sale_id: SaleId
    lot_id: LotId


# Those that can still be sold by their ends, then the others, the latest first.
RANK = """
case when lot_board.status in ('LIVE', 'IF_BID') then lot_board.closes_at_us
else 4000000000000000000 - lot_board.closes_at_us end
"""

_MINE = f"""
select * from (
    select bidder_lot.sale_id, bidder_lot.lot_id, position, bid_at_us, counter_minor, paddle,
        admission.tax_bps, lot_board.status, sale_board.terms::text as terms,
        sale_listing.title as sale_title, {RANK} as rank,
        case
            when voided then 'VOIDED'
            when lot_board.status = 'LIVE' and leader = paddle then 'LEADING'
            when lot_board.status = 'IF_BID' and leader = paddle then 'IF_BID'
            when lot_board.status in ('LIVE', 'IF_BID') then 'OUTBID'
            when lot_board.status = 'SOLD' and won_lot.lot_id is not null then 'WON'
            when lot_board.status = 'SOLD' then 'LOST'
            else lot_board.status
        end as state
    from bidder_lot
    join lot_board using (sale_id, lot_id)
    join admission on admission.bidder_id = $1 and admission.sale_id = bidder_lot.sale_id
    join sale_board on sale_board.sale_id = bidder_lot.sale_id
    join sale_listing on sale_listing.sale_id = bidder_lot.sale_id
    left join won_lot on won_lot.bidder_id = $1 and won_lot.sale_id = bidder_lot.sale_id
        and won_lot.lot_id = bidder_lot.lot_id
    where bidder_lot.bidder_id = $1
) as mine where {{condition}}
"""  # noqa: S608 - named above

_PAGE = _MINE.format(
    condition="""
($2::text is null or state = $2) and ($3::text is null or sale_id = $3)
and (not $4::boolean or status in ('LIVE', 'IF_BID'))
and ($5::bigint is null or (rank, sale_id, lot_id) > ($5, $6, $7))
order by rank, sale_id, lot_id limit $8
"""
)

_SOME = _MINE.format(condition="sale_id = $2 and lot_id = any ($3)")

_BIDS = """
select log_event.shard, log_event.position, body
from unnest($1::smallint[], $2::bigint[]) as wanted (shard, position)
join log_event using (shard, position)
"""

_WON = """
select won_lot.sale_id, lot_id, quantity, hammer_price_minor, won_lot.tax_bps, sold_at_us,
    paid_at_us, position, sale_board.currency, terms::text as terms, time_zone,
    sale_listing.country, sale_listing.title as sale_title, lot_listing.title,
    lot_listing.msrp_minor
from won_lot
join bidder_lot using (bidder_id, sale_id, lot_id)
join sale_board using (sale_id)
join sale_listing using (sale_id)
join lot_listing using (sale_id, lot_id)
where won_lot.bidder_id = $1
    and ($2::bigint is null or (sold_at_us, won_lot.sale_id, lot_id) < ($2, $3, $4))
order by sold_at_us desc, won_lot.sale_id desc, lot_id desc limit $5
"""

_DAYS_TO_PAY = "select from_us, days_to_pay from payment_policy order by from_us"
_HOLIDAYS = "select country, day from bank_holiday"

Standing = BidPlaced | MaximumRaised
"""The event of the bid that stands for a bidder on a lot."""


class MyBids:
    """Reads a reseller's own part of the log. For its people only: the caller has asked."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def lots(self, bidder_id: BidderId, query: MyLotsQuery) -> Listing[MyLot]:
        """One page of the lots that the reseller has bid on. Raises `Problem` 422."""
        after = key_of_cursor(query.cursor, MyLotKey)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _PAGE,
                bidder_id,
                query.state,
                query.sale_id,
                query.open,
                None if after is None else after.rank,
                "" if after is None else after.sale_id,
                "" if after is None else after.lot_id,
                query.limit + 1,
            )
            shown = rows[: query.limit]
            items = await _my_lots(connection, bidder_id, shown)
        next_cursor = None
        if len(rows) > query.limit:
            last = shown[-1]
            next_cursor = cursor_of(MyLotKey(last["rank"], last["sale_id"], last["lot_id"]))
        return Listing(items=items, next_cursor=next_cursor)

    async def some(
        self, bidder_id: BidderId, sale_id: SaleId, lot_ids: Sequence[LotId]
    ) -> Sequence[MyLot]:
        """Of these lots of a sale, those that the reseller has bid on: for marking a list."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_SOME, bidder_id, sale_id, list(lot_ids))
            return await _my_lots(connection, bidder_id, rows)

    async def lot(self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId) -> MyLot | None:
        """The reseller's part of one lot; ``None``: it has not bid on it."""
        found = await self.some(bidder_id, sale_id, [lot_id])
        return found[0] if found else None

    async def won(self, bidder_id: BidderId, paging: Paging) -> Listing[WonLot]:
        """One page of what was won, the latest first. Raises `Problem` 422."""
        after = key_of_cursor(paging.cursor, WonKey)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _WON,
                bidder_id,
                None if after is None else after.sold_at_us,
                "" if after is None else after.sale_id,
                "" if after is None else after.lot_id,
                paging.limit + 1,
            )
            bids = await _standing_bids(connection, bidder_id, rows)
            policy = await _read_policy(connection)
        return listing(
            rows,
            paging.limit,
            lambda row: _won_lot(row, bids[row["sale_id"], row["lot_id"]], policy),
            lambda row: WonKey(row["sold_at_us"], row["sale_id"], row["lot_id"]),
        )


async def _my_lots(
    connection: AnyConnection, bidder_id: BidderId, rows: Sequence[asyncpg.Record]
) -> list[MyLot]:
    keys: list[Lot] = [(row["sale_id"], row["lot_id"]) for row in rows]
    lots = await summaries(connection, keys)
    bids = await _standing_bids(connection, bidder_id, rows)
    return [
        _my_lot(row, lots[key], bids[key])
        for row, key in zip(rows, keys, strict=True)
        if key in lots
    ]


async def _standing_bids(
    connection: AnyConnection, bidder_id: BidderId, rows: Sequence[asyncpg.Record]
) -> Mapping[Lot, Standing]:
    """The bids at the places that the rows name, read for their owner."""
    places = {(shard_of(row["sale_id"]), row["position"]): row for row in rows}
    found = await connection.fetch(
        _BIDS, [shard for shard, _ in places], [position for _, position in places]
    )
    bids: dict[Lot, Standing] = {}
    for logged in found:
        row = places[logged["shard"], logged["position"]]
        event = decode_body(logged["position"], logged["body"]).event
        assert isinstance(event, BidPlaced | MaximumRaised), "the places of bids are kept"
        assert event.bidder_id == bidder_id, "a bid is read for its owner"
        bids[row["sale_id"], row["lot_id"]] = event
    return bids


def _my_lot(row: asyncpg.Record, lot: LotSummary, bid: Standing) -> MyLot:
    terms = msgspec.json.decode(row["terms"], type=Terms)
    state, maximum_minor = BidState(row["state"]), bid.maximum_minor
    least_minor = None
    if row["status"] == LotStatus.LIVE:
        least_minor = lot.next_minimum_minor
        if state is BidState.LEADING:
            least_minor = maximum_minor + terms.increments.unit_minor
    return MyLot(
        lot=lot,
        sale_title=row["sale_title"],
        state=state,
        paddle=Paddle(row["paddle"]),
        maximum_minor=maximum_minor,
        freight_minor=bid.freight_minor,
        all_in_minor=all_in_minor(
            terms.premium,
            maximum_minor,
            row["tax_bps"],
            bid.freight_minor,
            terms.freight_taxable,
        ),
        raise_minimum_minor=least_minor,
        counter_minor=row["counter_minor"],
        person_id=bid.person_id,
        bid_at_us=row["bid_at_us"],
    )


class _Policy(Struct, frozen=True):
    days_to_pay: Sequence[tuple[int, int]]  # from when on, in order
    holidays: Mapping[str, set[date]]

    def due_at_us(self, sold_at_us: int, zone: str, country: str) -> int:
        days = [days for from_us, days in self.days_to_pay if from_us <= sold_at_us][-1]
        return due_at_us(sold_at_us, days, zone, self.holidays.get(country, set()))


async def _read_policy(connection: AnyConnection) -> _Policy:
    days = [(row["from_us"], row["days_to_pay"]) for row in await connection.fetch(_DAYS_TO_PAY)]
    holidays: dict[str, set[date]] = {}
    for row in await connection.fetch(_HOLIDAYS):
        holidays.setdefault(row["country"], set()).add(row["day"])
    return _Policy(days, holidays)


def _won_lot(row: asyncpg.Record, bid: Standing, policy: _Policy) -> WonLot:
    terms = msgspec.json.decode(row["terms"], type=Terms)
    hammer_minor, freight_minor = row["hammer_price_minor"], bid.freight_minor
    premium = premium_minor(terms.premium, hammer_minor)
    rates = (row["tax_bps"], freight_minor, terms.freight_taxable)
    total_minor = all_in_minor(terms.premium, hammer_minor, *rates)
    sold_at_us = row["sold_at_us"]
    return WonLot(
        sale_id=row["sale_id"],
        lot_id=row["lot_id"],
        sale_title=row["sale_title"],
        title=row["title"],
        currency=row["currency"],
        quantity=row["quantity"],
        hammer_price_minor=hammer_minor,
        premium_minor=premium,
        tax_bps=row["tax_bps"],
        tax_minor=total_minor - hammer_minor - premium - freight_minor,
        freight_minor=freight_minor,
        total_minor=total_minor,
        msrp_minor=row["msrp_minor"],
        sold_at_us=sold_at_us,
        due_at_us=policy.due_at_us(sold_at_us, row["time_zone"], row["country"]),
        paid_at_us=row["paid_at_us"],
    )
