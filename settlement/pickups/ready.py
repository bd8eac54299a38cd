"""What of a buyer's is paid for and stands on a dock: it can be fetched, or is waited for."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.due import Calendar, pickup_deadline_us
from settlement.ids import AwardId, InvoiceId
from settlement.pickups.charge_table import storage_so_far_minor
from settlement.pickups.pickup_table import Pallet, open_bookings, pallets_of
from settlement.pickups.slots import dock_id_of
from settlement.policy import Policy
from settlement.rows import AwardRow, award_row, calendar_of, policy_of, read_invoice

MAX_READY: Final = 500


class Ready(Struct, frozen=True, kw_only=True):
    """A paid award whose goods stand on a dock. ``storage_minor``: come to so far, paid or not."""

    award: AwardRow
    dock_id: str
    zone: str
    pallets: int
    left: int
    free_until_us: int
    storage_minor: int
    pickup_id: str | None


_DISPOSED: Final = """
select award_id from abandonment where award_id = any($1) and fate in ('RESOLD', 'DISPOSED')
"""
_READY: Final = """
select * from award
where buyer_id = $1 and state in ('FUNDED', 'ACCEPTED', 'RELEASED', 'PAID_OUT', 'CLOSED')
and funded_at_us is not null and handed_over_at_us is null and body->>'ships_to' is null
and not exists (
    select from abandonment a where a.award_id = award.award_id and a.fate in ('RESOLD', 'DISPOSED')
)
order by funded_at_us, award_id limit $2
"""


async def disposed_of(connection: AnyConnection, award_ids: Sequence[AwardId]) -> set[AwardId]:
    """Which of these nobody had fetched, so that staff sold them again or disposed of them."""
    rows = await connection.fetch(_DISPOSED, list(award_ids))
    return {AwardId(row["award_id"]) for row in rows}


async def ready_of(connection: AnyConnection, buyer_id: BidderId, now_us: int) -> Sequence[Ready]:
    """A buyer's paid awards that stand on docks, the earliest paid first."""
    rows = await connection.fetch(_READY, buyer_id, MAX_READY)
    awards = [award_row(row) for row in rows]
    pallets = await pallets_of(connection, awards)
    booked = await open_bookings(connection, [award.award_id for award in awards])
    # A large buyer's lots are of few invoices: each is read once.
    terms = {
        invoice_id: await _terms_of(connection, invoice_id)
        for invoice_id in dict.fromkeys(award.invoice_id for award in awards)
    }
    every = [
        _ready(award, pallets[award.award_id], booked, terms[award.invoice_id], now_us)
        for award in awards
    ]
    return [each for each in every if each.left]


def _ready(
    award: AwardRow,
    pallets: Sequence[Pallet],
    booked: dict[AwardId, str],
    terms: tuple[str, Policy, Calendar],
    now_us: int,
) -> Ready:
    assert award.funded_at_us is not None, "it is paid"
    zone, policy, calendar = terms
    return Ready(
        award=award,
        dock_id=dock_id_of(award.liquidator_id, award.award.ship_from),
        zone=zone,
        pallets=len(pallets),
        left=sum(pallet.gone_at_us is None for pallet in pallets),
        free_until_us=pickup_deadline_us(policy, calendar, award.funded_at_us),
        storage_minor=storage_so_far_minor(policy, calendar, award, pallets, now_us),
        pickup_id=booked.get(award.award_id),
    )


async def _terms_of(
    connection: AnyConnection, invoice_id: InvoiceId | None
) -> tuple[str, Policy, Calendar]:
    assert invoice_id is not None, "it is paid"
    invoice = (await read_invoice(connection, invoice_id)).invoiced
    policy, calendar = await policy_of(connection, invoice), await calendar_of(connection, invoice)
    return invoice.zone, policy, calendar
