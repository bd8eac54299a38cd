"""Taking back what a seller was sent and owes: transfer reversals, as far as its balance goes.

A claim after the release and a lost dispute make the seller owe the house (`seller_receivable`);
whoever decides them wants `reverse_transfer` of the award in the same step. What cannot be taken
back stays owed, and is kept from what the seller is owed next.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.ids import AwardId, StripeId
from settlement.operations import Again, Deadline, NeedsPerson, Operation, Refused
from settlement.payment_objects import Balance, Reversal
from settlement.payouts.payables import (
    Payable,
    hold_payables,
    hold_payees,
    moved,
    payable_id_of,
    receivable_minor,
    write_payable,
)
from settlement.payouts.words import PayableState, PayeeKind
from settlement.ports import PaymentProvider
from settlement.postings import transfer_reversed
from settlement.rows import AwardRow, Held, hold_award
from settlement.steps import Step, Wanted, write
from settlement.story import Told

REVERSE_TRANSFER: Final = "reverse_transfer"
REVERSE: Final = "reverse"
LOW_BALANCE: Final = "balance_insufficient"
# Above all numbers of claims and disputes: decisions that follow from what a balance has.
LESS_FROM: Final = 1_000_000_000

# What of each transfer is neither taken back nor being taken back, the latest first.
_LEFT: Final = """
select t.generation, t.transfer_id, t.account_id, t.amount_minor - t.reversed_minor - coalesce((
    select sum(r.amount_minor) from payout_reversal r
    where r.payable_id = t.payable_id and r.transfer_generation = t.generation
    and r.state = 'WAITING'
), 0)::bigint as left_minor
from payout_transfer t where t.payable_id = $1 and t.state = 'SENT'
order by t.generation desc for update
"""

_UNDER_WAY: Final = """
select coalesce(sum(r.amount_minor), 0)::bigint
from payout_reversal r join payable p using (payable_id)
where p.payee_id = $1 and p.currency = $2 and r.state = 'WAITING'
"""

_LAST: Final = "select coalesce(max(generation), 0) from payout_reversal where payable_id = $1"

_ADD: Final = """
insert into payout_reversal (payable_id, generation, transfer_generation, amount_minor, reason,
    state, made_at_us)
values ($1, $2, $3, $4, $5, 'WAITING', $6)
"""

_READ: Final = """
select transfer_generation, amount_minor, state, reason from payout_reversal
where payable_id = $1 and generation = $2 for update
"""

_DONE: Final = """
update payout_reversal set state = 'DONE', reversal_id = $3, transaction_id = $4, ended_at_us = $5
where payable_id = $1 and generation = $2
"""

_TAKEN: Final = """
update payout_transfer set reversed_minor = reversed_minor + $3
where payable_id = $1 and generation = $2
"""

_REFUSED: Final = """
update payout_reversal set state = 'REFUSED', note = $3, ended_at_us = $4
where payable_id = $1 and generation = $2
"""


class Short(Struct, frozen=True):
    """The seller's balance is too low for what was asked; ``less_minor`` may be there, or 0."""

    refused: Refused
    less_minor: int


class Part(Struct, frozen=True):
    """A part of a transfer that is to be taken back."""

    transfer_generation: int
    transfer_id: StripeId
    account_id: StripeId
    amount_minor: int


def reversal_wanted(award_id: AwardId, generation: int, amount_minor: int, reason: str) -> Wanted:
    """For the step that makes a seller owe ``amount_minor`` of an award that was released.

    ``generation``: its own for each claim and dispute of the award.
    """
    return Wanted(
        operation=REVERSE_TRANSFER,
        subject=award_id,
        generation=generation,
        arguments={"amount_minor": amount_minor, "reason": reason},
    )


def less_than(asked_minor: int, balance: Balance, currency: str) -> int:
    """What is asked for next once Stripe has refused so much: all that the seller has, then what of
    it is available. Never a mere cent less, or a seller's poor balance would cost a call a cent.
    """
    available_minor = balance.available_minor.get(currency, 0)
    all_minor = available_minor + balance.pending_minor.get(currency, 0)
    return max(
        (minor for minor in (all_minor, available_minor) if 0 < minor < asked_minor), default=0
    )


