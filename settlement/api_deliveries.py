"""The API of what the house ships, and of what is charged at the dock."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.money import PositiveMinor
from foundation.http.answers import answer
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, STAFF, award_of, joined_of
from settlement.api_common import row
from settlement.api_refusals import BOOKING
from settlement.ids import AwardId
from settlement.pickups.charge_table import Charge
from settlement.pickups.charges import Charges, Reference, Why
from settlement.pickups.deliveries import (
    Carrier,
    Deliveries,
    Delivery,
    Proof,
    Shipment,
    Shipping,
    Tracking,
)
from settlement.pickups.deliveries import Name as SignedBy
from settlement.pickups.words import PickupRefusal as R
from settlement.pickups.words import Words

_Version = Annotated[int, Meta(ge=1, le=2**31)]
_At = Annotated[int, Meta(ge=1, le=2**53)]

SENDING: Final = (R.CHANGED_MEANWHILE, R.NOT_NOW, R.NOT_FUNDED, R.BAD_TIME, *BOOKING)
OPEN_CHARGE: Final = (R.CHANGED_MEANWHILE, R.NOT_OPEN, R.NOT_FUNDED, R.CARD_IS_ASKED)


class Shipped(Input):
    """A carrier has it; ``version`` of what is mended, none for the first time."""

    carrier: Carrier
    tracking: Tracking
    shipped_at_us: _At
    version: _Version | None = None


class Arrived(Input):
    """Somebody signed for it."""

    version: _Version
    delivered_at_us: _At
    signed_by: SignedBy
    note: Words = ""


class Waived(Input):
    """Why a charge need not be paid."""

    version: _Version
    why: Why


class PaidAtDock(Input):
    """What was paid at the dock; ``how``: the cheque, the receipt."""

    version: _Version
    amount_minor: PositiveMinor
    how: Reference


class ShippedLot(Struct, frozen=True, kw_only=True):
    """A paid lot that the house ships; without a delivery it is to be given to a carrier."""

    award_id: AwardId
    lot_id: str
    buyer_id: str
    title: str
    zone: str
    delivery: Delivery | None


class Shipments(Struct, frozen=True):
    """What is shipped, the longest paid first."""

    items: Sequence[ShippedLot]


class DeliveriesApi:
    """Handlers."""

    def __init__(self, deliveries: Deliveries, charges: Charges) -> None:
        self._deliveries, self._charges = deliveries, charges

    def routes(self) -> list[Route]:
        """Their rows."""
        sent, charge = "/deliveries/{award_id}", "/charges/{charge_id}"
        return [
            _read("/deliveries", self.deliveries, "What is shipped", Shipments),
            _read(sent, self.delivery, "A lot that is shipped", ShippedLot),
            _act(f"{sent}/shipment", self.ship, "A carrier has it", Shipped, Delivery,
                 *SENDING, R.FETCHED_BY_BUYER, R.DISPUTED, R.NOTHING_LEFT),
            _act(f"{sent}/arrival", self.arrived, "Signed for, without photos", Arrived, Delivery,
                 *SENDING),
            _read(charge, self.charge, "A charge of the dock", Charge),
            _act(f"{charge}/waiver", self.waive, "It need not be paid", Waived, Charge,
                 *OPEN_CHARGE, R.WHY_NEEDED, R.SECOND_PERSON),
            _act(f"{charge}/payment", self.record_payment, "It was paid", PaidAtDock, Charge,
                 *OPEN_CHARGE, R.BAD_AMOUNT, *BOOKING),
        ]  # fmt: skip

    async def deliveries(self, request: web.Request) -> web.StreamResponse:
        """GET .../deliveries."""
        every = await self._deliveries.under_way()
        return answer(request, Shipments([_shipped(one) for one in every]))

    async def delivery(self, request: web.Request) -> web.StreamResponse:
        """GET .../deliveries/{award_id}."""
        return answer(request, _shipped(await self._deliveries.shipment(award_of(request))))

    async def ship(self, request: web.Request) -> web.StreamResponse:
        """POST .../deliveries/{award_id}/shipment."""
        given, by = await body_of(request, Shipped), actor_of(request)
        shipping = Shipping(
            carrier=given.carrier, tracking=given.tracking, shipped_at_us=given.shipped_at_us
        )
        made = await self._deliveries.ship(award_of(request), given.version, shipping, by)
        return answer(request, made)

    async def arrived(self, request: web.Request) -> web.StreamResponse:
        """POST .../deliveries/{award_id}/arrival: the claims window begins."""
        given, by = await body_of(request, Arrived), actor_of(request)
        proof = Proof(
            delivered_at_us=given.delivered_at_us, signed_by=given.signed_by, note=given.note
        )
        made = await self._deliveries.delivered(award_of(request), given.version, proof, by)
        return answer(request, made)

    async def charge(self, request: web.Request) -> web.StreamResponse:
        """GET .../charges/{charge_id}."""
        return answer(request, await self._charges.charge(joined_of(request, "charge_id")))

    async def waive(self, request: web.Request) -> web.StreamResponse:
        """POST .../charges/{charge_id}/waiver."""
        given, charge_id = await body_of(request, Waived), joined_of(request, "charge_id")
        by = actor_of(request)
        return answer(request, await self._charges.waive(charge_id, given.version, given.why, by))

    async def record_payment(self, request: web.Request) -> web.StreamResponse:
        """POST .../charges/{charge_id}/payment: money that is on its way to the house's bank."""
        given, charge_id = await body_of(request, PaidAtDock), joined_of(request, "charge_id")
        paid = await self._charges.record_payment(
            charge_id, given.version, given.amount_minor, given.how, actor_of(request)
        )
        return answer(request, paid)


def _shipped(one: Shipment) -> ShippedLot:
    award = one.award
    return ShippedLot(
        award_id=award.award_id,
        lot_id=award.lot_id,
        buyer_id=award.buyer_id,
        title=award.goods.title,
        zone=one.zone,
        delivery=one.delivery,
    )


def _read(path: str, handler: Handler, summary: str, of: Any) -> Route:
    return row("GET", path, handler, summary, STAFF, answer=of)


def _act(
    path: str, handler: Handler, summary: str, body: type[Struct], of: Any, *refuses: StrEnum
) -> Route:
    return row("POST", path, handler, summary, ACT, *refuses, body=body, answer=of)
