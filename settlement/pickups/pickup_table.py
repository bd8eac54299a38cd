"""Pickups, their awards and pallets as rows.

The order of locks is that of the whole room: invoices with their awards by their ids, then the
dock, then the pickup, its pallets and charges, and the ledger last.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState, PaymentState
from settlement.pickups.pallets import PalletId, pallet_ids
from settlement.pickups.words import PickupRefusal, PickupState, Refused, Truck
from settlement.rows import AwardRow, Held, hold_invoice


class Pallet(Struct, frozen=True, kw_only=True):
    """A pallet of an award: on the dock, on a truck, or gone."""

    pallet_id: PalletId
    award_id: AwardId
    number: int
    pickup_id: str | None
    loaded_at_us: int | None
    gone_at_us: int | None


class Pickup(Struct, frozen=True, kw_only=True):
    """A truck's visit. ``signature``: a path, or None where the name was typed."""

    pickup_id: str
    dock_id: str
    buyer_id: BidderId
    liquidator_id: LiquidatorId
    state: PickupState
    door: str
    slot_at_us: int
    slot_ends_at_us: int
    place: int
    bookings: int
    carrier: str
    driver: str
    trailer: str
    seal: str
    note: str
    booked_at_us: int
    booked_by: str
    checked_in_at_us: int | None
    signed_by: str | None
    signature: str | None
    gone_at_us: int | None
    gone_by: str | None
    changed_at_us: int
    version: int
    award_ids: tuple[AwardId, ...]


_SELECT: Final = """
select pickup.*, array(
    select award_id from pickup_award a where a.pickup_id = pickup.pickup_id order by award_id
) as award_ids
from pickup
"""
_READ: Final = f"{_SELECT} where pickup_id = $1"
_HOLD: Final = "select from pickup where pickup_id = $1 for update"
_OF_BUYER: Final = f"{_SELECT} where buyer_id = $1 order by slot_at_us desc, pickup_id limit $2"
_OF_DOCK: Final = f"""
{_SELECT} where dock_id = $1 and slot_at_us >= $2 and slot_at_us < $3
order by slot_at_us, door, place, pickup_id limit $4
"""

_TAKEN: Final = """
select slot_at_us, door, place from pickup
where dock_id = $1 and slot_at_us >= $2 and slot_at_us < $3 and state not in ('CANCELLED', 'MISSED')
"""

_ADD: Final = """
insert into pickup (pickup_id, dock_id, buyer_id, liquidator_id, state, door, slot_at_us,
    slot_ends_at_us, place, booked_at_us, booked_by, changed_at_us)
values ($1, $2, $3, $4, 'BOOKED', $5, $6, $7, $8, $9, $10, $9)
"""
_ADD_AWARDS: Final = """
insert into pickup_award (pickup_id, award_id) select $1, unnest($2::text[])
"""
_MOVE: Final = """
update pickup set door = $2, slot_at_us = $3, slot_ends_at_us = $4, place = $5, state = 'BOOKED',
    bookings = bookings + 1, changed_at_us = $6, version = version + 1
where pickup_id = $1
"""
_STATE: Final = """
update pickup set state = $2, changed_at_us = $3, version = version + 1 where pickup_id = $1
"""
_CHECK_IN: Final = """
update pickup set state = 'CHECKED_IN', carrier = $2, driver = $3, trailer = $4, seal = $5,
    checked_in_at_us = coalesce(checked_in_at_us, $6), changed_at_us = $6, version = version + 1
where pickup_id = $1
"""
_TOUCH: Final = """
update pickup set changed_at_us = $2, version = version + 1 where pickup_id = $1
"""
_GONE: Final = """
update pickup set state = 'GONE', signed_by = $2, signature = $3, gone_at_us = $4, gone_by = $5,
    seal = $6, changed_at_us = $4, version = version + 1
where pickup_id = $1
"""
_CLOSE: Final = "update pickup_award set open = false where pickup_id = $1"

_MAKE_PALLETS: Final = """
insert into award_pallet (pallet_id, award_id, number)
select * from unnest($1::text[], $2::text[], $3::integer[]) on conflict (pallet_id) do nothing
"""
_PALLETS: Final = """
select pallet_id, award_id, number, pickup_id, loaded_at_us, gone_at_us from award_pallet
where award_id = any($1) order by award_id, number
"""
_BOOKED: Final = "select award_id, pickup_id from pickup_award where open and award_id = any($1)"


