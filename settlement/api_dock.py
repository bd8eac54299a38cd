"""The API of trucks at docks: booked for a buyer, loaded, released; a buyer moves its own."""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from accounts.permissions import Access
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.http.answers import answer, created
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, PAY, PURCHASES, STAFF, award_of, joined_of
from settlement.api_common import SETTLEMENT, row
from settlement.api_dock_plans import DayQuery, FreeSlots, day_of
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.client_requests import Asked
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.pickups.at_dock import AtDock, Code, Load, Scanned
from settlement.pickups.bookings import Bookings
from settlement.pickups.charge_table import Charge
from settlement.pickups.docks import Docks
from settlement.pickups.pickup_table import Pallet, Pickup
from settlement.pickups.ready import Ready
from settlement.pickups.signatures import Signature
from settlement.pickups.words import PickupRefusal as R
from settlement.pickups.words import Short, Truck
from settlement.stories import Stories

_Version = Annotated[int, Meta(ge=1, le=2**31)]
_At = Annotated[int, Meta(ge=1, le=2**53)]
_Door = Annotated[str, Meta(min_length=1, max_length=20, pattern=STORABLE)]
_Awards = Annotated[
    list[Annotated[str, Meta(max_length=200, pattern=STORABLE)]], Meta(min_length=1, max_length=60)
]

SLOT: Final = (
    R.ALREADY_BOOKED, R.NO_SUCH_SLOT, R.SLOT_TAKEN, R.TOO_LATE, R.TOO_FAR_AHEAD,
)  # fmt: skip
# What stands in the way of booking lots, and of changing what is booked.
TO_BOOK: Final = (
    *SLOT, R.NOTHING_NAMED, R.TOO_MANY, R.NOT_FUNDED, R.DISPUTED, R.SENT_BY_HOUSE,
    R.DIFFERENT_PLACES, R.NOTHING_LEFT, R.NOT_FOUND,
)  # fmt: skip
CHANGING: Final = (R.CHANGED_MEANWHILE, R.NOT_NOW, R.NOT_FUNDED)
GOODS: Final = (R.DISPUTED, R.NOTHING_LEFT)
PALLET: Final = (R.UNKNOWN_PALLET, R.WRONG_PALLET, R.PALLET_GONE)


class BookingForBuyer(Input):
    """A buyer called: its lots, and a slot; ``door`` without: any that is free."""

    award_ids: _Awards
    slot_at_us: _At
    door: _Door | None = None


class MovedPickup(Input):
    """Another slot, or another door of it."""

    version: _Version
    slot_at_us: _At
    door: _Door | None = None


class OwnMove(Input):
    """Another slot."""

    version: _Version
    slot_at_us: _At


class CheckedIn(Input):
    """What has come."""

    version: _Version
    truck: Truck


class ScannedCode(Input):
    """What a pallet's label says."""

    code: Code


class Released(Input):
    """The driver signed; ``seal``: of the loaded trailer, where it is another."""

    version: _Version
    signature: Signature
    seal: Short = ""


class SeenPickup(Input):
    """The version that was seen."""

    version: _Version


class LoadedLot(Struct, frozen=True, kw_only=True):
    """A lot of a load."""

    award_id: AwardId
    number: str
    title: str
    state: AwardState


class LoadSeen(Struct, frozen=True, kw_only=True):
    """A truck's load. ``open_minor``: to be paid before it leaves."""

    pickup: Pickup
    lots: Sequence[LoadedLot]
    pallets: Sequence[Pallet]
    charges: Sequence[Charge]
    photos: int
    loaded: int
    standing: int
    open_minor: int


