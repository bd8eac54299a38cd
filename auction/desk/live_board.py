"""A sale that goes on, as its seller sees it: each lot's price, and how far it is from its reserve.

Made anew from the fold of the log whenever somebody looks, so it trails nothing. What a row has is
what `lot_state` tells the public, and of the seller's own: reserve and counter-offer. There is no
field for a maximum, and none for who a paddle is; the fold that holds both goes no further than
`_row`. No value depends on the time of looking, so that nothing new is the same bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from auction.desk.recovery_rates import recovery_bps
from auction.ids import LiquidatorId, LotId, Paddle, SaleId
from auction.pricing import ReserveStatus
from auction.sale import Lot, LotStatus, Sale
from auction.views import lot_state
from foundation.database import Pool, acquire

# Sales whose catalogue is remembered: those that somebody looks at.
MOST_REMEMBERED: Final = 100


class Folds(Protocol):
    """Where the durable state of a sale comes from."""

    async def sale(self, sale_id: SaleId) -> Sale | None:
        """The sale as far as the log is known here; to be looked at, not changed or kept.

        ``None``: no such sale. Raises ConnectionError when the log does not answer.
        """
        ...


class Watching(Struct, frozen=True):
    """Connections that follow a sale, and of them those that chose these lots."""

    sale: int = 0
    lots: Mapping[LotId, int] = {}


class Watchers(Protocol):
    """Who watches, by count; of this process."""

    def of_sale(self, sale_id: SaleId) -> Watching:
        """How many follow a sale now."""
        ...


class Listed(Struct, frozen=True):
    """What the catalogue says of a lot."""

    place: int
    title: str
    msrp_minor: int


class LiveLot(Struct, frozen=True, kw_only=True):
    """A lot as its seller sees it.

    ``to_reserve_minor``: what the price lacks; null: no reserve, or it is met. ``recovery_bps``:
    the price in hundredths of a per cent of the MSRP. ``bidders``: how many have a bid that stands.
    ``watchers``: connections that chose this lot. ``leader``: a paddle, as everybody sees it.
    """

    lot_id: LotId
    place: int
    title: str
    status: LotStatus
    price_minor: int | None
    next_minimum_minor: int
    reserve: ReserveStatus
    reserve_minor: int | None
    to_reserve_minor: int | None
    counter_minor: int | None
    msrp_minor: int
    recovery_bps: int | None
    bids: int
    bidders: int
    leader: Paddle | None
    watchers: int
    opens_at_us: int
    closes_at_us: int
    extensions: int


class LiveSale(Struct, frozen=True, kw_only=True):
    """A sale as its seller sees it; lots that lack little to their reserve come first.

    ``price_minor`` and ``msrp_minor`` are sums over lots that are not withdrawn and have a price;
    ``watchers``: connections that follow the sale, or lots of it.
    """

    sale_id: SaleId
    currency: str
    paused_from_us: int | None
    cancelled: bool
    closed: bool
    unended: int
    sold: int
    price_minor: int
    msrp_minor: int
    recovery_bps: int | None
    watchers: int
    lots: Sequence[LiveLot]


_LISTED: Final = """
select lot_id, place, title, msrp_minor from lot_listing
where sale_id = $1 and published_at_us is not null
"""
_NOT_LISTED: Final = Listed(0, "", 0)


class LiveBoards:
    """Boards of all sales."""

    def __init__(self, pool: Pool, folds: Folds, watchers: Watchers) -> None:
        self._pool, self._folds, self._watchers = pool, folds, watchers
        self._listed: dict[SaleId, dict[LotId, Listed]] = {}

    async def owner_of(self, sale_id: SaleId) -> LiquidatorId | None:
        """Who sells; ``None``: no such sale. Raises ConnectionError."""
        sale = await self._folds.sale(sale_id)
        return None if sale is None else sale.liquidator_id

    async def look(self, sale_id: SaleId) -> LiveSale | None:
        """The sale now; ``None``: no such sale. Raises ConnectionError.

        Whether this viewer sells it, the caller asks.
        """
        sale = await self._folds.sale(sale_id)
        if sale is None:
            return None
        listed = self._listed.get(sale_id, {})
        if not sale.lots.keys() <= listed.keys():  # frozen, but lots are added
            listed = await self._read_listed(sale_id)
        return board_of(sale, listed, self._watchers.of_sale(sale_id))

    async def title_of(self, sale_id: SaleId) -> str:
        """As its catalogue calls the sale; its id where no catalogue does."""
        async with acquire(self._pool) as connection:
            title: str | None = await connection.fetchval(
                "select title from sale_listing where sale_id = $1", sale_id
            )
        return title or str(sale_id)

    async def _read_listed(self, sale_id: SaleId) -> dict[LotId, Listed]:
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LISTED, sale_id)
        if len(self._listed) >= MOST_REMEMBERED:
            self._listed.clear()
        listed = {LotId(lot_id): Listed(*facts) for lot_id, *facts in rows}
        self._listed[sale_id] = listed
        return listed


def board_of(sale: Sale, listed: Mapping[LotId, Listed], watching: Watching) -> LiveSale:
    """The board of a sale. Pure."""
    rows = [
        _row(sale, lot, listed.get(lot.lot_id, _NOT_LISTED), watching.lots.get(lot.lot_id, 0))
        for lot in sale.lots.values()
    ]
    rows.sort(key=_nearness)
    priced = [
        row for row in rows if row.price_minor is not None and row.status is not LotStatus.WITHDRAWN
    ]
    price_minor = sum(row.price_minor or 0 for row in priced)
    msrp_minor = sum(row.msrp_minor for row in priced)
    return LiveSale(
        sale_id=sale.sale_id,
        currency=sale.terms.currency,
        paused_from_us=sale.paused_from_us,
        cancelled=sale.cancelled is not None,
        closed=sale.closed,
        unended=sale.unended,
        sold=sum(row.status is LotStatus.SOLD for row in rows),
        price_minor=price_minor,
        msrp_minor=msrp_minor,
        recovery_bps=_recovery_bps(price_minor, msrp_minor),
        watchers=watching.sale,
        lots=rows,
    )


def _row(sale: Sale, lot: Lot, listed: Listed, watchers: int) -> LiveLot:
    public = lot_state(sale, lot, None)
    lacks_minor = None
    if lot.reserve_minor is not None and public.reserve is ReserveStatus.NOT_MET:
        lacks_minor = lot.reserve_minor - (public.price_minor or 0)
    return LiveLot(
        lot_id=public.lot_id,
        place=listed.place,
        title=listed.title or lot.title,
        status=public.status,
        price_minor=public.price_minor,
        next_minimum_minor=public.next_minimum_minor,
        reserve=public.reserve,
        reserve_minor=lot.reserve_minor,
        to_reserve_minor=lacks_minor,
        counter_minor=lot.counter_minor,
        msrp_minor=listed.msrp_minor,
        recovery_bps=_recovery_bps(public.price_minor, listed.msrp_minor),
        bids=public.bid_count,
        bidders=len(lot.standings),
        leader=public.leader,
        watchers=watchers,
        opens_at_us=lot.opens_at_us,
        closes_at_us=public.closes_at_us,
        extensions=public.extensions,
    )


_ENDED: Final = frozenset({LotStatus.SOLD, LotStatus.PASSED, LotStatus.WITHDRAWN})


def _nearness(row: LiveLot) -> tuple[bool, bool, float, int, str]:
    """What has a bid and lacks least to its reserve first; what has ended last."""
    near = row.to_reserve_minor is not None and row.price_minor is not None
    part = 0.0
    if near and row.reserve_minor:
        part = (row.to_reserve_minor or 0) / row.reserve_minor
    return row.status in _ENDED, not near, part, row.place, row.lot_id


def _recovery_bps(price_minor: int | None, msrp_minor: int) -> int | None:
    if price_minor is None or not msrp_minor:
        return None
    return recovery_bps(price_minor, msrp_minor)
