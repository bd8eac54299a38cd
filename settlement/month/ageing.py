"""Who owes, and to whom is owed, since when: by age at the end of a month.

What buyers owe is their awards that were invoiced and not paid, from the day of the invoice. What
lies in the accounts of sellers, consignors and buyers is aged first in, first out: what is left of
a balance is the latest that was added to it.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.chart import Kind, parse_account
from settlement.names import organisation_names
from settlement.operations import HOUR_US

DAY_US: Final = 24 * HOUR_US
# 0-30, 31-60, 61-90 and more: the last whole day of each but the last.
BOUNDS_DAYS: Final = (30, 60, 90)
MAX_ROWS: Final = 20_000


class Owing(StrEnum):
    """What it is that is owed."""

    BUYER_OWES = "BUYER_OWES"  # invoiced and not paid
    SELLER_OWES = "SELLER_OWES"
    BUYER_CREDIT = "BUYER_CREDIT"
    SELLER_PAYABLE = "SELLER_PAYABLE"
    CONSIGNOR_PAYABLE = "CONSIGNOR_PAYABLE"


_KINDS: Final = {
    Kind.SELLER_RECEIVABLE: Owing.SELLER_OWES,
    Kind.BUYER_CREDIT: Owing.BUYER_CREDIT,
    Kind.SELLER_PAYABLE: Owing.SELLER_PAYABLE,
    Kind.CONSIGNOR_PAYABLE: Owing.CONSIGNOR_PAYABLE,
}


class Aged(Struct, frozen=True, kw_only=True):
    """What one party owes, or is owed. ``by_age_minor``: 0-30, 31-60, 61-90, over 90 days."""

    owing: Owing
    party: str
    name: str
    by_age_minor: tuple[int, int, int, int]

    @property
    def total_minor(self) -> int:
        return sum(self.by_age_minor)


def bucket_of(since_us: int, end_us: int) -> int:
    """Which of the four ages: the whole days from a time to the end of the month."""
    days = max(0, end_us - since_us) // DAY_US
    return sum(days > bound for bound in BOUNDS_DAYS)


def totals_of(rows: Iterable[Aged]) -> dict[Owing, tuple[int, int, int, int]]:
    """The sums of each."""
    sums: dict[Owing, list[int]] = {}
    for row in rows:
        of = sums.setdefault(row.owing, [0, 0, 0, 0])
        for place, amount in enumerate(row.by_age_minor):
            of[place] += amount
    return {owing: (of[0], of[1], of[2], of[3]) for owing, of in sums.items()}


async def read_ageing(connection: AnyConnection, currency: str, end_us: int) -> Sequence[Aged]:
    """All that was owed when a month ended, by what it is and whose, the largest first."""
    kinds = [kind.value for kind in _KINDS]
    rows = await connection.fetch(_LEFT, currency, kinds, end_us)
    found: dict[tuple[Owing, str], list[int]] = {}
    for row in rows:
        account = parse_account(row["name"])
        _add(found, _KINDS[account.kind], account.subject, row, end_us)
    for row in await connection.fetch(_UNPAID, currency, end_us):
        _add(found, Owing.BUYER_OWES, row["buyer_id"], row, end_us)
    names = await organisation_names(connection, {party for _, party in found})
    aged = [
        Aged(
            owing=owing,
            party=party,
            name=names.get(party, party),
            by_age_minor=(ages[0], ages[1], ages[2], ages[3]),
        )
        for (owing, party), ages in found.items()
        if any(ages)
    ]
    order = list(Owing)
    aged.sort(key=lambda its: (order.index(its.owing), -its.total_minor, its.party))
    return aged[:MAX_ROWS]


def _add(
    found: dict[tuple[Owing, str], list[int]], owing: Owing, party: str, row: Any, end_us: int
) -> None:
    ages = found.setdefault((owing, party), [0, 0, 0, 0])
    ages[bucket_of(row["since_us"], end_us)] += int(row["left_minor"])


# Of each account what was added to it, the latest first, as far as its balance goes.
_LEFT: Final = """
with lines as (
    select a.name, a.kind, t.effective_at_us as at_us, f.transfer_id,
        case when (f.debit_account_id = a.account_id) = k.debit_side
            then f.amount_minor else -f.amount_minor end as added_minor
    from ledger_account a
    join ledger_kind k using (kind)
    join lateral (
        select * from ledger_transfer d where d.debit_account_id = a.account_id
        union all
        select * from ledger_transfer c where c.credit_account_id = a.account_id
    ) as f on true
    join ledger_transaction t using (transaction_id)
    where a.currency = $1 and a.kind = any($2::text[]) and t.effective_at_us < $3
), added as (
    select name, at_us, added_minor,
        sum(added_minor) over (partition by name) as balance_minor,
        coalesce(sum(greatest(added_minor, 0)) over (
            partition by name order by at_us desc, transfer_id desc
            rows between unbounded preceding and 1 preceding
        ), 0) as newer_minor
    from lines
)
select name, at_us as since_us, least(added_minor, balance_minor - newer_minor) as left_minor
from added
where added_minor > 0 and balance_minor > newer_minor
"""

# Awards that were invoiced before the end, and neither paid nor void before it; three indexes.
_UNPAID: Final = """
with unpaid as (
    select * from award where currency = $1 and funded_at_us is null and ended_at_us is null
    union all
    select * from award where currency = $1 and funded_at_us >= $2
    union all
    select * from award where currency = $1 and funded_at_us is null and ended_at_us >= $2
)
select u.buyer_id, i.issued_at_us as since_us,
    (line ->> 'hammer_minor')::bigint + (line ->> 'premium_minor')::bigint
    + (line ->> 'freight_minor')::bigint + (line ->> 'tax_minor')::bigint
    - coalesce((
        select sum(c.hammer_minor + c.premium_minor + c.tax_minor + c.freight_minor)
        from award_credit c where c.award_id = u.award_id and c.made_at_us < $2
    ), 0) as left_minor
from unpaid u
join invoice i using (invoice_id)
cross join lateral jsonb_array_elements(i.body -> 'lines') as line
where i.issued_at_us < $2 and line ->> 'award_id' = u.award_id
"""
