"""The API of docks: how each is worked, who comes, and its free slots."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct, structs

from accounts.http.common import actor_of
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.problems import INVALID
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.access import ACT, STAFF, joined_of
from settlement.api_common import row
from settlement.pickups.docks import Docks, FreeSlot
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.slots import Dock, DockPlan, DoorName, Hours
from settlement.pickups.words import PickupRefusal as R

_Version = Annotated[int, Meta(ge=1, le=2**31)]

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099


class DayQuery(Input):
    """A day, by the dock's clocks."""

    day: datetime.date


class GivenPlan(Input):
    """How a dock is worked: all of it, each time. ``hours`` by the day of the week, Monday is 1."""

    zone: Annotated[str, Meta(max_length=64, pattern=STORABLE)]
    slot_minutes: Annotated[int, Meta(ge=15, le=480)]
    change_minutes: Annotated[int, Meta(ge=0, le=14 * 1440)]
    ahead_days: Annotated[int, Meta(ge=1, le=365)]
    hours: Mapping[Annotated[str, Meta(pattern=r"^[1-7]$")], Hours]
    doors: Mapping[DoorName, Annotated[int, Meta(ge=0, le=50)]]
    closed: Mapping[datetime.date, Annotated[str, Meta(max_length=120, pattern=STORABLE)]] = {}


class ChangedDock(Input):
    """How a dock is worked from now on."""

    version: _Version
    plan: GivenPlan


class DocksSeen(Struct, frozen=True):
    """Every dock."""

    items: Sequence[Dock]


class DockDay(Struct, frozen=True):
    """Who comes on a day."""

    items: Sequence[Pickup]


class FreeSlots(Struct, frozen=True):
    """The slots of a day; without a door: it is full, or over."""

    items: Sequence[FreeSlot]


class DockPlansApi:
    """Handlers."""

    def __init__(self, docks: Docks) -> None:
        self._docks = docks

    def routes(self) -> list[Route]:
        """Their rows."""
        dock = "/docks/{dock_id}"
        return [
            row("GET", "/docks", self.docks, "Docks", STAFF, answer=DocksSeen),
            row("GET", dock, self.dock, "How a dock is worked", STAFF, answer=Dock),
            row("PUT", dock, self.change_dock, "Work it otherwise", ACT,
                R.CHANGED_MEANWHILE, R.BAD_DOCK, body=ChangedDock, answer=Dock),
            row("GET", f"{dock}/day", self.dock_day, "Who comes on a day", STAFF,
                query=DayQuery, answer=DockDay),
            row("GET", f"{dock}/slots", self.dock_slots, "Its slots of a day", STAFF,
                query=DayQuery, answer=FreeSlots),
        ]  # fmt: skip

    async def docks(self, request: web.Request) -> web.StreamResponse:
        """GET .../docks."""
        return answer(request, DocksSeen(await self._docks.docks()))

    async def dock(self, request: web.Request) -> web.StreamResponse:
        """GET .../docks/{dock_id}."""
        return answer(request, await self._docks.dock(joined_of(request, "dock_id")))

    async def change_dock(self, request: web.Request) -> web.StreamResponse:
        """PUT .../docks/{dock_id}: what is booked stays booked."""
        given, dock_id = await body_of(request, ChangedDock), joined_of(request, "dock_id")
        plan = _plan(given.plan)
        changed = await self._docks.change_dock(dock_id, given.version, plan, actor_of(request))
        return answer(request, changed)

    async def dock_day(self, request: web.Request) -> web.StreamResponse:
        """GET .../docks/{dock_id}/day."""
        dock_id, day = joined_of(request, "dock_id"), day_of(request)
        return answer(request, DockDay(await self._docks.day(dock_id, day)))

    async def dock_slots(self, request: web.Request) -> web.StreamResponse:
        """GET .../docks/{dock_id}/slots."""
        dock_id, day = joined_of(request, "dock_id"), day_of(request)
        return answer(request, FreeSlots(await self._docks.free_slots(dock_id, day)))


def day_of(request: web.Request) -> datetime.date:
    """The day that is asked for. Raises `Problem` 422."""
    day = query_of(request, DayQuery).day
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise INVALID(f"Docks are worked from {FIRST_YEAR} to {LAST_YEAR}.", place="?day")
    return day


def _plan(given: GivenPlan) -> DockPlan:
    hours = {int(weekday): hours for weekday, hours in given.hours.items()}
    return DockPlan(**{**structs.asdict(given), "hours": hours})
