"""One step of settlement: what changes, what is to be done next, what is booked and told.

A step is made by a pure function of the rows, the facts and the time, and written here in one
transaction, whoever asked for it: a person, a deadline, Stripe's answer or its event. So there is
one place in which states change, and nothing is booked, ordered or told without the state that it
belongs to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from foundation.database import AnyConnection
from settlement.entries import Entry
from settlement.ids import AwardId, InvoiceId
from settlement.ledger import post
from settlement.lives import AWARD_LIFE, PAYMENT_LIFE, AwardState, PaymentState
from settlement.rows import Held
from settlement.story import Told, tell
from settlement.telling_sellers import tell_sellers


class Wanted(Struct, frozen=True, kw_only=True):
    """An operation that is to be done, once for its ``subject`` and ``generation``.

    ``due_at_us``: not before; None: now. ``arguments``: the facts that it needs, JSON values.
    """

    operation: str
    subject: str
    generation: int = 1
    due_at_us: int | None = None
    arguments: Mapping[str, Any] = {}

    @property
    def idempotency_key(self) -> str:
        """What Stripe knows it by."""
        return f"{self.operation}:{self.subject}:{self.generation}"


class Sums(Struct, frozen=True):
    """What is added to an invoice's totals; what goes back is negative. ``disputes``: to the number
    of those that are open."""

    paid_minor: int = 0
    credited_minor: int = 0
    disputes: int = 0


class Step(Struct, frozen=True, kw_only=True):
    """What follows from some facts. Empty: nothing does, which is no error.

    ``at_us``: when it happened, for the rows' own times; None: now. ``tried``: the invoice of which
    another try to pay begins. ``drops``: operations, by their idempotency keys, that nobody needs
    any more and that are not under way.
    """

    payments: Mapping[InvoiceId, PaymentState] = {}
    awards: Mapping[AwardId, AwardState] = {}
    sums: Mapping[InvoiceId, Sums] = {}
    tried: InvoiceId | None = None
    operations: Sequence[Wanted] = ()
    drops: Sequence[str] = ()
    entries: Sequence[Entry] = ()
    story: Sequence[Told] = ()
    at_us: int | None = None

    def __add__(self, other: "Step") -> "Step":
        """Both, as one step. Both may not change the state of the same row."""
        assert not self.payments.keys() & other.payments.keys(), "one step, one move"
        assert not self.awards.keys() & other.awards.keys(), "one step, one move"
        assert not self.sums.keys() & other.sums.keys(), "one step, one sum"
        return Step(
            payments={**self.payments, **other.payments},
            awards={**self.awards, **other.awards},
            sums={**self.sums, **other.sums},
            tried=self.tried or other.tried,
            operations=(*self.operations, *other.operations),
            drops=(*self.drops, *other.drops),
            entries=(*self.entries, *other.entries),
            story=(*self.story, *other.story),
            at_us=self.at_us if other.at_us is None else other.at_us,
        )


NOTHING: Final = Step()

_PAYMENT: Final = """
update invoice set payment = $2, changed_at_us = $3, version = version + 1,
    paid_at_us = case when $2 = 'PAID' then coalesce(paid_at_us, $4) else paid_at_us end
where invoice_id = $1
"""

_SUMS: Final = """
update invoice set paid_minor = paid_minor + $2, credited_minor = credited_minor + $3,
    open_disputes = open_disputes + $5, changed_at_us = $4, version = version + 1
where invoice_id = $1
"""

_TRIED: Final = "update invoice set tries = tries + 1, version = version + 1 where invoice_id = $1"

# Each time is that of the first move into its state.
_AWARDS: Final = """
update award set state = moved.state, changed_at_us = $3, version = version + 1,
    funded_at_us = case when moved.state = 'FUNDED' then coalesce(funded_at_us, $4)
        else funded_at_us end,
    handed_over_at_us = case when moved.state = 'HANDED_OVER' then coalesce(handed_over_at_us, $4)
        else handed_over_at_us end,
    accepted_at_us = case when moved.state = 'ACCEPTED' then coalesce(accepted_at_us, $4)
        else accepted_at_us end,
    released_at_us = case when moved.state = 'RELEASED' then coalesce(released_at_us, $4)
        else released_at_us end,
    paid_out_at_us = case when moved.state = 'PAID_OUT' then coalesce(paid_out_at_us, $4)
        else paid_out_at_us end,
    ended_at_us = case when moved.state in ('CLOSED', 'CANCELLED', 'VOID')
        then coalesce(ended_at_us, $4) else ended_at_us end
