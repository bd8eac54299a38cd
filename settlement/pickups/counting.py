"""Counting what a load costs by now, and taking it from the buyer's credit."""

from accounts.audit import Actor
from foundation.database import AnyConnection
from settlement.entries import Entry
from settlement.pickups.charge_table import (
    Charge,
    charge_missed,
    charge_storage,
    charges_of_awards,
    storage_so_far_minor,
    take_from_credit,
)
from settlement.pickups.pickup_table import HeldAwards, Pickup, pallets_of, why_not_handed_over
from settlement.pickups.telling import actor_of
from settlement.rows import AwardRow, calendar_of, policy_of
from settlement.story import HOUSE_ITSELF, Told, tell


async def charge_up_to_now(
    connection: AnyConnection,
    late: Pickup | None,
    awards: HeldAwards,
    actor: Actor | None,
    now_us: int,
) -> list[Entry]:
    """Charge what has come to of held awards, and take it from the buyer's credit.

    ``late``: a pickup whose truck comes just now, or did not. The caller books the entries.
    """
    rows = [
        row for row in awards.rows if why_not_handed_over(row, awards.held(row.award_id)) is None
    ]
    earlier = await charges_of_awards(connection, [row.award_id for row in rows])
    pallets = await pallets_of(connection, rows)
    made: list[Charge] = []
    for row in rows:
        invoice = awards.held(row.award_id).invoiced
        policy, calendar = (
            await policy_of(connection, invoice),
            await calendar_of(connection, invoice),
        )
        own = [charge for charge in earlier if charge.award_id == row.award_id]
        so_far = storage_so_far_minor(policy, calendar, row, pallets[row.award_id], now_us)
        charge = await charge_storage(connection, row, so_far, own, now_us)
        made += [charge] if charge else []
        if late is not None and row is rows[0]:
            missed = await charge_missed(connection, policy, row, late, now_us)
            made += [missed] if missed else []
    by = HOUSE_ITSELF if actor is None else actor_of(actor)
    await tell(
        connection, [charged_line(charge, awards[charge.award_id]) for charge in made], now_us
    )
    open_ones = [charge for charge in (*earlier, *made) if charge.open_minor]
    return await take_from_credit(connection, open_ones, by, now_us)


def charged_line(charge: Charge, row: AwardRow) -> Told:
    """That something was charged."""
    return Told(
        kind="charged",
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        facts={
            "charge_id": charge.charge_id,
            "for": charge.kind,
            "amount_minor": charge.amount_minor,
            "currency": charge.currency,
            **charge.facts,
        },
    )
