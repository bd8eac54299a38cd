"""Whose desk something is, and who may: the same for the API and for the pages.

Everybody of a liquidator may look (VIEW_DESK), its sellers may act (RUN_SALE); so may their tokens
with the scope to sell. Staff look; a desk of their own they do not have. Whatever belongs to
another liquidator is answered byte for byte like what does not exist.
"""

from typing import Final

from aiohttp import web

from accounts.http.common import word_of
from accounts.http.guard import can, require, signed_in
from accounts.identity import OrganisationKind
from accounts.ids import OrganisationId
from accounts.permissions import Access, Action
from auction.desk.seller import Seller
from auction.ids import ActorId, LiquidatorId, SaleId
from foundation.http.problems import NOT_FOUND

VIEW: Final = Access(Action.VIEW_DESK)
RUN: Final = Access(Action.RUN_SALE)

Owner = LiquidatorId | None


def visible(request: web.Request, owner: Owner) -> LiquidatorId:
    """The owner of something, if who asks may look at it. Raises NOT_FOUND."""
    if owner is None:
        raise NOT_FOUND()
    require(request, Action.VIEW_DESK, OrganisationId(owner))
    return owner


def seller_of(request: web.Request, owner: Owner) -> Seller:
    """Who acts on something, if they may. Raises NOT_FOUND."""
    if owner is None:
        raise NOT_FOUND()
    require(request, Action.RUN_SALE, OrganisationId(owner))
    return Seller(owner, ActorId(signed_in(request).person_id))


def may_run(request: web.Request, owner: LiquidatorId) -> bool:
    """Whether who looks may change what is this liquidator's."""
    return can(request, Action.RUN_SALE, OrganisationId(owner))


def own_desk(request: web.Request) -> LiquidatorId:
    """Whose desk somebody sits at. Raises NOT_FOUND for who is of no liquidator."""
    identity = signed_in(request)
    if identity.organisation_kind is not OrganisationKind.LIQUIDATOR:
        raise NOT_FOUND("Only the people of a liquidator have a desk.")
    return LiquidatorId(identity.organisation_id)


def own_seller(request: web.Request) -> Seller:
    """Who makes something new at their own desk."""
    return seller_of(request, own_desk(request))


def draft_of(request: web.Request) -> str:
    """The lot's draft that the path names. Raises NOT_FOUND for what can be no id."""
    return word_of(request, "draft_id")


def sale_of(request: web.Request) -> SaleId:
    """The sale that the path names. Raises NOT_FOUND for what can be no id."""
    return SaleId(word_of(request, "sale_id"))
