"""What may come after a payment: banks that ask, take and give back, people who want it back, and
money that comes back from where it was sent. Beside the turns of ``turns``."""

from functools import partial
from typing import Final

from auction.ids import LiquidatorId
from foundation.database import transaction
from settlement.after_default.cancelling import Cancelling
from settlement.claiming.claim_table import (
    Claim,
    add_claim,
    claim_id_of,
    credit_row,
    read_claim,
    write_commission,
    write_decision,
)
from settlement.claiming.refunding import refund_wanted
from settlement.claiming.words import ClaimState, FiledLine
from settlement.claims import Reason
from settlement.ids import TaxPlace
from settlement.lives import AwardState, PaymentState
from settlement.payments.dispute_words import Fault as Blame
from settlement.payments.handlers_dispute import DisputeRefused, set_fault
from settlement.payouts.platform import PlatformPayouts
from settlement.rows import Held
from settlement.stripe_simulator import payouts
from settlement.stripe_simulator.faults import Fault, Trouble
from settlement.stripe_simulator.work import Work
from tests.crash_points.books import Expected, sellers_part
from tests.crash_points.course import Course
from tests.crash_points.giving_back import first_line, goes_back, refund, tenths
from tests.crash_points.turns import STAFF, DisputeWon, Turn

# What a seller pays for a sale that it takes back: a fifth, and 100.00 at least.
CANCELLED_LEAST_MINOR: Final = 100_00
SELLER: Final = LiquidatorId("north")


class Inquiry(Turn):
    """The bank only asks, and nothing comes of it."""

    async def paid(self, course: Course) -> None:
        course.facts["dispute"] = course.disputes(inquiry=True)
        await course.work()

    async def fetched(self, course: Course) -> None:
        await course.passes(days=1)
        course.decides(course.facts["dispute"], won=course.rng.random() < 0.5)


class DisputeWithdrawn(Turn):
    """The buyer thinks better of it before anybody has heard of it: all events come at once."""

    async def paid(self, course: Course) -> None:
        course.decides(course.disputes(), won=True)
        await course.passes(hours=2)


class DisputeLostAtHome(DisputeWon):
    """The goods are with the buyer when the bank keeps the money, and nothing was released."""

    async def paid(self, course: Course) -> None:
        """It begins later."""

    async def fetched(self, course: Course) -> None:
        dispute = course.disputes()
        await course.passes(hours=2)
        course.decides(dispute, won=False)
        await course.passes(hours=2)

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        expected.payment = PaymentState.REFUNDED
        expected.credited_minor, expected.paid_minor = expected.got_minor, 0
        expected.sent_minor = dict.fromkeys(expected.sent_minor, 0)


class DisputeLostLater(Turn):
    """The seller was paid long ago when the bank takes the money back and keeps it."""

    fault: Blame | None = None

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=3)
        dispute = course.disputes()
        await course.passes(hours=2)
        for _ in range(4):
            if self.fault is None or await _blamed(course, dispute, self.fault):
                break
            await course.passes(days=1)
        course.decides(dispute, won=False)
        await course.passes(hours=2)

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        expected.payment = PaymentState.REFUNDED
        expected.credited_minor, expected.paid_minor = expected.got_minor, 0
        if self.fault is Blame.SELLER:
            expected.late_minor = sum(expected.sent_minor.values())
            expected.sent_minor = dict.fromkeys(expected.sent_minor, 0)


class SellersFault(DisputeLostLater):
    """Staff say that the seller has misdescribed the goods."""

    fault = Blame.SELLER


class PartDisputed(DisputeLostLater):
    """The bank takes a third of what was paid and keeps it; the house bears it."""

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=3)
        dispute = course.disputes(self._part(await course.held()))
        await course.passes(hours=2)
        course.decides(dispute, won=False)
        await course.passes(hours=2)

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        part = self._part(held)
        expected.paid_minor -= part
        expected.credited_minor += part

    def _part(self, held: Held) -> int:
        return held.invoiced.invoice.total_minor // 3


class Refunded(Turn):
    """Staff give a part of a lot's price back."""

    async def paid(self, course: Course) -> None:
        course.facts["tenths"] = course.rng.randrange(1, 10)
        line = first_line(await course.held())
        back = tenths(line, course.facts["tenths"])
        await course.wants(refund(course, line, back, "CANCELLED"))
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        back = tenths(line, course.facts["tenths"])
        goes_back(expected, line, back.hammer_minor, back.total_minor)


class RefundLost(Refunded):
    """Stripe gives the money back, and nobody hears of it."""

    async def paid(self, course: Course) -> None:
        lost = Fault(Trouble.LOST_ANSWER, "POST /v1/refunds", times=3)
        course.world.engine.faults.add(lost)
        await super().paid(course)


class RefundedThenDisputed(Refunded):
    """What was left of the payment is disputed, and won while the goods are on the way."""

    async def paid(self, course: Course) -> None:
        await super().paid(course)
        await course.passes(hours=2)
        dispute = course.disputes()
        await course.passes(hours=2)
        course.decides(dispute, won=True)
        await course.passes(hours=2)
        for _ in range(3):  # its end may have been told to nobody
            await course.passes(hours=12)


