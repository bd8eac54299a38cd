"""Booking a place at the dock: by the buyer up to a bound time, by staff at any.

Who books holds the awards first and the dock after them, so that two who want the last place come
one after the other, and one of them is told that it is taken. That the tables have an index against
it, too, is for the day on which somebody forgets the lock.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId, new_id
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.client_requests import Asked, note_made
from settlement.ids import AwardId
from settlement.pickups.dock_table import dock_for, hold_dock
from settlement.pickups.docks import country_of, must_read_dock
from settlement.pickups.pickup_table import (
    HeldAwards,
    Pickup,
    add_pickup,
    end_pickup,
    hold_awards,
    hold_pickup,
    move_pickup,
    open_bookings,
    pallets_of,
    pickups_of_buyer,
    read_pickup,
    taken_places,
    why_not_handed_over,
)
from settlement.pickups.ready import Ready, disposed_of, ready_of
from settlement.pickups.slots import (
    MINUTE_US,
    Dock,
    Slot,
    day_of,
    in_words,
    slot_at,
)
from settlement.pickups.telling import actor_of, of_lot, tell_awards
from settlement.pickups.words import PickupRefusal, PickupState, Refused
from settlement.policy import Policy
from settlement.policy_table import holidays_of
from settlement.rows import AwardRow, policy_of
from settlement.steps import Wanted

# A truckload is one lot or some dozens of pallets; what is more is another truck.
MAX_AWARDS: Final = 60
MAX_PICKUPS: Final = 500


class Bookings:
    """Who comes when. ``now_us``: the house's clock.

    Where a method takes ``buyer_id``, None is staff, who are bound by no time; another buyer's
    things are answered like missing ones.
    """

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def ready(self, buyer_id: BidderId) -> Sequence[Ready]:
        """A buyer's paid awards that stand on docks, the earliest paid first."""
        async with transaction(self._pool) as connection:
            return await ready_of(connection, buyer_id, self._now_us())

    async def pickup(self, pickup_id: str, buyer_id: BidderId | None = None) -> Pickup:
        """A pickup as it stands. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return _owned(await read_pickup(connection, pickup_id), buyer_id)

    async def pickups_of_buyer(self, buyer_id: BidderId) -> Sequence[Pickup]:
        """A buyer's pickups, the latest slot first."""
        async with acquire(self._pool) as connection:
            return await pickups_of_buyer(connection, buyer_id, MAX_PICKUPS)

    async def book(
        self,
        award_ids: Sequence[AwardId],
        slot_at_us: int,
        actor: Actor,
        *,
        buyer_id: BidderId | None = None,
        door: str | None = None,
        request: Asked | None = None,
    ) -> Pickup:
        """One truck for these awards of one buyer at one place. ``door`` None: any that is free.

        Raises `Refused` NOTHING_NAMED, TOO_MANY, NOT_FOUND, NOT_FUNDED, DISPUTED, NOTHING_LEFT,
        SENT_BY_HOUSE, DIFFERENT_PLACES, ALREADY_BOOKED, NO_SUCH_SLOT, TOO_LATE, TOO_FAR_AHEAD,
        SLOT_TAKEN.
        """
        wanted = _named(award_ids)
        async with transaction(self._pool) as connection:
            awards = await hold_awards(connection, wanted, buyer_id)
            await self._must_be_fetched(connection, awards, buyer_id)
            first = awards.rows[0]
            zone = awards.held(first.award_id).invoiced.zone
            now_us = self._now_us()
            place = (first.liquidator_id, first.award.ship_from)
            dock = await dock_for(connection, *place, zone, now_us)
            dock = await hold_dock(connection, dock.dock_id)
            slot = await self._slot(connection, dock, slot_at_us, now_us, staff=buyer_id is None)
            found = await _free_place(connection, dock, slot, door)
            pickup = _new(dock, first, slot, *found, tuple(wanted), actor_of(actor), now_us)
            await add_pickup(connection, pickup)
            await note_made(connection, request, pickup.pickup_id, now_us)
            policy = await policy_of(connection, awards.held(first.award_id).invoiced)
            await self._tell(
                connection, "pickup_booked", Act.PICKUP_BOOKED, pickup, dock, awards, actor, policy
            )
        return pickup

    async def move(
        self,
        pickup_id: str,
        version: int,
        slot_at_us: int,
        actor: Actor,
        *,
        buyer_id: BidderId | None = None,
        door: str | None = None,
    ) -> Pickup:
        """To another slot, or another door. Raises `Refused` as `book` does, and NOT_NOW."""
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, None)
            _owned(pickup, buyer_id)
            _unchanged(pickup, version)
            dock = await hold_dock(connection, pickup.dock_id)
            now_us = self._now_us()
            self._must_be_changeable(pickup, dock, now_us, staff=buyer_id is None)
            slot = await self._slot(connection, dock, slot_at_us, now_us, staff=buyer_id is None)
            own = (pickup.slot_at_us, pickup.door, pickup.place)
            chosen, place = await _free_place(connection, dock, slot, door, own)
            if (slot.at_us, chosen) == own[:2]:
                return pickup
            moved = (slot.at_us, slot.ends_at_us)
            await move_pickup(connection, pickup_id, chosen, moved, place, now_us)
            pickup = await read_pickup(connection, pickup_id)
            policy = await policy_of(connection, awards.held(pickup.award_ids[0]).invoiced)
            await self._tell(
                connection,
                "pickup_changed",
                Act.PICKUP_CHANGED,
                pickup,
                dock,
                awards,
                actor,
                policy,
            )
        return pickup

    async def cancel(
        self, pickup_id: str, version: int, actor: Actor, *, buyer_id: BidderId | None = None
    ) -> Pickup:
        """Nobody comes. Staff may also send a truck away that has checked in, and it is unloaded.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, TOO_LATE.
        """
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, None)
            _owned(pickup, buyer_id)
            _unchanged(pickup, version)
            dock, now_us = await must_read_dock(connection, pickup.dock_id), self._now_us()
            if buyer_id is not None or pickup.state is not PickupState.CHECKED_IN:
                self._must_be_changeable(pickup, dock, now_us, staff=buyer_id is None)
            await connection.execute(_UNLOAD_ALL, pickup_id)
            await end_pickup(connection, pickup_id, PickupState.CANCELLED, now_us)
            pickup = await read_pickup(connection, pickup_id)
            await self._tell(
                connection, "pickup_cancelled", Act.PICKUP_CANCELLED, pickup, dock, awards, actor
            )
        return pickup

    # The guards, in the order in which they are asked.

    async def _must_be_fetched(
        self, connection: AnyConnection, awards: HeldAwards, buyer_id: BidderId | None
    ) -> None:
        rows = awards.rows
        if buyer_id is not None and any(row.buyer_id != buyer_id for row in rows):
            raise Refused(PickupRefusal.NOT_FOUND)
        pallets = await pallets_of(connection, rows)
        disposed = await disposed_of(connection, awards.award_ids)
        for row in rows:
            if row.award.ships_to is not None:
                raise of_lot(PickupRefusal.SENT_BY_HOUSE, row)
            why_not = why_not_handed_over(row, awards.held(row.award_id))
            left = any(not p.gone_at_us for p in pallets[row.award_id])
            if why_not is None and (not left or row.award_id in disposed):
                why_not = PickupRefusal.NOTHING_LEFT
            if why_not is not None:
                raise of_lot(why_not, row)
        places = {(row.buyer_id, row.liquidator_id, row.award.ship_from) for row in rows}
        if len(places) > 1:
            raise Refused(PickupRefusal.DIFFERENT_PLACES)
        booked = await open_bookings(connection, awards.award_ids)
        for row in rows:
            if row.award_id in booked:
                raise of_lot(PickupRefusal.ALREADY_BOOKED, row)

    async def _slot(
        self, connection: AnyConnection, dock: Dock, at_us: int, now_us: int, *, staff: bool
    ) -> Slot:
        if not 0 < at_us < _END_OF_TIME_US:
            raise Refused(PickupRefusal.NO_SUCH_SLOT)
        slot = slot_at(dock, at_us, await holidays_of(connection, country_of(dock)))
        if slot is None:
            raise Refused(PickupRefusal.NO_SUCH_SLOT)
        # Staff may still give the slot that has begun to the truck at the gate.
        if (slot.ends_at_us if staff else slot.at_us) <= now_us:
            raise Refused(PickupRefusal.TOO_LATE, detail="This slot is over.")
        if day_of(dock, at_us) > day_of(dock, now_us) + timedelta(days=dock.ahead_days):
            said = f"The dock can be booked up to {dock.ahead_days} days ahead."
            raise Refused(PickupRefusal.TOO_FAR_AHEAD, detail=said)
        return slot

    def _must_be_changeable(self, pickup: Pickup, dock: Dock, now_us: int, *, staff: bool) -> None:
        if pickup.state is not PickupState.BOOKED:
            raise Refused(PickupRefusal.NOT_NOW)
        until_us = pickup.slot_at_us - dock.change_minutes * MINUTE_US
        if not staff and now_us >= until_us:
            said = f"This could be changed until {in_words(dock.zone, until_us)}. Call the dock."
            raise Refused(PickupRefusal.TOO_LATE, detail=said)

    async def _tell(
        self,
        connection: AnyConnection,
        kind: str,
        act: Act,
        pickup: Pickup,
        dock: Dock,
        awards: HeldAwards,
        actor: Actor,
        policy: Policy | None = None,
    ) -> None:
        """Write the story, the deadline of a booking (with a policy), and the audit's line."""
        now_us = self._now_us()
        facts: dict[str, Any] = {
            "pickup_id": pickup.pickup_id,
            "door": pickup.door,
            "slot_at_us": pickup.slot_at_us,
            "slot_ends_at_us": pickup.slot_ends_at_us,
            "zone": dock.zone,
        }
        await record(
            connection,
            act,
            actor,
            now_us,
            organisation_id=OrganisationId(pickup.buyer_id),
            object_id=pickup.pickup_id,
            **facts,
        )
        deadlines = [] if policy is None else [missed_deadline(pickup, policy)]
        await tell_awards(connection, awards, kind, facts, actor, now_us, deadlines)


