"""The operation "begin": an invoice was issued, and its money is asked for.

First its buyer gets an account at the payment provider, if it never saved anything there: without
one nobody can tell it where to send money to. Then the invoice is collected. Where the provider
says no, it is collected all the same, from credit or not at all, and its page says what is missing.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire
from settlement.ids import InvoiceId, StripeId
from settlement.operations import Operation
from settlement.rows import read_invoice
from settlement.steps import Wanted, want

# Makes a buyer's account at the provider, or finds it; in no transaction.
EnsureCustomer: TypeAlias = Callable[[BidderId], Awaitable[StripeId]]

BEGIN = "begin"


class BeginHandler:
    """``ensure`` None: there is no payment provider, and nobody is asked."""

    def __init__(self, pool: Pool, ensure: EnsureCustomer | None) -> None:
        self._pool, self._ensure = pool, ensure

    async def call(self, op: Operation) -> None:
        """See `Handler`. Raises as the provider does."""
        if self._ensure is None:
            return
        async with acquire(self._pool) as connection:
            held = await read_invoice(connection, InvoiceId(op.subject))
        await self._ensure(held.invoiced.invoice.buyer_id)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        await want(connection, [Wanted(operation="collect", subject=op.subject)], now_us)
