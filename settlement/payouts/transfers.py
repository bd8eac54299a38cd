"""Sending what is owed: the decision whether and how, and the transfers at Stripe.

A crash leaves, by the place: before the decision, an operation that waits; after it, rows of
transfers with an operation each, whose account, amount and charge are stored before anything is
sent; after the call, the same call under the same key, or past 23 hours a look for what it made;
after that nothing, since the transfer, its entry and the end of the operation are one transaction.
So a payable is never sent twice, whatever is lost.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection
from settlement.accepting import DISPUTE_LOOK_US
from settlement.chart import STRIPE
from settlement.entries import About, Entry
from settlement.ids import ConsignorId, StripeId
from settlement.operations import HOUR_US, Again, Deadline, NeedsPerson, Operation, Refused
from settlement.payment_objects import MAX_AMOUNT_MINOR, Transfer
from settlement.payouts.closing import close_us, kept_back, sending_policy
from settlement.payouts.payables import (
    Payable,
    Payee,
    all_done,
    hold_payables,
    hold_payees,
    moved,
    netted,
    note_payable,
    paid_out,
    payables_of,
    read_payable,
    receivable_minor,
    write_payable,
)
from settlement.payouts.words import PayableState, PayeeKind, Way
from settlement.ports import Sellers
from settlement.postings import transfer_out
from settlement.postings_house import consignor_paid
from settlement.releases import HeldBack
from settlement.rows import AwardRow, Held, hold_award
from settlement.steps import Step, Wanted, write
from settlement.story import Told

TRANSFER: Final = "transfer"
# Until somebody says where the money goes, or has told Stripe what it wants to know: it is looked
# at so often, and at once when that is done here.
NO_ACCOUNT_LOOK_US: Final = 6 * HOUR_US
# What Stripe does not have available yet may be tomorrow's; another no is for a person to see.
LOW_BALANCE_US: Final = HOUR_US
REFUSED_US: Final = 24 * HOUR_US
LOW_BALANCE: Final = "balance_insufficient"

# The charges whose money is held for an award.
_SOURCES: Final = """
select distinct stripe_id
from ledger_transfer t join ledger_account a on a.account_id = t.credit_account_id
join ledger_transaction using (transaction_id), unnest(stripe_ids) as stripe_id
where t.award_id = $1 and a.name = 'held:' || $1 and purpose in ('capture', 'bank_funding')
and (stripe_id like 'ch\\_%' or stripe_id like 'py\\_%') limit 2
"""

_ADD: Final = """
insert into payout_transfer (payable_id, generation, account_id, charge_id, amount_minor, state,
    made_at_us)