def missed_deadline(pickup: Pickup, policy: Policy) -> Wanted:
    """When somebody looks whether a booking was kept; who comes as late as allowed kept it."""
    return Wanted(
        operation="pickup_missed",
        subject=pickup.pickup_id,
        generation=pickup.bookings,
        due_at_us=pickup.slot_at_us + policy.missed_after_us + 1,
    )


_UNLOAD_ALL: Final = """
update award_pallet set pickup_id = null, loaded_at_us = null, loaded_by = null
where pickup_id = $1 and gone_at_us is null
"""
_END_OF_TIME_US: Final = 2**53


def _named(award_ids: Sequence[AwardId]) -> list[AwardId]:
    wanted = list(dict.fromkeys(award_ids))
    if not wanted:
        raise Refused(PickupRefusal.NOTHING_NAMED)
    if len(wanted) > MAX_AWARDS:
        raise Refused(PickupRefusal.TOO_MANY, detail=f"A truck is for at most {MAX_AWARDS} lots.")
    return wanted


def _owned(pickup: Pickup, buyer_id: BidderId | None) -> Pickup:
    if buyer_id is not None and pickup.buyer_id != buyer_id:
        raise Refused(PickupRefusal.NOT_FOUND)
    return pickup


def _unchanged(pickup: Pickup, version: int) -> None:
    if pickup.version != version:
        raise Refused(PickupRefusal.CHANGED_MEANWHILE)


