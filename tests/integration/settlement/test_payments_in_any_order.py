"""Whatever happens in whatever order, money is taken once, and the books are Stripe's.

A run is made by a seed: cards that decline or ask, transfers of any amount, refunds, disputes,
lost answers; events that come late, early, in another order, or only in the end. Then all that was
missed is heard, time passes, and what stands is compared with the simulator.
"""

import random
from collections import Counter
from contextlib import suppress

import pytest

from foundation.database import acquire, transaction
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.payment_objects import Event
from settlement.payments.asking import PayRefused, choose_way, collect_now
from settlement.payments.payers import TablePayers
from settlement.payments.sweep import SWEEP
from settlement.payments.words import Way
from settlement.steps import Wanted, want
from settlement.stripe_simulator import Trouble, cash_balances, disputes
from settlement.stripe_simulator.confirming import authenticated
from settlement.stripe_simulator.faults import Weather
from settlement.stripe_simulator.problems import Refused
from tests.settling import Settling, settling

SEEDS = (*range(10), 85)
STEPS = 30
CARDS = (
    "pm_card_visa",
    "pm_card_authenticationRequired",
    "pm_card_chargeCustomerFail",
    "pm_card_createDispute",
    "pm_card_refundFail",
    None,
)
# No stored errors: they end only after a day, which other tests wait for.
TROUBLES = {Trouble.LOST_ANSWER: 30, Trouble.NO_EFFECT: 30, Trouble.CONFLICT: 20}
ENDED = (PaymentState.PAID, PaymentState.DEFAULTED, PaymentState.REFUNDED, PaymentState.DISPUTED)


class Run:
    """A buyer with some invoices, to whom things happen."""

    def __init__(self, room: Settling, seed: int) -> None:
        self.room, self.chance = room, random.Random(seed)
        self.customer_id, self.refunds = StripeId(""), 0
        self.invoices: list[InvoiceId] = []

    async def begins(self) -> None:
        """A buyer wins some lots."""
        chance = self.chance
        self.customer_id = await self.room.buyer(
            chance.choice(CARDS), debit=chance.choice((None, "pm_usBankAccount_success"))
        )
        for sale in range(chance.randint(1, 2)):
            hammers = [chance.randint(50_00, 900_00) for _ in range(chance.randint(1, 3))]
            self.invoices.append(await self.room.invoice(*hammers, sale_id=f"S{sale + 1}"))
        weather = Weather(chance.randrange(1_000), TROUBLES, "*")
        self.room.engine.faults.set_weather(weather)

    async def goes_on(self) -> None:
        """Something happens."""
        await self.chance.choice(
            (
                self.room.drain,
                self.passes,
                self.passes,
                self.hears,
                self.hears,
                self.transfers,
                self.answers,
                self.saves,
                self.chooses,
                self.refunded,
                self.disputed,
                self.decided,
            )
        )()

    async def passes(self) -> None:
        self.room.engine.move(self.chance.choice((5, 400, 7_200, 40_000)))
        await self.room.drain()

    async def hears(self) -> None:
        """Some events, in any order; the others later."""

        def some(events: list[Event]) -> None:
            self.chance.shuffle(events)
            del events[self.chance.randint(0, len(events)) :]

        await self.room.hears(shuffled=some)

    async def transfers(self) -> None:
        amount_minor = self.chance.randint(1, 1_500_00)
        self.room.engine.run(
            lambda work: cash_balances.fund(work, self.customer_id, amount_minor, "usd", None)
        )

    async def answers(self) -> None:
        """The buyer answers its bank."""
        for intent in self.room.rows("payment_intent"):
            if (intent["next_action"] or {}).get("type") == "use_stripe_sdk" or (
                intent["status"] == "requires_action"
                and "redirect_to_url" in str(intent["next_action"])
            ):
                won = self.chance.random() < 0.7
                self._tell(lambda work, i=intent["id"], w=won: authenticated(work, i, succeeded=w))

    async def saves(self) -> None:
        """The buyer saves another card, and the page asks for it to be used."""
        fair, self.room.engine.faults._weather = self.room.engine.faults._weather, None
        await self.room.saves(self.customer_id, self.chance.choice(CARDS[:2]))
        self.room.engine.faults._weather = fair
        async with transaction(self.room.pool) as connection:
            invoice_id = self.chance.choice(self.invoices)
            await collect_now(connection, invoice_id, TablePayers(), self.room.now_us())

    async def chooses(self) -> None:
        with suppress(PayRefused):
            async with transaction(self.room.pool) as connection:
                await choose_way(
                    connection,
                    self.chance.choice(self.invoices),
                    self.chance.choice(list(Way)),
                    TablePayers(),
                    self.room.now_us(),
                )

    async def refunded(self) -> None:
        """Staff give back a part of a lot."""
        invoice_id = self.chance.choice(self.invoices)
        held = await self.room.held(invoice_id)
        award_id = self.chance.choice(sorted(held.awards))
        self.refunds += 1
        arguments = {
            "invoice_id": invoice_id,
            "award_id": award_id,
            "amount_minor": self.chance.randint(1, 300_00),
            "reason": "CANCELLED",
        }
        wanted = Wanted(
            operation="refund", subject="R", generation=self.refunds, arguments=arguments
        )
        async with transaction(self.room.pool) as connection:
            await want(connection, [wanted], self.room.now_us())

    async def disputed(self) -> None:
        # Of transfers nobody's bank takes anything back.
        charges = [
            row["id"]
            for row in self.room.rows("charge")
            if row["captured"] and row["id"].startswith("ch_")
        ]
        if charges and self.chance.random() < 0.5:
            charge = self.chance.choice(charges)
            self._tell(
                lambda work: disputes.opened(work, charge, "fraudulent", None, inquiry=False)
            )

    async def decided(self) -> None:
        for row in self.room.rows("dispute"):
            won = self.chance.random() < 0.5
            self._tell(lambda work, i=row["id"], w=won: disputes.decided(work, i, won=w))

    def _tell(self, do: object) -> None:
        with suppress(Refused):  # it may be too late for that
            self.room.engine.run(do)  # type: ignore[arg-type]

    async def ends(self) -> None:
        """The weather clears; everything is heard, and all deadlines come."""
        self.room.engine.faults.clear()
        async with transaction(self.room.pool) as connection:
            await want(connection, [SWEEP], self.room.now_us())
        for _ in range(12):
            await self.room.hears()
            await self.room.patiently(3)
            await self.room.moves(hours=13)
        await self.room.hears()


