"""What is wrong when everything has come to rest: by the simulator's objects and the books."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from foundation.database import acquire
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.rows import Held, read_invoice
from tests.books import balances_of, folded, stored
from tests.crash_points.world import World

_A, _P = AwardState, PaymentState
# What is there as long as there is a house.
_FOR_EVER = {"missed_events", "take_transactions", "reconcile"}


@dataclass
class Expected:
    """What a life should come to. ``sent_minor``: to each lot's seller, before ``netted_minor``,
    what it owes from earlier or for a cancellation, is kept of it; ``late_minor``: what it came to
    owe after it was sent its part; ``by_file_minor``: what it was sent by a bank file; ``awards``:
    lots that end otherwise than ``award``; ``got_minor``: captured and not refunded;
    ``credited_minor``: of lines; ``person``: operations that a person has to look at."""

    payment: PaymentState
    award: AwardState
    got_minor: int
    paid_minor: int
    sent_minor: dict[str, int]
    credited_minor: int = 0
    netted_minor: int = 0
    late_minor: int = 0
    by_file_minor: int = 0
    awards: dict[str, AwardState] = field(default_factory=dict)
    credit_minor: int = 0
    person: list[str] = field(default_factory=list)


def expected_of(held: Held, *, paid: bool) -> Expected:
    """Of an invoice to which nothing else happens than that it is paid, or not."""
    total_minor = held.invoiced.invoice.total_minor
    hammers = {str(name): row.award.hammer_minor for name, row in held.awards.items()}
    return Expected(
        payment=_P.PAID if paid else _P.DEFAULTED,
        award=_A.CLOSED if paid else _A.VOID,
        got_minor=total_minor if paid else 0,
        paid_minor=total_minor if paid else 0,
        credited_minor=0 if paid else total_minor,
        sent_minor={name: sellers_part(hammer) if paid else 0 for name, hammer in hammers.items()},
    )


def sellers_part(hammer_minor: int) -> int:
    """A hammer price without the house's ten per cent."""
    return hammer_minor - (hammer_minor * 1_000 + 5_000) // 10_000


async def wrong(
    world: World, invoice_id: InvoiceId, customer: StripeId, expected: Expected
) -> list[str]:
    """Each is a sentence; none: the life went as it should."""
    async with acquire(world.people.pool) as connection:
        held = await read_invoice(connection, invoice_id)
        balances = await balances_of(connection)
        summed = await folded(connection)
        kept = await stored(connection)
    found = _states(held, expected) + await _left(world, expected)
    if summed != kept:
        found.append("the balances that are kept are not the sums of their entries")
    found += await _credited(world, held)
    found += _captured(world, held, str(customer), expected)
    found += _transferred(world, held, expected, balances)
    return found + _booked(world, held, balances, expected)


def _states(held: Held, expected: Expected) -> list[str]:
    found = []
    row = held.invoiced
    if row.payment is not expected.payment:
        found.append(f"the payment is {row.payment}")
    for name, each in held.awards.items():
        if each.state is not expected.awards.get(str(name), expected.award):
            found.append(f"{name} is {each.state}")
    if row.paid_minor != expected.paid_minor:
        found.append(f"{row.paid_minor} of {expected.paid_minor} is paid")
    if row.credited_minor != expected.credited_minor:
        found.append(f"{row.credited_minor} of {expected.credited_minor} is credited")
    return found


async def _left(world: World, expected: Expected) -> list[str]:
    rows = await world.rows(
        "select operation, idempotency_key, state, note from settlement_op"
        " where state in ('HELD', 'WAITING') and operation <> all($1) order by op_id",
        list(_FOR_EVER),
    )
    found = []
    person = list(expected.person)
    for row in rows:
        if row["idempotency_key"] in world.left:
            continue
        world.left.add(row["idempotency_key"])
        if row["state"] == "HELD" and row["operation"] in person:
            person.remove(row["operation"])
        else:
            found.append(f"{row['idempotency_key']} is {row['state']}: {row['note']}")
    return found + [f"no person is asked about {operation}" for operation in person]


async def _credited(world: World, held: Held) -> list[str]:
    """The lines of credits and what is credited of lots that were paid are the same."""
    rows = await world.rows(
        "select coalesce(sum(hammer_minor + premium_minor + tax_minor + freight_minor), 0)::bigint"
        " as minor from award_credit where invoice_id = $1",
        held.invoiced.invoice_id,
    )
    lines = {line.award_id: line.total_minor for line in held.invoiced.invoice.lines}
    never_paid = sum(
        lines[award_id]
        for award_id, row in held.awards.items()
        if row.state is _A.VOID and row.funded_at_us is None
    )
    credited = held.invoiced.credited_minor - never_paid
    lines_minor = rows[0]["minor"]
    if lines_minor == credited:
        return []
    return [f"{credited} is credited, its lines sum to {lines_minor}"]


