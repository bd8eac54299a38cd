"""What is done for buyers at the payment provider besides their pages.

Who has a customer, or has saved something to pay with, may have invoices that wait for just that:
they are collected at once.
"""

from collections.abc import Mapping
from typing import Final

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.buyers import Buyers
from settlement.ids import InvoiceId, StripeId
from settlement.operations import Again, Deadline, Handler, NeedsPerson, Operation, Refused
from settlement.payments.asking import collect_now
from settlement.payments.payers import TablePayers
from settlement.ports import PaymentProvider
from settlement.rows import hold_invoice

# Of one buyer; the rest is found by the sweep of payments.
MOST: Final = 100

_DUE: Final = f"""
select invoice_id from invoice where buyer_id = $1 and payment = 'DUE'
order by due_at_us, invoice_id limit {MOST}
"""  # noqa: S608 - a constant of ours


async def collect_all(connection: AnyConnection, buyer_id: BidderId, now_us: int) -> None:
    """Collect what the buyer owes and has not begun to pay, in the caller's transaction.

    All invoices are held, by their ids, before the buyer's credit is: whoever else pays one of
    them holds it first and the credit then, and would wait for us as we for it.
    """
    due = [InvoiceId(row["invoice_id"]) for row in await connection.fetch(_DUE, buyer_id)]
    for invoice_id in sorted(due):
        await hold_invoice(connection, invoice_id)
    for invoice_id in due:
        await collect_now(connection, invoice_id, TablePayers(), now_us)


class CustomerHandler:
    """The operation ``customer``: a buyer gets its customer before anybody has to wait for it."""

    def __init__(self, buyers: Buyers) -> None:
        self._buyers = buyers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await self._buyers.ensure_customer(BidderId(op.subject))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"the payment provider takes no customer: {answer}")
        await collect_all(connection, BidderId(op.subject), now_us)
        return None


class MethodSavedHandler(Deadline):
    """The operation ``method_saved``: what is due is asked of it."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        await collect_all(connection, BidderId(op.arguments["buyer_id"]), now_us)
        return None


class DetachHandler:
    """The operation ``detach``: the provider forgets what a buyer has removed."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await self._provider.detach_method(op.idempotency_key, StripeId(op.subject))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`. Refused: it is not attached any more, as was wanted."""
        return None


def buyer_operations(buyers: Buyers, provider: PaymentProvider) -> Mapping[str, Handler]:
    """The kinds of operations of buyers, for the worker."""
    return {
        "customer": CustomerHandler(buyers),
        "detach": DetachHandler(provider),
        "method_saved": MethodSavedHandler(),
    }
