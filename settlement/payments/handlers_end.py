"""Operations of deadlines: an invoice is overdue, and what it lacks is given up."""

from collections.abc import Sequence

from foundation.database import AnyConnection
from settlement.ids import InvoiceId, StripeId
from settlement.operations import Again, Deadline, NeedsPerson, Operation
from settlement.payment_objects import CashMovement
from settlement.payments import decisions_end
from settlement.payments.arrivals import arriving, taken_note_of
from settlement.payments.handlers_bank import movements_of
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.ports import PaymentProvider
from settlement.rows import hold_invoice


class Overdue(Deadline):
    """Operation ``overdue``: the due time of an invoice has come."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        held = await hold_invoice(connection, InvoiceId(op.subject))
        facts = await facts_of(connection, held, self._payers)
        decided = decisions_end.overdue(held, facts, now_us)
        await carry_out(connection, held, decided, now_us)
        return None if decided.again_at_us is None else Again(decided.again_at_us)


class Void:
    """Operation ``void``: what lacks is given up, after a look at what may still have come."""

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        customer_id = op.arguments.get("customer_id")
        if customer_id is None:
            return ()
        return await movements_of(self._provider, StripeId(customer_id))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if not isinstance(answer, tuple):
            raise NeedsPerson(f"the buyer's transfers cannot be read: {answer}")
        movements: Sequence[CashMovement] = answer
        held = await hold_invoice(connection, InvoiceId(op.subject))
        buyer_id = held.invoiced.invoice.buyer_id
        await taken_note_of(connection, movements, buyer_id, now_us)
        on_the_way = await arriving(connection, buyer_id, held.invoiced.invoice.currency)
        facts = await facts_of(connection, held, self._payers)
        decided = decisions_end.void(held, facts, on_the_way, now_us)
        await carry_out(connection, held, decided, now_us)
        return None if decided.again_at_us is None else Again(decided.again_at_us)
