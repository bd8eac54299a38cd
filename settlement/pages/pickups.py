"""A buyer fetches what it paid: which lots, on which day, in which slot; and what is booked."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.database import transaction
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import PAY, PURCHASES, joined_of, may_pay
from settlement.ids import AwardId
from settlement.pages.doing import done, told
from settlement.pages.room import show
from settlement.pickups.dock_table import dock_for
from settlement.pickups.docks import FreeSlot
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.ready import Ready
from settlement.pickups.slots import Dock, day_of
from settlement.room import Settlement

PICKUPS: Final = "/purchases/pickups"
DAYS_SHOWN: Final = 14
MAX_LOTS: Final = 60


class Booking(Input):
    """Which lots are fetched, and when."""

    slot_at_us: Annotated[int, Meta(ge=1, le=2**53)]
    award_id: list[Annotated[str, Meta(max_length=200)]]


class Changing(Input):
    """What becomes of a pickup that is booked."""

    what: Annotated[str, Meta(pattern=r"\A(move|cancel)\Z")]
    version: Annotated[int, Meta(ge=1, le=2**31)]
    slot_at_us: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class Place(Struct, frozen=True):
    """A dock with the lots on it that wait for their buyer."""

    dock_id: str
    zone: str
    where: str
    lots: Sequence[Ready]
    free_until_us: int


class PickupPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{PICKUPS}/{{pickup_id}}"
        return [
            Route("GET", PICKUPS, self.show, "Your pickups", PURCHASES),
            Route("GET", f"{PICKUPS}/new", told(self.new), "Choose a slot", PAY),
            Route("POST", f"{PICKUPS}/new", self.book, "Book it", PAY),
            Route("GET", one, told(self.one), "A pickup", PURCHASES),
            Route("POST", one, self.change, "Move or cancel it", PAY),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/pickups: what can be fetched, and what is booked."""
        buyer_id = _buyer(request)
        ready = await self._room.bookings.ready(buyer_id)
        pickups = await self._room.bookings.pickups_of_buyer(buyer_id)
        return show(
            request,
            "pickups.html",
            places=places_of([one for one in ready if one.pickup_id is None]),
            pickups=pickups,
            docks=await self._docks(pickups),
            charges=await self._room.charges.of_buyer(buyer_id, only_open=True),
            pays=may_pay(request, buyer_id),
            now_us=self._room.now_us(),
        )

    async def new(self, request: web.Request) -> web.StreamResponse:
        """GET .../new?award_id=...&day=: the slots of a day for these lots."""
        buyer_id = _buyer(request)
        asked = request.query.getall("award_id", [])[:MAX_LOTS]
        ready = {one.award.award_id: one for one in await self._room.bookings.ready(buyer_id)}
        chosen = [ready[AwardId(one)] for one in asked if AwardId(one) in ready]
        if not chosen:
            said = "Choose at least one lot that is paid and not booked yet."
            return see_other(PICKUPS, said, FlashKind.WARNING)
        if len({one.dock_id for one in chosen}) > 1:
            said = "These lots stand at different places: book one place after the other."
            return see_other(PICKUPS, said, FlashKind.WARNING)
        dock = await self._dock_of(chosen[0])
        day, slots = await self._slots(request, dock)
        return show(
            request,
            "pickup_new.html",
            chosen=chosen,
            dock=dock,
            day=day,
            slots=slots,
            days=days_of(dock, self._room.now_us()),
            query="&".join(f"award_id={one.award.award_id}" for one in chosen),
        )

    async def book(self, request: web.Request) -> web.StreamResponse:
        """POST .../new."""
        form = await form_of(request, Booking)
        if form.valid is None:
            return see_other(PICKUPS, "Choose the lots and a slot.", FlashKind.WARNING)
        given = form.valid
        work = self._room.bookings.book(
            [AwardId(one) for one in given.award_id],
            given.slot_at_us,
            actor_of(request),
            buyer_id=_buyer(request),
        )
        return await done(work, PICKUPS, "The slot is yours. Bring the pickup release with you.")

    async def one(self, request: web.Request) -> web.StreamResponse:
        """GET .../{pickup_id}; ``day``: of the slots to move it to."""
        pickup = await self._room.bookings.pickup(joined_of(request, "pickup_id"), _buyer(request))
        dock = await self._room.docks.dock(pickup.dock_id)
        day, slots = await self._slots(request, dock)
        return show(
            request,
            "pickup.html",
            pickup=pickup,
            dock=dock,
            day=day,
            slots=slots,
            days=days_of(dock, self._room.now_us()),
            pays=may_pay(request, pickup.buyer_id),
            changeable=pickup.state == "BOOKED"
            and self._room.now_us() < pickup.slot_at_us - dock.change_minutes * 60_000_000,
            change_until_us=pickup.slot_at_us - dock.change_minutes * 60_000_000,
        )

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST .../{pickup_id}."""
        form = await form_of(request, Changing)
        pickup_id = joined_of(request, "pickup_id")
        if form.valid is None:
            raise INVALID("Choose a slot.")
        given, bookings = form.valid, self._room.bookings
        by, buyer_id = actor_of(request), _buyer(request)
        if given.what == "cancel":
            gone = bookings.cancel(pickup_id, given.version, by, buyer_id=buyer_id)
            return await done(gone, PICKUPS, "The pickup is cancelled. The goods wait for you.")
        if given.slot_at_us is None:
            return see_other(f"{PICKUPS}/{pickup_id}", "Choose a slot.", FlashKind.WARNING)
        moved = bookings.move(pickup_id, given.version, given.slot_at_us, by, buyer_id=buyer_id)
        return await done(moved, f"{PICKUPS}/{pickup_id}", "It is moved to this slot.")

    async def _dock_of(self, ready: Ready) -> Dock:
        award = ready.award
        async with transaction(self._room.pool) as connection:
            return await dock_for(
                connection,
                award.liquidator_id,
                award.award.ship_from,
                ready.zone,
                self._room.now_us(),
            )

    async def _docks(self, pickups: Sequence[Pickup]) -> Mapping[str, Dock]:
        ids = {pickup.dock_id for pickup in pickups}
        return {dock_id: await self._room.docks.dock(dock_id) for dock_id in ids}

    async def _slots(
        self, request: web.Request, dock: Dock
    ) -> tuple[datetime.date, Sequence[FreeSlot]]:
        """Of the day that is asked for; else of the first that has a free one."""
        asked = request.query.get("day", "")
        today = day_of(dock, self._room.now_us())
        try:
            day = datetime.date.fromisoformat(asked)
            if abs((day - today).days) <= dock.ahead_days:
                return day, await self._room.docks.free_slots(dock.dock_id, day)
        except ValueError:
            pass
        for later in range(DAYS_SHOWN):
            day = today + datetime.timedelta(days=later)
            slots = await self._room.docks.free_slots(dock.dock_id, day)
            if any(slot.doors for slot in slots):
                return day, slots
        return today, []


def places_of(ready: Sequence[Ready]) -> list[Place]:
    """Lots by the place where they stand, the most urgent first."""
    by_dock: dict[str, list[Ready]] = {}
    for one in ready:
        by_dock.setdefault(one.dock_id, []).append(one)
    places = []
    for dock_id, lots in by_dock.items():
        where = lots[0].award.award.ship_from
        places.append(
            Place(
                dock_id,
                lots[0].zone,
                ", ".join((where.company, where.street, where.city, where.region)),
                lots,
                min(one.free_until_us for one in lots),
            )
        )
    return sorted(places, key=lambda place: place.free_until_us)


def days_of(dock: Dock, now_us: int) -> list[datetime.date]:
    """The next days on which the dock is open."""
    today = day_of(dock, now_us)
    days = (today + datetime.timedelta(days=later) for later in range(dock.ahead_days + 1))
    return [day for day in days if day.isoweekday() in dock.hours and day not in dock.closed][
        :DAYS_SHOWN
    ]


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
