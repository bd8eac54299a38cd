"""A lot as a page shows it to one viewer, all of one moment, and what follows from that: the least
bid, what a bid would mean, what it would cost.
"""

from aiohttp import web
from msgspec import Struct

from auction.amounts import money
from auction.costs import premium_minor
from auction.increments import IncrementTable
from auction.sale import LotStatus
from auction.terms import Terms
from bidder_gateway.feeds import Feed, standing
from bidder_gateway.listed import LotPage, SalePage
from bidder_gateway.pages.choosing import position_of
from bidder_gateway.pages.freight import FreightWay, FreightWays, freight_ways
from bidder_gateway.pages.meaning import MeantBid, meaning
from bidder_gateway.pages.room import PagesRoom, Viewing, viewing
from bidder_gateway.protocol import LotView, Standing
from foundation.http.problems import NOT_FOUND


class Cost(Struct, frozen=True, kw_only=True):
    """What a winning bid comes to at the door, line by line. ``freight_minor`` null: collected."""

    hammer_minor: int
    premium_minor: int
    tax_words: str
    tax_minor: int
    freight_minor: int | None
    total_minor: int


class Shown(Struct, frozen=True, kw_only=True):
    """A lot with everything that its page is made of."""

    who: Viewing
    sale: SalePage
    lot: LotPage
    view: LotView
    own: Standing | None
    feed: Feed
    freight: FreightWays
    now_us: int

    @property
    def position(self) -> str:
        """Where the viewer stands."""
        return position_of(self.own, self.view)

    @property
    def leads(self) -> bool:
        """Whether the viewer leads an open lot."""
        return self.position == "leading"

    @property
    def own_minor(self) -> int | None:
        """The viewer's max."""
        return None if self.own is None else self.own.maxima.get(self.lot.lot_id)

    @property
    def least_minor(self) -> int:
        """The least that the viewer can bid."""
        table = self.sale.terms.increments
        return least_bid(self.view, table, self.own_minor, leads=self.leads)

    @property
    def way(self) -> str:
        """What stands between the viewer and a bid; empty: nothing."""
        terms, own = self.sale.terms, self.own
        if self.view.status is not LotStatus.LIVE:
            return "ended"
        if not self.who.signed_in:
            return "sign_in"
        if not self.who.may_bid:
            return "may_not"
        if own is None:
            return "register"
        if own.terms_version != terms.version:
            return "terms"
        if not set(self.view.restrictions) <= set(own.accepted):
            return "restrictions"
        if self.sale.paused:
            return "paused"
        return "not_open" if self.now_us < self.view.opens_at_us else ""

    def money(self, minor: int) -> str:
        """An amount of the sale's."""
        return money(minor, self.sale.currency)

    def means(self, amount_minor: int) -> str:
        """What a bid of so much would mean."""
        view = self.view
        bid = MeantBid(
            amount_minor=amount_minor,
            opening_minor=view.opening_minor,
            reserve=view.reserve,
            has_leader=view.leader is not None,
            leads=self.leads,
            own_minor=self.own_minor,
            rule=self.sale.terms.price_rule,
        )
        return meaning(bid, self.money)

    def cost(self, hammer_minor: int) -> Cost:
        """What a winning bid of so much would come to, by the viewer's way of freight."""
        way = self.freight.ways[-1]
        return cost_of(self.sale.terms, hammer_minor, way)

    def fault(self, amount_minor: int) -> str:
        """Why the viewer cannot bid so much now; empty: they can. The engine has the last word."""
        if self.way:
            return _WHY.get(self.way, "Bidding on this lot has ended.")
        unit = self.sale.terms.increments.unit_minor
        if amount_minor % unit:
            return f"Bids in this sale are multiples of {self.money(unit)}."
        if amount_minor < self.least_minor:
            least = self.money(self.least_minor)
            if self.leads:
                return f"Your max can only go up: at least {least}."
            return f"The least you can bid now is {least}."
        return ""


_WHY = {
    "may_not": "Your login may not bid.",
    "register": "Register for this sale first.",
    "terms": "Accept the terms of this sale first.",
    "restrictions": "Accept the restrictions of this lot first.",
    "paused": "The sale is paused.",
    "not_open": "Bidding on this lot has not begun.",
}


def least_bid(view: LotView, table: IncrementTable, own_minor: int | None, *, leads: bool) -> int:
    """The least that somebody can bid, as static/increments.js has it."""
    beyond_own = 0 if own_minor is None else own_minor + table.unit_minor
    return beyond_own if leads else max(view.next_minimum_minor, beyond_own)


def cost_of(terms: Terms, hammer_minor: int, way: FreightWay) -> Cost:
    """What a winning bid comes to, as ``auction.catalog.door_price`` and static/costs.js count."""
    premium, freight = premium_minor(terms.premium, hammer_minor), way.amount_minor or 0
    base = hammer_minor
    base += premium if terms.premium.taxable and way.tax.premium_taxable else 0
    base += freight if terms.freight_taxable and way.tax.freight_taxable else 0
    tax = (base * way.tax.rate_ppm + 500_000) // 1_000_000
    return Cost(
        hammer_minor=hammer_minor,
        premium_minor=premium,
        tax_words=way.tax.words,
        tax_minor=tax,
        freight_minor=way.amount_minor,
        total_minor=hammer_minor + premium + tax + freight,
    )


async def shown_of(room: PagesRoom, request: web.Request, lot: LotPage) -> Shown:
    """The lot for who looks. Raises `Problem` 404."""
    sale = await room.its.sales.sale(lot.sale_id, viewing(request).sees_as)
    if sale is None:
        raise NOT_FOUND()
    freight = await freight_ways(room, request, sale, lot)
    feed = await room.feed(lot.sale_id)
    if lot.lot_id not in feed.sale.lots:
        raise NOT_FOUND()
    who, now_us = viewing(request), room.gateway.now_us()
    # From here on nothing waits: what is shown is of one moment.
    (view,) = feed.snapshot(frozenset({lot.lot_id})).lots
    own = None if who.bidder_id is None else standing(feed.sale, who.bidder_id)
    return Shown(
        who=who, sale=sale, lot=lot, view=view, own=own, feed=feed, freight=freight, now_us=now_us
    )
