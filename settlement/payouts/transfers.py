"""Transfers at Stripe to connected accounts.

A crash leaves, by the place: before the decision (`deciding`), an operation that waits; after it,
rows of transfers with an operation each, whose account, amount and charge are stored before
anything is sent; after the call, the same call under the same key, or a look for what it made;
after that nothing, since the transfer, its entry and the end of the operation are one transaction.
So a payable is never sent twice, whatever is lost.

Stripe keeps a 5xx under its key, and repeats it for a day. Such an answer says that the first call
has ended (while it runs, the answer is 409), and the list of the invoice's transfers shows what was
made a moment ago (a search would not): what is not in it then was not made by that call. Stripe may
still mend its own fault some time later, so a new key is used only after `MENDED_US` of looking.
What came even later would be in Stripe's books and not in ours: an exception of the reconciliation.
"""

from collections.abc import Callable, Sequence
from typing import Final

from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection, Pool, acquire
from settlement.chart import STRIPE
from settlement.entries import About, Entry
from settlement.ids import ConsignorId, StripeId
from settlement.operations import HOUR_US, Again, Kept, NeedsPerson, Operation, Refused
from settlement.payment_objects import Transfer
from settlement.payouts.closing import close_us
from settlement.payouts.deciding import (
    FROZEN,
    NEVER_MADE,
    NEVER_SENT,
    Sent,
    hold_with,
    told_of,
    tries_of,
)
from settlement.payouts.payables import (
    Payable,
    all_done,
    moved,
    paid_out,
    payables_of,
    write_payable,
)
from settlement.payouts.words import PayableState, PayeeKind
from settlement.ports import Sellers
from settlement.postings import transfer_out
from settlement.postings_house import consignor_paid
from settlement.rows import AwardRow, Held
from settlement.steps import Step, Wanted, write

# What Stripe does not have available yet may be tomorrow's; another no is for a person to see.
LOW_BALANCE_US: Final = HOUR_US
REFUSED_US: Final = 24 * HOUR_US
LOW_BALANCE: Final = "balance_insufficient"
# From the first try, while the same error comes again: looks every few minutes, far beyond the time
# in which a call can end, and far below the day after which the key is forgotten.
MENDED_US: Final = 2 * HOUR_US
_PAUSES_US: Final = {LOW_BALANCE: LOW_BALANCE_US, NEVER_MADE: 0, FROZEN: 0}

_DISPUTED: Final = "select open_disputes > 0 from invoice where invoice_id = $1"

_SENT: Final = """
update payout_transfer set state = 'SENT', transfer_id = $3, transaction_id = $4, sent_at_us = $5
where payable_id = $1 and generation = $2
"""

_REFUSED: Final = """
update payout_transfer set state = 'REFUSED', note = $3 where payable_id = $1 and generation = $2
"""


class TransferOut:
    """A transfer to a connected account."""

    def __init__(self, pool: Pool, provider: Sellers, now_us: Callable[[], int]) -> None:
        self._pool, self._provider, self._now_us = pool, provider, now_us

    async def call(self, op: Operation) -> Transfer:
        """See `operations.Handler`."""
        asked = op.arguments
        if op.claims == 1:  # nothing of it was sent, for certain
            async with acquire(self._pool) as connection:
                if await connection.fetchval(_DISPUTED, asked["invoice_id"]):
                    raise Refused(FROZEN, "a dispute of the invoice was opened meanwhile")
        if op.attempts > 1:  # Stripe may have kept a 500 under the key, with its effect
            found = await self._provider.find_transfer(op.idempotency_key, asked["group"])
            if found is not None:
                return found
        if not op.may_send(self._now_us()):
            raise Refused(NEVER_SENT, "no answer came in a day, and there is no transfer")
        try:
            return await self._provider.transfer(
                op.idempotency_key,
                account_id=StripeId(asked["account_id"]),
                amount_minor=asked["amount_minor"],
                currency=asked["currency"],
                source_charge_id=asked["charge_id"],
                group=asked["group"],
                about={"award": asked["award_id"], "invoice": asked["invoice_id"]},
            )
        except Kept as kept:
            return await self._made_all_the_same(op, kept)

    async def _made_all_the_same(self, op: Operation, kept: Kept) -> Transfer:
        """The transfer that an error hides. Raises `Refused` once it is certain that there is none,
        and ``kept`` before."""
        found = await self._provider.find_transfer(op.idempotency_key, op.arguments["group"])
        if found is not None:
            return found
        if self._now_us() < op.first_sent_at_us + MENDED_US:
            raise kept
        raise Refused(NEVER_MADE, "Stripe has kept an error under the key, and made no transfer")

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        held, row, _, payable = await hold_with(connection, op.arguments["payable_id"], now_us)
        tries = await tries_of(connection, payable)
        this = next(each for each in tries if each.generation == op.generation)
        if this.state != "WAITING":
            return None
        others = [each for each in tries if each.generation != this.generation]
        if isinstance(answer, Refused):
            await connection.execute(
                _REFUSED, payable.payable_id, this.generation, str(answer)[:500]
            )
            await _refused(connection, held, row, payable, others, answer, now_us)
            return None
        assert isinstance(answer, Transfer)
        _check(answer, this, payable)
        await connection.execute(
            _SENT,
            payable.payable_id,
            this.generation,
            answer.transfer_id,
            answer.transaction_id,
            now_us,
        )
        await _sent(connection, held, row, payable, this, others, answer, now_us)
        return None


