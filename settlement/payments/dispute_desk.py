"""The desk of disputes: what waits, what is sent to the payer's bank, and who bears a loss."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from accounts.audit import Actor
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.papers.reading_evidence import evidence_content
from settlement.payments.dispute_bearing import bear
from settlement.payments.dispute_words import ENDED, Bearer, DisputeRow, Fault
from settlement.payments.evidence_texts import evidence_texts
from settlement.payments.handlers_dispute import (
    DisputeRefusal,
    DisputeRefused,
    accept_loss,
    answer_dispute,
    dispute_row,
    set_fault,
)
from settlement.payments.payers import TablePayers
from settlement.rows import AwardRow, Held, InvoiceRow, read_invoice

# Of the list: those that are open, and the latest that are over.
SHOWN: Final = 200

_LIST: Final = """
select * from payment_dispute
order by ended_at_us desc nulls first, answer_by_us nulls last, dispute_id limit $1
"""
_ONE: Final = "select * from payment_dispute where dispute_id = $1"


class DisputeView(Struct, frozen=True, kw_only=True):
    """A dispute with its invoice, if its money was for one, and the evidence that there is."""

    dispute: DisputeRow
    version: int
    fault_by: str | None
    invoice: InvoiceRow | None
    awards: Sequence[AwardRow]
    evidence: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        return self.dispute.state not in ENDED


class DisputeDesk:
    """Services for staff; each raises `DisputeRefused`."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def list(self) -> Sequence[DisputeRow]:
        """The open ones by their deadline, then the latest that are over."""
        async with acquire(self._pool) as connection:
            return [dispute_row(row) for row in await connection.fetch(_LIST, SHOWN)]

    async def view(self, dispute_id: str) -> DisputeView:
        """One with all that its page shows."""
        async with acquire(self._pool) as connection:
            return await _view(connection, dispute_id)

    async def blame(self, actor: Actor, dispute_id: str, fault: Fault, version: int) -> None:
        """Who bears it if it is lost after the release."""
        async with transaction(self._pool) as connection:
            now_us = self._now_us()
            await set_fault(connection, dispute_id, fault, actor, now_us, version=version)

    async def answer(self, actor: Actor, dispute_id: str, words: str, version: int) -> None:
        """The evidence of all of the invoice's lots goes to the payer's bank, once and for good."""
        async with transaction(self._pool) as connection:
            view = await _view(connection, dispute_id, words)
            await answer_dispute(
                connection, dispute_id, view.evidence, actor, self._now_us(), version=version
            )
        self._ring()

    async def give_up(self, actor: Actor, dispute_id: str, version: int) -> None:
        """It is let go: the payer's bank keeps the money."""
        async with transaction(self._pool) as connection:
            await accept_loss(connection, dispute_id, actor, self._now_us(), version=version)
        self._ring()

    async def bear(self, actor: Actor, dispute_id: str, bearer: Bearer, version: int) -> None:
        """Who bears what no lot can, or gets what came back too much."""
        async with transaction(self._pool) as connection:
            now_us, payers = self._now_us(), TablePayers()
            await bear(connection, payers, dispute_id, bearer, actor, now_us, version=version)


async def _view(connection: AnyConnection, dispute_id: str, words: str = "") -> DisputeView:
    row = await connection.fetchrow(_ONE, dispute_id)
    if row is None:
        raise DisputeRefused(DisputeRefusal.NOT_FOUND, field="dispute_id")
    dispute = dispute_row(row)
    held = Held(None, {})
    if dispute.invoice_id is not None:
        held = await read_invoice(connection, dispute.invoice_id)
    lots = [await evidence_content(connection, award_id) for award_id in held.awards]
    return DisputeView(
        dispute=dispute,
        version=row["version"],
        fault_by=row["fault_by"],
        invoice=held.invoice,
        awards=list(held.awards.values()),
        evidence=evidence_texts(lots, words),
    )
