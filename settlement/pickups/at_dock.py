"""The truck is here: checking in, loading by scan, signing, and what the goods' leaving means.

A load leaves in one transaction: its pallets are gone, the truck is signed for, and of each award
whose last pallet went the handing over is written with the end of its claims window. What stays can
be booked again. Charges are counted when the truck checks in, so that they can be paid while it
waits, and once more when it wants to leave: what is open then keeps the goods.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.catalog.photos import BadPhoto, PhotoWorker, TooManyPhotos
from auction.money import format_minor
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, transaction
from settlement.ids import InvoiceId
from settlement.ledger import post
from settlement.pickups.charge_table import Charge, charges_of_awards
from settlement.pickups.counting import charge_up_to_now
from settlement.pickups.evidence import Photo, Picture, Shows, add_photos, photos_of, resized
from settlement.pickups.handing_over import handed_over
from settlement.pickups.pallets import MAX_CODE, PalletId, as_scanned, sscc_of_scan
from settlement.pickups.pickup_table import (
    HeldAwards,
    Pallet,
    Pickup,
    check_in,
    hold_pickup,
    pallets_of,
    read_pickup,
    touch,
    why_not_handed_over,
    write_gone,
)
from settlement.pickups.signatures import Signature, fault_of
from settlement.pickups.telling import actor_of, of_lot, tell_awards
from settlement.pickups.words import PickupRefusal, PickupState, Refused, Truck
from settlement.rows import AwardRow, award_row, calendar_of, policy_of
from settlement.steps import Step, write
from settlement.story import Told

Code = Annotated[str, Meta(min_length=1, max_length=MAX_CODE, pattern=STORABLE)]


class Load(Struct, frozen=True, kw_only=True):
    """A pickup as the dock sees it. ``pallets``: of all its awards, wherever they are."""

    pickup: Pickup
    awards: Sequence[AwardRow]
    pallets: Sequence[Pallet]
    charges: Sequence[Charge]
    photos: Sequence[Photo]

    @property
    def loaded(self) -> int:
        """Pallets on this truck."""
        return sum(pallet.pickup_id == self.pickup.pickup_id for pallet in self.pallets)

    @property
    def standing(self) -> int:
        """Pallets that still stand on the dock."""
        return sum(pallet.pickup_id is None and not pallet.gone_at_us for pallet in self.pallets)

    @property
    def open_minor(self) -> int:
        """What is to be paid before it leaves."""
        return sum(charge.open_minor for charge in self.charges)


class Scanned(Struct, frozen=True, kw_only=True):
    """What a scan did. ``again``: the pallet was on the truck already."""

    pallet: Pallet
    lot_number: str
    loaded: int
    of: int
    again: bool


_FIND: Final = """
select pallet_id, award_id, number, pickup_id, loaded_at_us, gone_at_us from award_pallet
where pallet_id = $1
"""
_BY_SSCC: Final = """
select pallet_id from pallet_sscc join award_pallet using (award_id, number) where sscc = $1
"""
_AWARDS: Final = "select * from award where award_id = any($1)"
_LOT: Final = "select goods->>'number' from award where award_id = $1"
_LOAD: Final = """
update award_pallet set pickup_id = $2, loaded_at_us = $3, loaded_by = $4 where pallet_id = $1
"""
_UNLOAD: Final = """
update award_pallet set pickup_id = null, loaded_at_us = null, loaded_by = null
where pallet_id = $1 and pickup_id = $2 and gone_at_us is null
"""
_LEAVE: Final = (
    "update award_pallet set gone_at_us = $2 where pickup_id = $1 and gone_at_us is null"
)


class AtDock:
    """What staff do with a truck. ``now_us``: the house's clock."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], photos: PhotoWorker) -> None:
        self._pool, self._now_us, self._photos = pool, now_us, photos

    async def load(self, pickup_id: str) -> Load:
        """A pickup with all that the dock needs of it. Raises `Refused` NOT_FOUND."""
        async with transaction(self._pool) as connection:
            return await _load(connection, await read_pickup(connection, pickup_id))

    async def check_in(self, pickup_id: str, version: int, truck: Truck, actor: Actor) -> Load:
        """The truck is here, or something about it was written down wrong.

        Who comes later than is allowed pays for it; what storage has come to is charged now.
        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW.
        """
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, version)
            if pickup.state not in (PickupState.BOOKED, PickupState.CHECKED_IN):
                raise Refused(PickupRefusal.NOT_NOW)
            now_us = self._now_us()
            first_time = pickup.state is PickupState.BOOKED
            await check_in(connection, pickup_id, truck, now_us)
            entries = await charge_up_to_now(
                connection, pickup if first_time else None, awards, actor, now_us
            )
            if first_time:
                facts = {"pickup_id": pickup_id, **structs.asdict(truck)}
                await tell_awards(connection, awards, "checked_in", facts, actor, now_us)
            await _record(connection, Act.PICKUP_CHECKED_IN, pickup, actor, now_us)
            load = await _load(connection, await read_pickup(connection, pickup_id))
            await post(connection, entries)
        return load

    async def scan(self, pickup_id: str, code: str, actor: Actor) -> Scanned:
        """A pallet goes onto the truck, by what its label says. A second scan changes nothing.

        Raises `Refused` NOT_FOUND, NOT_NOW, UNKNOWN_PALLET, WRONG_PALLET, PALLET_GONE.
        """
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, None)
            if pickup.state is not PickupState.CHECKED_IN:
                raise Refused(PickupRefusal.NOT_NOW, detail="Check the truck in first.")
            pallet = await _pallet(connection, pickup, awards, code)
            again = pallet.pickup_id == pickup_id
            if not again:
                now_us = self._now_us()
                await connection.execute(
                    _LOAD, pallet.pallet_id, pickup_id, now_us, actor_of(actor)
                )
                await touch(connection, pickup_id, now_us)
            return await _scanned(connection, pickup, awards, pallet.pallet_id, again=again)

    async def unload(self, pickup_id: str, code: str, actor: Actor) -> Scanned:
        """A pallet comes off the truck again. Raises `Refused` as `scan` does, and NOT_LOADED."""
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, None)
            if pickup.state is not PickupState.CHECKED_IN:
                raise Refused(PickupRefusal.NOT_NOW)
            pallet = await _pallet(connection, pickup, awards, code)
            done = await connection.execute(_UNLOAD, pallet.pallet_id, pickup_id)
            if done == "UPDATE 0":
                raise Refused(PickupRefusal.NOT_LOADED)
            await touch(connection, pickup_id, self._now_us())
            return await _scanned(connection, pickup, awards, pallet.pallet_id, again=False)

    async def add_photos(
        self, pickup_id: str, uploads: Sequence[bytes], alt: str, actor: Actor
    ) -> Sequence[Photo]:
        """Pictures of the load. Raises `Refused` NOT_FOUND, NOT_NOW, BAD_PHOTO, BUSY, TOO_MANY."""
        pictures = await resized_for_dock(self._photos, uploads)
        async with transaction(self._pool) as connection:
            pickup, _ = await hold_pickup(connection, pickup_id, None)
            if pickup.state not in (PickupState.CHECKED_IN, PickupState.GONE):
                raise Refused(PickupRefusal.NOT_NOW)
            by, now_us = actor_of(actor), self._now_us()
            try:
                await add_photos(connection, Shows.PICKUP, pickup_id, pictures, alt, by, now_us)
            except TooManyPhotos as error:
                raise Refused(PickupRefusal.TOO_MANY, detail=f"{error}.") from None
            return (await photos_of(connection, Shows.PICKUP, [pickup_id]))[pickup_id]

    async def release(
        self, pickup_id: str, version: int, signature: Signature, actor: Actor, seal: str = ""
    ) -> Load:
        """The driver has signed for what was scanned, and leaves with it.

        ``seal``: of the loaded trailer, where it differs from that at check-in. Raises `Refused`
        BAD_SIGNATURE, NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, NOTHING_LOADED, CHARGES_OPEN, and
        NOT_FUNDED or DISPUTED for an award whose goods may not leave any more.
        """
        fault = fault_of(signature)
        if fault is not None:
            raise Refused(PickupRefusal.BAD_SIGNATURE, field="signature", detail=fault)
        # For itself, so that what it finds to be charged stands, whatever becomes of the rest.
        await self._count_up(pickup_id)
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, version)
            if pickup.state is not PickupState.CHECKED_IN:
                raise Refused(PickupRefusal.NOT_NOW)
            now_us = self._now_us()
            entries = await charge_up_to_now(connection, None, awards, actor, now_us)
            load = await _load(connection, pickup)
            _may_leave(load, awards)
            pickup = structs.replace(pickup, seal=seal or pickup.seal)
            path = signature.path or None
            await connection.execute(_LEAVE, pickup_id, now_us)
            await write_gone(connection, pickup, signature.name, path, actor_of(actor), now_us)
            await _record(connection, Act.GOODS_RELEASED, pickup, actor, now_us)
            await _hand_over(connection, load, awards, signature, actor, now_us)
            load = await _load(connection, await read_pickup(connection, pickup_id))
            await post(connection, entries)
        return load

    async def _count_up(self, pickup_id: str) -> None:
        async with transaction(self._pool) as connection:
            pickup, awards = await hold_pickup(connection, pickup_id, None)
            if pickup.state is PickupState.CHECKED_IN:
                entries = await charge_up_to_now(connection, None, awards, None, self._now_us())
                await post(connection, entries)


