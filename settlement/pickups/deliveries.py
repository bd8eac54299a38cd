"""What the house ships: given to a carrier, and proved to have arrived.

The claims window begins when the proof is written down, and not when the truck stood at the door:
the buyer of a proof that lay in a drawer has as many days as everybody.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.catalog.photos import PhotoWorker, TooManyPhotos
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.pickups.at_dock import resized_for_dock
from settlement.pickups.evidence import Photo, Picture, Shows, add_photos, photos_of
from settlement.pickups.handing_over import handed_over
from settlement.pickups.pickup_table import (
    HeldAwards,
    hold_awards,
    pallets_of,
    why_not_handed_over,
)
from settlement.pickups.telling import actor_of, of_lot
from settlement.pickups.words import PickupRefusal, Refused, Words
from settlement.rows import AwardRow, NotFound, award_row, calendar_of, policy_of, read_award
from settlement.steps import Step, write
from settlement.story import Told

# A carrier's lorry is slow; who writes down a year ago has mistyped.
OLDEST_US: Final = 366 * 86_400 * 1_000_000
MAX_SHIPMENTS: Final = 200

Carrier = Annotated[str, Meta(min_length=2, max_length=80, pattern=STORABLE)]
Tracking = Annotated[str, Meta(min_length=3, max_length=80, pattern=STORABLE)]
Name = Annotated[str, Meta(min_length=2, max_length=120, pattern=STORABLE)]


class Shipping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said when goods are given to a carrier."""

    carrier: Carrier
    tracking: Tracking
    shipped_at_us: int


class Proof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the arrival."""

    delivered_at_us: int
    signed_by: Name
    note: Words = ""


class Delivery(Struct, frozen=True, kw_only=True):
    """What the house has shipped; without ``delivered_at_us`` it is on its way."""

    award_id: AwardId
    carrier: str
    tracking: str
    shipped_at_us: int
    shipped_by: str
    delivered_at_us: int | None
    delivered_by: str | None
    signed_by: str | None
    note: str
    changed_at_us: int
    version: int


_READ: Final = "select * from delivery where award_id = $1"
_SHIP: Final = """
insert into delivery (award_id, carrier, tracking, shipped_at_us, shipped_by, changed_at_us)
values ($1, $2, $3, $4, $5, $6)
on conflict (award_id) do update set carrier = $2, tracking = $3, shipped_at_us = $4,
    shipped_by = $5, changed_at_us = $6, version = delivery.version + 1
"""
_DELIVERED: Final = """
update delivery set delivered_at_us = $2, signed_by = $3, note = $4, delivered_by = $5,
    changed_at_us = $6, version = version + 1
