"""What happens to one invoice: how it is paid, what comes between, until its lots are closed."""

import itertools
from random import Random
from typing import Final

from auction.ids import BidderId, LiquidatorId, SaleId
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.stripe_simulator.deliveries import Mood
from settlement.stripe_simulator.faults import Trouble, Weather
from settlement.stripe_simulator.work import Work
from tests.crash_points.books import expected_of, wrong
from tests.crash_points.course import (
    BY_BANK,
    CARDS,
    DAY_S,
    DEBITS,
    OVER_MINOR,
    UNPAID,
    Course,
    Paid,
)
from tests.crash_points.drawn import drawn
from tests.crash_points.turns import Turn
from tests.crash_points.watch import Watch
from tests.crash_points.world import Mortal, World

LOTS: Final = 3
# Between two deaths of a life. It is above what the start of a process and its longest operation
# take, so that each process gets somewhere.
EVERY: Final = 250
# Of a thousand calls; a life has some dozens, so most lives have a few of these.
TROUBLE: Final = {
    Trouble.LOST_ANSWER: 40,
    Trouble.NO_EFFECT: 40,
    Trouble.TRUNCATED: 20,
    Trouble.CONFLICT: 20,
    Trouble.RATE_LIMITED: 20,
    Trouble.SERVER_ERROR: 10,
    Trouble.SERVER_ERROR_AFTER_EFFECT: 10,
}
# Cards most often: they have the most steps.
WAYS: Final = (
    Paid.CARD, Paid.CARD, Paid.CARD, Paid.CARD, Paid.BANK, Paid.BANK_IN_PARTS, Paid.BANK_IN_PARTS,
    Paid.DECLINED_FIRST, Paid.DEBIT, Paid.DEBIT_FAILS, Paid.DEBIT_TAKEN_BACK, Paid.NEVER,
)  # fmt: skip
# A transfer in parts: so many, and none less than what Stripe takes at all.
PARTS: Final = (2, 3, 4, 5)
LEAST_PART_MINOR: Final = 1_000


class Played:
    """A life that was played, and what is wrong with it."""

    def __init__(self, seed: int, way: Paid, turn: Turn, mortal: Mortal, wrong: list[str]) -> None:
        self.seed, self.way, self.turn, self.wrong = seed, way, type(turn).__name__, wrong
        self.awaits, self.deaths = mortal.awaits, mortal.deaths

    def __repr__(self) -> str:
        how = f"{self.way}, {self.turn}, died {self.deaths} times"
        return f"seed {self.seed} ({how}): {self.wrong}"


def drawn_way(seed: int) -> Paid:
    """How the buyer pays in the life of this seed."""
    return Random(f"way {seed}").choice(WAYS)


async def play(
    world: World,
    seed: int,
    mortal: Mortal,
    *,
    troubled: bool = True,
    way: Paid | None = None,
    turn: Turn | None = None,
) -> Played:
    """Issue an invoice for three lots and see it through, while processes die."""
    rng = Random(seed)
    way = way or drawn_way(seed)
    turn = turn or drawn(seed, way)
    if troubled:
        world.engine.faults.set_weather(Weather(seed, TROUBLE))
        world.deliveries.set_mood(
            Mood(
                seed=seed,
                repeat_per_mille=200,
                lose_per_mille=turn.lost_per_mille,
                late_by_s=turn.late_by_s,
                shuffled=True,
            )
        )
    customer, invoice_id = await _issue(world, rng, way, turn, seed)
    watch = Watch(world, invoice_id, customer)
    world.watch = watch.look
    course = Course(world, rng, seed, way, mortal, customer, invoice_id, watch)
    await turn.issued(course)
    await _lives(course, turn)
    held = await course.held()
    # Whose card was declined first may run out of time while the provider is in trouble: then
    # nothing may have been taken, and nobody is sent or handed anything.
    late = way is Paid.DECLINED_FIRST and held.invoiced.payment is PaymentState.DEFAULTED
    expected = expected_of(held, paid=way not in UNPAID and not late)
    if way in (Paid.BANK_TOO_MUCH, Paid.BANK_TOO_LATE):
        expected.got_minor += OVER_MINOR
        expected.credit_minor = OVER_MINOR
    if way is Paid.DEBIT_TAKEN_BACK:
        expected.payment, expected.award = PaymentState.REFUNDED, AwardState.VOID
        expected.credited_minor, expected.paid_minor = expected.got_minor, 0
        expected.sent_minor = dict.fromkeys(expected.sent_minor, 0)
    turn.expected(course, held, expected)
    world.watch = None
    return Played(
        seed, way, turn, mortal, [*watch.found, *await wrong(world, invoice_id, customer, expected)]
    )


async def _lives(course: Course, turn: Turn) -> None:
    await course.work()
    await _pays(course)
    for _ in range(3):  # what was not heard of is found
        await course.passes(hours=1)
    await turn.paid(course)
    await course.fetched()
    await course.work()
    await turn.fetched(course)
    for days in (3, 3, 3, 7):
        await course.passes(days=days)
    if course.way is Paid.BANK_TOO_LATE:
        await course.sends(OVER_MINOR)
    course.world.engine.faults.clear()
    for _ in range(4):  # what was lost is looked for after a day
        await course.passes(days=1)


async def _issue(
    world: World, rng: Random, way: Paid, turn: Turn, seed: int
) -> tuple[StripeId, InvoiceId]:
    buyer = BidderId(f"buyer-{seed}")
    weather = world.engine.faults._weather
    world.engine.faults.clear()  # what people do is no part of this
    card = None if way in BY_BANK or way in DEBITS else CARDS.get(way, turn.card)
    customer = await world.people.buyer(card, debit=DEBITS.get(way), buyer_id=buyer)
    if way is Paid.DECLINED_FIRST:
        (card_id,) = [
            row["id"] for row in world.people.rows("payment_method") if row["customer"] == customer
        ]
        world.engine.run(lambda work: _declines(work, card_id))
    least, most = (100_000, 300_000) if way in BY_BANK else (10_000, 30_000)
    invoice_id = await world.people.invoice(
        *turn.hammers(rng, least, most, LOTS),
        sale_id=SaleId(f"S{seed}"),
        buyer_id=buyer,
        liquidator_id=LiquidatorId("north"),
        at_us=world.now_us(),
    )
    if weather is not None:
        world.engine.faults.set_weather(weather)
    return customer, invoice_id


def _declines(work: Work, method_id: str) -> None:
    """The next charge of a card is declined, for now."""
    row = {"id": method_id, "code": "insufficient_funds", "times": 1}
    work.changes.put("decline", method_id, row)


async def _pays(course: Course) -> None:
    open_minor = (await course.held()).invoiced.open_minor
    match course.way:
        case Paid.BANK:
            sums = [open_minor]
        case Paid.BANK_IN_PARTS:
            sums = _in_parts(course.rng, open_minor)
        case Paid.BANK_TOO_MUCH:
            sums = [open_minor + OVER_MINOR]
        case _:
            sums = []
    for amount_minor in sums:
        await course.sends(amount_minor)
    if course.way in DEBITS:
        await course.debited()
    if course.way is Paid.DECLINED_FIRST:
        course.world.engine.move(DAY_S)
        await course.work()


def _in_parts(rng: Random, whole_minor: int) -> list[int]:
    """The sums of several transfers."""
    count = rng.choice(PARTS)
    spare = whole_minor - count * LEAST_PART_MINOR
    cuts = [0, *sorted(rng.randrange(spare) for _ in range(count - 1)), spare]
    return [LEAST_PART_MINOR + b - a for a, b in itertools.pairwise(cuts)]
