"""What taking the buyer's money for an award has cost: its part of the fees of those charges that
filled it, for agreements by which a consignor bears some of it.

By the entries that funded it, which never change, so that whoever asks, now or in a year, gets the
same. Each fee is divided by what its charge filled, to the minor unit. What was paid with credit
that had come before cost nothing that could be told apart.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from foundation.database import AnyConnection
from settlement.ids import AwardId
from settlement.splits import split_minor

# All that a charge filled, also of others: its fee is divided among them all.
_FILLED: Final = """
with funding as (
    select distinct t.transaction_id, t.stripe_ids
    from ledger_transfer f join ledger_transaction t using (transaction_id)
    where f.award_id = any($1) and t.purpose in ('capture', 'bank_funding')
)
select c.charge_id, c.fee_minor, f.award_id, sum(f.amount_minor)::bigint as minor
from funding t join ledger_transfer f on f.transaction_id = t.transaction_id
join payment_charge c on c.charge_id = any(t.stripe_ids)
group by c.charge_id, f.award_id order by c.charge_id, f.award_id nulls last
"""


async def payment_costs(
    connection: AnyConnection, award_ids: Collection[AwardId]
) -> Mapping[AwardId, int]:
    """What each has cost; who is not named cost nothing."""
    costs: dict[AwardId, int] = defaultdict(int)
    if not award_ids:
        return costs
    charges: dict[tuple[str, int], list[tuple[AwardId | None, int]]] = defaultdict(list)
    for row in await connection.fetch(_FILLED, list(award_ids)):
        charge = (row["charge_id"], row["fee_minor"])
        charges[charge].append((row["award_id"], row["minor"]))
    for (_, fee_minor), filled in charges.items():
        parts = split_minor(fee_minor, [minor for _, minor in filled])
        for (award_id, _), part in zip(filled, parts, strict=True):
            if award_id is not None:
                costs[award_id] += part
    return costs
