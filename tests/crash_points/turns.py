"""What may come between in a life: people who change their minds, banks, and long nights.

A turn is played beside how the buyer pays. It says what a life that it came into should come to.
"""

import asyncio
from random import Random
from typing import Any, Final

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import acquire, transaction
from settlement.chart import buyer_credit
from settlement.claiming.figures import Before, formula_of
from settlement.claims import ClaimedLine, Reason, Threshold
from settlement.entries import About, AwardMoney
from settlement.ids import AwardId
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.operations import LEASE_US, SECOND_US, Handler, Operation
from settlement.payouts.platform import PlatformPayouts
from settlement.payouts.words import PayoutRefused
from settlement.policy import ThresholdPays
from settlement.postings import claim_after_release
from settlement.rows import Held
from settlement.stripe_simulator.faults import Fault, Trouble
from settlement.stripe_simulator.work import Work
from tests.books import NORTH
from tests.catalogue import a_line
from tests.crash_points.books import Expected
from tests.crash_points.course import HOUR_S, Course
from tests.crash_points.giving_back import first_line, goes_back, refund, tenths
from tests.settling import asks_seller

STAFF: Final = Actor(PersonId("person-owner"), "198.51.100.9")


class Turn:
    """Nothing comes between. Each method is called at its time of a life."""

    card = "pm_card_visa"
    # Of the webhooks.
    lost_per_mille = 100
    late_by_s = 900

    def hammers(self, rng: Random, least: int, most: int, lots: int) -> list[int]:
        """The prices."""
        return [rng.randrange(least, most) for _ in range(lots)]

    async def issued(self, course: Course) -> None:
        """The invoice is written, and nobody has looked at it."""

    async def paid(self, course: Course) -> None:
        """The buyer has paid, or not."""

    async def fetched(self, course: Course) -> None:
        """The goods were signed for."""

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        """What the life should come to, if it is not what it would without this."""


class DisputeWon(Turn):
    """The bank has the money back until the buyer's days to claim are long over."""

    async def paid(self, course: Course) -> None:
        course.facts["dispute"] = course.disputes()
        await course.work()
        await course.passes(hours=2)

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=2)
        course.decides(course.facts["dispute"], won=True)
        await course.passes(hours=2)


class DisputeLost(DisputeWon):
    """The bank keeps the money before the goods are handed over."""

    async def paid(self, course: Course) -> None:
        await super().paid(course)
        course.decides(course.facts["dispute"], won=False)
        await course.passes(hours=2)

    async def fetched(self, course: Course) -> None:
        """Nothing is left to be fetched."""

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        expected.payment, expected.award = PaymentState.REFUNDED, AwardState.VOID
        expected.credited_minor, expected.paid_minor = expected.got_minor, 0
        expected.sent_minor = dict.fromkeys(expected.sent_minor, 0)


class DisputeAtOnce(DisputeWon):
    """The bank takes the money back in the moment in which it was captured."""

    card = "pm_card_createDispute"
    late_by_s = 0

    async def issued(self, course: Course) -> None:
        """The webhooks are here before the answer."""
        lost = Fault(Trouble.LOST_ANSWER, "POST /v1/payment_intents/*/capture", times=6)
        course.world.engine.faults.add(lost)

    async def paid(self, course: Course) -> None:
        course.facts["dispute"] = next(
            row["id"]
            for row in course.world.people.rows("dispute")
            if row["charge"]
            in {
                charge["id"]
                for charge in course.world.people.rows("charge")
                if charge["customer"] == course.customer
            }
        )
        await course.passes(hours=2)


class SameHammers(Turn):
    """All lots cost the same."""

    def hammers(self, rng: Random, least: int, most: int, lots: int) -> list[int]:
        return [rng.randrange(least, most)] * lots


class Deaf(Turn):
    """No webhook ever comes."""

    lost_per_mille = 1_000


class Claimed(Turn):
    """One of ten pieces of a lot is missing, and credited by the formula before the release."""

    async def fetched(self, course: Course) -> None:
        line = first_line(await course.held())
        threshold = Threshold(0, ThresholdPays.FULL)
        missing = ClaimedLine(line=1, reason=Reason.MISSING, quantity=1, loss_bps=10_000)
        back = formula_of(line, [a_line(1, quantity=10)], [missing], threshold, Before())
        await course.wants(refund(course, line, back, "CLAIM"))
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        hammer = (line.hammer_minor + 5) // 10
        premium = (line.premium_minor + 5) // 10
        # 8.25 % on what remains.
        remains = line.hammer_minor - hammer + line.premium_minor - premium
        tax = line.tax_minor - (remains * 825 + 5_000) // 10_000
        goes_back(expected, line, hammer, hammer + premium + tax)


class RefundedTwice(Turn):
    """Two people give back six tenths of the same lot: the second is too much."""

    async def paid(self, course: Course) -> None:
        line = first_line(await course.held())
        back = tenths(line, 6)
        await course.wants(refund(course, line, back, "CANCELLED"))
        await course.wants(refund(course, line, back, "CANCELLED", number=2))
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        back = tenths(line, 6)
        goes_back(expected, line, back.hammer_minor, back.total_minor)
        expected.person = ["refund"]


