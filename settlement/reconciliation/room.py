"""All of the books in one object for pages and the API, and their operations for the worker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from foundation.database import Pool, acquire
from settlement.month.closing import Months
from settlement.operations import Handler
from settlement.ports import Books as ProvidersBooks
from settlement.reconciliation import intake, reconcile
from settlement.reconciliation.adjustments import Adjustments
from settlement.reconciliation.day import Days
from settlement.reconciliation.exceptions import Exceptions
from settlement.reconciliation.standing import Standing, ledger_sum_minor, standings
from settlement.reconciliation.wires import Wires
from settlement.steps import Wanted

# Wanted once, when the house starts: each comes again by itself.
FOR_EVER: Final[Sequence[Wanted]] = (intake.WANTED, reconcile.WANTED)


@dataclass(frozen=True)
class Books:
    """What pages and the API call."""

    pool: Pool
    exceptions: Exceptions
    adjustments: Adjustments
    wires: Wires
    days: Days
    months: Months

    @classmethod
    def over(
        cls, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> Self:
        """All of them."""
        return cls(
            pool=pool,
            exceptions=Exceptions(pool, now_us),
            adjustments=Adjustments(pool, now_us, ring),
            wires=Wires(pool, now_us, ring),
            days=Days(pool, now_us),
            months=Months(pool, now_us),
        )

    async def standings(self) -> Sequence[Standing]:
        """Every currency's books beside Stripe's, now."""
        async with acquire(self.pool) as connection:
            return await standings(connection)

    async def ledger_sum_minor(self, currency: str) -> int:
        """All debits less all credits: zero. Reads every balance."""
        async with acquire(self.pool) as connection:
            return await ledger_sum_minor(connection, currency)


def books_operations(pool: Pool, provider: ProvidersBooks) -> Mapping[str, Handler]:
    """The kinds of operations that reconciliation does."""
    return {
        intake.TAKE_IN: intake.TakingIn(pool, provider),
        reconcile.RECONCILE: reconcile.Reconciling(),
    }
