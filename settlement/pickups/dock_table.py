"""Docks as rows. One is made when it is first asked for; from then on staff say how it works.

Whoever books at a dock holds it: so two who want the last place of a slot come one after the other,
and nobody books by hours that are being changed.
"""

from datetime import date
from typing import Final

import asyncpg

from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.invoices import ShipFrom
from settlement.pickups.slots import Dock, DockPlan, Hours, dock_id_of, first_dock
from settlement.pickups.words import PickupRefusal, Refused

_MAKE: Final = """
insert into dock (dock_id, liquidator_id, company, street, city, region, postal_code, country, zone,
    slot_minutes, change_minutes, ahead_days, changed_at_us, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'softclose')
on conflict (dock_id) do nothing returning dock_id
"""

_READ: Final = "select * from dock where dock_id = $1"
_HOLD: Final = f"{_READ} for update"
_ALL: Final = """
select dock_id from dock where $1::text is null or liquidator_id = $1
order by company, city, street, dock_id limit $2
"""

_CHANGE: Final = """
update dock set zone = $3, slot_minutes = $4, change_minutes = $5, ahead_days = $6,
    changed_at_us = $7, changed_by = $8, version = version + 1
where dock_id = $1 and version = $2
"""

_HOURS: Final = """
insert into dock_hours (dock_id, weekday, opens_minute, closes_minute)
select $1, * from unnest($2::integer[], $3::integer[], $4::integer[])
"""
_DOORS: Final = """
insert into dock_door (dock_id, door, capacity) select $1, * from unnest($2::text[], $3::integer[])
"""
_CLOSED: Final = """
insert into dock_closed_day (dock_id, day, why) select $1, * from unnest($2::date[], $3::text[])
"""


async def dock_for(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    ship_from: ShipFrom,
    zone: str,
    now_us: int,
) -> Dock:
    """The dock of a place, made if nobody has asked for it before; ``zone``: of its first sale."""
    dock_id = dock_id_of(liquidator_id, ship_from)
    found = await read_dock(connection, dock_id)
    if found is not None:
        return found
    first = first_dock(liquidator_id, ship_from, zone)
    async with connection.transaction():
        made = await connection.fetchval(
            _MAKE,
            *(dock_id, liquidator_id, ship_from.company, ship_from.street, ship_from.city),
            *(ship_from.region, ship_from.postal_code, ship_from.country, zone),
            *(first.slot_minutes, first.change_minutes, first.ahead_days, now_us),
        )
        if made is not None:
            await _write_parts(connection, dock_id, _plan_of(first))
    found = await read_dock(connection, dock_id)
    assert found is not None, "a dock is never taken away"
    return found


async def read_dock(connection: AnyConnection, dock_id: str) -> Dock | None:
    """The dock as it is worked now."""
    row = await connection.fetchrow(_READ, dock_id)
    return None if row is None else await _dock(connection, row)


async def hold_dock(connection: AnyConnection, dock_id: str) -> Dock:
    """The dock, held until the caller's transaction ends. Raises `Refused` NOT_FOUND."""
    row = await connection.fetchrow(_HOLD, dock_id)
    if row is None:
        raise Refused(PickupRefusal.NOT_FOUND)
    return await _dock(connection, row)


async def dock_ids(
    connection: AnyConnection, liquidator_id: LiquidatorId | None, limit: int
) -> list[str]:
    """All docks, or a liquidator's."""
    return [row["dock_id"] for row in await connection.fetch(_ALL, liquidator_id, limit)]


async def change_dock(
    connection: AnyConnection, dock_id: str, version: int, plan: DockPlan, by: str, now_us: int
) -> None:
    """Work a dock by this plan from now on. Raises `Refused` CHANGED_MEANWHILE."""
    done = await connection.execute(
        *(_CHANGE, dock_id, version, plan.zone, plan.slot_minutes),
        *(plan.change_minutes, plan.ahead_days, now_us, by),
    )
    if done == "UPDATE 0":
        raise Refused(PickupRefusal.CHANGED_MEANWHILE)
    for table in ("dock_hours", "dock_door", "dock_closed_day"):
        await connection.execute(f"delete from {table} where dock_id = $1", dock_id)  # noqa: S608
    await _write_parts(connection, dock_id, plan)


def _plan_of(dock: Dock) -> DockPlan:
    return DockPlan(
        zone=dock.zone,
        slot_minutes=dock.slot_minutes,
        change_minutes=dock.change_minutes,
        ahead_days=dock.ahead_days,
        hours=dock.hours,
        doors=dock.doors,
        closed=dock.closed,
    )


async def _write_parts(connection: AnyConnection, dock_id: str, plan: DockPlan) -> None:
    days = sorted(plan.hours)
    opens = [plan.hours[day].opens_minute for day in days]
    closes = [plan.hours[day].closes_minute for day in days]
    await connection.execute(_HOURS, dock_id, days, opens, closes)
    await connection.execute(_DOORS, dock_id, list(plan.doors), list(plan.doors.values()))
    await connection.execute(_CLOSED, dock_id, list(plan.closed), list(plan.closed.values()))


async def _dock(connection: AnyConnection, row: asyncpg.Record) -> Dock:
    dock_id = row["dock_id"]
    hours = await connection.fetch("select * from dock_hours where dock_id = $1", dock_id)
    doors = await connection.fetch(
        "select * from dock_door where dock_id = $1 order by length(door), door", dock_id
    )
    closed: dict[date, str] = {
        each["day"]: each["why"]
        for each in await connection.fetch(
            "select * from dock_closed_day where dock_id = $1 order by day", dock_id
        )
    }
    place = ("company", "street", "city", "region", "postal_code", "country")
    return Dock(
        dock_id=dock_id,
        liquidator_id=row["liquidator_id"],
        ship_from=ShipFrom(*(row[name] for name in place)),
        zone=row["zone"],
        slot_minutes=row["slot_minutes"],
        change_minutes=row["change_minutes"],
        ahead_days=row["ahead_days"],
        hours={
            each["weekday"]: Hours(each["opens_minute"], each["closes_minute"]) for each in hours
        },
        doors={each["door"]: each["capacity"] for each in doors},
        closed=closed,
        version=row["version"],
    )
