"""Disputes kept: read and decided, answered with evidence, and whose fault they are."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import asyncpg

from accounts.audit import Act, Actor, record
from foundation.database import AnyConnection
from foundation.refusals import RefusedBecause
from settlement.ids import AwardId, StripeId
from settlement.operations import HOUR_US, NeedsPerson, Operation, Refused
from settlement.payment_objects import Dispute, Event
from settlement.payments.backs import credit_line
from settlement.payments.decisions_dispute import dispute_seen
from settlement.payments.dispute_words import (
    ENDED,
    LOST,
    DisputeRow,
    DisputeState,
    Fault,
    Given,
    Whose,
)
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.payments.words import Decided
from settlement.ports import PaymentProvider
from settlement.rows import Held, hold_invoice
from settlement.steps import Wanted, want, write
from settlement.story import Told, tell

# Our own row of a charge comes with the answer of the call that made it. What nobody knows so long
# after the payer's bank took it is booked all the same: the provider's balance lacks it.
NOBODYS_US: Final = HOUR_US

# Whose a charge is: an invoice's or a buyer's credit; a deposit's; a charge of the dock's, paid by
# card.
_WHOSE: Final = """
select invoice_id, buyer_id, null as deposit from payment_charge where charge_id = $1
union all
select null, buyer_id, 'deposit~' || sale_id || '~' || buyer_id
from deposit where charge_id = $1 and taken_minor > 0
union all
select null, b.buyer_id, null
from charge_try t join buyer_charge b using (charge_id) where t.payment_id = $2
limit 1
"""
_KNOWN: Final = "select invoice_id, buyer_id, deposit from payment_dispute where dispute_id = $1"
_HOLD: Final = "select * from payment_dispute where dispute_id = $1 for update"
_FIRST: Final = "select pg_advisory_xact_lock(hashtextextended('dispute:' || $1, 0))"
# Goods that a truck or a carrier has, of lots that were not handed over whole.
_LEFT: Final = """
select award_id from award_pallet where award_id = any($1) and gone_at_us is not null
union select award_id from delivery where award_id = any($1)
"""
_LOST_WHOLE: Final = """
update award set lost_at_us = coalesce(lost_at_us, $2) where award_id = any($1)
"""
# What the house earned of a released award's price, less what it gave back.
_COMMISSIONS: Final = """
select t.award_id, sum(case when c.name = 'commission_income' then t.amount_minor
    else -t.amount_minor end)::bigint as earned
from ledger_transfer t
join ledger_account c on c.account_id = t.credit_account_id
join ledger_account d on d.account_id = t.debit_account_id
where t.award_id = any($1)
    and (c.name = 'commission_income' or d.name = 'commission_income')
group by t.award_id
"""
_WRITE: Final = """
insert into payment_dispute (dispute_id, charge_id, invoice_id, buyer_id, deposit, amount_minor,
    currency, fee_minor, reason, status, state, fault, answer_by_us, answers, opened_at_us,
    ended_at_us, taken_minor, given_minor, borne_minor, booked)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
on conflict (dispute_id) do update set invoice_id = excluded.invoice_id,
    buyer_id = excluded.buyer_id, deposit = excluded.deposit, currency = excluded.currency,
    fee_minor = excluded.fee_minor, status = excluded.status, state = excluded.state,
    answer_by_us = excluded.answer_by_us, answers = excluded.answers,
    amount_minor = excluded.amount_minor, ended_at_us = excluded.ended_at_us,
    taken_minor = excluded.taken_minor, given_minor = excluded.given_minor,
    borne_minor = excluded.borne_minor, booked = excluded.booked,
    version = payment_dispute.version + 1
"""
_BUMP: Final = "update payment_dispute set version = version + 1 where dispute_id = $1"
_FAULT: Final = """
update payment_dispute set fault = $2, fault_by = $3, version = version + 1 where dispute_id = $1
"""


class DisputeRefusal(StrEnum):
    """Why nothing was done about a dispute."""

    NOT_FOUND = "NOT_FOUND"
    ENDED = "ENDED"
    ANSWERED = "ANSWERED"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    NOTHING_TO_BEAR = "NOTHING_TO_BEAR"
    NO_CREDIT = "NO_CREDIT"


MEANINGS: Final = {
    DisputeRefusal.NOT_FOUND: "There is no such dispute.",
    DisputeRefusal.ENDED: "The bank has decided already.",
    DisputeRefusal.ANSWERED: "The evidence is with the bank already; it takes none twice.",
    DisputeRefusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again.",
    DisputeRefusal.NOTHING_TO_BEAR: "The bank has not decided, or nothing of it is left to bear.",
    DisputeRefusal.NO_CREDIT: "The buyer has no credit for it that is free.",
}


class DisputeRefused(RefusedBecause[DisputeRefusal]):
    """Nothing was changed."""

    meanings = MEANINGS


class DisputeReader:
    """Of ``dispute``."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, event: Event, found: object, now_us: int
    ) -> bool:
        """See `readers.Reader`."""
        assert isinstance(found, Dispute)
        return await decided(connection, found, self._payers, now_us)