class DockApi:
    """Handlers."""

    def __init__(
        self,
        docks: Docks,
        bookings: Bookings,
        at_dock: AtDock,
        stories: Stories,
        requests: Requests,
    ) -> None:
        self._docks, self._bookings, self._at_dock = docks, bookings, at_dock
        self._stories, self._requests = stories, requests

    def routes(self) -> list[Route]:
        """Their rows."""
        own = "/purchases/docks/{dock_id}/slots"
        truck = "/pickups/{pickup_id}"
        return [
            _read("/awards/{award_id}/slots", self.slots_of_award, "Free slots where it stands",
                  FreeSlots, DayQuery),
            _act("/pickups", self.book_for_buyer, "Book for a buyer", BookingForBuyer, Pickup,
                 *TO_BOOK, once=True, status=201),
            _read(truck, self.load, "A truck and its load", LoadSeen),
            _act(f"{truck}/slot", self.move_pickup, "Move it", MovedPickup, Pickup,
                 *CHANGING, *SLOT),
            _act(f"{truck}/check-in", self.check_in, "It is here", CheckedIn, LoadSeen,
                 *CHANGING, *GOODS, *BOOKING),
            _act(f"{truck}/scan", self.scan, "A pallet goes on", ScannedCode, Scanned,
                 *CHANGING, *GOODS, *PALLET),
            _act(f"{truck}/unload", self.unload, "A pallet comes off", ScannedCode, Scanned,
                 *CHANGING, *GOODS, *PALLET, R.NOT_LOADED),
            _act(f"{truck}/release", self.release_truck, "It leaves, signed for", Released,
                 LoadSeen, *CHANGING, *GOODS, R.BAD_SIGNATURE, R.CHARGES_OPEN, R.NOTHING_LOADED,
                 *BOOKING),
            _act(f"{truck}/cancellation", self.send_away, "It is not loaded", SeenPickup, Pickup,
                 *CHANGING, R.TOO_LATE),
            _row("GET", own, self.own_slots, "Free slots where your lots stand", PURCHASES,
                 of=FreeSlots, query=DayQuery),
            _row("POST", "/purchases/pickups/{pickup_id}/slot", self.move_own, "Move yours", PAY,
                 *CHANGING, *SLOT, body=OwnMove, of=Pickup),
        ]  # fmt: skip

    async def own_slots(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/docks/{dock_id}/slots: where something waits for the buyer."""
        dock_id, day = joined_of(request, "dock_id"), day_of(request)
        for one in await self._bookings.ready(_buyer(request)):
            if one.dock_id == dock_id:
                return await self._slots_at(request, one, day)
        raise NOT_FOUND()

    async def slots_of_award(self, request: web.Request) -> web.StreamResponse:
        """GET .../awards/{award_id}/slots: where the lot stands, while it waits to be fetched."""
        award_id, day = award_of(request), day_of(request)
        buyer_id = await self._stories.buyer_of_award(award_id)
        if buyer_id is None:
            raise NOT_FOUND()
        for one in await self._bookings.ready(BidderId(buyer_id)):
            if one.award.award_id == award_id:
                return await self._slots_at(request, one, day)
        raise NOT_FOUND()

    async def _slots_at(
        self, request: web.Request, one: Ready, day: datetime.date
    ) -> web.StreamResponse:
        place = (one.award.liquidator_id, one.award.award.ship_from, one.zone)
        dock = await self._docks.at_place(*place)
        return answer(request, FreeSlots(await self._docks.free_slots(dock.dock_id, day)))

    async def book_for_buyer(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups: all lots of one buyer, at one place."""
        given = await body_of(request, BookingForBuyer)
        wanted = [AwardId(award_id) for award_id in given.award_ids]
        by = actor_of(request)
        at_us, door = given.slot_at_us, given.door

        async def make(asked: Asked) -> str:
            made = await self._bookings.book(wanted, at_us, by, door=door, request=asked)
            return made.pickup_id

        pickup_id = await self._requests.once(request, given, make)
        pickup = await self._bookings.pickup(pickup_id)
        return created(request, pickup, f"{SETTLEMENT}/pickups/{pickup_id}")

    async def load(self, request: web.Request) -> web.StreamResponse:
        """GET .../pickups/{pickup_id}."""
        return answer(request, _seen(await self._at_dock.load(_pickup(request))))

    async def move_pickup(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/slot."""
        given, by = await body_of(request, MovedPickup), actor_of(request)
        moved = await self._bookings.move(
            _pickup(request), given.version, given.slot_at_us, by, door=given.door
        )
        return answer(request, moved)

    async def move_own(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/pickups/{pickup_id}/slot."""
        given, by = await body_of(request, OwnMove), actor_of(request)
        moved = await self._bookings.move(
            _pickup(request), given.version, given.slot_at_us, by, buyer_id=_buyer(request)
        )
        return answer(request, moved)

    async def check_in(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/check-in."""
        given, by = await body_of(request, CheckedIn), actor_of(request)
        load = await self._at_dock.check_in(_pickup(request), given.version, given.truck, by)
        return answer(request, _seen(load))

    async def scan(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/scan: a second scan changes nothing."""
        given, by = await body_of(request, ScannedCode), actor_of(request)
        return answer(request, await self._at_dock.scan(_pickup(request), given.code, by))

    async def unload(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/unload."""
        given, by = await body_of(request, ScannedCode), actor_of(request)
        return answer(request, await self._at_dock.unload(_pickup(request), given.code, by))

    async def release_truck(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/release."""
        given, by = await body_of(request, Released), actor_of(request)
        load = await self._at_dock.release(
            _pickup(request), given.version, given.signature, by, given.seal
        )
        return answer(request, _seen(load))

    async def send_away(self, request: web.Request) -> web.StreamResponse:
        """POST .../pickups/{pickup_id}/cancellation."""
        given, by = await body_of(request, SeenPickup), actor_of(request)
        return answer(request, await self._bookings.cancel(_pickup(request), given.version, by))


def _seen(load: Load) -> LoadSeen:
    return LoadSeen(
        pickup=load.pickup,
        lots=[
            LoadedLot(
                award_id=award.award_id,
                number=award.goods.number,
                title=award.goods.title,
                state=award.state,
            )
            for award in load.awards
        ],
        pallets=load.pallets,
        charges=load.charges,
        photos=len(load.photos),
        loaded=load.loaded,
        standing=load.standing,
        open_minor=load.open_minor,
    )


def _read(
    path: str, handler: Handler, summary: str, of: Any, query: type[Struct] | None = None
) -> Route:
    return _row("GET", path, handler, summary, STAFF, of=of, query=query)


def _act(
    path: str,
    handler: Handler,
    summary: str,
    body: type[Struct],
    of: Any,
    *refuses: StrEnum,
    status: int = 200,
    once: bool = False,
) -> Route:
    more: dict[str, Any] = {"body": body, "answer": of, "status": status}
    return row("POST", path, handler, summary, ACT, *refuses, once=once, **more)


def _row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    access: Access,
    *refuses: StrEnum,
    body: type[Struct] | None = None,
    of: Any = None,
    query: type[Struct] | None = None,
    status: int = 200,
) -> Route:
    more = {"body": body, "answer": of, "query": query, "status": status}
    return row(method, path, handler, summary, access, *refuses, **more)


def _pickup(request: web.Request) -> str:
    return joined_of(request, "pickup_id")


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
