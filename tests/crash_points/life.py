"""What happens to one invoice: how it is paid, what comes between, until its lots are closed."""

from enum import StrEnum
from functools import partial
from random import Random
from typing import Final

from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import acquire, transaction
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState
from settlement.pickups.handing_over import handed_over
from settlement.policy_table import policy_at
from settlement.rows import calendar_of, hold_invoice, read_invoice
from settlement.steps import after, write
from settlement.stripe_simulator import cash_balances
from settlement.stripe_simulator.deliveries import Mood
from settlement.stripe_simulator.faults import Trouble, Weather
from settlement.stripe_simulator.work import Work
from tests.crash_points.books import wrong
from tests.crash_points.world import Mortal, World

DAY_S: Final = 86_400
LOTS: Final = 3
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


class Paid(StrEnum):
    """How the buyer pays."""

    CARD = "CARD"
    DECLINED_FIRST = "DECLINED_FIRST"
    BANK = "BANK"
    BANK_IN_PARTS = "BANK_IN_PARTS"
    NEVER = "NEVER"


# Cards most often: they have the most steps.
WAYS: Final = (Paid.CARD, Paid.CARD, Paid.BANK, Paid.DECLINED_FIRST, Paid.BANK_IN_PARTS, Paid.NEVER)


class Played:
    """A life that was played, and what is wrong with it."""

    def __init__(self, seed: int, way: Paid, mortal: Mortal, wrong: list[str]) -> None:
        self.seed, self.way, self.wrong = seed, way, wrong
        self.awaits, self.deaths = mortal.awaits, mortal.deaths

    def __repr__(self) -> str:
        return f"seed {self.seed} ({self.way}, died {self.deaths} times): {self.wrong}"


async def play(world: World, seed: int, mortal: Mortal, *, troubled: bool = True) -> Played:
    """Issue an invoice for three lots and see it through, while processes die."""
    rng = Random(seed)
    way = rng.choice(WAYS)
    if troubled:
        world.engine.faults.set_weather(Weather(seed, TROUBLE))
        world.deliveries.set_mood(
            Mood(seed=seed, repeat_per_mille=200, lose_per_mille=100, late_by_s=900, shuffled=True)
        )
    customer, invoice_id = await _issue(world, rng, way, seed)
    await world.work(mortal)
    await _pays(world, rng, way, customer, invoice_id, mortal)
    for _ in range(3):  # what was not heard of is found
        world.engine.move(3_600)
        await world.work(mortal)
    await _fetched(world, invoice_id)
    for days in (3, 3, 3, 7):
        world.engine.move(days * DAY_S)
        await world.work(mortal)
    world.engine.faults.clear()
    for _ in range(4):  # what was lost is looked for after a day
        world.engine.move(DAY_S)
        await world.work(mortal)
    return Played(
        seed, way, mortal, await wrong(world, invoice_id, customer, paid=way is not Paid.NEVER)
    )


async def _issue(world: World, rng: Random, way: Paid, seed: int) -> tuple[StripeId, InvoiceId]:
    buyer = BidderId(f"buyer-{seed}")
    by_card = way in (Paid.CARD, Paid.DECLINED_FIRST, Paid.NEVER)
    weather = world.engine.faults._weather
    world.engine.faults.clear()  # what people do is no part of this
    card = None
    if by_card:
        card = "pm_card_visa" if way is not Paid.NEVER else "pm_card_chargeCustomerFail"
    customer = await world.people.buyer(card, buyer_id=buyer)
    if way is Paid.DECLINED_FIRST:
        (card_id,) = [
            row["id"] for row in world.people.rows("payment_method") if row["customer"] == customer
        ]
        world.engine.run(lambda work: _declines(work, card_id))
    least, most = (10_000, 30_000) if by_card else (100_000, 300_000)
    hammers = [rng.randrange(least, most) for _ in range(LOTS)]
    invoice_id = await world.people.invoice(
        *hammers,
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


def _sends(work: Work, *, customer: str, amount: int) -> None:
    """A bank transfer arrives."""
    cash_balances.fund(work, customer, amount, "usd", None)


async def _pays(
    world: World, rng: Random, way: Paid, customer: StripeId, invoice_id: InvoiceId, mortal: Mortal
) -> None:
    async with acquire(world.people.pool) as connection:
        open_minor = (await read_invoice(connection, invoice_id)).invoiced.open_minor
    if way is Paid.BANK:
        sums = [open_minor]
    elif way is Paid.BANK_IN_PARTS:
        first = rng.randrange(1, open_minor)
        sums = [first, open_minor - first]
    else:
        sums = []
    for amount in sums:
        world.engine.run(partial(_sends, customer=str(customer), amount=amount))
        await world.work(mortal)
        world.engine.move(3_600)
    if way is Paid.DECLINED_FIRST:
        world.engine.move(DAY_S)
        await world.work(mortal)


async def _fetched(world: World, invoice_id: InvoiceId) -> None:
    """What is paid is signed for at the dock."""
    now_us = world.now_us()
    async with transaction(world.people.pool) as connection:
        held = await hold_invoice(connection, invoice_id)
        policy = await policy_at(connection, "USD", held.invoiced.issued_at_us)
        calendar = await calendar_of(connection, held.invoiced)
        assert policy is not None
        for row in list(held.awards.values()):
            if row.state is AwardState.FUNDED:
                step = handed_over(row, policy, calendar, {}, "dock", now_us)
                await write(connection, held, step, now_us)
                held = after(held, step)