async def read_pickup(connection: AnyConnection, pickup_id: str) -> Pickup:
    """A pickup as it stands now. Raises `Refused` NOT_FOUND."""
    row = await connection.fetchrow(_READ, pickup_id)
    if row is None:
        raise Refused(PickupRefusal.NOT_FOUND)
    return _pickup(row)


async def hold_pickup(
    connection: AnyConnection, pickup_id: str, version: int | None
) -> tuple[Pickup, "HeldAwards"]:
    """The pickup, held after its awards; ``version``: that the caller has seen.

    Its awards never change, so they can be read before. Raises `Refused` NOT_FOUND,
    CHANGED_MEANWHILE.
    """
    seen = await read_pickup(connection, pickup_id)
    awards = await hold_awards(connection, seen.award_ids)
    await connection.execute(_HOLD, pickup_id)
    pickup = await read_pickup(connection, pickup_id)
    if version is not None and pickup.version != version:
        raise Refused(PickupRefusal.CHANGED_MEANWHILE)
    return pickup, awards


async def pickups_of_buyer(
    connection: AnyConnection, buyer_id: BidderId, limit: int
) -> list[Pickup]:
    """A buyer's, the latest slot first."""
    return [_pickup(row) for row in await connection.fetch(_OF_BUYER, buyer_id, limit)]


async def pickups_of_dock(
    connection: AnyConnection, dock_id: str, from_us: int, until_us: int, limit: int
) -> list[Pickup]:
    """Those whose slots begin in that time, in order; also those that were cancelled or missed."""
    rows = await connection.fetch(_OF_DOCK, dock_id, from_us, until_us, limit)
    return [_pickup(row) for row in rows]


async def taken_places(
    connection: AnyConnection, dock_id: str, from_us: int, until_us: int
) -> dict[tuple[int, str], set[int]]:
    """By slot and door: which of its places have a truck."""
    taken: dict[tuple[int, str], set[int]] = {}
    for at_us, door, place in await connection.fetch(_TAKEN, dock_id, from_us, until_us):
        taken.setdefault((at_us, door), set()).add(place)
    return taken


async def add_pickup(
    connection: AnyConnection,
    pickup: Pickup,
) -> None:
    """Write a new one with its awards. Raises `Refused` SLOT_TAKEN, ALREADY_BOOKED."""
    try:
        await connection.execute(
            *(_ADD, pickup.pickup_id, pickup.dock_id, pickup.buyer_id, pickup.liquidator_id),
            *(pickup.door, pickup.slot_at_us, pickup.slot_ends_at_us, pickup.place),
            *(pickup.booked_at_us, pickup.booked_by),
        )
        await connection.execute(_ADD_AWARDS, pickup.pickup_id, list(pickup.award_ids))
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from None


async def move_pickup(
    connection: AnyConnection,
    pickup_id: str,
    door: str,
    slot: tuple[int, int],
    place: int,
    now: int,
) -> None:
    """To another slot. Raises `Refused` SLOT_TAKEN."""
    try:
        await connection.execute(_MOVE, pickup_id, door, *slot, place, now)
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from None


async def end_pickup(
    connection: AnyConnection, pickup_id: str, state: PickupState, now_us: int
) -> None:
    """It was cancelled or missed: its awards can be booked again."""
    await connection.execute(_STATE, pickup_id, state, now_us)
    await connection.execute(_CLOSE, pickup_id)


async def check_in(connection: AnyConnection, pickup_id: str, truck: Truck, now_us: int) -> None:
    """The truck is here."""
    said = (truck.carrier, truck.driver, truck.trailer, truck.seal)
    await connection.execute(_CHECK_IN, pickup_id, *said, now_us)


async def touch(connection: AnyConnection, pickup_id: str, now_us: int) -> None:
    """Something of it has changed: its version rises."""
    await connection.execute(_TOUCH, pickup_id, now_us)


async def write_gone(
    connection: AnyConnection,
    pickup: Pickup,
    signed_by: str,
    path: str | None,
    by: str,
    now_us: int,
) -> None:
    """It was signed for and has left; what stays of its awards can be booked again."""
    said = (signed_by, path, now_us, by, pickup.seal)
    await connection.execute(_GONE, pickup.pickup_id, *said)
    await connection.execute(_CLOSE, pickup.pickup_id)


# Awards and their pallets.