async def resized_for_dock(worker: PhotoWorker, uploads: Sequence[bytes]) -> list[Picture]:
    """The files of these pictures. Raises `Refused` BAD_PHOTO, with its place, and BUSY."""
    try:
        return await resized(worker, uploads)
    except BadPhoto as fault:
        said = f"{str(fault)[:1].upper()}{str(fault)[1:]}."
        raise Refused(PickupRefusal.BAD_PHOTO, field="photos", detail=said) from None
    except TooManyPhotos as error:
        raise Refused(PickupRefusal.BUSY, detail=f"{error}.") from None


async def _load(connection: AnyConnection, pickup: Pickup) -> Load:
    found = await connection.fetch(_AWARDS, list(pickup.award_ids))
    by_id = {row["award_id"]: award_row(row) for row in found}
    rows = [by_id[award_id] for award_id in pickup.award_ids]
    pallets = await pallets_of(connection, rows)
    return Load(
        pickup=pickup,
        awards=rows,
        pallets=[pallet for row in rows for pallet in pallets[row.award_id]],
        charges=await charges_of_awards(connection, pickup.award_ids),
        photos=(await photos_of(connection, Shows.PICKUP, [pickup.pickup_id]))[pickup.pickup_id],
    )


async def _pallet(
    connection: AnyConnection, pickup: Pickup, awards: HeldAwards, code: str
) -> Pallet:
    """The pallet of this load that a label names; its row is held by its award."""
    await pallets_of(connection, awards.rows)
    pallet_id, sscc = as_scanned(code), sscc_of_scan(code)
    if sscc is not None:
        pallet_id = await connection.fetchval(_BY_SSCC, sscc) or pallet_id
    row = await connection.fetchrow(_FIND, pallet_id)
    if row is None:
        said = f"No pallet has the number {pallet_id[:24]!r}. Scan the label again."
        raise Refused(PickupRefusal.UNKNOWN_PALLET, field="code", detail=said)
    pallet = Pallet(**row)
    if pallet.award_id not in pickup.award_ids:
        lot = await connection.fetchval(_LOT, pallet.award_id)
        loads = ", ".join(row.goods.number for row in awards.rows)
        said = f"This pallet is of lot {lot}; this truck is for {loads}. Do not load it."
        raise Refused(PickupRefusal.WRONG_PALLET, field="code", detail=said)
    award = awards[pallet.award_id]
    if pallet.gone_at_us is not None:
        said = f"Pallet {pallet.number} of lot {award.goods.number} has left already."
        raise Refused(PickupRefusal.PALLET_GONE, field="code", detail=said)
    why_not = why_not_handed_over(award, awards.held(award.award_id))
    if why_not is not None:
        raise of_lot(why_not, award)
    return pallet


