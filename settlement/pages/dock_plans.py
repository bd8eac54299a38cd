"""What staff change at the dock: how it is worked, and who comes when, for buyers who call."""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.database import transaction
from foundation.http.forms import Form, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, award_of, joined_of
from settlement.ids import AwardId
from settlement.pages.docks import DOCKS, TRUCKS
from settlement.pages.doing import done, told
from settlement.pages.pickups import days_of
from settlement.pages.room import HOME, show
from settlement.pickups.dock_table import dock_for
from settlement.pickups.docks import FreeSlot
from settlement.pickups.slots import Dock, DockPlan, Hours, day_of
from settlement.room import Settlement

BOOK: Final = f"{HOME}/awards/{{award_id}}/pickup"
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_TIME: Final = r"\A([0-2][0-9]:[0-5][0-9])?\Z"
_Time = Annotated[str, Meta(pattern=_TIME)]
_Lines = Annotated[str, Meta(max_length=20_000, pattern=STORABLE)]
_DOOR: Final = re.compile(r"(.{1,20}?)\s*[:=]\s*([0-9]{1,2})")
_CLOSED: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\s*(.{0,120})")


class Plan(Input):
    """How a dock is worked, as staff type it. Times by the day of the week, Monday is 1; a door
    or a closed day on each line."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    zone: Annotated[str, Meta(max_length=64)]
    slot_minutes: Annotated[int, Meta(ge=15, le=480)]
    change_hours: Annotated[int, Meta(ge=0, le=14 * 24)]
    ahead_days: Annotated[int, Meta(ge=1, le=365)]
    doors: _Lines
    closed: _Lines = ""
    opens_1: _Time = ""
    closes_1: _Time = ""
    opens_2: _Time = ""
    closes_2: _Time = ""
    opens_3: _Time = ""
    closes_3: _Time = ""
    opens_4: _Time = ""
    closes_4: _Time = ""
    opens_5: _Time = ""
    closes_5: _Time = ""
    opens_6: _Time = ""
    closes_6: _Time = ""
    opens_7: _Time = ""
    closes_7: _Time = ""

    def hours(self, weekday: int) -> tuple[str, str]:
        """When it opens and closes on that day."""
        return getattr(self, f"opens_{weekday}"), getattr(self, f"closes_{weekday}")


class Slotting(Input):
    """A slot that staff give; ``door`` empty: any that is free."""

    slot_at_us: Annotated[int, Meta(ge=1, le=2**53)]
    door: Annotated[str, Meta(max_length=20, pattern=STORABLE)] = ""
    version: Annotated[int, Meta(ge=1, le=2**31)] = 1
    award_id: Annotated[list[str], Meta(max_length=60)] = []  # noqa: RUF012 - a Struct's default


class DockPlanPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        plan, slot = f"{DOCKS}/{{dock_id}}/plan", f"{TRUCKS}/{{pickup_id}}/slot"
        return [
            Route("GET", plan, told(self.plan), "How a dock is worked", ACT),
            Route("POST", plan, told(self.change), "Work it otherwise", ACT),
            Route("GET", slot, told(self.slot), "Another slot for a truck", ACT),
            Route("POST", slot, told(self.move), "Move a truck", ACT),
            Route("GET", BOOK, told(self.new), "A slot for a buyer's lots", ACT),
            Route("POST", BOOK, told(self.book), "Book for a buyer", ACT),
        ]

    async def plan(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/docks/{dock_id}/plan."""
        dock = await self._room.docks.dock(joined_of(request, "dock_id"))
        return show(request, "dock_plan.html", dock=dock, typed=typed_plan(dock), week=DAYS)

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/docks/{dock_id}/plan."""
        form = await form_of(request, Plan)
        dock_id = joined_of(request, "dock_id")
        place = f"{DOCKS}/{dock_id}/plan"
        if form.valid is None:
            return see_other(place, _first(form), FlashKind.ERROR)
        plan = plan_of(form.valid)
        if isinstance(plan, str):
            return see_other(place, plan, FlashKind.ERROR)
        work = self._room.docks.change_dock(dock_id, form.valid.version, plan, actor_of(request))
        return await done(work, place, "The dock is worked like this from now on.")

    async def slot(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/trucks/{pickup_id}/slot?day=."""
        pickup = await self._room.bookings.pickup(joined_of(request, "pickup_id"))
        dock = await self._room.docks.dock(pickup.dock_id)
        return await self._slots(request, dock, pickup=pickup, chosen=())

    async def move(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/trucks/{pickup_id}/slot."""
        form = await form_of(request, Slotting)
        place = f"{TRUCKS}/{joined_of(request, 'pickup_id')}"
        if form.valid is None:
            return see_other(f"{place}/slot", "Choose a slot.", FlashKind.WARNING)
        given = form.valid
        work = self._room.bookings.move(
            joined_of(request, "pickup_id"),
            given.version,
            given.slot_at_us,
            actor_of(request),
            door=given.door or None,
        )
        return await done(work, place, "The truck is moved.")

    async def new(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/awards/{award_id}/pickup?day=: with what else the buyer has there."""
        award_id = award_of(request)
        buyer_id = await self._room.stories.buyer_of_award(award_id)
        if buyer_id is None:
            raise NOT_FOUND()
        ready = await self._room.bookings.ready(BidderId(buyer_id))
        own = next((one for one in ready if one.award.award_id == award_id), None)
        if own is None or own.pickup_id is not None:
            said = "Nothing of this lot waits to be fetched without a pickup."
            return see_other(f"{HOME}/awards/{award_id}", said, FlashKind.WARNING)
        chosen = [one for one in ready if one.dock_id == own.dock_id and one.pickup_id is None]
        async with transaction(self._room.pool) as connection:
            dock = await dock_for(
                *(connection, own.award.liquidator_id, own.award.award.ship_from, own.zone),
                self._room.now_us(),
            )
        return await self._slots(request, dock, pickup=None, chosen=chosen)

    async def book(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/awards/{award_id}/pickup."""
        form = await form_of(request, Slotting)
        place = f"{HOME}/awards/{award_of(request)}"
        if form.valid is None:
            return see_other(f"{place}/pickup", "Choose a slot.", FlashKind.WARNING)
        given = form.valid
        work = self._room.bookings.book(
            [AwardId(one) for one in given.award_id],
            given.slot_at_us,
            actor_of(request),
            door=given.door or None,
        )
        return await done(work, place, "The slot is booked for the buyer.")

    async def _slots(self, request: web.Request, dock: Dock, **values: Any) -> web.Response:
        day, slots = await self._day(request, dock)
        return show(
            request,
            "dock_slot.html",
            dock=dock,
            day=day,
            slots=slots,
            days=days_of(dock, self._room.now_us()),
            **values,
        )

    async def _day(
        self, request: web.Request, dock: Dock
    ) -> tuple[datetime.date, Sequence[FreeSlot]]:
        """The day that is asked for; else the first with a free slot."""
        now_us = self._room.now_us()
        today = day_of(dock, now_us)
        try:
            asked = datetime.date.fromisoformat(request.query.get("day", ""))
        except ValueError:
            asked = today - datetime.timedelta(days=1)
        if 0 <= (asked - today).days <= dock.ahead_days:
            return asked, await self._room.docks.free_slots(dock.dock_id, asked)
        for day in days_of(dock, now_us):
            slots = await self._room.docks.free_slots(dock.dock_id, day)
            if any(slot.doors for slot in slots):
                return day, slots
        return today, []


def typed_plan(dock: Dock) -> Mapping[str, Any]:
    """A dock's plan as the form has it."""
    hours: dict[str, str] = {}
    for weekday in range(1, 8):
        one = dock.hours.get(weekday)
        hours[f"opens_{weekday}"] = _typed(one.opens_minute) if one else ""
        hours[f"closes_{weekday}"] = _typed(one.closes_minute) if one else ""
    return {
        **hours,
        "doors": "\n".join(f"{door}: {trucks}" for door, trucks in dock.doors.items()),
        "closed": "\n".join(f"{day} {why}".strip() for day, why in dock.closed.items()),
        "change_hours": dock.change_minutes // 60,
    }


def plan_of(given: Plan) -> DockPlan | str:
    """What was typed, or the sentence that says what of it cannot be read."""
    hours: dict[int, Hours] = {}
    for weekday in range(1, 8):
        opens, closes = given.hours(weekday)
        if bool(opens) != bool(closes):
            return f"{DAYS[weekday - 1]}: say when it opens and when it closes, or neither."
        if opens:
            hours[weekday] = Hours(_minute(opens), _minute(closes, closing=True))
    doors: dict[str, int] = {}
    for line in filter(None, map(str.strip, given.doors.splitlines())):
        door = _DOOR.fullmatch(line)
        if door is None or int(door[2]) > 50:
            return f"Doors: {line[:40]!r} is not a door and its trucks, as in 1: 2."
        doors[door[1]] = int(door[2])
    closed: dict[datetime.date, str] = {}
    for line in filter(None, map(str.strip, given.closed.splitlines())):
        found = _CLOSED.fullmatch(line)
        try:
            closed[datetime.date.fromisoformat(found[1] if found else "")] = (
                found[2] if found else ""
            )
        except ValueError:
            return f"Closed days: {line[:40]!r} is not a day, as in 2026-12-24 Christmas Eve."
    return DockPlan(
        zone=given.zone,
        slot_minutes=given.slot_minutes,
        change_minutes=given.change_hours * 60,
        ahead_days=given.ahead_days,
        hours=hours,
        doors=doors,
        closed=closed,
    )


def _typed(minute: int) -> str:
    # A form has no 24:00.
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _minute(text: str, *, closing: bool = False) -> int:
    hour, _, minute = text.partition(":")
    at = int(hour) * 60 + int(minute)
    return 1440 if closing and at == 0 else min(at, 1440)


def _first(form: Form[Any]) -> str:
    return next((f"{name}: {message}" for name, message in form.errors.items()), "Try again.")
