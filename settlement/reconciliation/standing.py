"""The identity that is always in sight: our books of Stripe's balance are Stripe's own.

Per currency, the sum of ``net`` over Stripe's balance transactions is the account `stripe_balance`.
Where it is not, the difference is what the open exceptions say, and what is on its way between the
two. Each is read from a sum that is kept or an index of what is open, however long the books are.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from foundation.database import AnyConnection


class Standing(Struct, frozen=True, kw_only=True):
    """Where a currency's books stand beside Stripe's, now.

    ``taken_until_us``: what Stripe had made by then is here; ``None``: its list was never read
    whole. ``excepted_minor``: what open exceptions explain of the difference.
    """

    currency: str
    stripe_minor: int
    booked_minor: int
    transactions: int
    taken_until_us: int | None
    exceptions: int
    oldest_us: int | None
    excepted_minor: int
    wires: int
    wires_minor: int

    @property
    def difference_minor(self) -> int:
        """What the books have more than Stripe."""
        return self.booked_minor - self.stripe_minor

    @property
    def on_its_way_minor(self) -> int:
        """What of the difference nothing is wrong with: one side is here, the other comes."""
        return self.difference_minor - self.excepted_minor

    @property
    def agrees(self) -> bool:
        """Whether the books are Stripe's to the minor unit, and nothing is open."""
        return not self.difference_minor and not self.exceptions


async def standing(connection: AnyConnection, currency: str) -> Standing:
    """Of one currency; zero where nothing ever moved."""
    (row,) = await connection.fetch(_STANDING, currency)
    fields = {name: row[name] for name in Standing.__struct_fields__}
    sums = {name: int(fields[name]) for name in _SUMS}
    return Standing(**(fields | sums))


async def standings(connection: AnyConnection) -> Sequence[Standing]:
    """Of every currency in which there are books here or at Stripe."""
    rows = await connection.fetch(_CURRENCIES)
    return [await standing(connection, row["currency"]) for row in rows]


async def stripe_nets(connection: AnyConnection) -> Mapping[str, int]:
    """By currency, the sum of net of all that was taken in."""
    rows = await connection.fetch("select currency, net_minor from stripe_total")
    return {row["currency"]: int(row["net_minor"]) for row in rows}


async def ledger_sum_minor(connection: AnyConnection, currency: str) -> int:
    """All debits less all credits of a currency's book: zero, or something is very wrong. Reads
    the balance of every account there is."""
    total = await connection.fetchval(_SUM, currency)
    return int(total or 0)


# Numeric in the tables.
_SUMS: Final = ("stripe_minor", "excepted_minor", "wires_minor")

_STANDING: Final = """
select $1::text as currency,
    coalesce((select net_minor from stripe_total where currency = $1), 0) as stripe_minor,
    coalesce((select transactions from stripe_total where currency = $1), 0) as transactions,
    coalesce((
        select debits_minor - credits_minor
        from ledger_account join ledger_balance using (account_id)
        where name = 'stripe_balance' and currency = $1
    ), 0) as booked_minor,
    (select taken_until_us from stripe_intake) as taken_until_us,
    open.exceptions, open.oldest_us, open.excepted_minor, unknown.wires, unknown.wires_minor
from (
    select count(*) as exceptions, min(since_us) as oldest_us,
        coalesce(sum(booked_minor - stripe_minor), 0) as excepted_minor
    from reconciliation_exception where resolved_at_us is null and currency = $1
) as open
cross join (
    select count(*) as wires, coalesce(sum(amount_minor), 0) as wires_minor
    from wire where state = 'UNKNOWN' and currency = $1
) as unknown
"""

_CURRENCIES: Final = """
select currency from stripe_total
union
select currency from ledger_account where name in ('stripe_balance', 'bank')
order by currency
"""

_SUM: Final = """
select sum(debits_minor - credits_minor) from ledger_account join ledger_balance using (account_id)
where currency = $1
"""
