"""The matcher at work: what fits is settled, fees are booked, what does not fit is an exception.

It looks at all that is open, page by page, again and again; each page is one transaction. Whatever
was left undone by a crash is open still. One runs at a time: a lock that the transaction holds.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from foundation.database import AnyConnection
from settlement.entries import About, Entry
from settlement.ids import EntryKey, StripeId
from settlement.ledger import closed_through, post
from settlement.ledger_reading import read_entries
from settlement.operations import SECOND_US, Again, Deadline, Operation
from settlement.payment_objects import BalanceTransaction
from settlement.postings import fee_refunded, processing_fee
from settlement.reconciliation.exception_table import keep_breaks
from settlement.reconciliation.matching import FeeDue, Match, Matching, match
from settlement.reconciliation.open_items import (
    Cursor,
    Open,
    entry_ids_of,
    page_of_open,
    settle,
)
from settlement.statements import month_period
from settlement.steps import Wanted

RECONCILE: Final = "reconcile"
# What is booked is matched within a moment that people wait for.
PAUSE_US: Final = 10 * SECOND_US

WANTED: Final = Wanted(operation=RECONCILE, subject="books")


class Reconciling(Deadline):
    """The operation that looks at a page of what is open, for ever."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again:
        """See `Handler`."""
        done = await reconcile_page(connection, now_us)
        return Again(now_us + PAUSE_US if done else now_us)


async def reconcile(connection: AnyConnection, now_us: int) -> None:
    """Look at all that is open now, in the caller's transaction."""
    await connection.execute(_FROM_START)
    while not await reconcile_page(connection, now_us):
        pass


async def reconcile_page(connection: AnyConnection, now_us: int) -> bool:
    """Look at the next page, in the caller's transaction; whether it was the last one."""
    assert connection.is_in_transaction(), "a page is settled whole"
    await connection.execute(_LOCK)
    (state,) = await connection.fetch(_STATE)
    cursor = Cursor(
        state["looked_us"], state["looked_id"], state["looked_entry_us"], state["looked_entry"]
    )
    found, after = await page_of_open(connection, cursor)
    await _match(connection, found, state["taken_until_us"] or 0, now_us)
    await connection.execute(_LOOKED, *structs.astuple(after or Cursor()))
    return after is None


async def _match(connection: AnyConnection, found: Open, taken_until_us: int, now_us: int) -> None:
    made = match(
        found.transactions.values(),
        found.entries.values(),
        taken_until_us=taken_until_us,
        now_us=now_us,
    )
    await settle(connection, made.matches, made.undone, now_us)
    subjects = [*found.transactions, *(entry.key for entry in found.entries.values())]
    await keep_breaks(connection, subjects, made.breaks, _resolutions(made, found), now_us)
    if made.fees:
        await _book_fees(connection, found, made.fees, now_us)


def _resolutions(made: Matching, found: Open) -> Mapping[str, str]:
    """By subject, what it turned out to be."""
    words: dict[str, str] = {
        key: f"It belongs to {one.subject}." for one in made.breaks for key in one.entry_keys
    }
    for one in made.matches:
        keys = [found.entries[entry_id].key for entry_id in one.entry_ids]
        words[one.transaction_id] = f"It is {' and '.join(keys[:3])}." if keys else "It is a fee."
        words |= dict.fromkeys(keys, f"It is {one.transaction_id}.")
    return words


async def _book_fees(
    connection: AnyConnection, found: Open, fees: Sequence[FeeDue], now_us: int
) -> None:
    """Book what Stripe took of payments, each beside its payment, and match it."""
    keys = {due.entry_id: found.entries[due.entry_id].key for due in fees if due.entry_id}
    beside = await read_entries(connection, sorted(set(keys.values())))
    entries: dict[StripeId, Entry] = {}
    opens = await _open_months(connection, found)
    for due in fees:
        its = found.transactions[due.transaction_id]
        about = beside[keys[due.entry_id]].about if due.entry_id else None
        # When it was taken, or where that month is closed in the next one.
        at_us = max(its.made_at_us, opens[its.currency])
        entries[due.transaction_id] = fee_entry(its, due.fee_minor, about, at_us)
    await post(connection, list(entries.values()))
    ids = await entry_ids_of(connection, [entry.key for entry in entries.values()])
    matches = [Match(of, (ids[EntryKey(entry.key)],)) for of, entry in entries.items()]
    await settle(connection, matches, (), now_us)


def fee_entry(its: BalanceTransaction, fee_minor: int, beside: About | None, at_us: int) -> Entry:
    """The entry of a fee that Stripe took (above 0) or gave back, with its payment's facts."""
    stripe_ids = (its.transaction_id, its.source_id) if its.source_id else (its.transaction_id,)
    about = About(
        subject=its.transaction_id,
        at_us=at_us,
        currency=its.currency,
        sale_id=beside.sale_id if beside else None,
        invoice_id=beside.invoice_id if beside else None,
        liquidator_id=beside.liquidator_id if beside else None,
        buyer_id=beside.buyer_id if beside else None,
        stripe_ids=stripe_ids,
    )
    return processing_fee(about, fee_minor) if fee_minor > 0 else fee_refunded(about, -fee_minor)


async def _open_months(connection: AnyConnection, found: Open) -> Mapping[str, int]:
    """By currency, when the first month begins that takes entries."""
    opens: dict[str, int] = {}
    for currency in {its.currency for its in found.transactions.values()}:
        closed = await closed_through(connection, currency)
        opens[currency] = 0 if closed is None else month_period(closed).to_us
    return opens


_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('softclose reconciliation', 0))"

_STATE: Final = """
select taken_until_us, looked_us, looked_id, looked_entry_us, looked_entry from stripe_intake
"""

_LOOKED: Final = """
update stripe_intake set looked_us = $1, looked_id = $2, looked_entry_us = $3, looked_entry = $4
"""

_FROM_START: Final = """
update stripe_intake set looked_us = 0, looked_id = '', looked_entry_us = 0, looked_entry = 0
"""
