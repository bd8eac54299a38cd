"""What buyers are charged beside their invoices, as rows with their entries.

A charge is taken from the buyer's credit as far as that goes, at once; the rest stays open, and
with it the goods stay. What of the credit is kept for an invoice that is still open is not free: a
part payment is not eaten by storage.

Functions take a connection, change rows of awards that the caller holds, and return entries, which
the caller books in one call at its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

import asyncpg
import msgspec
from msgspec import Struct

from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection
from settlement.chart import Account, buyer_credit
from settlement.due import Calendar, pickup_deadline_us
from settlement.entries import About, Entry
from settlement.ids import AwardId, StripeId
from settlement.payments.tables import free_credit_minor, hold_credit
from settlement.pickups.pickup_table import Pallet, Pickup
from settlement.pickups.words import ChargeKind, ChargeState
from settlement.policy import Policy
from settlement.postings_house import missed_appointment, relist_fee, storage
from settlement.rows import AwardRow
from settlement.storage import Gone, missed_minor, storage_minor


class Charge(Struct, frozen=True, kw_only=True):
    """A charge. ``facts``: how it was counted."""

    charge_id: str
    kind: ChargeKind
    buyer_id: BidderId
    liquidator_id: LiquidatorId
    award_id: AwardId
    pickup_id: str | None
    currency: str
    amount_minor: int
    paid_minor: int
    state: ChargeState
    facts: Mapping[str, Any]
    payments: int
    made_at_us: int
    ended_at_us: int | None
    ended_by: str | None
    why: str
    version: int
    card_is_asked: bool

    @property
    def open_minor(self) -> int:
        """What is still to be paid."""
        return self.amount_minor - self.paid_minor if self.state is ChargeState.OPEN else 0


_ASKED: Final = """
exists (
    select from charge_try t where t.charge_id = buyer_charge.charge_id
    and t.state in ('CREATING', 'ASKING', 'PROMISED')
) as card_is_asked
"""
_SELECT: Final = f"select *, {_ASKED} from buyer_charge"  # noqa: S608 - the words above
_ADD: Final = """
insert into buyer_charge (charge_id, kind, buyer_id, liquidator_id, award_id, pickup_id, currency,
    amount_minor, state, facts, made_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'OPEN', $9, $10)
on conflict (charge_id) do nothing returning charge_id
"""
_READ: Final = f"{_SELECT} where charge_id = $1"
_HOLD: Final = "select from buyer_charge where charge_id = $1 for update"
_OF_AWARDS: Final = f"""
{_SELECT} where award_id = any($1) order by made_at_us, charge_id
"""
_OF_BUYER: Final = f"""
{_SELECT} where buyer_id = $1 and (state = 'OPEN' or not $2)
order by made_at_us desc, charge_id limit $3
"""
_PAID: Final = """
update buyer_charge set paid_minor = paid_minor + $2, payments = payments + 1,
    version = version + 1,
    state = case when paid_minor + $2 = amount_minor then 'PAID' else state end,
    ended_at_us = case when paid_minor + $2 = amount_minor then $3::bigint end,
    ended_by = case when paid_minor + $2 = amount_minor then $4 end
where charge_id = $1
"""
_REINSTATE: Final = """
update settlement_op set due_at_us = $2 where operation = 'reinstate' and state = 'WAITING'
and attempts = 0 and due_at_us > $2 and subject in (
    select invoice_id from buyer_default where buyer_id = $1 and suspended_until_us <= $2
)
"""
_WAIVE: Final = """
update buyer_charge set state = 'WAIVED', why = $2, ended_at_us = $3, ended_by = $4,
    version = version + 1
where charge_id = $1
"""


def storage_so_far_minor(
    policy: Policy, calendar: Calendar, award: AwardRow, pallets: Iterable[Pallet], now_us: int
) -> int:
    """What an award's storage has come to, paid or not. Nothing for what the house ships."""
    if award.award.ships_to is not None or award.funded_at_us is None:
        return 0
    free_until_us = pickup_deadline_us(policy, calendar, award.funded_at_us)
    fetched = [Gone(p.gone_at_us, 1) for p in pallets if p.gone_at_us is not None]
    count = award.goods.pallets
    return storage_minor(policy, calendar, free_until_us, count, fetched, now_us)


async def charge_storage(
    connection: AnyConnection,
    award: AwardRow,
    so_far_minor: int,
    earlier: Sequence[Charge],
    now_us: int,
) -> Charge | None:
    """Charge what has come to since the last time; ``earlier``: all charges of the award."""
    charged = [charge for charge in earlier if charge.kind is ChargeKind.STORAGE]
    due_minor = so_far_minor - sum(charge.amount_minor for charge in charged)
    if due_minor <= 0:
        return None
    facts = {"so_far_minor": so_far_minor, "before_minor": so_far_minor - due_minor}
    charge_id = f"storage~{award.award_id}~{len(charged) + 1}"
    return await _add(
        connection, ChargeKind.STORAGE, charge_id, award, None, due_minor, facts, now_us
    )


async def charge_relist(
    connection: AnyConnection,
    first: AwardRow,
    turn: int,
    fees: Mapping[AwardId, int],
    now_us: int,
) -> Charge | None:
    """Charge for offering lots again that were not paid, all of a default in one."""
    due_minor = sum(fees.values())
    if not due_minor:
        return None
    charge_id = f"relist~{first.invoice_id}~{turn}"
    facts = {"invoice_id": first.invoice_id, "turn": turn, "fees_minor": dict(fees)}
    return await _add(
        connection, ChargeKind.RELIST_FEE, charge_id, first, None, due_minor, facts, now_us
    )


