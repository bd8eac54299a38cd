"""Fees of consigned lots that were not sold: the consignor's to bear, where that was agreed.

Nothing is held for such a lot, so they are taken from what the consignor gets of later ones.
"""

from typing import Final

from auction.consignment import unsold_share
from auction.desk.agreements import versions
from auction.ids import SaleId
from foundation.database import AnyConnection
from settlement.ids import award_id_of
from settlement.operations import SECOND_US, Again, Deadline, Operation

UNSOLD_FEES: Final = "unsold_fees"
# The desk's results follow the log within seconds; a sale that ended is looked for again so often.
LOOK_US: Final = 30 * SECOND_US

_ENDED: Final = """
select exists (select from sale_result where sale_id = $1 and closed_at_us is not null)
"""

_UNSOLD: Final = """
select c.lot_id, c.consignor_id, c.agreement_id, c.agreement_version, c.pallets, r.liquidator_id,
    r.currency
from consigned_lot c join lot_result r using (sale_id, lot_id)
where c.sale_id = $1 and r.outcome = 'PASSED' order by c.lot_id
"""

_ADD: Final = """
insert into consignor_charge (charge_id, consignor_id, liquidator_id, currency, amount_minor,
    made_at_us)
values ($1, $2, $3, $4, $5, $6) on conflict (charge_id) do nothing
"""


class UnsoldFees(Deadline):
    """A sale has ended. Its id is the subject."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        sale_id = SaleId(op.subject)
        if not await connection.fetchval(_ENDED, sale_id):
            return Again(now_us + LOOK_US)
        rows = await connection.fetch(_UNSOLD, sale_id)
        keys = [(row["agreement_id"], row["agreement_version"]) for row in rows]
        agreed = await versions(connection, keys)
        for row, key in zip(rows, keys, strict=True):
            fees_minor = unsold_share(agreed[key].terms, row["pallets"]).fees_minor
            if fees_minor:
                await connection.execute(
                    _ADD,
                    award_id_of(sale_id, row["lot_id"]),
                    row["consignor_id"],
                    row["liquidator_id"],
                    row["currency"],
                    fees_minor,
                    now_us,
                )
        return None
