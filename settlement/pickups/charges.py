"""Charges of buyers: what is open, paying it, and letting it go with a reason.

A charge is paid from the buyer's credit (a bank transfer that came for nothing else is such), by
its saved card, or at the dock, where staff write down how. While something of it is open its goods
stay.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId
from auction.money import PositiveMinor, format_minor
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.chart import BANK
from settlement.entries import Entry
from settlement.ids import AwardId
from settlement.ledger import post
from settlement.payment_objects import least_charge_minor
from settlement.payments.payers import TablePayers
from settlement.pickups.charge_cards import ask_card
from settlement.pickups.charge_table import (
    Charge,
    charges_of_awards,
    charges_of_buyer,
    read_charge,
    take_from_credit,
    write_paid,
    write_waived,
)
from settlement.pickups.counting import charge_up_to_now
from settlement.pickups.pickup_table import hold_awards
from settlement.pickups.telling import actor_of
from settlement.pickups.words import ChargeKind, PickupRefusal, Refused
from settlement.story import Told, tell

MAX_CHARGES: Final = 500

Why = Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]
# A receipt's number, or whose cheque it was: what the bank's statement will say.
Reference = Annotated[str, Meta(min_length=3, max_length=120, pattern=STORABLE)]


class Charges:
    """Reading and settling them. ``now_us``: the house's clock; ``ring`` wakes the worker."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def charge(self, charge_id: str, buyer_id: BidderId | None = None) -> Charge:
        """A charge; ``buyer_id``: whose it has to be. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return _found(await read_charge(connection, charge_id), buyer_id)

    async def of_buyer(self, buyer_id: BidderId, *, only_open: bool = False) -> Sequence[Charge]:
        """A buyer's charges, the latest first."""
        async with acquire(self._pool) as connection:
            return await charges_of_buyer(
                connection, buyer_id, only_open=only_open, limit=MAX_CHARGES
            )

    async def of_award(self, award_id: AwardId) -> Sequence[Charge]:
        """An award's charges, the earliest first."""
        async with acquire(self._pool) as connection:
            return await charges_of_awards(connection, [award_id])

    async def count_up(
        self, award_id: AwardId, actor: Actor, buyer_id: BidderId | None = None
    ) -> Sequence[Charge]:
        """Charge the storage that has come to by now, before anybody comes for the goods.

        Raises `Refused` NOT_FOUND, NOT_FUNDED.
        """
        async with transaction(self._pool) as connection:
            awards = await hold_awards(connection, [award_id], buyer_id)
            entries = await charge_up_to_now(connection, None, awards, actor, self._now_us())
            charges = await charges_of_awards(connection, [award_id])
            await post(connection, entries)
        return charges

    async def pay_from_credit(
        self, charge_id: str, actor: Actor, buyer_id: BidderId | None = None
    ) -> Charge:
        """Take what is open from the buyer's credit, as far as that goes.

        Raises `Refused` NOT_FOUND, NOT_OPEN, BAD_AMOUNT where there is no credit.
        """
        async with transaction(self._pool) as connection:
            charge = await self._held(connection, charge_id, None, buyer_id)
            by, now_us = actor_of(actor), self._now_us()
            entries = await take_from_credit(connection, [charge], by, now_us)
            if not entries:
                said = "There is no credit that is not kept for an invoice."
                raise Refused(PickupRefusal.BAD_AMOUNT, detail=said)
            return await self._paid(connection, charge, entries, actor, now_us, "credit")

    async def pay_by_card(
        self, charge_id: str, actor: Actor, buyer_id: BidderId | None = None
    ) -> Charge:
        """Ask the buyer's saved card for what is open; whether it pays is known moments later.

        Raises `Refused` NOT_FOUND, NOT_OPEN, CARD_IS_ASKED, NO_CARD, BELOW_LEAST, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            charge = await self._held(connection, charge_id, None, buyer_id)
            payer = await TablePayers().payer(connection, charge.buyer_id)
            if payer is None or payer.card_id is None:
                raise Refused(PickupRefusal.NO_CARD)
            if charge.open_minor < least_charge_minor(charge.currency):
                raise Refused(PickupRefusal.BELOW_LEAST)
            now_us = self._now_us()
            await ask_card(connection, charge, payer.customer_id, payer.card_id, now_us)
            told = Told(
                kind="charge_card_asked",
                award_id=charge.award_id,
                actor=actor_of(actor),
                facts={"charge_id": charge_id, "amount_minor": charge.open_minor},
            )
            await tell(connection, [told], now_us)
            charge = _found(await read_charge(connection, charge_id), buyer_id)
        self._ring()
        return charge

    async def record_payment(
        self,
        charge_id: str,
        version: int,
        amount_minor: PositiveMinor,
        how: Reference,
        actor: Actor,
    ) -> Charge:
        """Staff took money at the dock, and it goes to the bank; ``how``: cheque, receipt.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_OPEN, BAD_AMOUNT for more than is open.
        """
        async with transaction(self._pool) as connection:
            charge = await self._held(connection, charge_id, version, None)
            if not 0 < amount_minor <= charge.open_minor:
                said = f"{format_minor(charge.open_minor, charge.currency)} are open."
                raise Refused(PickupRefusal.BAD_AMOUNT, field="amount_minor", detail=said)
            by, now_us = actor_of(actor), self._now_us()
            entry = await write_paid(connection, charge, amount_minor, BANK, by, now_us, how)
            return await self._paid(connection, charge, [entry], actor, now_us, how)

    async def waive(self, charge_id: str, version: int, why: Why, actor: Actor) -> Charge:
        """What is open of it need not be paid; what was paid stays paid.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_OPEN, WHY_NEEDED, and SECOND_PERSON for
        a fee of who did not pay: `settlement.after_default.fees`.
        """
        if len(why.strip()) < 3:
            raise Refused(PickupRefusal.WHY_NEEDED, field="why")
        async with transaction(self._pool) as connection:
            charge = await self._held(connection, charge_id, version, None)
            if charge.kind is ChargeKind.RELIST_FEE:
                raise Refused(PickupRefusal.SECOND_PERSON)
            now_us = self._now_us()
            await write_waived(connection, charge, why, actor_of(actor), now_us)
            facts = {"charge_id": charge_id, "open_minor": charge.open_minor, "why": why}
            await self._tell(
                connection, charge, "charge_waived", Act.CHARGE_WAIVED, facts, actor, now_us
            )
            return _found(await read_charge(connection, charge_id), None)

    async def _held(
        self,
        connection: AnyConnection,
        charge_id: str,
        version: int | None,
        buyer_id: BidderId | None,
    ) -> Charge:
        seen = _found(await read_charge(connection, charge_id), buyer_id)
        await hold_awards(connection, [seen.award_id])
        charge = _found(await read_charge(connection, charge_id, hold=True), buyer_id)
        if version is not None and charge.version != version:
            raise Refused(PickupRefusal.CHANGED_MEANWHILE)
        if not charge.open_minor:
            raise Refused(PickupRefusal.NOT_OPEN)
        if charge.card_is_asked:
            raise Refused(PickupRefusal.CARD_IS_ASKED)
        return charge

    async def _paid(
        self,
        connection: AnyConnection,
        charge: Charge,
        entries: Sequence[Entry],
        actor: Actor,
        now_us: int,
        how: str,
    ) -> Charge:
        after = _found(await read_charge(connection, charge.charge_id), None)
        facts = {
            "charge_id": charge.charge_id,
            "amount_minor": after.paid_minor - charge.paid_minor,
            "currency": charge.currency,
            "how": how,
        }
        await self._tell(connection, charge, "charge_paid", Act.CHARGE_PAID, facts, actor, now_us)
        await post(connection, entries)
        return after

    async def _tell(
        self,
        connection: AnyConnection,
        charge: Charge,
        kind: str,
        act: Act,
        facts: dict[str, object],
        actor: Actor,
        now_us: int,
    ) -> None:
        await record(
            connection,
            act,
            actor,
            now_us,
            organisation_id=OrganisationId(charge.buyer_id),
            object_id=charge.charge_id,
        )
        told = Told(kind=kind, award_id=charge.award_id, actor=actor_of(actor), facts=facts)
        await tell(connection, [told], now_us)


def _found(charge: Charge | None, buyer_id: BidderId | None) -> Charge:
    if charge is None or (buyer_id is not None and charge.buyer_id != buyer_id):
        raise Refused(PickupRefusal.NOT_FOUND)
    return charge
