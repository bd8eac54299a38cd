"""The course of one life, and what people and banks do in it."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any, Final

from foundation.database import acquire, transaction
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState
from settlement.payments.asking import choose_way
from settlement.payments.payers import TablePayers
from settlement.payments.words import Way
from settlement.pickups.handing_over import handed_over
from settlement.policy_table import policy_at
from settlement.rows import Held, calendar_of, hold_invoice, read_invoice
from settlement.steps import Wanted, after, want, write
from settlement.stripe_simulator import cash_balances, disputes
from settlement.stripe_simulator.work import Work
from tests.crash_points.watch import Watch
from tests.crash_points.world import Mortal, World

DAY_S: Final = 86_400
HOUR_S: Final = 3_600


class Paid(StrEnum):
    """How the buyer pays."""

    CARD = "CARD"
    DECLINED_FIRST = "DECLINED_FIRST"
    BANK = "BANK"
    BANK_IN_PARTS = "BANK_IN_PARTS"
    DEBIT = "DEBIT"
    DEBIT_FAILS = "DEBIT_FAILS"
    DEBIT_TAKEN_BACK = "DEBIT_TAKEN_BACK"
    NEVER = "NEVER"
    # The rest is played where it is asked for.
    BANK_TOO_MUCH = "BANK_TOO_MUCH"
    BANK_TOO_LATE = "BANK_TOO_LATE"
    NEVER_CONFIRMED = "NEVER_CONFIRMED"


BY_BANK: Final = frozenset({Paid.BANK, Paid.BANK_IN_PARTS, Paid.BANK_TOO_MUCH, Paid.BANK_TOO_LATE})
UNPAID: Final = frozenset({Paid.NEVER, Paid.BANK_TOO_LATE, Paid.NEVER_CONFIRMED, Paid.DEBIT_FAILS})
# Test accounts: one pays, one fails after days, one pays and takes it back in the same moment.
DEBITS: Final = {
    Paid.DEBIT: "pm_usBankAccount_success",
    Paid.DEBIT_FAILS: "pm_usBankAccount_insufficientFunds",
    Paid.DEBIT_TAKEN_BACK: "pm_usBankAccount_dispute",
}
# What comes above what is owed, or after all is void.
OVER_MINOR: Final = 12_345
CARDS: Final = {
    Paid.NEVER: "pm_card_chargeCustomerFail",
    Paid.NEVER_CONFIRMED: "pm_card_authenticationRequired",
}


@dataclass
class Course:
    """An invoice of a buyer's, and all that is known of it by who plays its life."""

    world: World
    rng: Random
    seed: int
    way: Paid
    mortal: Mortal
    customer: StripeId
    invoice_id: InvoiceId
    watch: Watch
    facts: dict[str, Any] = field(default_factory=dict)

    async def work(self) -> None:
        """Until nothing is due soon."""
        await self.world.work(self.mortal)

    async def passes(self, *, days: int = 0, hours: int = 0) -> None:
        """Time passes, and what is due is done."""
        self.world.engine.move(days * DAY_S + hours * HOUR_S)
        await self.work()

    async def held(self) -> Held:
        """How it stands."""
        async with acquire(self.world.people.pool) as connection:
            return await read_invoice(connection, self.invoice_id)

    async def wants(self, wanted: Wanted) -> None:
        """Somebody puts it on the list."""
        async with transaction(self.world.people.pool) as connection:
            await want(connection, [wanted], self.world.now_us())

    async def debited(self) -> None:
        """The buyer pays by its bank account, whose bank answers after days."""
        async with transaction(self.world.people.pool) as connection:
            now_us = self.world.now_us()
            await choose_way(connection, self.invoice_id, Way.DEBIT, TablePayers(), now_us)
        await self.work()
        for _ in range(10):  # four until it is paid, five until that is taken back
            await self.passes(days=1)

    async def sends(self, amount_minor: int) -> None:
        """The buyer's bank sends so much, and time passes until it is seen."""
        customer = str(self.customer)
        self.world.engine.run(partial(_sends, customer=customer, amount=amount_minor))
        await self.work()
        self.world.engine.move(HOUR_S)

    async def fetched(self) -> None:
        """What is paid is signed for at the dock."""
        now_us = self.world.now_us()
        async with transaction(self.world.people.pool) as connection:
            held = await hold_invoice(connection, self.invoice_id)
            policy = await policy_at(connection, "USD", held.invoiced.issued_at_us)
            calendar = await calendar_of(connection, held.invoiced)
            assert policy is not None
            for row in list(held.awards.values()):
                if row.state is AwardState.FUNDED:
                    step = handed_over(row, policy, calendar, {}, "dock", now_us)
                    await write(connection, held, step, now_us)
                    held = after(held, step)
        self.watch.handed_over_s = self.world.engine.now

    def disputes(self, amount_minor: int | None = None, *, inquiry: bool = False) -> str:
        """The payer's bank takes the money back until it has decided, or only asks."""
        (charge,) = [
            row["id"]
            for row in self.world.people.rows("charge")
            if row["customer"] == self.customer and row["captured"]
        ]
        row = self.world.engine.run(
            lambda work: disputes.opened(work, charge, "fraudulent", amount_minor, inquiry=inquiry)
        )
        return str(row["id"])

    def decides(self, dispute_id: str, *, won: bool) -> None:
        """The payer's bank has decided."""
        self.world.engine.run(lambda work: disputes.decided(work, dispute_id, won=won))


def _sends(work: Work, *, customer: str, amount: int) -> None:
    cash_balances.fund(work, customer, amount, "usd", None)