class ReadDispute:
    """Operation ``read_dispute``: how a dispute stands now."""

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await self._provider.dispute(StripeId(op.arguments["dispute_id"]))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if not isinstance(answer, Dispute):
            raise NeedsPerson(f"dispute {op.arguments['dispute_id']} cannot be read: {answer}")
        await decided(connection, answer, self._payers, now_us)


class AnswerDispute:
    """Operation ``answer_dispute``: evidence goes to the payer's bank, once and for good.

    ``arguments``: dispute_id, evidence (by Stripe's names of it), submit.
    """

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        arguments = op.arguments
        dispute_id = StripeId(arguments["dispute_id"])
        if op.claims > 1:
            dispute = await self._provider.dispute(dispute_id)
            if dispute.submissions > arguments["answers"] or dispute.is_over:
                return dispute
        return await self._provider.answer_dispute(
            op.idempotency_key, dispute_id, arguments["evidence"], submit=arguments["submit"]
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if isinstance(answer, Refused) or not isinstance(answer, Dispute):
            raise NeedsPerson(f"the evidence was not taken: {answer}")
        await decided(connection, answer, self._payers, now_us)


class AcceptDispute:
    """Operation ``accept_dispute``: the dispute is let go, for good."""

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        dispute_id = StripeId(op.arguments["dispute_id"])
        if op.claims > 1:
            dispute = await self._provider.dispute(dispute_id)
            if dispute.is_over:
                return dispute
        return await self._provider.accept_dispute(op.idempotency_key, dispute_id)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if not isinstance(answer, Dispute):
            raise NeedsPerson(f"the dispute could not be let go: {answer}")
        await decided(connection, answer, self._payers, now_us)


async def decided(connection: AnyConnection, dispute: Dispute, payers: Payers, now_us: int) -> bool:
    """What follows from a dispute as it is now; ``False``: its charge is none of ours, yet."""
    await alone_with(connection, dispute.dispute_id)
    whose = await _whose(connection, dispute, now_us)
    if whose is None:
        return False
    if whose.invoice_id is None:
        given = await _given(connection, dispute, whose, [])
        decision = dispute_seen(None, None, given, now_us)
        await write_dispute(connection, decision.row)
        for step in decision.steps:
            await write(connection, Held(None, {}), step, now_us)
        return True
    held = await hold_invoice(connection, whose.invoice_id)
    given = await _given(connection, dispute, whose, list(held.awards))
    facts = await facts_of(connection, held, payers)
    decision = dispute_seen(held, facts, given, now_us)
    await write_dispute(connection, decision.row)
    await credit_line(connection, whose.invoice_id, LOST, decision.lost, now_us)
    await connection.execute(_LOST_WHOLE, list(decision.whole), now_us)
    written = Decided(steps=decision.steps, earmarked_minor=decision.earmarked_minor)
    await carry_out(connection, held, written, now_us)
    return True


async def alone_with(connection: AnyConnection, dispute_id: str) -> None:
    """Nobody else decides about a dispute until the caller's transaction ends; before all else."""
    await connection.execute(_FIRST, dispute_id)


async def _whose(connection: AnyConnection, dispute: Dispute, now_us: int) -> Whose | None:
    """Of whose money it is; None: nobody's yet, and our own row may be on its way."""
    row = await connection.fetchrow(_WHOSE, dispute.charge_id, dispute.payment_id)
    if row is None:  # a deposit's row is of its latest charge: what was known then stays so
        row = await connection.fetchrow(_KNOWN, dispute.dispute_id)
    if row is not None:
        return Whose(invoice_id=row["invoice_id"], buyer_id=row["buyer_id"], deposit=row["deposit"])
    return Whose() if now_us >= dispute.made_at_us + NOBODYS_US else None


async def _given(
    connection: AnyConnection, dispute: Dispute, whose: Whose, award_ids: list[AwardId]
) -> Given:
    kept = await connection.fetchrow(_HOLD, dispute.dispute_id)
    left = await connection.fetch(_LEFT, award_ids)
    return Given(
        dispute=dispute,
        before=None if kept is None else dispute_row(kept),
        whose=whose,
        left=frozenset(AwardId(row["award_id"]) for row in left),
        commissions=await _commissions(connection, award_ids),
    )


async def answer_dispute(
    connection: AnyConnection,
    dispute_id: str,
    evidence: Mapping[str, str],
    actor: Actor,
    now_us: int,
    *,
    version: int | None = None,
    submit: bool = True,
) -> None:
    """Hand evidence over: an operation sends it. Raises `DisputeRefused`."""
    row, current = await _held(connection, dispute_id, version)
    if row.answers:
        raise DisputeRefused(DisputeRefusal.ANSWERED, field="dispute_id")
    arguments = {"evidence": dict(evidence), "submit": submit, "answers": row.answers}
    await _ask(connection, "answer_dispute", dispute_id, current, arguments, now_us)
    await _told(connection, row, "dispute_answered", actor, now_us)
    await record(
        connection, Act.DISPUTE_ANSWERED, actor, now_us, object_id=dispute_id, submitted=submit
    )


async def accept_loss(
    connection: AnyConnection,
    dispute_id: str,
    actor: Actor,
    now_us: int,
    *,
    version: int | None = None,
) -> None:
    """It is let go: an operation says so to the provider. Raises `DisputeRefused`."""
    row, current = await _held(connection, dispute_id, version)
    await _ask(connection, "accept_dispute", dispute_id, current, {}, now_us)
    await _told(connection, row, "dispute_let_go", actor, now_us)
    await record(connection, Act.DISPUTE_LET_GO, actor, now_us, object_id=dispute_id)


async def set_fault(
    connection: AnyConnection,
    dispute_id: str,
    fault: Fault,
    actor: Actor,
    now_us: int,
    *,
    version: int | None = None,
) -> None:
    """Staff say who bears a dispute that is lost, before it is decided. Raises `DisputeRefused`."""
    row, _ = await _held(connection, dispute_id, version)
    await connection.execute(_FAULT, dispute_id, fault, actor.person_id)
    await _told(connection, row, "dispute_fault", actor, now_us, fault=fault)
    await record(
        connection, Act.DISPUTE_FAULT_SET, actor, now_us, object_id=dispute_id, fault=fault
    )


def dispute_row(row: asyncpg.Record) -> DisputeRow:
    """The struct of a row of ``payment_dispute``."""
    fields = {name: row[name] for name in DisputeRow.__struct_fields__}
    return DisputeRow(
        **fields | {"state": DisputeState(row["state"]), "fault": Fault(row["fault"])}
    )


async def _held(
    connection: AnyConnection, dispute_id: str, version: int | None
) -> tuple[DisputeRow, int]:
    """A dispute that is open, held; with its version, which is the one that was seen."""
    kept = await connection.fetchrow(_HOLD, dispute_id)
    if kept is None:
        raise DisputeRefused(DisputeRefusal.NOT_FOUND, field="dispute_id")
    if version is not None and version != kept["version"]:
        raise DisputeRefused(DisputeRefusal.CHANGED_MEANWHILE, field="version")
    row = dispute_row(kept)
    if row.state in ENDED:
        raise DisputeRefused(DisputeRefusal.ENDED, field="dispute_id")
    return row, kept["version"]


async def _ask(
    connection: AnyConnection,
    operation: str,
    dispute_id: str,
    version: int,
    arguments: Mapping[str, Any],
    now_us: int,
) -> None:
    asked = Wanted(
        operation=operation,
        subject=dispute_id,
        generation=version,
        arguments={"dispute_id": dispute_id, **arguments},
    )
    await connection.execute(_BUMP, dispute_id)
    await want(connection, [asked], now_us)


async def _told(
    connection: AnyConnection, row: DisputeRow, kind: str, actor: Actor, now_us: int, **facts: Any
) -> None:
    if row.invoice_id is None:
        return  # there is no story that it could be told in; the audit has it
    told = Told(kind=kind, invoice_id=row.invoice_id, actor=actor.person_id or "staff", facts=facts)
    await tell(connection, [told], now_us)


async def _commissions(connection: AnyConnection, award_ids: list[AwardId]) -> dict[AwardId, int]:
    rows = await connection.fetch(_COMMISSIONS, award_ids)
    return {AwardId(row["award_id"]): row["earned"] for row in rows}


async def write_dispute(connection: AnyConnection, row: DisputeRow) -> None:
    """Keep a dispute as it stands now."""
    await connection.execute(
        _WRITE, row.dispute_id, row.charge_id, row.invoice_id, row.buyer_id, row.deposit,
        row.amount_minor, row.currency, row.fee_minor, row.reason, row.status, row.state, row.fault,
        row.answer_by_us, row.answers, row.opened_at_us, row.ended_at_us, row.taken_minor,
        row.given_minor, row.borne_minor, list(row.booked),
    )  # fmt: skip
