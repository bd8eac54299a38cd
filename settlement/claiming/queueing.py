"""Claims in the staff's queue: what is filed, and what a second person has to agree to."""

from typing import Final

import asyncpg

from settlement.policy import DAY_US
from settlement.queue import QueueItem, Source, Waiting

# A buyer that waits for longer has reason to ask its bank instead.
ANSWER_US: Final = 2 * DAY_US

_FROM: Final = "from claim where state in ('FILED', 'PROPOSED') and $1::bigint is not null"


def _item(row: asyncpg.Record) -> QueueItem:
    proposed = row["state"] == "PROPOSED"
    return QueueItem(
        kind=Waiting.CLAIM,
        subject=row["claim_id"],
        title=f"Claim {row['number']} on lot {row['lot']}",
        words="A second person has to agree." if proposed else "It is to be decided.",
        deadline_at_us=row["filed_at_us"] + ANSWER_US,
        party=row["buyer_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        href=f"/settlement/claims/{row['claim_id']}",
    )


CLAIMS: Final = Source(
    kind=Waiting.CLAIM,
    items=f"""
select claim_id, number, state, filed_at_us, buyer_id, currency,
    (select goods->>'number' from award where award.award_id = claim.award_id) as lot,
    (credit->>'hammer_minor')::bigint + (credit->>'premium_minor')::bigint
        + (credit->>'tax_minor')::bigint + (credit->>'freight_minor')::bigint as amount_minor
{_FROM} order by filed_at_us limit $2
""",  # noqa: S608 - the words above
    count=f"select count(*) {_FROM}",
    item_of=_item,
)