values ($1, $2, $3, $4, $5, 'WAITING', $6)
"""

_OF: Final = """
select generation, account_id, charge_id, amount_minor, state, transfer_id, reversed_minor
from payout_transfer where payable_id = $1 order by generation for update
"""

_SENT: Final = """
update payout_transfer set state = 'SENT', transfer_id = $3, transaction_id = $4, sent_at_us = $5
where payable_id = $1 and generation = $2
"""

_REFUSED: Final = """
update payout_transfer set state = 'REFUSED', note = $3 where payable_id = $1 and generation = $2
"""


class Sent(Struct, frozen=True, kw_only=True):
    """A transfer of a payable, or a try."""

    generation: int
    account_id: StripeId
    charge_id: StripeId | None
    amount_minor: int
    state: str
    transfer_id: StripeId | None
    reversed_minor: int


class Decided(Struct, frozen=True, kw_only=True):
    """What follows for a payable. ``look_at_us``: when it is decided about again; ``why``: what
    keeps it until then."""

    payable: Payable
    entries: tuple[Entry, ...] = ()
    transfers: tuple[Sent, ...] = ()
    look_at_us: int | None = None
    why: str = ""


def parts_of(amount_minor: int) -> list[int]:
    """An amount in parts that Stripe takes: at most eight digits each."""
    full, rest = divmod(amount_minor, MAX_AMOUNT_MINOR)
    return [MAX_AMOUNT_MINOR] * full + ([rest] if rest else [])


def decide(
    payable: Payable,
    row: AwardRow,
    payee: Payee,
    kept: HeldBack | None,
    frozen_until_us: int | None,
    owed_minor: int,
    charge_id: StripeId | None,
    now_us: int,
) -> Decided:
    """Whether and how a payable is sent now. Pure. ``owed_minor``: what the payee owes."""
    if payable.due_at_us > now_us:
        return Decided(payable=payable, look_at_us=payable.due_at_us, why=payable.note)
    match kept:
        case None:
            pass
        case HeldBack.DISPUTED:
            return Decided(payable=payable, look_at_us=now_us + DISPUTE_LOOK_US, why=kept)
        case HeldBack.ACCOUNT_CHANGED:
            return Decided(payable=payable, look_at_us=frozen_until_us, why=kept)
        case HeldBack.REFUNDED:
            # The seller owes it, if it is to blame; what is left then a person lets go.
            after_, entries = netted(payable, row, owed_minor, now_us)
            look_us = now_us + NO_ACCOUNT_LOOK_US if after_.left_minor else None
            return Decided(payable=after_, entries=tuple(entries), look_at_us=look_us, why=kept)
        case _:
            return Decided(payable=payable, look_at_us=now_us + NO_ACCOUNT_LOOK_US, why=kept)
    if payee.way is Way.CONNECT and not payee.takes_transfers:
        why = "the account at Stripe takes no transfers yet"
        return Decided(payable=payable, look_at_us=now_us + NO_ACCOUNT_LOOK_US, why=why)
    payable, entries = netted(payable, row, owed_minor, now_us)
    if not payable.left_minor or payee.way is Way.BANK:
        return Decided(payable=payable, entries=tuple(entries))
    assert payee.account_id is not None, "what takes transfers is an account"
    parts = parts_of(payable.left_minor)
    transfers = tuple(
        Sent(
            generation=generation,
            account_id=payee.account_id,
            charge_id=charge_id,
            amount_minor=minor,
            state="WAITING",
            transfer_id=None,
            reversed_minor=0,
        )
        for generation, minor in enumerate(parts, start=payable.sends + 1)
    )
    sends = payable.sends + len(transfers)
    after_ = moved(payable, state=PayableState.SENDING, sends=sends, note="")
    return Decided(payable=after_, entries=tuple(entries), transfers=transfers)


class PayOut(Deadline):
    """A payable is due: it is netted, and sent by its payee's way.

    What goes by bank waits for somebody who makes a file of what is due.
    """

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        found = await _held_with(connection, op.subject, now_us)
        held, row, payee, payable = found
        if payable.state is not PayableState.OWED or payable.decisions != op.generation:
            return None
        policy = await sending_policy(connection, payable.currency, now_us)
        kept = kept_back(policy, row, held, payee, payable, now_us)
        owed_minor = 0
        if payable.kind is PayeeKind.LIQUIDATOR:
            seller = LiquidatorId(payable.payee_id)
            owed_minor = await receivable_minor(connection, seller, payable.currency)
        charge_id = await _source_of(connection, payable)
        frozen_us = None
        if payee.changed_at_us is not None:
            frozen_us = payee.changed_at_us + policy.account_freeze_us
        decided = decide(payable, row, payee, kept, frozen_us, owed_minor, charge_id, now_us)
        if decided.entries or decided.look_at_us is None:
            await _write(connection, held, row, decided, now_us)
        if decided.look_at_us is None:
            return None
        await note_payable(connection, decided.payable, decided.why, now_us)
        return Again(decided.look_at_us)


class TransferOut:
    """A transfer to a connected account."""

    def __init__(self, provider: Sellers, now_us: Callable[[], int]) -> None:
        self._provider, self._now_us = provider, now_us

    async def call(self, op: Operation) -> Transfer:
        """See `operations.Handler`."""
        asked = op.arguments
        if op.attempts > 1:  # Stripe may have kept a 500 under the key, with its effect
            found = await self._provider.find_transfer(op.idempotency_key, asked["group"])
            if found is not None:
                return found
        if not op.may_send(self._now_us()):
            raise Refused("never_sent", "no answer came in a day, and there is no transfer")
        return await self._provider.transfer(
            op.idempotency_key,
            account_id=StripeId(asked["account_id"]),
            amount_minor=asked["amount_minor"],
            currency=asked["currency"],
            source_charge_id=asked["charge_id"],
            group=asked["group"],
            about={"award": asked["award_id"], "invoice": asked["invoice_id"]},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        held, row, _, payable = await _held_with(connection, op.arguments["payable_id"], now_us)
        tries = await _tries(connection, payable)
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


async def _held_with(
    connection: AnyConnection, payable_id: str, now_us: int
) -> tuple[Held, AwardRow, Payee, Payable]:
    """A payable with its award and its payee, all held, in the order of all."""
    seen = await read_payable(connection, payable_id)
    assert seen is not None, "what is to be sent was released"
    held = await hold_award(connection, seen.award_id)
    row = held.awards[seen.award_id]
    payees = await hold_payees(connection, {seen.payee_id: seen.kind}, now_us)
    payables = await hold_payables(connection, [payable_id])
    return held, row, payees[seen.payee_id], payables[payable_id]


async def _source_of(connection: AnyConnection, payable: Payable) -> StripeId | None:
    """The charge whose money is passed on before it is available, if it is one and takes it."""
    tries = await _tries(connection, payable)
    if any(each.state == "REFUSED" and each.charge_id for each in tries):
        return None
    rows = await connection.fetch(_SOURCES, payable.award_id)
    return StripeId(rows[0]["stripe_id"]) if len(rows) == 1 else None


async def _tries(connection: AnyConnection, payable: Payable) -> list[Sent]:
    return [Sent(**row) for row in await connection.fetch(_OF, payable.payable_id)]


async def _write(
    connection: AnyConnection, held: Held, row: AwardRow, decided: Decided, now_us: int
) -> None:
    payable = decided.payable
    await write_payable(connection, payable, now_us)
    for each in decided.transfers:
        await connection.execute(
            _ADD,
            payable.payable_id,
            each.generation,
            each.account_id,
            each.charge_id,
            each.amount_minor,
            now_us,
        )
    step = Step(
        operations=[_wanted(payable, each) for each in decided.transfers],
        entries=decided.entries,
        story=_netted(payable, decided, row),
    )
    parts = {**await payables_of(connection, [row.award_id]), payable.payable_id: payable}
    if all_done(parts.values()):
        step += paid_out(row, parts.values(), await close_us(connection, held, now_us))
    await write(connection, held, step, now_us)


def _wanted(payable: Payable, sent: Sent) -> Wanted:
    arguments: dict[str, Any] = {
        "payable_id": payable.payable_id,
        "account_id": sent.account_id,
        "charge_id": sent.charge_id,
        "amount_minor": sent.amount_minor,
        "currency": payable.currency,
        "group": payable.invoice_id,
        "award_id": payable.award_id,
        "invoice_id": payable.invoice_id,
    }
    return Wanted(
        operation=TRANSFER,
        subject=payable.payable_id,
        generation=sent.generation,
        arguments=arguments,
    )


def _netted(payable: Payable, decided: Decided, row: AwardRow) -> Sequence[Told]:
    kept = sum(posting.amount_minor for entry in decided.entries for posting in entry.postings)
    facts = {"amount_minor": kept, "currency": payable.currency}
    return (_told("netted", row, facts),) if kept else ()


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
        story=(_told("transferred", row, facts),),
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
    pause_us = LOW_BALANCE_US if refused.code == LOW_BALANCE else REFUSED_US
    payable = moved(payable, note=str(refused)[:500])
    payable, again = _again(payable, others, now_us + pause_us)
    await write_payable(connection, payable, now_us)
    facts = {"code": refused.code, "message": refused.message, "payee_id": payable.payee_id}
    step = Step(operations=again, story=(_told("transfer_refused", row, facts),))
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


def _told(kind: str, row: AwardRow, facts: dict[str, Any]) -> Told:
    return Told(kind=kind, invoice_id=row.invoice_id, award_id=row.award_id, facts=facts)
