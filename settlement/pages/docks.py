"""The dock as staff work it: who comes when by door, and each truck from the gate to the road."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from auction.money import parse_minor
from auction.terms import STORABLE
from foundation.database import acquire
from foundation.http.forms import Form, Upload, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, joined_of
from settlement.names import organisation_names
from settlement.pages.doing import done, told
from settlement.pages.room import HOME, show
from settlement.pickups.at_dock import Load
from settlement.pickups.docks import FreeSlot
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.signatures import MAX_PATH, Signature
from settlement.pickups.slots import Dock, day_of
from settlement.pickups.words import PickupState, Truck
from settlement.room import Settlement

DOCKS: Final = f"{HOME}/docks"
TRUCKS: Final = f"{HOME}/trucks"
MAX_FORM: Final = 96 * 2**20

_Short = Annotated[str, Meta(max_length=120, pattern=STORABLE)]


class AtTruck(Input):
    """What is done with a truck."""

    what: Annotated[
        str, Meta(pattern=r"\A(check_in|scan|unload|release|photos|cancel|pay|waive)\Z")
    ]
    version: Annotated[int, Meta(ge=1, le=2**31)] = 1
    carrier: _Short = ""
    driver: _Short = ""
    trailer: _Short = ""
    seal: _Short = ""
    code: _Short = ""
    name: _Short = ""
    path: Annotated[str, Meta(max_length=MAX_PATH)] = ""
    charge_id: Annotated[str, Meta(max_length=200)] = ""
    amount: Annotated[str, Meta(max_length=40)] = ""
    words: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""
    photos: Annotated[list[Upload], Meta(max_length=10)] = []  # noqa: RUF012 - a Struct's default


class Cell(Struct, frozen=True):
    """A slot at a door: who comes, and how many more could."""

    pickups: Sequence[Pickup]
    free: int


class DockPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        truck = f"{TRUCKS}/{{pickup_id}}"
        return [
            Route("GET", DOCKS, self.list, "The docks", STAFF),
            Route("GET", f"{DOCKS}/{{dock_id}}", told(self.day), "A dock's day, by door", STAFF),
            Route("GET", truck, told(self.truck), "A truck at the dock", STAFF),
            Route("POST", truck, self.act, "Check in, load, release", ACT, max_body=MAX_FORM),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/docks."""
        docks = await self._room.docks.docks()
        now_us = self._room.now_us()
        today = {
            dock.dock_id: await self._room.docks.day(dock.dock_id, day_of(dock, now_us))
            for dock in docks
        }
        names = await self._names([dock.liquidator_id for dock in docks])
        return show(request, "docks.html", docks=docks, today=today, names=names)

    async def day(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/docks/{dock_id}?day=."""
        dock = await self._room.docks.dock(joined_of(request, "dock_id"))
        today = day_of(dock, self._room.now_us())
        try:
            day = datetime.date.fromisoformat(request.query.get("day", ""))
        except ValueError:
            day = today
        if abs((day - today).days) > 400:
            day = today
        slots = await self._room.docks.free_slots(dock.dock_id, day)
        pickups = await self._room.docks.day(dock.dock_id, day)
        return show(
            request,
            "dock.html",
            dock=dock,
            day=day,
            today=today,
            days=[today + datetime.timedelta(days=later) for later in range(-1, 9)],
            rows=cells_of(dock, slots, pickups),
            pickups=pickups,
            names=await self._names([pickup.buyer_id for pickup in pickups]),
        )

    async def truck(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/trucks/{pickup_id}."""
        load = await self._room.at_dock.load(joined_of(request, "pickup_id"))
        return await self._page(request, load)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/trucks/{pickup_id}."""
        form = await form_of(request, AtTruck)
        pickup_id = joined_of(request, "pickup_id")
        place = f"{TRUCKS}/{pickup_id}"
        if form.valid is None:
            return see_other(place, _first(form), FlashKind.ERROR)
        given, by, dock = form.valid, actor_of(request), self._room.at_dock
        match given.what:
            case "check_in":
                if not given.carrier or not given.driver:
                    said = "Write down the carrier and the driver."
                    return see_other(place, said, FlashKind.ERROR)
                truck = Truck(
                    carrier=given.carrier[:80],
                    driver=given.driver[:80],
                    trailer=given.trailer[:80],
                    seal=given.seal[:80],
                )
                work: Any = dock.check_in(pickup_id, given.version, truck, by)
                said = "The truck is checked in. Scan its pallets."
            case "scan":
                return await self._scanned(request, pickup_id, given.code)
            case "unload":
                work, said = dock.unload(pickup_id, given.code, by), "It is off the truck."
            case "photos":
                uploads = [upload.data for upload in given.photos]
                work, said = dock.add_photos(pickup_id, uploads, given.words, by), "Photos kept."
            case "release":
                if len(given.name) < 2:
                    return see_other(place, "Who signs? Type the name.", FlashKind.ERROR)
                signature = Signature(given.name, given.path)
                work = dock.release(pickup_id, given.version, signature, by, given.seal[:80])
                said = "The truck may leave. The claims window of its lots begins now."
            case "cancel":
                work = self._room.bookings.cancel(pickup_id, given.version, by)
                said = "The truck is sent away; the goods stay."
            case _:
                return await self._charge(request, place, given)
        return await done(work, place, said)

    async def _scanned(self, request: web.Request, pickup_id: str, code: str) -> web.Response:
        place = f"{TRUCKS}/{pickup_id}#scan"
        if not code:
            return see_other(place, "Scan the label, or type its number.", FlashKind.WARNING)
        return await done(
            self._room.at_dock.scan(pickup_id, code, actor_of(request)), place, f"{code} is loaded."
        )

    async def _charge(self, request: web.Request, place: str, given: AtTruck) -> web.Response:
        by, charges = actor_of(request), self._room.charges
        if given.what == "waive":
            work = charges.waive(given.charge_id, given.version, given.words, by)
            return await done(work, place, "The charge is waived.")
        charge = await self._room.charges.charge(given.charge_id)
        try:
            minor = parse_minor(given.amount, charge.currency)
        except ValueError as fault:
            return see_other(place, f"{fault}.", FlashKind.ERROR)
        paid = charges.record_payment(given.charge_id, given.version, minor, given.words, by)
        return await done(paid, place, "The payment is written down.")

    async def _page(self, request: web.Request, load: Load) -> web.StreamResponse:
        pickup = load.pickup
        dock = await self._room.docks.dock(pickup.dock_id)
        return show(
            request,
            "truck.html",
            load=load,
            pickup=pickup,
            dock=dock,
            names=await self._names([pickup.buyer_id, pickup.liquidator_id]),
            here=pickup.state is PickupState.CHECKED_IN,
            lots={award.award_id: award for award in load.awards},
        )

    async def _names(self, ids: Sequence[str]) -> Mapping[str, str]:
        async with acquire(self._room.pool) as connection:
            return await organisation_names(connection, ids)


def cells_of(
    dock: Dock, slots: Sequence[FreeSlot], pickups: Sequence[Pickup]
) -> list[tuple[int, list[Cell]]]:
    """A row for each slot, with a cell for each door; also of what is booked outside of slots."""
    times = sorted({slot.slot.at_us for slot in slots} | {one.slot_at_us for one in pickups})
    free = {slot.slot.at_us: slot.doors for slot in slots}
    rows = []
    for at_us in times:
        cells = [
            Cell(
                [
                    one
                    for one in pickups
                    if one.slot_at_us == at_us
                    and one.door == door
                    and one.state is not PickupState.CANCELLED
                ],
                free.get(at_us, {}).get(door, 0),
            )
            for door in dock.doors
        ]
        rows.append((at_us, cells))
    return rows


def _first(form: Form[Any]) -> str:
    return next((f"{name}: {message}" for name, message in form.errors.items()), "Try again.")