def sent_entry(payable: Payable, about: About, amount_minor: int) -> Entry:
    """A part of a payable has left Stripe's balance."""
    if payable.kind is PayeeKind.LIQUIDATOR:
        return transfer_out(about, LiquidatorId(payable.payee_id), amount_minor)
    consignor = ConsignorId(BidderId(payable.payee_id))
    return consignor_paid(about, consignor, amount_minor, STRIPE)


async def _sent(
    connection: AnyConnection,
    held: Held,
    row: AwardRow,
    payable: Payable,
    this: Sent,
    others: Sequence[Sent],
    transfer: Transfer,
    now_us: int,
) -> None:
    sent_minor = payable.sent_minor + this.amount_minor
    payable = moved(payable, sent_minor=sent_minor, sent_at_us=now_us)
    stripe_ids = [transfer.transfer_id]
    if transfer.transaction_id is not None:
        stripe_ids.append(transfer.transaction_id)
    about = payable.about(row, this.generation, transfer.made_at_us, stripe_ids=tuple(stripe_ids))
    facts = {
        "amount_minor": this.amount_minor,
        "currency": payable.currency,
        "payee_id": payable.payee_id,
        "transfer_id": transfer.transfer_id,
    }
    step = Step(
        entries=(sent_entry(payable, about, this.amount_minor),),
        story=(told_of("transferred", row, facts),),
    )
    payable, again = _again(payable, others, now_us)
    await write_payable(connection, payable, now_us)
    parts = {**await payables_of(connection, [row.award_id]), payable.payable_id: payable}
    step += Step(operations=again)
    if all_done(parts.values()):
        step += paid_out(row, parts.values(), await close_us(connection, held, now_us))
    await write(connection, held, step, now_us)


async def _refused(
    connection: AnyConnection,
    held: Held,
    row: AwardRow,
    payable: Payable,
    others: Sequence[Sent],
    refused: Refused,
    now_us: int,
) -> None:
    pause_us = _PAUSES_US.get(refused.code, REFUSED_US)
    payable = moved(payable, note=str(refused)[:500])
    payable, again = _again(payable, others, now_us + pause_us)
    await write_payable(connection, payable, now_us)
    facts = {"code": refused.code, "message": refused.message, "payee_id": payable.payee_id}
    step = Step(operations=again, story=(told_of("transfer_refused", row, facts),))
    await write(connection, held, step, now_us)


def _again(
    payable: Payable, others: Sequence[Sent], due_at_us: int
) -> tuple[Payable, Sequence[Wanted]]:
    """Once no transfer is under way any more, what is left is decided about anew."""
    if not payable.left_minor or any(each.state == "WAITING" for each in others):
        return payable, ()
    payable = moved(payable, state=PayableState.OWED, decisions=payable.decisions + 1)
    return payable, (payable.wanted(due_at_us),)


def _check(answer: Transfer, asked: Sent, payable: Payable) -> None:
    got = (answer.amount_minor, answer.currency, answer.account_id)
    if got != (asked.amount_minor, payable.currency, asked.account_id):
        raise NeedsPerson(f"{answer.transfer_id} is of {got}, which is not what was asked for")