def _of_customer(world: World, kind: str, customer: str) -> list[dict[str, Any]]:
    rows = world.engine.store.oldest_first(kind)
    return [row for row in rows if row.get("customer") == customer]


def _captured(world: World, held: Held, customer: str, expected: Expected) -> list[str]:
    """Money is taken once, and nothing that was asked for is still open."""
    found = []
    charges = _of_customer(world, "charge", customer)
    taken = [row for row in charges if row["captured"] and row["status"] == "succeeded"]
    got = sum(row["amount_captured"] - row["amount_refunded"] for row in taken)
    if got != expected.got_minor:
        found.append(f"{got} was captured, {expected.got_minor} is owed")
    by_card = [row for row in taken if row["payment_method_details"]["type"] == "card"]
    if len(by_card) > 1:
        found.append(f"{len(by_card)} captures")
    intents = _of_customer(world, "payment_intent", customer)
    ended = ("succeeded", "canceled")
    open_ = [row for row in intents if row["status"] not in ended]
    return [*found, *(f"{row['id']} is still {row['status']}" for row in open_)]


def _transferred(
    world: World, held: Held, expected: Expected, balances: dict[str, int]
) -> list[str]:
    """Each lot's seller got its part once, less what it owed."""
    lots = {str(award_id) for award_id in held.awards}
    sent: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for row in world.engine.store.oldest_first("transfer"):
        award_id = (row.get("metadata") or {}).get("award")
        if award_id in lots:
            sent[award_id] += row["amount"] - row["amount_reversed"]
            times[award_id] += 1
    found = [f"{award_id} was transferred {n} times" for award_id, n in times.items() if n > 1]
    found += _owed(world, expected, sent, balances)
    funded = Counter(world.funded)
    paid = [name for name in sorted(lots) if expected.awards.get(name, expected.award) is _A.CLOSED]
    untold = [award_id for award_id in paid if not funded[award_id]]
    return [*found, *(f"{award_id}: the engine was never told" for award_id in untold)]


def _owed(
    world: World, expected: Expected, sent: Counter[str], balances: dict[str, int]
) -> list[str]:
    """What the seller was sent and what it owes come from the same lots and debts."""
    wanted, late = expected.sent_minor, expected.late_minor
    before = world.owed_minor + expected.netted_minor
    if not before and not late and not expected.by_file_minor:
        off = sorted(name for name in wanted if sent[name] != wanted[name])
        return [f"{name}: {sent[name]} was sent, {wanted[name]} is owed" for name in off]
    due = sum(wanted.values())
    in_all = sent.total() + expected.by_file_minor
    world.owed_minor = owes = in_all - (due - before)
    at_least = max(0, before - due - late)
    found = []
    if not at_least <= owes <= at_least + late:
        found.append(f"{in_all} was sent, {due} is owed, less {before} that the seller owes")
    if balances.get("seller_receivable:north", 0) != owes:
        has = balances.get("seller_receivable:north", 0)
        found.append(f"the seller owes {owes}, by the books {has}")
    if owes and late and world.keeps and any(sent[name] > wanted[name] for name in wanted):
        found.append(f"{owes} is there to be taken back, and was not")
    return found


def _booked(world: World, held: Held, balances: dict[str, int], expected: Expected) -> list[str]:
    """The books agree with the provider's, and nothing of these lots is held any more."""
    found = []
    rows = world.engine.store.oldest_first("balance_transaction")
    at_stripe = sum(row["net"] for row in rows if "_account" not in row)  # sellers have their own
    if balances.get("stripe_balance", 0) != at_stripe:
        found.append(f"the books have {balances.get('stripe_balance', 0)}, Stripe {at_stripe}")
    kinds = ("held", "deferred_fees", "freight_payable")
    names = [f"{kind}:{award_id}" for award_id in held.awards for kind in kinds]
    found += [f"{name} has {balances[name]}" for name in names if balances.get(name)]
    credit = f"buyer_credit:{held.invoiced.invoice.buyer_id}"
    if balances.get(credit, 0) != expected.credit_minor:
        has = balances.get(credit, 0)
        found.append(f"the buyer's credit is {has}, {expected.credit_minor} is its own")
    names = ["seller_payable:north", "disputes_pending"]
    for name in names if world.owed_minor else [*names, "seller_receivable:north"]:
        if balances.get(name):
            found.append(f"{name} has {balances[name]}")
    return found
