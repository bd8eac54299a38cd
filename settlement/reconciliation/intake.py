"""Stripe's balance transactions, taken in by id, for ever.

A pass reads all that was made since an hour before the last whole pass began, the newest first,
page by page. What is made meanwhile stands before the first page and is the next pass's. Stripe
may show a transaction late: hence the hour, and once a day a pass over a week. Each page and the
place of the next are written in one transaction, so that a crash anywhere costs the reading of a
page; what is read twice is the same id and is there already.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from foundation.database import AnyConnection, Pool, acquire
from settlement.ids import StripeId
from settlement.operations import HOUR_US, SECOND_US, Again, NeedsPerson, Operation, Refused
from settlement.payment_objects import BalanceTransaction
from settlement.ports import Books
from settlement.reconciliation.reconcile import RECONCILE
from settlement.steps import Wanted

TAKE_IN: Final = "take_transactions"
PAUSE_US: Final = 15 * SECOND_US
OVERLAP_US: Final = HOUR_US
DEEP_OVERLAP_US: Final = 7 * 24 * HOUR_US
DEEP_EVERY_US: Final = 24 * HOUR_US
# Stripe's clock may be ahead of ours by as much: what is made then is still in the window.
SKEW_US: Final = HOUR_US
# 500 rows a claim: five calls, far from the end of the lease.
PAGES: Final = 5
PAGE: Final = 100

WANTED: Final = Wanted(operation=TAKE_IN, subject="stripe")


class Reach(Struct, frozen=True, kw_only=True):
    """How far Stripe's list was read. Without ``from_us`` and ``began_us`` no pass is under way."""

    taken_until_us: int | None
    deep_at_us: int
    from_us: int | None
    began_us: int | None
    after: StripeId | None

    def pass_of(self, now_us: int) -> tuple[int, int]:
        """From when on the pass under way reads, and when it began; else those of the next."""
        if self.from_us is not None and self.began_us is not None:
            return self.from_us, self.began_us
        if self.taken_until_us is None:
            return 0, now_us
        deep = now_us - self.deep_at_us >= DEEP_EVERY_US
        return max(0, self.taken_until_us - (DEEP_OVERLAP_US if deep else OVERLAP_US)), now_us


class Taken(Struct, frozen=True, kw_only=True):
    """Some pages. ``reach``: what they were read from; ``after`` ``None``: the pass is whole."""

    reach: Reach
    from_us: int
    began_us: int
    rows: tuple[BalanceTransaction, ...]
    after: StripeId | None


class TakingIn:
    """The operation that reads Stripe's books, for ever."""

    def __init__(self, pool: Pool, books: Books) -> None:
        self._pool, self._books = pool, books

    async def call(self, op: Operation) -> object:
        """See `Handler`. The time is that of the claim: of all that Stripe had by then."""
        async with acquire(self._pool) as connection:
            reach = await read_reach(connection)
        from_us, began_us = reach.pass_of(op.first_sent_at_us)
        after = reach.after
        rows: list[BalanceTransaction] = []
        for _ in range(PAGES):
            page = await self._books.balance_transactions(
                since_us=from_us, before_us=began_us + SKEW_US, after=after, limit=PAGE
            )
            rows += page.rows
            after = page.next_after
            if after is None:
                break
        return Taken(reach=reach, from_us=from_us, began_us=began_us, rows=tuple(rows), after=after)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again:
        """See `Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"Stripe does not show its books: {answer}")
        assert isinstance(answer, Taken)
        if not await take_in(connection, answer, now_us):
            return Again(now_us)
        if answer.rows:  # the matcher looks at them at once
            await connection.execute(_RING, RECONCILE, now_us)
        return Again(now_us if answer.after is not None else now_us + PAUSE_US)


async def read_reach(connection: AnyConnection) -> Reach:
    """How far Stripe's list was read."""
    (row,) = await connection.fetch(_REACH)
    return Reach(**row)


async def take_in(connection: AnyConnection, taken: Taken, now_us: int) -> bool:
    """Write these pages and the place of the next, in the caller's transaction; ``False``: somebody
    else has read on from there."""
    (row,) = await connection.fetch(f"{_REACH} for update")
    if Reach(**row) != taken.reach:
        return False
    await keep(connection, taken.rows, now_us)
    if taken.after is not None:
        await connection.execute(_ON, taken.from_us, taken.began_us, taken.after)
        return True
    before = taken.reach.taken_until_us
    deep = before is None or before - taken.from_us > OVERLAP_US
    await connection.execute(_WHOLE, taken.began_us, deep)
    return True


async def keep(connection: AnyConnection, rows: Sequence[BalanceTransaction], now_us: int) -> None:
    """Write what is new of these; `NeedsPerson` where one is not what it was."""
    asked = {row.transaction_id: row for row in rows}
    if not asked:
        return
    ordered = [asked[transaction_id] for transaction_id in sorted(asked)]
    columns = [[getattr(row, name) for row in ordered] for name in _COLUMNS]
    new = await connection.fetch(_KEEP, *columns, now_us)
    there = sorted(asked.keys() - {row["transaction_id"] for row in new})
    for row in await connection.fetch(_THERE, there):
        its = asked[row["transaction_id"]]
        if any(getattr(its, name) != row[name] for name in _FACTS):
            raise NeedsPerson(f"{its.transaction_id} is not what Stripe showed before")


_COLUMNS: Final = BalanceTransaction.__struct_fields__
# What decides: words may be mended, and funds may become available at another time.
_FACTS: Final = ("kind", "amount_minor", "fee_minor", "net_minor", "currency", "source_id")

_REACH: Final = """
select taken_until_us, deep_at_us, pass_from_us as from_us, pass_began_us as began_us,
    pass_after as after
from stripe_intake
"""

_ON: Final = """
update stripe_intake set pass_from_us = $1, pass_began_us = $2, pass_after = $3
"""

_WHOLE: Final = """
update stripe_intake set taken_until_us = greatest(taken_until_us, $1),
    deep_at_us = case when $2 then $1 else deep_at_us end,
    pass_from_us = null, pass_began_us = null, pass_after = null
"""

_KEEP: Final = """
insert into stripe_transaction (transaction_id, kind, category, amount_minor, fee_minor, net_minor,
    currency, source_id, description, made_at_us, available_at_us, taken_at_us)
select *, $12 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[])
on conflict (transaction_id) do nothing
returning transaction_id
"""

_THERE: Final = "select * from stripe_transaction where transaction_id = any($1::text[])"

# It is due at once, unless somebody is at it: then it comes again by itself.
_RING: Final = """
update settlement_op set due_at_us = $2
where operation = $1 and state = 'WAITING' and due_at_us > $2 and attempts = 0
"""