@pytest.mark.parametrize("seed", SEEDS)
async def test_money_is_taken_once_and_the_books_are_stripes(seed: int, database_url: str) -> None:
    await lived(seed, database_url)


async def lived(seed: int, database_url: str) -> None:
    """A run, and what stands after it."""
    async with settling(database_url) as room:
        run = Run(room, seed)
        await run.begins()
        for _ in range(STEPS):
            await run.goes_on()
        await run.ends()
        await _agrees(run)


async def _agrees(run: Run) -> None:
    room = run.room
    balances = await room.balances()
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    async with acquire(room.pool) as connection:
        charges = await connection.fetch("select charge_id, amount_minor from payment_charge")
        rows = await connection.fetch(
            "select invoice_id, sum(amount_minor)::bigint as asked from money_back "
            "where state = 'ASKED' group by invoice_id"
        )
        held = await connection.fetch(
            "select operation, note from settlement_op where state = 'HELD'"
        )
    assert {row["charge_id"]: row["amount_minor"] for row in charges} == {
        row["id"]: row["amount_captured"] for row in room.rows("charge") if row["captured"]
    }
    assert {row["operation"] for row in held} <= {"refund", "refund_charge", "look"}, held
    asked = Counter({row["invoice_id"]: row["asked"] for row in rows})
    for invoice_id in run.invoices:
        its = await room.held(invoice_id)
        row = its.invoiced
        assert row.payment in ENDED, row.payment
        # A refund that waits for a dispute is credited, and in no books yet.
        assert row.invoice.total_minor - row.credited_minor - row.paid_minor == -asked[invoice_id]
        for award_id, award in its.awards.items():
            if award.state is AwardState.VOID and award.funded_at_us is None:
                assert f"held:{award_id}" not in balances
            assert award.state is not AwardState.INVOICED
    if not any(row["state"] == "OPEN" for row in room.rows("dispute") if "state" in row):
        assert balances.get("buyer_credit:buyer", 0) >= 0
