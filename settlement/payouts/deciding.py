"""The decision whether and how a payable is sent, written before anything is sent."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.accepting import DISPUTE_LOOK_US
from settlement.entries import Entry
from settlement.ids import StripeId
from settlement.operations import HOUR_US, Again, Deadline, Operation
from settlement.payment_objects import MAX_AMOUNT_MINOR
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
from settlement.releases import HeldBack
from settlement.rows import AwardRow, Held, hold_award
from settlement.steps import Step, Wanted, write
from settlement.story import Told

TRANSFER: Final = "transfer"
# Until somebody says where the money goes, or has told Stripe what it wants to know: it is looked
# at so often, and at once when that is done here.
NO_ACCOUNT_LOOK_US: Final = 6 * HOUR_US
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

# Why a transfer is made anew that nobody has judged: nothing came of the one before.
NEVER_SENT: Final = "never_sent"
NEVER_MADE: Final = "never_made"
FROZEN: Final = "disputed_meanwhile"

_NOT_TAKEN: Final = """
select exists (select from payout_transfer where payable_id = $1 and state = 'REFUSED'
    and charge_id is not null and split_part(note, ':', 1) <> all($2::text[]))
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
        found = await hold_with(connection, op.subject, now_us)
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


async def hold_with(
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
    if await connection.fetchval(_NOT_TAKEN, payable.payable_id, [NEVER_SENT, NEVER_MADE, FROZEN]):
        return None
    rows = await connection.fetch(_SOURCES, payable.award_id)
    return StripeId(rows[0]["stripe_id"]) if len(rows) == 1 else None


async def tries_of(connection: AnyConnection, payable: Payable) -> list[Sent]:
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
    return (told_of("netted", row, facts),) if kept else ()


def told_of(kind: str, row: AwardRow, facts: dict[str, Any]) -> Told:
    return Told(kind=kind, invoice_id=row.invoice_id, award_id=row.award_id, facts=facts)