async def _scanned(
    connection: AnyConnection,
    pickup: Pickup,
    awards: HeldAwards,
    pallet_id: PalletId,
    *,
    again: bool,
) -> Scanned:
    rows = awards.rows
    every = [p for pallets in (await pallets_of(connection, rows)).values() for p in pallets]
    pallet = next(p for p in every if p.pallet_id == pallet_id)
    return Scanned(
        pallet=pallet,
        lot_number=awards[pallet.award_id].goods.number,
        loaded=sum(p.pickup_id == pickup.pickup_id for p in every),
        of=sum(p.gone_at_us is None for p in every),
        again=again,
    )


def _may_leave(load: Load, awards: HeldAwards) -> None:
    """The guards of a release. Raises `Refused`."""
    on_truck = {p.award_id for p in load.pallets if p.pickup_id == load.pickup.pickup_id}
    if not on_truck:
        raise Refused(PickupRefusal.NOTHING_LOADED)
    for award_id in load.pickup.award_ids:
        row = awards[award_id]
        why_not = why_not_handed_over(row, awards.held(award_id))
        if award_id in on_truck and why_not is not None:
            raise of_lot(why_not, row)
    if load.open_minor:
        amount = format_minor(load.open_minor, load.charges[0].currency)
        said = f"{amount} {load.charges[0].currency} are to be paid before the goods leave."
        raise Refused(PickupRefusal.CHARGES_OPEN, detail=said)


