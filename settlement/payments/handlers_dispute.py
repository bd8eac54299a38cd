"""Disputes kept: read and decided, answered with evidence, and whose fault they are."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import asyncpg

from accounts.audit import Act, Actor, record
from foundation.database import AnyConnection
from foundation.refusals import RefusedBecause
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.operations import NeedsPerson, Operation, Refused
from settlement.payment_objects import Dispute, Event
from settlement.payments.backs import credit_line
from settlement.payments.decisions_dispute import (
    ENDED,
    LOST,
    DisputeRow,
    DisputeState,
    Fault,
    Given,
    dispute_seen,
)
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.payments.words import Decided
from settlement.ports import PaymentProvider
from settlement.rows import hold_invoice
from settlement.steps import Wanted, want
from settlement.story import Told, tell

_CHARGE: Final = "select invoice_id from payment_charge where charge_id = $1"
_HOLD: Final = "select * from payment_dispute where dispute_id = $1 for update"
_OTHERS: Final = """
select exists (select from payment_dispute
    where invoice_id = $1 and dispute_id <> $2 and state = 'OPEN')
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
insert into payment_dispute (dispute_id, charge_id, invoice_id, amount_minor, currency, fee_minor,
    reason, status, state, fault, answer_by_us, answers, opened_at_us, ended_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (dispute_id) do update set fee_minor = excluded.fee_minor, status = excluded.status,
    state = excluded.state, answer_by_us = excluded.answer_by_us, answers = excluded.answers,
    amount_minor = excluded.amount_minor, ended_at_us = excluded.ended_at_us,
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


MEANINGS: Final = {
    DisputeRefusal.NOT_FOUND: "There is no such dispute.",
    DisputeRefusal.ENDED: "The bank has decided already.",
    DisputeRefusal.ANSWERED: "The evidence is with the bank already; it takes none twice.",
    DisputeRefusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again.",
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
    charge = await connection.fetchrow(_CHARGE, dispute.charge_id)
    if charge is None:
        return False
    if charge["invoice_id"] is None:
        raise NeedsPerson(
            f"dispute {dispute.dispute_id} of {dispute.amount_minor} is of money that was for no "
            f"invoice"
        )
    held = await hold_invoice(connection, InvoiceId(charge["invoice_id"]))
    kept = await connection.fetchrow(_HOLD, dispute.dispute_id)
    given = Given(
        dispute=dispute,
        before=None if kept is None else dispute_row(kept),
        others=await connection.fetchval(_OTHERS, held.invoiced.invoice_id, dispute.dispute_id),
        commissions=await _commissions(connection, list(held.awards)),
    )
    facts = await facts_of(connection, held, payers)
    decision = dispute_seen(held, facts, given, now_us)
    await _write(connection, decision.row)
    invoice_id = held.invoiced.invoice_id
    await credit_line(connection, invoice_id, LOST, decision.lost, now_us)
    await carry_out(connection, held, Decided(steps=decision.steps), now_us)
    return True


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
    told = Told(kind=kind, invoice_id=row.invoice_id, actor=actor.person_id or "staff", facts=facts)
    await tell(connection, [told], now_us)


async def _commissions(connection: AnyConnection, award_ids: list[AwardId]) -> dict[AwardId, int]:
    rows = await connection.fetch(_COMMISSIONS, award_ids)
    return {AwardId(row["award_id"]): row["earned"] for row in rows}


async def _write(connection: AnyConnection, row: DisputeRow) -> None:
    await connection.execute(
        _WRITE, row.dispute_id, row.charge_id, row.invoice_id, row.amount_minor, row.currency,
        row.fee_minor, row.reason, row.status, row.state, row.fault, row.answer_by_us,
        row.answers, row.opened_at_us, row.ended_at_us,
    )  # fmt: skip
