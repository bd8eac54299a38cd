"""Fees of who did not pay, as staff see to them: what is owed, since when, and giving it up.

Giving one up takes two people. What was paid of it stays paid; the books had nothing of the rest,
as a fee is income when it is paid.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.after_default.fees import DAY_US, hold_charges
from settlement.names import organisation_names
from settlement.pickups.charge_table import Charge, read_charge, write_waived
from settlement.pickups.telling import actor_of
from settlement.pickups.words import ChargeKind, PickupRefusal, Refused
from settlement.queue import QueueItem, Source, Waiting
from settlement.story import Told, tell

# On a page: whom somebody has to write to.
MAX_SHOWN: Final = 500
# The card was asked and has said no by then, or there is none.
QUEUED_AFTER_US: Final = DAY_US
# Until when it should be paid or given up.
SETTLED_WITHIN_US: Final = 30 * DAY_US

Why = Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]


class WriteOffAsked(Struct, frozen=True, kw_only=True):
    """Somebody wants to give up what is open of a fee."""

    number: int
    why: str
    asked_at_us: int
    asked_by: str


class OwedFee(Struct, frozen=True, kw_only=True):
    """A fee that is open. ``card_said``: why the saved card did not pay the last time."""

    charge: Charge
    buyer: str
    card_said: str
    write_off: WriteOffAsked | None


_FROM: Final = "from buyer_charge where state = 'OPEN' and kind = 'RELIST_FEE'"
_LAST_SAID: Final = """
select distinct on (charge_id) charge_id, failure from charge_try
where charge_id = any($1) and failure <> '' order by charge_id, number desc
"""
_ASKED: Final = """
select charge_id, number, why, asked_at_us, asked_by from charge_write_off
where charge_id = any($1) and state = 'ASKED'
"""
_ASK: Final = """
insert into charge_write_off (charge_id, number, state, why, asked_at_us, asked_by)
select $1, coalesce(max(number), 0) + 1, 'ASKED', $2, $3, $4 from charge_write_off
where charge_id = $1
"""
_DECIDE: Final = """
update charge_write_off set state = $3, decided_at_us = $4, decided_by = $5
where charge_id = $1 and number = $2
"""


class FeeDesk:
    """What staff do about fees."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def owed(self) -> list[OwedFee]:
        """All that is open, the oldest first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                f"select charge_id {_FROM} order by made_at_us, charge_id limit $1",
                MAX_SHOWN,
            )
            ids = [row["charge_id"] for row in rows]
            found = [await read_charge(connection, charge_id) for charge_id in ids]
            charges = [charge for charge in found if charge is not None and charge.open_minor]
            said = {
                row["charge_id"]: row["failure"] for row in await connection.fetch(_LAST_SAID, ids)
            }
            asked = {row["charge_id"]: row for row in await connection.fetch(_ASKED, ids)}
            names = await organisation_names(connection, [one.buyer_id for one in charges])
        return [
            OwedFee(
                charge=charge,
                buyer=names.get(charge.buyer_id, charge.buyer_id),
                card_said=said.get(charge.charge_id, ""),
                write_off=_asked(asked.get(charge.charge_id)),
            )
            for charge in charges
        ]

    async def ask_write_off(self, staff: Actor, charge_id: str, version: int, why: Why) -> Charge:
        """Ask for a second person.

        Raises `Refused`: NOT_FOUND, CHANGED_MEANWHILE, NOT_OPEN, WHY_NEEDED, WRITE_OFF_IS_ASKED.
        """
        said = why.strip()
        if len(said) < 3:
            raise Refused(PickupRefusal.WHY_NEEDED, field="why")
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            charge = await _held(connection, charge_id)
            if charge.version != version:
                raise Refused(PickupRefusal.CHANGED_MEANWHILE)
            if await connection.fetch(_ASKED, [charge_id]):
                raise Refused(PickupRefusal.WRITE_OFF_IS_ASKED)
            by = actor_of(staff)
            await connection.execute(_ASK, charge_id, said, now_us, by)
            await _record(connection, Act.WRITE_OFF_ASKED, staff, charge, now_us)
            facts = {"charge_id": charge_id, "open_minor": charge.open_minor, "why": said}
            told = Told(kind="fee_write_off_asked", award_id=charge.award_id, actor=by, facts=facts)
            await tell(connection, [told], now_us)
        return charge

    async def decide(self, staff: Actor, charge_id: str, *, agrees: bool) -> Charge:
        """Another person agrees, and it need not be paid; or somebody says no.

        Raises `Refused`: NOT_FOUND, NOT_OPEN, NO_WRITE_OFF_ASKED, SAME_PERSON, CARD_IS_ASKED.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            charge = await _held(connection, charge_id)
            rows = await connection.fetch(_ASKED, [charge_id])
            if not rows:
                raise Refused(PickupRefusal.NO_WRITE_OFF_ASKED)
            asked, by = rows[0], actor_of(staff)
            if agrees and asked["asked_by"] == by:
                raise Refused(PickupRefusal.SAME_PERSON)
            if agrees and charge.card_is_asked:
                raise Refused(PickupRefusal.CARD_IS_ASKED)
            state = "AGREED" if agrees else "REFUSED"
            await connection.execute(_DECIDE, charge_id, asked["number"], state, now_us, by)
            await _record(connection, Act.WRITE_OFF_DECIDED, staff, charge, now_us, agrees=agrees)
            if agrees:
                await write_waived(connection, charge, asked["why"], by, now_us)
            kind = "charge_waived" if agrees else "fee_write_off_refused"
            facts = {"charge_id": charge_id, "open_minor": charge.open_minor, "why": asked["why"]}
            told = Told(kind=kind, award_id=charge.award_id, actor=by, facts=facts)
            await tell(connection, [told], now_us)
            after = await read_charge(connection, charge_id)
        assert after is not None, "it is held"
        self._ring()
        return after


