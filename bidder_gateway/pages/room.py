"""What the pages are made of, and what all of them do: who looks, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web
from msgspec import Struct

from accounts.http.guard import SIGN_IN_PATH, can, identity_of
from accounts.identity import Identity, OrganisationKind
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.catalog.words import FREIGHT, KINDS, measures_words
from auction.ids import BidderId, LotId, SaleId
from auction.ports import Engine
from bidder_gateway.feeds import Feed
from bidder_gateway.gateway import Gateway
from bidder_gateway.listed import LotSummary
from bidder_gateway.lots import LotsQuery
from bidder_gateway.notices.api import NoticesRoom
from bidder_gateway.resellers import Resellers
from bidder_gateway.sight import Onlooker, onlooker_of
from foundation.database import Pool
from foundation.http.cursors import MAX_LIMIT
from foundation.http.modules import modules
from foundation.http.pages import page
from foundation.http.problems import NOT_FOUND

NO_RESELLER: Final = "Only resellers bid. You can watch everything here."
NO_BIDDER: Final = (
    "Your role in the team does not include bidding. An admin of your team can add it."
)


@dataclass(frozen=True)
class PagesRoom:
    """What pages are made of; ``its`` are the services that they share with the API."""

    pool: Pool
    engine: Engine
    gateway: Gateway
    its: Resellers
    notices: NoticesRoom

    async def feed(self, sale_id: SaleId) -> Feed:
        """The sale as it durably stands. Raises `Problem` 404."""
        feed = await self.gateway.hub.feed(sale_id)
        if feed is None:
            raise NOT_FOUND()
        return feed

    async def lots_of(self, sale_id: SaleId, who: Onlooker) -> list[LotSummary]:
        """Every lot of a sale, as the catalogue has it; none if they may not see it."""
        lots: list[LotSummary] = []
        query = LotsQuery(limit=MAX_LIMIT)
        while True:
            found = await self.its.lots.of_sale(sale_id, query, who)
            if found is None:
                return lots
            lots += found.items
            if found.next_cursor is None:
                return lots
            query = LotsQuery(limit=MAX_LIMIT, cursor=found.next_cursor)


class Viewing(Struct, frozen=True):
    """Who looks at a page. ``bidder_id``: the reseller that they are of."""

    identity: Identity | None
    bidder_id: BidderId | None
    may_bid: bool
    may_not_bid: str

    @property
    def sees_as(self) -> Onlooker:
        """As whom they may see sales that are not for everybody."""
        return onlooker_of(self.identity)

    @property
    def signed_in(self) -> bool:
        """Whether it is somebody we know."""
        return self.identity is not None

    @property
    def organisation_id(self) -> OrganisationId:
        """The organisation of somebody who is signed in."""
        assert self.identity is not None, "a guest has none"
        return self.identity.organisation_id


def viewing(request: web.Request) -> Viewing:
    """Who looks."""
    identity = identity_of(request)
    if identity is None:
        return Viewing(None, None, may_bid=False, may_not_bid="")
    if identity.organisation_kind is not OrganisationKind.RESELLER:
        return Viewing(identity, None, may_bid=False, may_not_bid=NO_RESELLER)
    may_bid = can(request, Action.PLACE_BID, identity.organisation_id)
    reason = "" if may_bid else NO_BIDDER
    return Viewing(identity, BidderId(identity.organisation_id), may_bid, reason)


def sale_href(sale_id: SaleId | str) -> str:
    """The address of a sale's board."""
    return f"/sales/{quote(sale_id, safe='')}"


def lot_href(sale_id: SaleId | str, lot_id: LotId | str) -> str:
    """The address of a lot."""
    return f"{sale_href(sale_id)}/lots/{quote(lot_id, safe='')}"


def sign_in_href(request: web.Request) -> str:
    """Where to sign in and come back from."""
    return f"{SIGN_IN_PATH}?{urlencode({'next': request.path_qs})}"


def sale_id_of(request: web.Request) -> SaleId:
    """The sale that the address names; it need not exist."""
    return SaleId(request.match_info["sale_id"])


def lot_id_of(request: web.Request) -> LotId:
    """The lot that the address names; it need not exist."""
    return LotId(request.match_info["lot_id"])


def show(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> web.Response:
    """A page of this room."""
    who = viewing(request)
    return page(
        request,
        f"bidder_gateway/{template}",
        status=status,
        headers=headers,
        signed_in=who.signed_in,
        may_bid=who.may_bid,
        may_not_bid=who.may_not_bid,
        sign_in_path=sign_in_href(request),
        sale_href=sale_href,
        lot_href=lot_href,
        KINDS=KINDS,
        FREIGHT=FREIGHT,
        measures=measures_words,
        modules=modules,
        **values,
    )