async def charge_missed(
    connection: AnyConnection, policy: Policy, award: AwardRow, pickup: Pickup, now_us: int
) -> Charge | None:
    """Charge an appointment that nobody kept by now; each booking once."""
    due_minor = missed_minor(policy, pickup.slot_at_us, now_us)
    if not due_minor:
        return None
    charge_id = f"missed~{pickup.pickup_id}~{pickup.bookings}"
    facts = {"slot_at_us": pickup.slot_at_us}
    return await _add(
        *(connection, ChargeKind.MISSED_APPOINTMENT, charge_id, award),
        *(pickup.pickup_id, due_minor, facts, now_us),
    )


async def take_from_credit(
    connection: AnyConnection, charges: Sequence[Charge], by: str, now_us: int
) -> list[Entry]:
    """Pay these charges of one buyer, as far as its free credit goes, in their order."""
    if not charges:
        return []
    whose = (charges[0].buyer_id, charges[0].currency)
    await hold_credit(connection, *whose)
    free_minor = await free_credit_minor(connection, *whose)
    entries = []
    for charge in charges:
        taken_minor = 0 if charge.card_is_asked else min(free_minor, charge.open_minor)
        if taken_minor:
            free_minor -= taken_minor
            source = buyer_credit(charge.buyer_id)
            entries.append(await write_paid(connection, charge, taken_minor, source, by, now_us))
    return entries


async def write_paid(
    connection: AnyConnection,
    charge: Charge,
    amount_minor: int,
    source: Account,
    by: str,
    now_us: int,
    note: str = "",
    stripe_ids: tuple[StripeId, ...] = (),
) -> Entry:
    """A part of a charge, or all of it, is paid: its row, and the entry to be booked."""
    assert 0 < amount_minor <= charge.open_minor
    await connection.execute(_PAID, charge.charge_id, amount_minor, now_us, by)
    about = about_payment(charge, now_us, note, stripe_ids)
    match charge.kind:
        case ChargeKind.STORAGE:
            return storage(about, amount_minor, charge.award_id, source)
        case ChargeKind.MISSED_APPOINTMENT:
            return missed_appointment(about, amount_minor, charge.award_id, source)
        case ChargeKind.RELIST_FEE:
            await _may_bid_again(connection, charge, now_us)
            return relist_fee(about, amount_minor, charge.award_id, source)
    assert_never(charge.kind)


def about_payment(
    charge: Charge, at_us: int, note: str = "", stripe_ids: tuple[StripeId, ...] = ()
) -> About:
    """What the entries of a charge's next payment are about."""
    return About(
        subject=charge.charge_id,
        generation=charge.payments + 1,
        at_us=at_us,
        currency=charge.currency,
        award_id=charge.award_id,
        invoice_id=charge.facts.get("invoice_id"),
        liquidator_id=charge.liquidator_id,
        buyer_id=charge.buyer_id,
        stripe_ids=stripe_ids,
        note=note,
    )


async def write_waived(
    connection: AnyConnection, charge: Charge, why: str, by: str, now_us: int
) -> None:
    """What is open of it need not be paid."""
    await connection.execute(_WAIVE, charge.charge_id, why, now_us, by)
    await _may_bid_again(connection, charge, now_us)


async def _may_bid_again(connection: AnyConnection, charge: Charge, now_us: int) -> None:
    """Who owes less is looked at now, where its time is over, and not when its turn comes."""
    if charge.kind is ChargeKind.RELIST_FEE:
        await connection.execute(_REINSTATE, charge.buyer_id, now_us)


async def read_charge(
    connection: AnyConnection, charge_id: str, *, hold: bool = False
) -> Charge | None:
    """A charge as it stands now, or held."""
    if hold:
        await connection.execute(_HOLD, charge_id)
    row = await connection.fetchrow(_READ, charge_id)
    return None if row is None else _charge(row)


async def charges_of_awards(
    connection: AnyConnection, award_ids: Sequence[AwardId]
) -> list[Charge]:
    """All charges of these awards, the earliest first."""
    return [_charge(row) for row in await connection.fetch(_OF_AWARDS, list(award_ids))]


async def charges_of_buyer(
    connection: AnyConnection, buyer_id: BidderId, *, only_open: bool, limit: int
) -> list[Charge]:
    """A buyer's charges, the latest first."""
    rows = await connection.fetch(_OF_BUYER, buyer_id, only_open, limit)
    return [_charge(row) for row in rows]


async def _add(
    connection: AnyConnection,
    kind: ChargeKind,
    charge_id: str,
    award: AwardRow,
    pickup_id: str | None,
    amount_minor: int,
    facts: Mapping[str, Any],
    now_us: int,
) -> Charge | None:
    made = await connection.fetchval(
        *(_ADD, charge_id, kind, award.buyer_id, award.liquidator_id, award.award_id, pickup_id),
        *(award.currency, amount_minor, msgspec.json.encode(facts).decode(), now_us),
    )
    return None if made is None else await read_charge(connection, charge_id)


def _charge(row: asyncpg.Record) -> Charge:
    values = {name: row[name] for name in Charge.__struct_fields__}
    return Charge(
        **(
            values
            | {
                "kind": ChargeKind(row["kind"]),
                "state": ChargeState(row["state"]),
                "facts": msgspec.json.decode(row["facts"]),
            }
        )
    )
