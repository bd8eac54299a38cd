"""What buyers, drivers and staff do after the hammer: made-up people, the real services."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from accounts.audit import OPERATOR, Actor
from auction.catalog.manifests import read_manifest
from auction.ids import BidderId
from foundation.database import Pool, acquire, transaction
from settlement.claiming.words import ClaimState, FiledLine, Filing
from settlement.claims import Reason
from settlement.ids import AwardId, StripeId
from settlement.payment_objects import MethodKind
from settlement.pickups.dock_table import dock_for
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.signatures import Signature
from settlement.pickups.words import Truck
from settlement.room import Settlement
from settlement.rows import InvoiceRow
from settlement.stripe_simulator import cash_balances
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.work import Work
from softclose.demo.play import DemoFailed

SECOND_US: Final = 1_000_000
DAYS_AHEAD: Final = 10


@dataclass(frozen=True)
class Staff:
    """Two people of the house, of whom one releases what the other prepares."""

    clerk: Actor
    chief: Actor


@dataclass(frozen=True)
class People:
    """They act by ``services``; ``stripe`` is the simulator, in which their banks are."""

    pool: Pool
    services: Settlement
    stripe: Engine
    staff: Staff
    now_us: Callable[[], int]

    async def save_card(self, buyer_id: BidderId) -> None:
        """A buyer saves a card that is never declined."""
        buyers = self.services.buyers
        setup = await buyers.begin(buyer_id, MethodKind.CARD)
        await buyers.confirm(
            buyer_id, setup.setup_id, StripeId("pm_card_visa"),
            return_url="http://127.0.0.1:8080/", address="127.0.0.1", user_agent="demonstration",
        )  # fmt: skip

    async def send_money(self, row: InvoiceRow) -> None:
        """A buyer has its bank send what an invoice lacks."""
        customer_id = await self.services.buyers.ensure_customer(row.invoice.buyer_id)
        code, open_minor = row.invoice.currency.lower(), row.open_minor
        self.stripe.run(partial(_sends, customer=customer_id, code=code, minor=open_minor))

    async def ready(self, buyer_id: BidderId) -> dict[str, list[AwardId]]:
        """What stands on docks for a buyer, by dock."""
        found: dict[str, list[AwardId]] = {}
        for each in await self.services.bookings.ready(buyer_id):
            award = each.award
            async with transaction(self.pool) as connection:
                place = (award.liquidator_id, award.award.ship_from, each.zone)
                dock = await dock_for(connection, *place, self.now_us())
            if each.pickup_id is None:
                found.setdefault(dock.dock_id, []).append(award.award_id)
        return found

    async def book(self, buyer_id: BidderId, dock_id: str, awards: Sequence[AwardId]) -> Pickup:
        """The next slot that is free. Raises `DemoFailed`."""
        today = datetime.fromtimestamp(self.now_us() / SECOND_US, UTC).date()
        for days in range(1, DAYS_AHEAD):
            day = today + timedelta(days=days)
            for free in await self.services.docks.free_slots(dock_id, day):
                if any(free.doors.values()):
                    return await self.services.bookings.book(
                        awards, free.slot.at_us, OPERATOR, buyer_id=buyer_id
                    )
        raise DemoFailed(f"the dock {dock_id} has no free slot in {DAYS_AHEAD} days")

    async def load(self, pickup: Pickup) -> None:
        """The truck is checked in, loaded by scan, and signed for."""
        dock, clerk = self.services.at_dock, self.staff.clerk
        truck = Truck(carrier="Own truck", driver="Sam Driver", trailer="DEMO 1")
        load = await dock.check_in(pickup.pickup_id, pickup.version, truck, clerk)
        for pallet in load.pallets:
            await dock.scan(pickup.pickup_id, pallet.pallet_id, clerk)
        load = await dock.load(pickup.pickup_id)
        await dock.release(
            pickup.pickup_id, load.pickup.version, Signature("Sam Driver"), clerk, seal="SEAL-1"
        )

    async def claim(self, pickup: Pickup) -> AwardId:
        """Half of the dearest line was missing; staff credit it by the formula."""
        load = await self.services.at_dock.load(pickup.pickup_id)
        award = load.awards[0]
        async with acquire(self.pool) as connection:
            manifest = await read_manifest(connection, award.sale_id, award.lot_id)
        dearest = max(manifest, key=lambda line: (line.unit_msrp_minor or 0) * line.quantity)
        quantity = max(1, dearest.quantity // 2)
        missing = FiledLine(line=dearest.line, reason=Reason.MISSING, quantity=quantity)
        desk, staff = self.services.claims_desk, self.staff
        claim = await self.services.claims.file(
            award.award_id, Filing(lines=(missing,)), OPERATOR, buyer_id=award.buyer_id
        )
        claim = await desk.grant(claim.claim_id, claim.version, staff.clerk)
        if claim.state is ClaimState.PROPOSED:
            await desk.agree(claim.claim_id, claim.version, staff.chief)
        return award.award_id


def _sends(work: Work, *, customer: str, code: str, minor: int) -> None:
    """A bank transfer arrives."""
    cash_balances.fund(work, customer, minor, code, None)
