"""Sales as they are found: the calendar, and one sale by itself.

A sale that who looks may not see (`sight`) is answered as one that does not exist.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta, Struct

from auction.desk.messages import SaleMessage, messages_of
from auction.ids import SaleId
from auction.terms import STORABLE, Terms
from bidder_gateway.listed import SalePage, SaleState, SaleSummary
from bidder_gateway.sight import SALES, Onlooker, in_sight
from foundation.database import Pool, acquire
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing


class CalendarQuery(Paging):
    """Which sales: the next to open first, and of ENDED ones the latest.

    Without ``state``: those that are going on or to come. ``q``: a part of the title, the summary
    or the seller's name.
    """

    state: SaleState | None = None
    q: Annotated[str, Meta(max_length=100, pattern=STORABLE)] | None = None
    seller: Annotated[str, Meta(max_length=64, pattern=STORABLE)] | None = None
    region: Annotated[str, Meta(max_length=2, pattern=STORABLE)] | None = None
    category: Annotated[str, Meta(max_length=120, pattern=STORABLE)] | None = None


class SaleKey(Struct, frozen=True):
    """The place of a sale in the calendar."""

    ended: bool
    opens_at_us: int
    sale_id: SaleId


# The page of sales first: what their lots come to is added up for those that are shown.
_SALES = f"""
select sale.*, figures.* from (
    select sale_id, title, summary, liquidator_name, sale_listing.liquidator_id, time_zone, city,
        region, country, terms_in_words, payment_terms, pickup_terms, currency,
        terms::text as terms, sale_board.opens_at_us, restrictions, paused_from_us, paused_reason,
        sale_board.audience, cancelled_at_us, closed_at_us, lots, units, msrp_minor, categories
    from {SALES}
    where {{condition}}
) as sale
cross join lateral (
    select count(*) filter (where status in ('LIVE', 'IF_BID'))::int as open_lots,
        count(*) filter (where status = 'SOLD')::int as sold_lots,
        min(closes_at_us) filter (where status in ('LIVE', 'IF_BID')) as next_end_us,
        max(closes_at_us) as last_end_us
    from lot_board where lot_board.sale_id = sale.sale_id
) as figures
order by opens_at_us {{direction}}, sale_id {{direction}}
"""  # noqa: S608 - named above

_ONE = _SALES.format(condition=f"{in_sight('$2')} and sale_id = $1", direction="")

_WANTED = f"""
{in_sight("$10")} and case $1
    when 'ENDED' then closed_at_us is not null
    when 'LIVE' then closed_at_us is null and sale_board.opens_at_us <= $2
    when 'UPCOMING' then closed_at_us is null and sale_board.opens_at_us > $2
    else closed_at_us is null
end
and ($3::text is null or concat_ws(' ', title, summary, liquidator_name) ilike $3)
and ($4::text is null or sale_listing.liquidator_id = $4)
and ($5::text is null or region = $5)
and ($6::text is null or $6 = any (categories))
and ($7::bigint is null or (sale_board.opens_at_us, sale_id) {{after}} ($7, $8))
order by sale_board.opens_at_us {{direction}}, sale_id {{direction}} limit $9
"""


def _page_of(after: str, direction: str) -> str:
    wanted = _WANTED.format(after=after, direction=direction)
    return _SALES.format(condition=wanted, direction=direction)


_RISING, _FALLING = _page_of(">", "asc"), _page_of("<", "desc")


class SaidInSale(Struct, frozen=True):
    """What the seller said to everybody who watches, the latest first."""

    items: Sequence[SaleMessage]


class Sales:
    """The calendar."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def calendar(self, query: CalendarQuery, who: Onlooker) -> Listing[SaleSummary]:
        """One page of sales. Raises `Problem` 422 for a cursor of another list."""
        ended = query.state is SaleState.ENDED
        after = key_of_cursor(query.cursor, SaleKey)
        if after is not None and after.ended is not ended:
            after = None  # the list was turned over: from its beginning
        now_us = self._now_us()
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _FALLING if ended else _RISING,
                query.state,
                now_us,
                None if query.q is None else f"%{_literally(query.q)}%",
                query.seller,
                query.region,
                query.category,
                None if after is None else after.opens_at_us,
                "" if after is None else after.sale_id,
                query.limit + 1,
                who,
            )
        return listing(
            rows,
            query.limit,
            lambda row: _summary(row, now_us),
            lambda row: SaleKey(ended, row["opens_at_us"], row["sale_id"]),
        )

    async def sale(self, sale_id: SaleId, who: Onlooker) -> SalePage | None:
        """One sale; ``None``: none that they may see."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_ONE, sale_id, who)
        return None if row is None else _page(row, self._now_us())

    async def messages(self, sale_id: SaleId, who: Onlooker) -> SaidInSale | None:
        """What its seller said to everybody who watches; ``None``: no sale that they may see."""
        async with acquire(self._pool) as connection:
            if await connection.fetchrow(_ONE, sale_id, who) is None:
                return None
            return SaidInSale(await messages_of(connection, sale_id))


def terms_digest(terms: Terms, *texts: str) -> str:
    """What stands for rules and texts together, in hexadecimal: what a bidder has accepted."""
    whole = msgspec.json.encode([terms, *texts], order="deterministic")
    return sha256(whole).hexdigest()


def _literally(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _state(row: asyncpg.Record, now_us: int) -> SaleState:
    if row["closed_at_us"] is not None:
        return SaleState.ENDED
    return SaleState.UPCOMING if row["opens_at_us"] > now_us else SaleState.LIVE


def _summary(row: asyncpg.Record, now_us: int) -> SaleSummary:
    terms = msgspec.json.decode(row["terms"], type=Terms)
    return SaleSummary(**_summary_fields(row, terms, now_us))


def _summary_fields(row: asyncpg.Record, terms: Terms, now_us: int) -> dict[str, Any]:
    return {
        "sale_id": row["sale_id"],
        "title": row["title"],
        "summary": row["summary"],
        "seller": row["liquidator_name"],
        "seller_id": row["liquidator_id"],
        "state": _state(row, now_us),
        "audience": row["audience"],
        "paused": row["paused_from_us"] is not None,
        "cancelled": row["cancelled_at_us"] is not None,
        "currency": row["currency"],
        "time_zone": row["time_zone"],
        "city": row["city"],
        "region": row["region"],
        "country": row["country"],
        "opens_at_us": row["opens_at_us"],
        "next_end_us": row["next_end_us"],
        "last_end_us": row["last_end_us"],
        "closed_at_us": row["closed_at_us"],
        "lots": row["lots"],
        "open_lots": row["open_lots"],
        "sold_lots": row["sold_lots"],
        "units": row["units"],
        "msrp_minor": row["msrp_minor"],
        "categories": row["categories"],
        "deposit_minor": terms.deposit_minor,
        "certificate_required": terms.certificate_required,
    }


def _page(row: asyncpg.Record, now_us: int) -> SalePage:
    terms = msgspec.json.decode(row["terms"], type=Terms)
    texts = (row["terms_in_words"], row["payment_terms"], row["pickup_terms"])
    fields: dict[str, Any] = {
        **_summary_fields(row, terms, now_us),
        "terms": terms,
        "terms_sha256": terms_digest(terms, *texts),
        "terms_in_words": texts[0],
        "payment_terms": texts[1],
        "pickup_terms": texts[2],
        "restrictions": row["restrictions"],
        "paused_reason": row["paused_reason"],
        "log_href": f"/api/v1/sales/{row['sale_id']}/log" if row["closed_at_us"] else None,
    }
    return SalePage(**fields)
