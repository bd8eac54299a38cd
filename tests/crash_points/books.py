"""What is wrong when everything has come to rest: by the simulator's objects and the books."""

from collections import Counter
from typing import Any

from foundation.database import acquire
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.rows import Held, read_invoice
from tests.books import balances_of
from tests.crash_points.world import World

_A, _P = AwardState, PaymentState
# What is there as long as there is a house.
_FOR_EVER = {"missed_events", "take_transactions", "reconcile"}


async def wrong(
    world: World, invoice_id: InvoiceId, customer: StripeId, *, paid: bool
) -> list[str]:
    """Each is a sentence; none: the life went as it should."""
    async with acquire(world.people.pool) as connection:
        held = await read_invoice(connection, invoice_id)
        balances = await balances_of(connection)
    found = _states(held, paid=paid) + await _left(world)
    found += _captured(world, held, str(customer), paid=paid)
    found += _transferred(world, held, paid=paid)
    return found + _booked(world, held, balances)


def _states(held: Held, *, paid: bool) -> list[str]:
    found = []
    payment = held.invoiced.payment
    if payment is not (_P.PAID if paid else _P.DEFAULTED):
        found.append(f"the payment is {payment}")
    end = _A.CLOSED if paid else _A.VOID
    rows = held.awards.values()
    found += [f"{row.award_id} is {row.state}" for row in rows if row.state is not end]
    if paid and held.invoiced.paid_minor != held.invoiced.invoice.total_minor:
        found.append(f"{held.invoiced.paid_minor} of {held.invoiced.invoice.total_minor} is paid")
    return found


async def _left(world: World) -> list[str]:
    rows = await world.rows(
        "select idempotency_key, state, note from settlement_op"
        " where state in ('HELD', 'WAITING') and operation <> all($1)",
        list(_FOR_EVER),
    )
    return [f"{row['idempotency_key']} is {row['state']}: {row['note']}" for row in rows]


def _of_customer(world: World, kind: str, customer: str) -> list[dict[str, Any]]:
    rows = world.engine.store.oldest_first(kind)
    return [row for row in rows if row.get("customer") == customer]


def _captured(world: World, held: Held, customer: str, *, paid: bool) -> list[str]:
    """Money is taken once, and nothing that was asked for is still open."""
    found = []
    charges = _of_customer(world, "charge", customer)
    got = sum(
        row["amount_captured"] - row["amount_refunded"]
        for row in charges
        if row["status"] == "succeeded" and row["captured"]
    )
    wanted = held.invoiced.invoice.total_minor if paid else 0
    if got != wanted:
        found.append(f"{got} was captured, {wanted} is owed")
    if (
        held.invoiced.payment is _P.PAID
        and charges
        and charges[-1]["payment_method_details"]["type"] == "card"
    ):
        taken = [row for row in charges if row["captured"] and row["status"] == "succeeded"]
        if len(taken) != 1:
            found.append(f"{len(taken)} captures")
    intents = _of_customer(world, "payment_intent", customer)
    ended = ("succeeded", "canceled")
    open_ = [row for row in intents if row["status"] not in ended]
    return [*found, *(f"{row['id']} is still {row['status']}" for row in open_)]


def _transferred(world: World, held: Held, *, paid: bool) -> list[str]:
    """Each lot's seller got its part once."""
    lots = {str(award_id) for award_id in held.awards}
    sent: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for row in world.engine.store.oldest_first("transfer"):
        award_id = (row.get("metadata") or {}).get("award")
        if award_id in lots:
            sent[award_id] += row["amount"] - row["amount_reversed"]
            times[award_id] += 1
    found = [f"{award_id} was transferred {n} times" for award_id, n in times.items() if n > 1]
    for award in held.awards.values():
        hammer = award.award.hammer_minor
        wanted = hammer - (hammer * 1_000 + 5_000) // 10_000 if paid else 0
        if sent[award.award_id] != wanted:
            found.append(f"{award.award_id}: {sent[award.award_id]} was sent, {wanted} is owed")
    funded = Counter(world.funded)
    untold = [award_id for award_id in sorted(lots) if paid and not funded[award_id]]
    return [*found, *(f"{award_id}: the engine was never told" for award_id in untold)]


def _booked(world: World, held: Held, balances: dict[str, int]) -> list[str]:
    """The books agree with the provider's, and nothing of these lots is held any more."""
    found = []
    at_stripe = sum(row["net"] for row in world.engine.store.oldest_first("balance_transaction"))
    if balances.get("stripe_balance", 0) != at_stripe:
        found.append(f"the books have {balances.get('stripe_balance', 0)}, Stripe {at_stripe}")
    kinds = ("held", "deferred_fees", "freight_payable")
    names = [f"{kind}:{award_id}" for award_id in held.awards for kind in kinds]
    names.append(f"buyer_credit:{held.invoiced.invoice.buyer_id}")
    return [*found, *(f"{name} has {balances[name]}" for name in names if balances.get(name))]
