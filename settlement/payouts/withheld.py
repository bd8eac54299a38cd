"""Money that is owed although its invoice was refunded: kept until a person lets it go.

A buyer's bank took its money back after the release. Where the seller is to blame, what it owes was
netted; where the house bears it, the seller is owed its part all the same, and somebody says so.
"""

from collections.abc import Callable
from typing import Final

from accounts.audit import Act, Actor, record
from foundation.database import Pool, transaction
from settlement.entries import MAX_NOTE
from settlement.lives import PaymentState
from settlement.payouts.payables import (
    Payable,
    hold_payables,
    hold_payees,
    moved,
    read_payable,
    write_payable,
)
from settlement.payouts.words import PayableState, PayoutRefusal, PayoutRefused
from settlement.rows import hold_award
from settlement.steps import Step, write
from settlement.story import HOUSE_ITSELF, Told

_LET_GO: Final = """
update payable set let_go_at_us = $2, let_go_by = $3 where payable_id = $1
"""


class Withheld:
    """What staff do about it. ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def let_go(self, staff: Actor, payable_id: str, why: str) -> Payable:
        """It is sent. Raises `PayoutRefused`: NOT_FOUND, NOT_NOW, BAD_DETAILS."""
        now_us, said = self._now_us(), why.strip()
        if not said or len(said) > MAX_NOTE or "\0" in said:
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="why")
        async with transaction(self._pool) as connection:
            seen = await read_payable(connection, payable_id)
            if seen is None:
                raise PayoutRefused(PayoutRefusal.NOT_FOUND)
            held = await hold_award(connection, seen.award_id)
            await hold_payees(connection, {seen.payee_id: seen.kind}, now_us)
            payable = (await hold_payables(connection, [payable_id]))[payable_id]
            refunded = held.invoiced.payment is PaymentState.REFUNDED
            if payable.state is not PayableState.OWED or not refunded:
                raise PayoutRefused(PayoutRefusal.NOT_NOW)
            payable = moved(payable, decisions=payable.decisions + 1, let_go_at_us=now_us)
            await write_payable(connection, payable, now_us)
            await connection.execute(_LET_GO, payable_id, now_us, staff.person_id)
            await record(
                connection, Act.PAYABLE_LET_GO, staff, now_us, object_id=payable_id, why=said
            )
            told = Told(
                kind="let_go",
                invoice_id=payable.invoice_id,
                award_id=payable.award_id,
                actor=staff.person_id or HOUSE_ITSELF,
                facts={"why": said, "amount_minor": payable.left_minor},
            )
            step = Step(operations=(payable.wanted(),), story=(told,))
            await write(connection, held, step, now_us)
        self._ring()
        return payable
