"""Reconciliation's tests: Stripe's rows and our entries in few words, and what became of them."""

from collections.abc import Iterable
from typing import Any

from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection
from settlement import postings as p
from settlement import postings_house as h
from settlement.entries import About, Entry
from settlement.ids import AwardId, StripeId
from settlement.operations import Operation
from settlement.payment_objects import BalanceTransaction
from settlement.reconciliation.intake import keep
from settlement.reconciliation.matching import GRACE_US
from settlement.reconciliation.reconcile import reconcile
from tests.books import NOON_US, about, money

# A quarter of an hour later nothing is on its way any more.
LATER_US = NOON_US + GRACE_US
BUYER, SELLER = BidderId("acme"), LiquidatorId("north")


def txn(
    number: int,
    kind: str = "charge",
    source: str | None = None,
    amount: int = 1_000,
    fee: int = 0,
    **more: Any,
) -> BalanceTransaction:
    """A row of Stripe's books, made at noon."""
    facts: dict[str, Any] = {
        "transaction_id": StripeId(f"txn_{number}"),
        "kind": kind,
        "category": kind,
        "amount_minor": amount,
        "fee_minor": fee,
        "net_minor": amount - fee,
        "currency": "USD",
        "source_id": StripeId(source or f"ch_{number}"),
        "description": "",
        "made_at_us": NOON_US,
        "available_at_us": NOON_US,
    }
    return BalanceTransaction(**(facts | more))


def named(number: int, *stripe_ids: str, **more: Any) -> About:
    """What an entry of an invoice is about, with the ids that it names at Stripe."""
    ids = tuple(StripeId(one) for one in stripe_ids)
    return about(f"S1~b{number}", stripe_ids=ids, **more)


def capture(number: int, amount: int = 1_000, *stripe_ids: str, **more: Any) -> Entry:
    """A charge as we book it."""
    ids = stripe_ids or (f"pi_{number}", f"ch_{number}")
    award = money(amount, award=AwardId(f"S1~{number}"))
    return p.capture(named(number, *ids, **more), [award])


def refund(number: int, amount: int = 1_000, *stripe_ids: str, **more: Any) -> Entry:
    """What went back of it."""
    ids = stripe_ids or (f"ch_{number}", f"re_{number}")
    award = money(amount, award=AwardId(f"S1~{number}"))
    return p.award_refunded(named(number, *ids, **more), award)


def payout(number: int, amount: int = 1_000) -> Entry:
    return h.payout(named(number, f"po_{number}"), amount)


def operation(kind: str) -> Operation:
    """An operation as it is claimed at noon."""
    return Operation(
        op_id=1,
        operation=kind,
        subject="test",
        generation=1,
        idempotency_key=f"{kind}:test:1",
        arguments={},
        attempts=1,
        claims=1,
        first_sent_at_us=NOON_US,
        made_at_us=NOON_US,
    )


async def taken(connection: AnyConnection, *rows: BalanceTransaction) -> None:
    """Stripe's rows are here."""
    async with connection.transaction():
        await keep(connection, rows, NOON_US)


async def read_until(connection: AnyConnection, at_us: int) -> None:
    """All that Stripe had by then is here."""
    await connection.execute("update stripe_intake set taken_until_us = $1", at_us)


async def reconciled(connection: AnyConnection, now_us: int = LATER_US) -> None:
    async with connection.transaction():
        await reconcile(connection, now_us)


async def broken(connection: AnyConnection) -> dict[str, str]:
    """The open exceptions: subject and kind."""
    rows = await connection.fetch(
        "select subject, kind from reconciliation_exception where resolved_at_us is null"
    )
    return {row["subject"]: row["kind"] for row in rows}


async def left_open(connection: AnyConnection) -> tuple[list[str], list[str]]:
    """What waits: Stripe's rows and our entries."""
    theirs = await connection.fetch(
        "select transaction_id from stripe_transaction where settled_at_us is null order by 1"
    )
    ours = await connection.fetch(
        "select key from stripe_entry where settled_at_us is null order by 1"
    )
    return _first(theirs), _first(ours)


def _first(rows: Iterable[Any]) -> list[str]:
    return [row[0] for row in rows]
