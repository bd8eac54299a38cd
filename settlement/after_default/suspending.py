"""The operations "suspend" and "reinstate": who did not pay may not bid for a time.

A reseller is suspended by its approval, as staff do it: the registrar tells the engine, and every
door asks for it. Each is done by looking first and then deciding what was seen, so that a lost
answer changes nothing. A suspension is only taken back if it still says what it was made with:
whoever was suspended by staff meanwhile, or for another invoice, stays so; and so does who still
owes a fee, until it is paid or given up.
"""

from typing import Final

from accounts import applications
from accounts.approval_states import ApprovalState
from accounts.audit import Actor
from accounts.ids import OrganisationId
from accounts.refusals import Refusal
from accounts.refusals import Refused as AccountsRefused
from accounts.room import Room
from foundation.database import AnyConnection, acquire
from settlement.ids import InvoiceId
from settlement.operations import HOUR_US, Again, Operation, Unknown
from settlement.story import Told, tell

# Of who owes a fee beyond its time.
LOOK_AGAIN_US: Final = 24 * HOUR_US

_ITSELF: Final = Actor(None, "settlement")

_DEFAULT: Final = """
select buyer_id, reason, suspended_until_us from buyer_default where invoice_id = $1 and turn = $2
"""
_OWES: Final = """
select exists (
    select from buyer_charge where buyer_id = $1 and state = 'OPEN' and kind = 'RELIST_FEE'
)
"""
_LATER: Final = """
select exists (select from buyer_default where buyer_id = $1 and suspended_until_us > $2)
"""


class SuspendHandler:
    """Suspends the buyer of an invoice."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def call(self, op: Operation) -> bool:
        """Whether it is suspended for this. Who may not bid anyway, stays as it is."""
        async with acquire(self._room.pool) as connection:
            row = await connection.fetchrow(_DEFAULT, op.subject, op.generation)
        assert row is not None, "it was written with what wants this"
        organisation_id = OrganisationId(row["buyer_id"])
        seen = await applications.application_of(self._room.pool, organisation_id)
        if seen is None or seen.state is not ApprovalState.APPROVED:
            return seen is not None and seen.reasons == row["reason"]
        await _decide(self._room, seen, ApprovalState.SUSPENDED, row["reason"])
        return True

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        if answer is True:
            told = Told(kind="suspended", invoice_id=InvoiceId(op.subject))
            await tell(connection, [told], now_us)


class ReinstateHandler:
    """Lets a buyer bid again whose time is over."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def call(self, op: Operation) -> bool | None:
        """Whether it may bid again; ``None``: not before it has paid what it owes."""
        async with acquire(self._room.pool) as connection:
            row = await connection.fetchrow(_DEFAULT, op.subject, op.generation)
            assert row is not None, "it was written with what wants this"
            if await connection.fetchval(_LATER, row["buyer_id"], row["suspended_until_us"]):
                return False
            if await connection.fetchval(_OWES, row["buyer_id"]):
                return None
        organisation_id = OrganisationId(row["buyer_id"])
        seen = await applications.application_of(self._room.pool, organisation_id)
        if seen is None or seen.state is not ApprovalState.SUSPENDED:
            return False
        if not await self._is_ours(organisation_id, seen.reasons):
            return False
        await _decide(self._room, seen, ApprovalState.APPROVED, "")
        return True

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `Handler`. Who pays the last of what it owes is looked at at once."""
        if answer is None:
            return Again(now_us + LOOK_AGAIN_US)
        if answer is True:
            told = Told(kind="reinstated", invoice_id=InvoiceId(op.subject))
            await tell(connection, [told], now_us)
        return None

    async def _is_ours(self, organisation_id: OrganisationId, reasons: str) -> bool:
        """Whether it is suspended for an invoice that it did not pay, and for nothing else."""
        async with acquire(self._room.pool) as connection:
            return bool(
                await connection.fetchval(
                    "select exists (select from buyer_default where buyer_id = $1 and reason = $2)",
                    organisation_id,
                    reasons,
                )
            )


async def _decide(
    room: Room, seen: applications.Application, to: ApprovalState, reasons: str
) -> None:
    """Decide what was seen. Raises `Unknown` if somebody else decided meanwhile."""
    try:
        await applications.decide(
            room,
            seen.organisation_id,
            to,
            reasons=reasons,
            limit_minor=seen.limit_minor,
            seen_at_us=seen.changed_at_us,
            actor=_ITSELF,
        )
    except AccountsRefused as error:
        if error.refusal in {Refusal.CHANGED_MEANWHILE, Refusal.NOT_NOW}:
            raise Unknown("somebody decides about this reseller now") from error
        raise