class HeldAwards(Struct, frozen=True):
    """Awards that are held, each with its invoice and the others on it."""

    by_invoice: Mapping[InvoiceId, Held]
    award_ids: tuple[AwardId, ...]

    def held(self, award_id: AwardId) -> Held:
        """The invoice that the award is on."""
        return next(held for held in self.by_invoice.values() if award_id in held.awards)

    def __getitem__(self, award_id: AwardId) -> AwardRow:
        return self.held(award_id).awards[award_id]

    @property
    def rows(self) -> list[AwardRow]:
        return [self[award_id] for award_id in self.award_ids]


_INVOICES: Final = """
select award_id, invoice_id, buyer_id from award where award_id = any($1) order by invoice_id
"""


async def hold_awards(
    connection: AnyConnection, award_ids: Iterable[AwardId], buyer_id: BidderId | None = None
) -> HeldAwards:
    """These awards, in the order in which everybody holds them. Raises `Refused` NOT_FOUND, also
    for those of another than ``buyer_id``, and NOT_FUNDED for what is not even invoiced."""
    wanted = tuple(dict.fromkeys(award_ids))
    rows = await connection.fetch(_INVOICES, list(wanted))
    others = buyer_id is not None and any(row["buyer_id"] != buyer_id for row in rows)
    if others or len(rows) < len(wanted):
        raise Refused(PickupRefusal.NOT_FOUND)
    if any(row["invoice_id"] is None for row in rows):
        raise Refused(PickupRefusal.NOT_FUNDED)
    invoice_ids = sorted({InvoiceId(row["invoice_id"]) for row in rows})
    held = {invoice_id: await hold_invoice(connection, invoice_id) for invoice_id in invoice_ids}
    return HeldAwards(held, wanted)


# Of goods that nobody fetched in time the money moves on; the goods stay the buyer's.
_UNCOLLECTED: Final = frozenset(
    {AwardState.ACCEPTED, AwardState.RELEASED, AwardState.PAID_OUT, AwardState.CLOSED}
)
# The money is not ours to count on, so the goods stay.
_FROZEN: Final = frozenset({PaymentState.DISPUTED, PaymentState.REFUNDED})


def why_not_handed_over(award: AwardRow, held: Held) -> PickupRefusal | None:
    """What keeps an award's goods on the dock, but for what it costs to keep them there."""
    if award.handed_over_at_us is not None:
        return PickupRefusal.NOTHING_LEFT
    if award.state is not AwardState.FUNDED and award.state not in _UNCOLLECTED:
        return PickupRefusal.NOT_FUNDED
    frozen = held.invoiced.standing in _FROZEN or award.lost_at_us is not None
    return PickupRefusal.DISPUTED if frozen else None


async def pallets_of(
    connection: AnyConnection, awards: Sequence[AwardRow]
) -> dict[AwardId, list[Pallet]]:
    """The pallets of these awards, which are made when they are first asked for."""
    named = [
        (name, award.award_id, number)
        for award in awards
        for number, name in enumerate(pallet_ids(award.award_id, award.goods.pallets), start=1)
    ]
    ids = [award.award_id for award in awards]
    rows = await connection.fetch(_PALLETS, ids)
    if len(rows) < len(named):
        await connection.execute(_MAKE_PALLETS, *map(list, zip(*named, strict=True)))
        rows = await connection.fetch(_PALLETS, ids)
    pallets: dict[AwardId, list[Pallet]] = {award_id: [] for award_id in ids}
    for row in rows:
        pallets[row["award_id"]].append(Pallet(**row))
    return pallets


async def open_bookings(
    connection: AnyConnection, award_ids: Sequence[AwardId]
) -> dict[AwardId, str]:
    """By award: the pickup that is booked for it and not over."""
    rows = await connection.fetch(_BOOKED, list(award_ids))
    return {row["award_id"]: row["pickup_id"] for row in rows}


def _pickup(row: asyncpg.Record) -> Pickup:
    values = {name: row[name] for name in Pickup.__struct_fields__}
    return Pickup(
        **(values | {"state": PickupState(row["state"]), "award_ids": tuple(row["award_ids"])})
    )


def _taken(error: asyncpg.UniqueViolationError) -> Refused:
    once = error.constraint_name == "award_is_booked_once"
    return Refused(PickupRefusal.ALREADY_BOOKED if once else PickupRefusal.SLOT_TAKEN)
