"""Docks: how they are worked, which of their slots are free, and who comes on a day."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from auction.ids import LiquidatorId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.invoices import ShipFrom
from settlement.pickups.dock_table import change_dock, dock_for, dock_ids, hold_dock, read_dock
from settlement.pickups.pickup_table import Pickup, pickups_of_dock, taken_places
from settlement.pickups.slots import (
    Dock,
    DockPlan,
    Slot,
    day_of,
    noon_us,
    plan_fault,
    slots_of,
)
from settlement.pickups.telling import actor_of
from settlement.pickups.words import PickupRefusal, Refused
from settlement.policy import DAY_US
from settlement.policy_table import holidays_of

MAX_DOCKS: Final = 1_000
# Of one day: fifty doors, and a slot each quarter of an hour.
MAX_OF_DAY: Final = 5_000


class FreeSlot(Struct, frozen=True):
    """A slot, and how many trucks each door could still take; empty: it is full or over."""

    slot: Slot
    doors: dict[str, int]


class Docks:
    """What staff say of docks, and what everybody sees. ``now_us``: the house's clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def dock(self, dock_id: str) -> Dock:
        """A dock as it is worked now. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await must_read_dock(connection, dock_id)

    async def at_place(self, liquidator_id: LiquidatorId, ship_from: ShipFrom, zone: str) -> Dock:
        """The dock of a place, also of one that nobody has asked for before."""
        async with transaction(self._pool) as connection:
            return await dock_for(connection, liquidator_id, ship_from, zone, self._now_us())

    async def docks(self, liquidator_id: LiquidatorId | None = None) -> Sequence[Dock]:
        """All docks that anybody has asked for, or a liquidator's."""
        async with acquire(self._pool) as connection:
            ids = await dock_ids(connection, liquidator_id, MAX_DOCKS)
            return [await must_read_dock(connection, dock_id) for dock_id in ids]

    async def change_dock(self, dock_id: str, version: int, plan: DockPlan, actor: Actor) -> Dock:
        """Staff say how a dock is worked. What is booked stays booked.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, BAD_DOCK with its field.
        """
        fault = plan_fault(plan)
        if fault is not None:
            raise Refused(PickupRefusal.BAD_DOCK, field=fault[0], detail=_sentence(fault[1]))
        async with transaction(self._pool) as connection:
            await hold_dock(connection, dock_id)
            now_us = self._now_us()
            await change_dock(connection, dock_id, version, plan, actor_of(actor), now_us)
            await record(connection, Act.DOCK_CHANGED, actor, now_us, object_id=dock_id)
            return await must_read_dock(connection, dock_id)

    async def free_slots(self, dock_id: str, day: date) -> Sequence[FreeSlot]:
        """The slots of a day by the dock's clocks. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            dock = await must_read_dock(connection, dock_id)
            slots = list(slots_of(dock, day, await holidays_of(connection, country_of(dock))))
            if not slots:
                return []
            taken = await taken_places(connection, dock_id, slots[0].at_us, slots[-1].ends_at_us)
        now_us = self._now_us()
        return [
            FreeSlot(slot, _free_doors(dock, slot, taken) if slot.at_us > now_us else {})
            for slot in slots
        ]

    async def day(self, dock_id: str, day: date) -> Sequence[Pickup]:
        """Who comes to a dock on a day. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            dock = await must_read_dock(connection, dock_id)
            at_us = noon_us(dock, day)
            every = await pickups_of_dock(
                connection, dock_id, at_us - DAY_US, at_us + DAY_US, MAX_OF_DAY
            )
        return [pickup for pickup in every if day_of(dock, pickup.slot_at_us) == day]


async def must_read_dock(connection: AnyConnection, dock_id: str) -> Dock:
    """A dock as it is worked now. Raises `Refused` NOT_FOUND."""
    dock = await read_dock(connection, dock_id)
    if dock is None:
        raise Refused(PickupRefusal.NOT_FOUND)
    return dock


def country_of(dock: Dock) -> str:
    """Whose holidays it keeps."""
    return dock.ship_from.country


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _free_doors(dock: Dock, slot: Slot, taken: dict[tuple[int, str], set[int]]) -> dict[str, int]:
    free = {
        door: capacity - len(taken.get((slot.at_us, door), ()))
        for door, capacity in dock.doors.items()
    }
    return {door: places for door, places in free.items() if places > 0}