async def _held(connection: AnyConnection, charge_id: str) -> Charge:
    seen = await read_charge(connection, charge_id)
    if seen is None or seen.kind is not ChargeKind.RELIST_FEE:
        raise Refused(PickupRefusal.NOT_FOUND)
    (charge,) = await hold_charges(connection, [seen])
    if not charge.open_minor:
        raise Refused(PickupRefusal.NOT_OPEN)
    return charge


async def _record(
    connection: AnyConnection, act: Act, staff: Actor, charge: Charge, now_us: int, **more: object
) -> None:
    await record(
        connection,
        act,
        staff,
        now_us,
        organisation_id=OrganisationId(charge.buyer_id),
        object_id=charge.charge_id,
        amount_minor=charge.open_minor,
        currency=charge.currency,
        **more,
    )


def _asked(row: asyncpg.Record | None) -> WriteOffAsked | None:
    if row is None:
        return None
    return WriteOffAsked(**{name: row[name] for name in WriteOffAsked.__struct_fields__})


_QUEUED: Final = f"{_FROM} and made_at_us < $1::bigint - {QUEUED_AFTER_US}"
_QUEUE: Final = f"""
select charge_id, buyer_id, currency, amount_minor - paid_minor as open_minor, made_at_us, exists (
    select from charge_write_off w
    where w.charge_id = buyer_charge.charge_id and w.state = 'ASKED'
) as asked
{_QUEUED} order by made_at_us limit $2
"""  # noqa: S608 - the words above


def _item(row: asyncpg.Record) -> QueueItem:
    asked = " A second person is asked to give it up." if row["asked"] else ""
    return QueueItem(
        kind=Waiting.FEE,
        subject=row["charge_id"],
        title="Fee for lots that were not paid",
        words=f"The buyer owes it, and its card and credit did not pay.{asked}",
        deadline_at_us=row["made_at_us"] + SETTLED_WITHIN_US,
        party=row["buyer_id"],
        amount_minor=row["open_minor"],
        currency=row["currency"],
        href="/settlement/fees",
    )


FEES: Final[Sequence[Source]] = (
    Source(
        kind=Waiting.FEE,
        items=_QUEUE,
        count=f"select count(*) {_QUEUED}",
        item_of=_item,
    ),
)
