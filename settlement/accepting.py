"""Acceptance: the goods are the buyer's for good, and what is held for them becomes owed.

By the buyer, once it has them; by the time, when the claims window has passed, or when goods that
lie for collection were never fetched. What the house sends and nobody can prove to have arrived is
never accepted by the time. While a claim is under way nothing is accepted: its decision does that.
"""

from collections.abc import Callable
from typing import Final

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, transaction
from settlement.due import Calendar, accepted_us
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.operations import HOUR_US, Again, Deadline, Operation
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.policy import Policy
from settlement.rows import AwardRow, Held, NotFound, calendar_of, hold_award, policy_of
from settlement.steps import Step, Wanted, write
from settlement.story import HOUSE_ITSELF, Told

ACCEPT: Final = "accept"
RELEASE: Final = "release"
# The deadlines of an award: as goods that nobody fetches, and as goods that were handed over.
_UNCOLLECTED: Final = 1
_HANDED_OVER: Final = 2
# A dispute lasts for weeks; whether it is over is looked at so often.
DISPUTE_LOOK_US: Final = HOUR_US

_BEFORE: Final = frozenset({AwardState.AWARDED, AwardState.INVOICED, AwardState.FUNDED})
_AFTER: Final = frozenset(
    {AwardState.ACCEPTED, AwardState.RELEASED, AwardState.PAID_OUT, AwardState.CLOSED}
)


def uncollected_wanted(row: AwardRow, policy: Policy, calendar: Calendar, funded_us: int) -> Wanted:
    """When goods are accepted that the buyer was to fetch: for the step that funds an award.

    Of goods that the house sends it does nothing when it comes due.
    """
    due_us = accepted_us(
        policy, calendar, funded_at_us=funded_us, handed_over_at_us=None, collected=True
    )
    return _wanted(row, _UNCOLLECTED, due_us)


def window_wanted(row: AwardRow, policy: Policy, calendar: Calendar, handed_over_us: int) -> Wanted:
    """When the claims window ends: for the step that hands an award over."""
    due_us = accepted_us(
        policy,
        calendar,
        funded_at_us=handed_over_us,
        handed_over_at_us=handed_over_us,
        collected=_is_collected(row),
    )
    return _wanted(row, _HANDED_OVER, due_us)


def accepted(row: AwardRow, *, actor: str = HOUSE_ITSELF, why: str = "") -> Step:
    """The award is accepted, and to be released: for whoever decides it, a claim's decision too.

    Each acceptance of an award has a release of its own, since a late claim may come between.
    """
    return Step(
        awards={row.award_id: AwardState.ACCEPTED},
        operations=(
            Wanted(operation=RELEASE, subject=row.award_id, generation=max(1, row.version)),
        ),
        story=(
            Told(
                kind="accepted",
                invoice_id=row.invoice_id,
                award_id=row.award_id,
                actor=actor,
                facts={"why": why} if why else {},
            ),
        ),
    )


class Accept(Deadline):
    """The time has come at which an award may count as accepted."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        award_id = AwardId(op.subject)
        held = await hold_award(connection, award_id)
        row = held.awards[award_id]
        if row.state not in (AwardState.FUNDED, AwardState.HANDED_OVER):
            return None
        fetched = row.state is AwardState.HANDED_OVER
        if not fetched and held.invoiced.standing is PaymentState.DISPUTED:
            # The bank may take the money back before anything is handed over.
            return Again(now_us + DISPUTE_LOOK_US)
        if not fetched and held.invoiced.payment is PaymentState.REFUNDED:
            return None
        due_us = await _due_us(connection, held, row)
        if due_us is None:
            return None
        if due_us > now_us:
            return Again(due_us)
        why = "the claims window is over" if fetched else "never collected"
        await write(connection, held, accepted(row, why=why), now_us)
        return None


class Acceptances:
    """What buyers do. ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def accept(self, buyer_id: BidderId, actor: Actor, award_id: AwardId) -> AwardState:
        """The buyer accepts what it has; again, it changes nothing. Returns the award's state.

        Raises `PayoutRefused`: NOT_FOUND, also for another's; NOT_HANDED_OVER, CLAIMED,
        NOT_ACCEPTABLE.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            held = await _held(connection, award_id)
            row = held.awards[award_id]
            if row.buyer_id != buyer_id:
                raise PayoutRefused(PayoutRefusal.NOT_FOUND)
            if row.state in _AFTER:
                return row.state
            _refuse(row)
            step = accepted(row, actor=actor.person_id or HOUSE_ITSELF, why="by the buyer")
            await write(connection, held, step, now_us)
            await record(
                connection,
                Act.GOODS_ACCEPTED,
                actor,
                now_us,
                organisation_id=OrganisationId(buyer_id),
                object_id=award_id,
            )
        self._ring()
        return AwardState.ACCEPTED


def _refuse(row: AwardRow) -> None:
    if row.state is AwardState.CLAIMED:
        raise PayoutRefused(PayoutRefusal.CLAIMED)
    if row.state in _BEFORE:
        raise PayoutRefused(PayoutRefusal.NOT_HANDED_OVER)
    if row.state is not AwardState.HANDED_OVER:
        raise PayoutRefused(PayoutRefusal.NOT_ACCEPTABLE)


def _wanted(row: AwardRow, generation: int, due_us: int | None) -> Wanted:
    return Wanted(operation=ACCEPT, subject=row.award_id, generation=generation, due_at_us=due_us)


def _is_collected(row: AwardRow) -> bool:
    return row.award.ships_to is None


async def _due_us(connection: AnyConnection, held: Held, row: AwardRow) -> int | None:
    assert row.funded_at_us is not None, "what is funded has its time"
    return accepted_us(
        await policy_of(connection, held.invoiced),
        await calendar_of(connection, held.invoiced),
        funded_at_us=row.funded_at_us,
        handed_over_at_us=row.handed_over_at_us,
        collected=_is_collected(row),
    )


async def _held(connection: AnyConnection, award_id: AwardId) -> Held:
    try:
        return await hold_award(connection, award_id)
    except NotFound as error:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND) from error
