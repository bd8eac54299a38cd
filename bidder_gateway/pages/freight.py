"""How the goods of a lot come to the viewer, each way with its price and the tax that goes with it.

To collect is always possible. A way that ships has been quoted, and is named by its quote: in the
address of the page, so that it is there again without scripts, and then in the bid.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct, structs

from accounts.directory import Standing, standing_of
from accounts.http.guard import signed_in
from accounts.permissions import Access, Action
from auction.catalog.freight import Service
from auction.catalog.goods import FreightTerms
from auction.catalog.quotes import KeptQuote
from auction.catalog.tax_table import rate_at
from auction.catalog.taxes import BidderTax, Place
from auction.terms import STORABLE
from bidder_gateway.door_prices import DoorPriceQuery
from bidder_gateway.freight_offers import FreightAsked
from bidder_gateway.listed import LotPage, SalePage
from bidder_gateway.pages.room import (
    PagesRoom,
    Viewing,
    lot_href,
    lot_id_of,
    sale_id_of,
    viewing,
)
from bidder_gateway.pages.taxes import Tax, shown_tax, tax_where_it_is
from bidder_gateway.refusals import Refused
from foundation.database import acquire
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.reading import Input
from foundation.http.routes import Route

QUOTE: Final = "quote"  # of the address

_QUOTE = Access(Action.PLACE_BID)


class FreightWay(Struct, frozen=True, kw_only=True):
    """One way. ``amount_minor`` null: nothing is paid to us. ``quote_id``: for the bid."""

    words: str
    tax: Tax
    amount_minor: int | None = None
    quote_id: str | None = None
    expires_at_us: int | None = None


class FreightWays(Struct, frozen=True, kw_only=True):
    """The ways that there are; the last one is the viewer's until they choose another.

    ``can_quote``: whether a price for shipping can be asked for at ``path``; ``postal_code``: where
    the viewer's goods usually go.
    """

    ways: Sequence[FreightWay]
    can_quote: bool
    path: str
    postal_code: str


class Destination(Input):
    """Where to, as a form asks for it."""

    postal_code: Annotated[str, Meta(max_length=20, pattern=STORABLE)]
    liftgate: bool = False
    residential: bool = False
    limited_access: bool = False
    appointment: bool = False


async def freight_ways(
    room: PagesRoom, request: web.Request, sale: SalePage, lot: LotPage
) -> FreightWays:
    """The ways of a lot for who looks."""
    who = viewing(request)
    standing = None if who.bidder_id is None else await standing_of(room.pool, who.organisation_id)
    async with acquire(room.pool) as connection:
        tax = await tax_where_it_is(connection, standing, sale, lot, room.gateway.now_us())
    ways = [FreightWay(words=_collecting(lot), tax=shown_tax(tax))]
    quoted = await _quoted(room, request, who, lot)
    if quoted is not None:
        ways.append(quoted)
    return FreightWays(
        ways=ways,
        can_quote=who.may_bid and lot.freight_terms is not FreightTerms.BUYER_ARRANGED,
        path=f"{lot_href(lot.sale_id, lot.lot_id)}/freight",
        postal_code=_home(standing),
    )


def _collecting(lot: LotPage) -> str:
    if lot.freight_terms is FreightTerms.BUYER_ARRANGED:
        return f"Collect it in {lot.city}, {lot.region}, or send a carrier of your own"
    return f"Collect it in {lot.city}, {lot.region}"


def _home(standing: Standing | None) -> str:
    return "" if standing is None else standing.place.postal_code[:5]


async def _quoted(
    room: PagesRoom, request: web.Request, who: Viewing, lot: LotPage
) -> FreightWay | None:
    """The quote that the address names, if it is the viewer's own and in force."""
    quote_id = request.query.get(QUOTE, "")[:200].replace("\0", "")
    if not quote_id or who.bidder_id is None:
        return None
    key = (lot.sale_id, lot.lot_id)
    kept = await room.its.freight.of_bidder(who.bidder_id, *key, quote_id)
    if kept is None:
        return None
    query = DoorPriceQuery(amount_minor=1, quote_id=quote_id)
    try:
        price = await room.its.door_prices.of_bid(who.identity, *key, query)
    except Refused:
        return None  # it has expired a moment ago
    if price is None:
        return None
    place = Place(price.tax_country, price.tax_region)
    async with acquire(room.pool) as connection:
        rate = await rate_at(connection, place, room.gateway.now_us())
    return FreightWay(
        words=_shipping(kept),
        tax=shown_tax(BidderTax(place, rate, price.tax_exempt)),
        amount_minor=kept.quote.amount_minor,
        quote_id=quote_id,
        expires_at_us=kept.quote.expires_at_us,
    )


def _shipping(kept: KeptQuote) -> str:
    to = kept.destination
    besides = [
        words
        for wanted, words in (
            (to.liftgate, "liftgate"),
            (to.residential, "residential"),
            (to.limited_access, "limited access"),
            (to.appointment, "by appointment"),
        )
        if wanted
    ]
    extra = f" ({', '.join(besides)})" if besides else ""
    by = {Service.LTL: "by LTL", Service.TRUCKLOAD: "by truckload"}.get(kept.quote.service, "")
    return " ".join(filter(None, ("Ship to", to.postal_code + extra, by)))


class FreightPages:
    """Handlers."""

    def __init__(self, room: PagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path = "/sales/{sale_id}/lots/{lot_id}/freight"
        return [Route("POST", path, self.quote, "Ask what freight comes to", _QUOTE)]

    async def quote(self, request: web.Request) -> web.StreamResponse:
        """POST .../freight: back to the lot's page, with the quote in its address."""
        form: Form[Destination] = await form_of(request, Destination)
        sale_id, lot_id = sale_id_of(request), lot_id_of(request)
        path, given = lot_href(sale_id, lot_id), form.valid
        if given is None or not _is_zip(given.postal_code):
            return see_other(path, "Enter a ZIP code of five digits.", FlashKind.ERROR)
        asked = FreightAsked(**structs.asdict(given))
        try:
            offer = await self._room.its.freight.offer(signed_in(request), sale_id, lot_id, asked)
        except Refused as refused:
            return see_other(path, refused.message, FlashKind.ERROR)
        return see_other(f"{path}?{QUOTE}={offer.quote_id}#bid-box")


def _is_zip(text: str) -> bool:
    return len(text) == 5 and text.isascii() and text.isdigit()