class SlowWorker(Turn):
    """Who gives money back falls asleep, and wakes when another has done it."""

    async def paid(self, course: Course) -> None:
        line = first_line(await course.held())
        await course.wants(refund(course, line, tenths(line, 2), "CANCELLED"))
        nap = _Nap()
        asleep = asyncio.create_task(course.world.once(nap.takes))
        await nap.began.wait()
        course.world.engine.move(LEASE_US // SECOND_US + 1)
        await course.work()
        nap.over.set()
        await asleep
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        back = tenths(line, 2)
        goes_back(expected, line, back.hammer_minor, back.total_minor)


class _Nap:
    """A handler that sleeps between its claim and its transaction."""

    def __init__(self) -> None:
        self.began, self.over = asyncio.Event(), asyncio.Event()

    def takes(self, handlers: dict[str, Handler]) -> None:
        self._awake = handlers["refund"]
        handlers["refund"] = self

    async def call(self, op: Operation) -> object:
        self.began.set()
        await self.over.wait()
        return await self._awake.call(op)

    async def settle(self, connection: Any, op: Operation, answer: object, now_us: int) -> Any:
        return await self._awake.settle(connection, op, answer, now_us)


class LongNight(Turn):
    """Stripe sends the money and its answers are lost; the house is dark for more than a day."""

    async def fetched(self, course: Course) -> None:
        await course.passes(hours=6)
        course.world.engine.faults.clear()
        lost = Fault(Trouble.LOST_ANSWER, "POST /v1/transfers", times=100)
        course.world.engine.faults.add(lost)
        course.world.engine.move(6 * 24 * HOUR_S)
        await course.world.once()
        course.world.engine.faults.clear()
        course.world.engine.move(26 * HOUR_S)
        await course.work()


class NoTransfersYet(Turn):
    """Stripe refuses the seller's transfers for some days, and nobody was told why."""

    async def fetched(self, course: Course) -> None:
        _transfers(course, "inactive")
        for _ in range(6):
            await course.passes(days=1)
        rows = await course.world.rows(
            "select facts ->> 'code' as code from story_line where kind = 'transfer_refused'"
        )
        if not any(row["code"].startswith("insufficient_capabilities") for row in rows):
            course.watch.found["nobody was told why Stripe refuses the transfers"] = None
        _transfers(course, "active")


class Moved(Turn):
    """The seller changes where it is paid while its money comes due."""

    async def fetched(self, course: Course) -> None:
        for _ in range(6):
            async with acquire(course.world.people.pool) as connection:
                await connection.execute(
                    "update payee set changed_at_us = $1", course.world.now_us()
                )
            course.watch.changed_s.append(course.world.engine.now)
            await course.passes(days=1)


class Owes(Turn):
    """The seller owes for a claim of an earlier lot, whose buyer has its credit here."""

    OWED: Final = 4_321

    async def issued(self, course: Course) -> None:
        about = About(subject=f"earlier-{course.seed}", at_us=course.world.now_us(), currency="USD")
        back = AwardMoney(award_id=AwardId("earlier~1"), hammer_minor=self.OWED)
        of = buyer_credit(_EARLIER)
        async with transaction(course.world.people.pool) as connection:
            await post(connection, [claim_after_release(about, NORTH, back, 0, of)])

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        expected.netted_minor = self.OWED


class Greedy(Turn):
    """Staff want half of what was captured paid out to the house, which has earned none of it."""

    async def paid(self, course: Course) -> None:
        await course.passes(days=3)
        people = course.world.people
        payouts = PlatformPayouts(people.pool, people.gateway, people.now_us, lambda: None)
        course.world.engine.faults.clear()
        await payouts.set_manual()
        half = (await course.held()).invoiced.invoice.total_minor // 2
        try:
            await payouts.ask(STAFF, "USD", half)
        except PayoutRefused as refused:
            course.facts["refused"] = refused.refusal
        await course.work()


class SellerAsked(Turn):
    """The seller is asked before the money is taken, and the house is dark until it is gone."""

    async def issued(self, course: Course) -> None:
        async with transaction(course.world.people.pool) as connection:
            await asks_seller(connection, course.invoice_id, course.world.now_us())

    async def paid(self, course: Course) -> None:
        course.world.engine.move(8 * 24 * HOUR_S)
        await course.work()
        await course.passes(days=2)


_EARLIER: Any = "earlier-buyer"


def _transfers(course: Course, standing: str) -> None:
    """Without an event, as when it got lost."""
    accounts = [row["id"] for row in course.world.people.rows("account")]

    def change(work: Work) -> None:
        for name in accounts:
            account = work.edit("account", name)
            account["capabilities"] = account["capabilities"] | {"transfers": standing}

    course.world.engine.run(change)
