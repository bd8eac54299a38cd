"""What the house ships, as staff see to it: to which carrier it was given, and that it arrived."""

from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.desk.schedule import NoSuchTime, instant_us, wall_time
from auction.terms import STORABLE
from foundation.database import acquire
from foundation.http.forms import Upload, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, award_of
from settlement.names import organisation_names
from settlement.pages.doing import done, told
from settlement.pages.room import HOME, show
from settlement.pickups.deliveries import Proof, Shipping
from settlement.room import Settlement

DELIVERIES: Final = f"{HOME}/deliveries"
MAX_FORM: Final = 96 * 2**20

_Short = Annotated[str, Meta(max_length=80, pattern=STORABLE)]


class AtDelivery(Input):
    """What is written down. ``version`` 0: it was not shipped before."""

    what: Annotated[str, Meta(pattern=r"\A(ship|prove)\Z")]
    version: Annotated[int, Meta(ge=0, le=2**31)] = 0
    carrier: _Short = ""
    tracking: _Short = ""
    at: Annotated[str, Meta(max_length=40)] = ""
    signed_by: Annotated[str, Meta(max_length=120, pattern=STORABLE)] = ""
    note: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""
    photos: Annotated[list[Upload], Meta(max_length=10)] = []  # noqa: RUF012 - a Struct's default


class DeliveryPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{DELIVERIES}/{{award_id}}"
        return [
            Route("GET", DELIVERIES, self.list, "What is shipped", STAFF),
            Route("GET", one, told(self.look), "A lot that is shipped", STAFF),
            Route("POST", one, told(self.act), "Ship it, prove it", ACT, max_body=MAX_FORM),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/deliveries."""
        shipments = await self._room.deliveries.under_way()
        async with acquire(self._room.pool) as connection:
            names = await organisation_names(connection, [one.award.buyer_id for one in shipments])
        return show(
            request,
            "deliveries.html",
            to_ship=[one for one in shipments if one.delivery is None],
            on_the_way=[one for one in shipments if one.delivery is not None],
            names=names,
        )

    async def look(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/deliveries/{award_id}."""
        one = await self._room.deliveries.shipment(award_of(request))
        photos: Any = ()
        if one.delivery is not None:
            _, photos = await self._room.deliveries.delivery(one.award.award_id)
        async with acquire(self._room.pool) as connection:
            names = await organisation_names(connection, [one.award.buyer_id])
        return show(
            request,
            "delivery.html",
            one=one,
            delivery=one.delivery,
            photos=photos,
            names=names,
            now=typed(self._room.now_us(), one.zone),
            shipped=typed(one.delivery.shipped_at_us, one.zone) if one.delivery else "",
        )

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/deliveries/{award_id}."""
        form = await form_of(request, AtDelivery)
        award_id = award_of(request)
        one = await self._room.deliveries.shipment(award_id)
        place = f"{DELIVERIES}/{award_id}"
        if form.valid is None:
            said = next((f"{name}: {what}" for name, what in form.errors.items()), "Try again.")
            return see_other(place, said, FlashKind.ERROR)
        given, by = form.valid, actor_of(request)
        at_us = at_clock(given.at, one.zone)
        if at_us is None:
            return see_other(place, "When? Say the day and the time.", FlashKind.ERROR)
        service = self._room.deliveries
        if given.what == "ship":
            if len(given.carrier) < 2 or len(given.tracking) < 3:
                return see_other(place, "Which carrier, and which tracking?", FlashKind.ERROR)
            shipping = Shipping(carrier=given.carrier, tracking=given.tracking, shipped_at_us=at_us)
            work: Any = service.ship(award_id, given.version or None, shipping, by)
            return await done(work, place, "It is on its way.")
        if len(given.signed_by) < 2:
            return see_other(place, "Who has signed? Type the name.", FlashKind.ERROR)
        proof = Proof(delivered_at_us=at_us, signed_by=given.signed_by, note=given.note)
        uploads = [upload.data for upload in given.photos]
        work = service.delivered(award_id, given.version, proof, by, uploads)
        return await done(work, place, "It has arrived. The claims window begins now.")


def at_clock(text: str, zone: str) -> int | None:
    """A form's ``2026-03-10T09:00`` by the clock of a place; None for what is no time there."""
    try:
        return instant_us(text, ZoneInfo(zone), second=False)
    except NoSuchTime:
        return None


def typed(at_us: int, zone: str) -> str:
    """The other way, to the minute."""
    return wall_time(at_us, ZoneInfo(zone))[:16]