class RefundReturned(Refunded):
    """The buyer's card is gone when its money comes back: it is the buyer's credit."""

    card = "pm_card_refundFail"

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        super().expected(course, held, expected)
        back_minor = tenths(first_line(held), course.facts["tenths"]).total_minor
        expected.got_minor += back_minor
        expected.credit_minor = back_minor


class Cancelled(Turn):
    """The house takes back the sale of a lot that is paid."""

    by_seller = False

    async def paid(self, course: Course) -> None:
        line = first_line(await course.held())
        world = course.world
        cancelling = Cancelling(world.people.pool, world.now_us)
        if self.by_seller:
            await cancelling.by_seller(SELLER, line.award_id, "Sold twice.", STAFF)
        else:
            await cancelling.by_house(line.award_id, "Recalled.", STAFF)
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        goes_back(expected, line, line.hammer_minor, line.total_minor)
        expected.awards[str(line.award_id)] = AwardState.CANCELLED
        if self.by_seller:
            fifth = (line.hammer_minor * 2 + 5) // 10
            expected.netted_minor = max(CANCELLED_LEAST_MINOR, fifth)


class CancelledBySeller(Cancelled):
    """The seller takes it back, for a fee."""

    by_seller = True


class ClaimedLater(Turn):
    """Staff grant a claim of a fifth of a lot whose seller was paid long ago."""

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=3)
        held = await course.held()
        line = first_line(held)
        back = tenths(line, 2)
        claim = _claim(course, held)
        given_up = _commission(line.hammer_minor) - _commission(
            line.hammer_minor - back.hammer_minor
        )
        place = TaxPlace(line.tax.tax_place)
        async with transaction(course.world.people.pool) as connection:
            now_us, credit = course.world.now_us(), credit_row(back, place)
            await add_claim(connection, claim)
            await write_decision(
                connection, claim.claim_id, ClaimState.CREDITING, (), credit, credit, "It is so.",
                "person-owner", now_us,
            )  # fmt: skip
            await write_commission(connection, claim.claim_id, given_up)
            decided = await read_claim(connection, claim.claim_id)
        await course.wants(refund_wanted(decided, given_up))
        await course.work()

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        line = first_line(held)
        back = tenths(line, 2)
        before = expected.sent_minor[str(line.award_id)]
        goes_back(expected, line, back.hammer_minor, back.total_minor)
        expected.late_minor = before - expected.sent_minor[str(line.award_id)]


class ReversalLost(ClaimedLater):
    """Stripe takes the seller's part back, and nobody hears of it."""

    async def fetched(self, course: Course) -> None:
        lost = Fault(Trouble.LOST_ANSWER, "POST /v1/transfers/*/reversals", times=3)
        course.world.engine.faults.add(lost)
        await super().fetched(course)


class PayoutReturned(Turn):
    """The house is paid out what it has earned, and its bank sends the money back."""

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=3)
        world, people = course.world, course.world.people
        weather = world.engine.faults._weather
        world.engine.faults.clear()  # what people do is no part of this
        house = PlatformPayouts(people.pool, people.gateway, people.now_us, lambda: None)
        await house.set_manual()
        proposal = await house.propose("USD")
        before = {row["id"] for row in people.rows("payout")}
        if proposal.proposed_minor:
            await house.ask(STAFF, "USD", proposal.proposed_minor)
        if weather is not None:
            world.engine.faults.set_weather(weather)
        await course.work()
        await course.passes(days=course.rng.choice((0, 4)), hours=1)
        for row in people.rows("payout"):
            if row["id"] not in before and (row["metadata"] or {}).get("payout"):
                world.engine.run(partial(_returned, payout_id=row["id"]))
        await course.work()


async def _blamed(course: Course, dispute_id: str, fault: Blame) -> bool:
    """Whether staff could say so: who has not heard of a dispute cannot."""
    try:
        async with transaction(course.world.people.pool) as connection:
            await set_fault(connection, dispute_id, fault, STAFF, course.world.now_us())
    except DisputeRefused:
        return False
    return True


def _commission(hammer_minor: int) -> int:
    return hammer_minor - sellers_part(hammer_minor)


def _claim(course: Course, held: Held) -> Claim:
    line, row, now_us = first_line(held), held.invoiced, course.world.now_us()
    return Claim(
        claim_id=claim_id_of(line.award_id, 1),
        award_id=line.award_id,
        number=1,
        invoice_id=course.invoice_id,
        buyer_id=row.invoice.buyer_id,
        liquidator_id=row.liquidator_id,
        currency="USD",
        state=ClaimState.FILED,
        late=True,
        after_release=True,
        words="Two of ten are missing.",
        filed_at_us=now_us,
        filed_by="person-owner",
        lines=(FiledLine(line=1, reason=Reason.MISSING, quantity=2),),
        granted=None,
        formula=None,
        credit=None,
        commission_minor=0,
        why="",
        decided_at_us=None,
        decided_by=None,
        agreed_by=None,
        refund_id=None,
        credited_at_us=None,
        changed_at_us=now_us,
        version=1,
    )


def _returned(work: Work, *, payout_id: str) -> None:
    payouts.fail(work, payout_id, "account_closed")