from unnest($1::text[], $2::text[]) as moved (award_id, state)
where award.award_id = moved.award_id
"""

_WANT: Final = """
insert into settlement_op
    (operation, subject, generation, idempotency_key, arguments, state, due_at_us, made_at_us)
select operation, subject, generation, idempotency_key, arguments, 'WAITING', due_at_us, $7
from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::jsonb[], $6::bigint[])
    as wanted (operation, subject, generation, idempotency_key, arguments, due_at_us)
on conflict (operation, subject, generation) do nothing
"""

# A worker holds its operation before the invoice, which is held here already: who waited for the
# other would wait for ever. What is being done is left alone; it finds that nothing is to be done.
_DROP: Final = """
update settlement_op set state = 'DROPPED', ended_at_us = $2, note = 'nobody needs it any more'
where op_id in (
    select op_id from settlement_op
    where idempotency_key = any($1) and state in ('WAITING', 'HELD')
    order by op_id for update skip locked
)
"""


async def write(connection: AnyConnection, held: Held, step: Step, now_us: int) -> None:
    """Write a step of what the caller holds, in the caller's transaction and as its last part.

    Raises `lives.IllegalMove` where a life has no such move, and `ledger.LedgerRefused`: then the
    caller's transaction is to be undone.
    """
    assert connection.is_in_transaction(), "a step is all or nothing"
    at_us = now_us if step.at_us is None else step.at_us
    await _move(connection, held, step, at_us, now_us)
    for invoice_id, sums in step.sums.items():
        more = (sums.paid_minor, sums.credited_minor, now_us, sums.disputes)
        await connection.execute(_SUMS, invoice_id, *more)
    if step.tried is not None:
        await connection.execute(_TRIED, step.tried)
    await want(connection, step.operations, now_us)
    if step.drops:
        await connection.execute(_DROP, list(step.drops), now_us)
    await tell(connection, step.story, now_us)
    await tell_sellers(connection, held, step.awards, at_us, now_us)
    await post(connection, step.entries)


async def want(connection: AnyConnection, operations: Sequence[Wanted], now_us: int) -> None:
    """Put operations on the list, in the caller's transaction; those that are on it stay."""
    if operations:
        await connection.execute(
            _WANT,
            [wanted.operation for wanted in operations],
            [wanted.subject for wanted in operations],
            [wanted.generation for wanted in operations],
            [wanted.idempotency_key for wanted in operations],
            [msgspec.json.encode(wanted.arguments).decode() for wanted in operations],
            [now_us if wanted.due_at_us is None else wanted.due_at_us for wanted in operations],
            now_us,
        )


async def _move(connection: AnyConnection, held: Held, step: Step, at_us: int, now_us: int) -> None:
    for invoice_id, payment in step.payments.items():
        assert held.invoiced.invoice_id == invoice_id, "only what is held is moved"
        PAYMENT_LIFE.move(held.invoiced.payment, payment)
        await connection.execute(_PAYMENT, invoice_id, payment, now_us, at_us)
    for award_id, state in step.awards.items():
        AWARD_LIFE.move(held.awards[award_id].state, state)
    if step.awards:
        ids, states = list(step.awards), list(step.awards.values())
        await connection.execute(_AWARDS, ids, states, now_us, at_us)


def after(held: Held, step: Step) -> Held:
    """What is held as it stands once the step is written, for whoever decides a second one."""
    invoice = held.invoice
    if invoice is not None:
        sums = step.sums.get(invoice.invoice_id, Sums())
        invoice = structs.replace(
            invoice,
            payment=step.payments.get(invoice.invoice_id, invoice.payment),
            paid_minor=invoice.paid_minor + sums.paid_minor,
            credited_minor=invoice.credited_minor + sums.credited_minor,
            open_disputes=invoice.open_disputes + sums.disputes,
            tries=invoice.tries + (step.tried == invoice.invoice_id),
        )
    awards = {
        award_id: structs.replace(row, state=step.awards.get(award_id, row.state))
        for award_id, row in held.awards.items()
    }
    return Held(invoice, awards)