where award_id = $1
"""
_LEAVE: Final = "update award_pallet set gone_at_us = $2 where award_id = $1 and gone_at_us is null"
_SHIPPED: Final = """
select award.*, invoice.zone from award join invoice using (invoice_id)
where state = 'FUNDED' and award.body->>'ships_to' is not null
order by funded_at_us, award_id limit $1
"""
_DELIVERIES: Final = "select * from delivery where award_id = any($1)"


class Shipment(Struct, frozen=True, kw_only=True):
    """A paid award that the house ships; without a delivery it is to be given to a carrier.

    ``zone``: by which its times are said.
    """

    award: AwardRow
    zone: str
    delivery: Delivery | None


class Deliveries:
    """What staff do with goods that the house ships. ``now_us``: the house's clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], photos: PhotoWorker) -> None:
        self._pool, self._now_us, self._photos = pool, now_us, photos

    async def delivery(
        self, award_id: AwardId, buyer_id: BidderId | None = None
    ) -> tuple[Delivery, Sequence[Photo]]:
        """A delivery with its photos; ``buyer_id``: whose it has to be. Raises `Refused`."""
        async with acquire(self._pool) as connection:
            found = await _read(connection, award_id)
            whose = await connection.fetchval(
                "select buyer_id from award where award_id = $1", award_id
            )
            if found is None or (buyer_id is not None and whose != buyer_id):
                raise Refused(PickupRefusal.NOT_FOUND)
            return found, (await photos_of(connection, Shows.DELIVERY, [award_id]))[award_id]

    async def under_way(self, limit: int = MAX_SHIPMENTS) -> Sequence[Shipment]:
        """What is to be shipped, or on its way, the longest paid first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_SHIPPED, limit)
            ids = [row["award_id"] for row in rows]
            sent = {
                row["award_id"]: _delivery(row) for row in await connection.fetch(_DELIVERIES, ids)
            }
        return [
            Shipment(
                award=award_row(row), zone=row["zone"], delivery=sent.get(AwardId(row["award_id"]))
            )
            for row in rows
        ]

    async def shipment(self, award_id: AwardId) -> Shipment:
        """One of them. Raises `Refused` NOT_FOUND for what the house does not ship now."""
        async with acquire(self._pool) as connection:
            try:
                held = await read_award(connection, award_id)
            except NotFound:
                raise Refused(PickupRefusal.NOT_FOUND) from None
            award = held.awards[award_id]
            if award.award.ships_to is None or award.funded_at_us is None:
                raise Refused(PickupRefusal.NOT_FOUND)
            zone = held.invoiced.zone
            return Shipment(award=award, zone=zone, delivery=await _read(connection, award_id))

    async def ship(
        self, award_id: AwardId, version: int | None, shipping: Shipping, actor: Actor
    ) -> Delivery:
        """A carrier has it. ``version`` None: for the first time; else what is mended.

        Raises `Refused` NOT_FOUND, FETCHED_BY_BUYER, NOT_FUNDED, DISPUTED, CHANGED_MEANWHILE,
        NOT_NOW once it has arrived, BAD_TIME.
        """
        async with transaction(self._pool) as connection:
            awards = await hold_awards(connection, [award_id])
            row = awards[award_id]
            if row.award.ships_to is None:
                raise of_lot(PickupRefusal.FETCHED_BY_BUYER, row)
            before = await _read(connection, award_id)
            if (None if before is None else before.version) != version:
                raise Refused(PickupRefusal.CHANGED_MEANWHILE)
            why_not = why_not_handed_over(row, awards.held(award_id))
            if why_not is PickupRefusal.NOTHING_LEFT:
                raise of_lot(PickupRefusal.NOT_NOW, row)
            if why_not is not None and before is None:
                raise of_lot(why_not, row)
            now_us = self._now_us()
            _must_have_been(shipping.shipped_at_us, now_us - OLDEST_US, now_us, "shipped_at_us")
            said = (shipping.carrier, shipping.tracking, shipping.shipped_at_us)
            await connection.execute(_SHIP, award_id, *said, actor_of(actor), now_us)
            await pallets_of(connection, [row])
            await connection.execute(_LEAVE, award_id, shipping.shipped_at_us)
            facts = {"carrier": shipping.carrier, "tracking": shipping.tracking}
            told = Told(
                kind="shipped",
                award_id=award_id,
                invoice_id=row.invoice_id,
                actor=actor_of(actor),
                facts=facts,
            )
            await _record(connection, Act.GOODS_SHIPPED, awards, award_id, actor, now_us)
            await write(connection, awards.held(award_id), Step(story=(told,)), now_us)
            return _must(await _read(connection, award_id))

    async def delivered(
        self,
        award_id: AwardId,
        version: int,
        proof: Proof,
        actor: Actor,
        uploads: Sequence[bytes] = (),
    ) -> Delivery:
        """It has arrived, and somebody signed: the award is handed over.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, BAD_TIME, BAD_PHOTO, BUSY.
        """
        pictures = await resized_for_dock(self._photos, uploads)
        async with transaction(self._pool) as connection:
            awards = await hold_awards(connection, [award_id])
            row, before = awards[award_id], await _read(connection, award_id)
            if before is None:
                raise Refused(PickupRefusal.NOT_FOUND)
            if before.version != version:
                raise Refused(PickupRefusal.CHANGED_MEANWHILE)
            if row.state is not AwardState.FUNDED:
                raise of_lot(PickupRefusal.NOT_NOW, row)
            now_us, by = self._now_us(), actor_of(actor)
            at_us = proof.delivered_at_us
            _must_have_been(at_us, before.shipped_at_us, now_us, "delivered_at_us")
            said = (at_us, proof.signed_by, proof.note)
            await connection.execute(_DELIVERED, award_id, *said, by, now_us)
            await self._keep(connection, award_id, pictures, by, now_us)
            invoice = awards.held(award_id).invoiced
            facts = {
                "carrier": before.carrier,
                "tracking": before.tracking,
                "delivered_at_us": at_us,
                "signed_by": proof.signed_by,
            }
            policy, calendar = (
                await policy_of(connection, invoice),
                await calendar_of(connection, invoice),
            )
            step = handed_over(row, policy, calendar, facts, by, now_us)
            await _record(connection, Act.DELIVERY_PROVED, awards, award_id, actor, now_us)
            await write(connection, awards.held(award_id), step, now_us)
            return _must(await _read(connection, award_id))

    async def add_photos(
        self, award_id: AwardId, uploads: Sequence[bytes], actor: Actor
    ) -> Sequence[Photo]:
        """More of the proof, once somebody has signed.

        Raises `Refused` NOT_FOUND, NOT_NOW, BAD_PHOTO, BUSY, TOO_MANY.
        """
        pictures = await resized_for_dock(self._photos, uploads)
        async with transaction(self._pool) as connection:
            await hold_awards(connection, [award_id])
            delivery = await _read(connection, award_id)
            if delivery is None:
                raise Refused(PickupRefusal.NOT_FOUND)
            if delivery.delivered_at_us is None:
                raise Refused(PickupRefusal.NOT_NOW)
            await self._keep(connection, award_id, pictures, actor_of(actor), self._now_us())
            return (await photos_of(connection, Shows.DELIVERY, [award_id]))[award_id]

    async def _keep(
        self,
        connection: AnyConnection,
        award_id: AwardId,
        pictures: Sequence[Picture],
        by: str,
        now_us: int,
    ) -> None:
        shows = (Shows.DELIVERY, award_id)
        try:
            await add_photos(connection, *shows, pictures, "Proof of delivery", by, now_us)
        except TooManyPhotos as error:
            raise Refused(PickupRefusal.TOO_MANY, detail=f"{error}.") from None


async def _read(connection: AnyConnection, award_id: AwardId) -> Delivery | None:
    row = await connection.fetchrow(_READ, award_id)
    return None if row is None else _delivery(row)


async def _record(
    connection: AnyConnection,
    act: Act,
    awards: HeldAwards,
    award_id: AwardId,
    actor: Actor,
    now_us: int,
) -> None:
    buyer = OrganisationId(awards[award_id].buyer_id)
    await record(connection, act, actor, now_us, organisation_id=buyer, object_id=award_id)


def _must_have_been(at_us: int, from_us: int, until_us: int, field: str) -> None:
    if not from_us <= at_us <= until_us:
        raise Refused(PickupRefusal.BAD_TIME, field=field)


def _must(delivery: Delivery | None) -> Delivery:
    assert delivery is not None, "it was written just now"
    return delivery


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(**row)