def parts_to_reverse(
    left: list[tuple[int, StripeId, StripeId, int]], wanted_minor: int
) -> tuple[Part, ...]:
    """What is taken back of which transfer; less than ``wanted_minor`` where no more was sent."""
    parts = []
    for generation, transfer_id, account_id, left_minor in left:
        minor = min(left_minor, wanted_minor)
        if minor > 0:
            parts.append(Part(generation, transfer_id, account_id, minor))
            wanted_minor -= minor
    return tuple(parts)


class ReverseTransfer(Deadline):
    """A seller owes something of an award: what of its transfers is taken back."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        award_id = AwardId(op.subject)
        held = await hold_award(connection, award_id)
        row = held.awards[award_id]
        await hold_payees(connection, {row.liquidator_id: PayeeKind.LIQUIDATOR}, now_us)
        payable_id = payable_id_of(award_id, PayeeKind.LIQUIDATOR)
        payables = await hold_payables(connection, [payable_id])
        if payable_id not in payables:
            return None  # nothing of it was ever the seller's: what it owes is netted elsewhere
        if payables[payable_id].state is PayableState.SENDING:
            return Again(now_us + 60_000_000)  # until it is known what was sent
        owed_minor = await receivable_minor(connection, row.liquidator_id, row.currency)
        under_way: int = await connection.fetchval(_UNDER_WAY, row.liquidator_id, row.currency)
        asked_minor: int = op.arguments["amount_minor"]
        wanted_minor = max(0, min(asked_minor, owed_minor - under_way))
        rows = await connection.fetch(_LEFT, payable_id)
        left = [
            (each["generation"], each["transfer_id"], each["account_id"], each["left_minor"])
            for each in rows
        ]
        parts = parts_to_reverse(left, wanted_minor)
        await self._write(connection, held, payables[payable_id], parts, op.arguments, now_us)
        return None

    async def _write(
        self,
        connection: AnyConnection,
        held: Held,
        payable: Payable,
        parts: tuple[Part, ...],
        arguments: Mapping[str, Any],
        now_us: int,
    ) -> None:
        last: int = await connection.fetchval(_LAST, payable.payable_id)
        wanted = []
        for generation, part in enumerate(parts, start=last + 1):
            await connection.execute(
                _ADD,
                payable.payable_id,
                generation,
                part.transfer_generation,
                part.amount_minor,
                arguments["reason"],
                now_us,
            )
            wanted.append(
                Wanted(
                    operation=REVERSE,
                    subject=payable.payable_id,
                    generation=generation,
                    arguments={
                        "award_id": payable.award_id,
                        "transfer_id": part.transfer_id,
                        "account_id": part.account_id,
                        "amount_minor": part.amount_minor,
                        "currency": payable.currency,
                    },
                )
            )
        await write(connection, held, Step(operations=wanted), now_us)


class Reversing:
    """A part of a transfer is taken back."""

    def __init__(self, provider: PaymentProvider, now_us: Callable[[], int]) -> None:
        self._provider, self._now_us = provider, now_us

    async def call(self, op: Operation) -> "Reversal | Short":
        """See `operations.Handler`. What cannot be taken whole is answered by what is there."""
        try:
            return await self._reverse(op)
        except Refused as refused:
            if refused.code != LOW_BALANCE:
                raise
            account = StripeId(op.arguments["account_id"])
            balance = await self._provider.balance(account)
            asked_minor, currency = op.arguments["amount_minor"], op.arguments["currency"]
            return Short(refused, less_than(asked_minor, balance, currency))

    async def _reverse(self, op: Operation) -> Reversal:
        transfer_id = StripeId(op.arguments["transfer_id"])
        if op.attempts > 1:
            found = await self._provider.find_reversal(op.idempotency_key, transfer_id)
            if found is not None:
                return found
        if not op.may_send(self._now_us()):
            raise Refused("never_sent", "no answer came in a day, and nothing was taken back")
        return await self._provider.reverse(
            op.idempotency_key,
            transfer_id,
            amount_minor=op.arguments["amount_minor"],
            about={"award": op.arguments["award_id"]},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        award_id = AwardId(op.arguments["award_id"])
        held = await hold_award(connection, award_id)
        row = held.awards[award_id]
        await hold_payees(connection, {row.liquidator_id: PayeeKind.LIQUIDATOR}, now_us)
        payable = (await hold_payables(connection, [op.subject]))[op.subject]
        this = await connection.fetchrow(_READ, op.subject, op.generation)
        assert this is not None, "a reversal is written before it is sent"
        if this["state"] != "WAITING":
            return None
        facts = {"amount_minor": this["amount_minor"], "currency": payable.currency}
        facts |= {"reason": this["reason"]}
        if isinstance(answer, Refused | Short):
            refused, less_minor = _refusal(answer)
            note = str(refused)[:500]
            await connection.execute(_REFUSED, op.subject, op.generation, note, now_us)
            facts |= {"code": refused.code, "message": refused.message}
            # What is there is taken; the rest stays owed, and is netted from what comes later.
            again = _less(op, row, less_minor, this["reason"]) if less_minor else ()
            step = Step(operations=again, story=(_told("reversal_refused", row, facts),))
            await write(connection, held, step, now_us)
            return None
        assert isinstance(answer, Reversal)
        if (answer.amount_minor, answer.currency) != (this["amount_minor"], payable.currency):
            raise NeedsPerson(f"{answer.reversal_id} is not of the amount that was asked for")
        await connection.execute(
            _DONE, op.subject, op.generation, answer.reversal_id, answer.transaction_id, now_us
        )
        await connection.execute(
            _TAKEN, op.subject, this["transfer_generation"], this["amount_minor"]
        )
        facts |= {"reversal_id": answer.reversal_id, "transfer_id": answer.transfer_id}
        story = _told("reversed", row, facts)
        await _book(connection, held, row, payable, op.generation, answer, story, now_us)
        return None


def _refusal(answer: Refused | Short) -> tuple[Refused, int]:
    return (answer.refused, answer.less_minor) if isinstance(answer, Short) else (answer, 0)


def _less(op: Operation, row: AwardRow, less_minor: int, reason: str) -> tuple[Wanted, ...]:
    """The same again for less: a decision of its own, numbered apart from those of others."""
    generation = LESS_FROM + op.op_id % LESS_FROM
    return (reversal_wanted(row.award_id, generation, less_minor, reason),)


async def _book(
    connection: AnyConnection,
    held: Held,
    row: AwardRow,
    payable: Payable,
    generation: int,
    reversal: Reversal,
    story: Told,
    now_us: int,
) -> None:
    seller = LiquidatorId(payable.payee_id)
    owed_minor = await receivable_minor(connection, seller, payable.currency)
    stripe_ids = [reversal.reversal_id]
    if reversal.transaction_id is not None:
        stripe_ids.append(reversal.transaction_id)
    about = payable.about(row, generation, reversal.made_at_us, stripe_ids=tuple(stripe_ids))
    entry = transfer_reversed(about, seller, reversal.amount_minor, owed_minor)
    operations: tuple[Wanted, ...] = ()
    over_minor = reversal.amount_minor - min(reversal.amount_minor, owed_minor)
    if over_minor:
        # It paid what it owed in the meantime: what was taken for nothing is owed to it again.
        payable = moved(
            payable,
            state=PayableState.OWED,
            sent_minor=payable.sent_minor - over_minor,
            decisions=payable.decisions + 1,
        )
        await write_payable(connection, payable, now_us)
        operations = (payable.wanted(),)
    step = Step(entries=(entry,), operations=operations, story=(story,))
    await write(connection, held, step, now_us)


def _told(kind: str, row: AwardRow, facts: dict[str, Any]) -> Told:
    return Told(kind=kind, invoice_id=row.invoice_id, award_id=row.award_id, facts=facts)