async def _free_place(
    connection: AnyConnection,
    dock: Dock,
    slot: Slot,
    door: str | None,
    own: tuple[int, str, int] | None = None,
) -> tuple[str, int]:
    """A door of the held dock and the first place there; ``own``: what the caller has already."""
    if door is not None and door not in dock.doors:
        raise Refused(PickupRefusal.NO_SUCH_SLOT, field="door", detail="There is no such door.")
    taken = await taken_places(connection, dock.dock_id, slot.at_us, slot.at_us + 1)
    if own is not None and own[0] == slot.at_us and door in (None, own[1]):
        return own[1], own[2]
    for name, capacity in dock.doors.items():
        if door in (None, name):
            there = taken.get((slot.at_us, name), set())
            free = next((n for n in range(1, capacity + 1) if n not in there), None)
            if free is not None:
                return name, free
    raise Refused(PickupRefusal.SLOT_TAKEN)


def _new(
    dock: Dock,
    first: AwardRow,
    slot: Slot,
    door: str,
    place: int,
    award_ids: tuple[AwardId, ...],
    by: str,
    now_us: int,
) -> Pickup:
    return Pickup(
        pickup_id=new_id("pickup"),
        dock_id=dock.dock_id,
        buyer_id=first.buyer_id,
        liquidator_id=first.liquidator_id,
        state=PickupState.BOOKED,
        door=door,
        slot_at_us=slot.at_us,
        slot_ends_at_us=slot.ends_at_us,
        place=place,
        bookings=1,
        carrier="",
        driver="",
        trailer="",
        seal="",
        note="",
        booked_at_us=now_us,
        booked_by=by,
        checked_in_at_us=None,
        signed_by=None,
        signature=None,
        gone_at_us=None,
        gone_by=None,
        changed_at_us=now_us,
        version=1,
        award_ids=tuple(sorted(award_ids)),
    )
