"""The sweep: finds what nobody rings for, and rings. It decides nothing itself.

An invoice always has an operation that waits, or rests; a try's payment is looked at while it is
open, since an event may be lost; so is the cash of buyers that owe by bank. What is found is wanted
under a number of its time, so that two sweeps of a time ring once.
"""

from typing import Final

from foundation.database import AnyConnection
from settlement.operations import HOUR_US, SECOND_US, Again, Deadline, Operation
from settlement.steps import Wanted, want

EVERY_US: Final = 300 * SECOND_US
# An open payment that nobody has looked at for so long.
UNSEEN_US: Final = 900 * SECOND_US
CASH_EVERY_US: Final = HOUR_US
DISPUTES_EVERY_US: Final = 6 * HOUR_US
# At once; the rest is found by the next one.
MOST: Final = 500

# Who waits for a deadline, a call or a person is not forgotten.
_FORGOTTEN: Final = """
select invoice_id, payment, due_at_us, (
    select customer_id from buyer_customer c where c.buyer_id = i.buyer_id
) as customer_id
from invoice i
where payment not in ('PAID', 'DEFAULTED', 'REFUNDED', 'DISPUTED') and not exists (
    select from settlement_op o where o.subject = i.invoice_id and o.state in ('WAITING', 'HELD')
)
order by due_at_us limit $1
"""
_UNSEEN: Final = """
select invoice_id, number, payment_id from payment_try
where state not in ('CAPTURED', 'CANCELLED') and payment_id is not null and changed_at_us < $1
order by changed_at_us limit $2
"""
_OWE_BY_BANK: Final = """
select distinct c.customer_id from invoice i join buyer_customer c using (buyer_id)
where i.payment in ('AWAITING_FUNDS', 'PARTLY_FUNDED', 'OVERDUE') and c.customer_id is not null
limit $1
"""
_DISPUTED: Final = "select dispute_id from payment_dispute where ended_at_us is null limit $1"

# To be wanted once by whoever starts a worker: it comes again by itself.
SWEEP: Final = Wanted(operation="sweep_payments", subject="payments")


class Sweep(Deadline):
    """Operation ``sweep_payments``."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again:
        """See `operations.Handler`."""
        await want(connection, await found(connection, now_us), now_us)
        return Again(now_us + EVERY_US)


async def found(connection: AnyConnection, now_us: int) -> list[Wanted]:
    """What is to be rung for now."""
    turn, cash, disputes = (
        now_us // every_us for every_us in (EVERY_US, CASH_EVERY_US, DISPUTES_EVERY_US)
    )
    wanted = []
    for row in await connection.fetch(_FORGOTTEN, MOST):
        arguments = {}
        operation = "overdue" if now_us >= row["due_at_us"] else "collect"
        if row["payment"] == "OVERDUE":
            operation, arguments = "void", {"customer_id": row["customer_id"]}
        wanted.append(_wanted(operation, row["invoice_id"], turn, arguments))
    for row in await connection.fetch(_UNSEEN, now_us - UNSEEN_US, MOST):
        arguments = {
            "payment_id": row["payment_id"],
            "invoice_id": row["invoice_id"],
            "try": row["number"],
        }
        subject = row["payment_id"]
        wanted.append(_wanted("read_payment", subject, turn, arguments))
    for row in await connection.fetch(_OWE_BY_BANK, MOST):
        customer_id = row["customer_id"]
        arguments = {"customer_id": customer_id}
        wanted.append(_wanted("look_for_cash", customer_id, cash, arguments))
    for row in await connection.fetch(_DISPUTED, MOST):
        dispute_id = row["dispute_id"]
        arguments = {"dispute_id": dispute_id}
        wanted.append(_wanted("read_dispute", dispute_id, disputes, arguments))
    return wanted


def _wanted(operation: str, subject: str, generation: int, arguments: dict[str, object]) -> Wanted:
    return Wanted(operation=operation, subject=subject, generation=generation, arguments=arguments)