async def _hand_over(
    connection: AnyConnection,
    load: Load,
    awards: HeldAwards,
    signature: Signature,
    actor: Actor,
    now_us: int,
) -> None:
    """What the truck's leaving means for each award of which something was on it."""
    pickup_id = load.pickup.pickup_id
    steps: dict[InvoiceId, Step] = {}
    for row in awards.rows:
        own = [pallet for pallet in load.pallets if pallet.award_id == row.award_id]
        gone = [pallet for pallet in own if pallet.pickup_id == pickup_id]
        left = [pallet for pallet in own if not pallet.gone_at_us and pallet not in gone]
        if not gone:
            continue
        facts = {
            "pickup_id": pickup_id,
            "pallets": [pallet.pallet_id for pallet in gone],
            "left": len(left),
            "signed_by": signature.name,
        }
        invoice = awards.held(row.award_id).invoiced
        if left:
            told = Told(
                kind="part_collected",
                award_id=row.award_id,
                invoice_id=row.invoice_id,
                actor=actor_of(actor),
                facts=facts,
            )
            step = Step(story=(told,))
        else:
            policy = await policy_of(connection, invoice)
            calendar = await calendar_of(connection, invoice)
            step = handed_over(row, policy, calendar, facts, actor_of(actor), now_us)
        steps[invoice.invoice_id] = steps.get(invoice.invoice_id, Step()) + step
    for invoice_id, step in steps.items():
        await write(connection, awards.by_invoice[invoice_id], step, now_us)


async def _record(
    connection: AnyConnection, act: Act, pickup: Pickup, actor: Actor, now_us: int
) -> None:
    await record(
        connection,
        act,
        actor,
        now_us,
        organisation_id=OrganisationId(pickup.buyer_id),
        object_id=pickup.pickup_id,
    )
