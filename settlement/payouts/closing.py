"""When an award that is paid out is closed, and what keeps money from being sent."""

from foundation.database import AnyConnection
from settlement.due import Calendar
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.operations import Again, Deadline, NeedsPerson, Operation
from settlement.payouts.payables import Payable, Payee, all_done, decided, payables_of
from settlement.policy import Policy
from settlement.policy_table import policy_at
from settlement.releases import HeldBack, keeps_from_sending
from settlement.rows import AwardRow, Held, calendar_of, hold_award
from settlement.steps import Step, write
from settlement.story import Told


class Closing(Deadline):
    """An award was paid out some days ago: nothing comes back any more."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        award_id = AwardId(op.subject)
        held = await hold_award(connection, award_id)
        row = held.awards[award_id]
        parts = await payables_of(connection, [award_id])
        later = decided(parts.values()) > op.generation
        if row.state is not AwardState.PAID_OUT or not all_done(parts.values()) or later:
            return None
        told = Told(kind="closed", invoice_id=row.invoice_id, award_id=award_id)
        step = Step(awards={award_id: AwardState.CLOSED}, story=(told,))
        await write(connection, held, step, now_us)
        return None


async def close_us(connection: AnyConnection, held: Held, now_us: int) -> int:
    """When an award that is paid out now is closed."""
    calendar: Calendar = await calendar_of(connection, held.invoiced)
    days: int | None = await connection.fetchval(
        "select closed_after_days from payout_policy where currency = $1 and valid_from_us <= $2 "
        "order by valid_from_us desc limit 1",
        held.invoiced.invoice.currency,
        now_us,
    )
    if days is None:
        raise NeedsPerson(f"there is no payout policy for {held.invoiced.invoice.currency}")
    return calendar.business_days_after_us(now_us, days)


async def sending_policy(connection: AnyConnection, currency: str, now_us: int) -> Policy:
    """The policy in force: how long a changed account is frozen is for today's people to say."""
    policy = await policy_at(connection, currency, now_us)
    if policy is None:
        raise NeedsPerson(f"there is no policy for {currency}")
    return policy


def kept_back(
    policy: Policy, row: AwardRow, held: Held, payee: Payee, payable: Payable, now_us: int
) -> HeldBack | None:
    """What keeps a payable of an award from being sent to its payee now."""
    payment = held.invoiced.standing
    return keeps(policy, row.state, payment, payee.changed_at_us, payable, now_us)


def keeps(
    policy: Policy,
    award: AwardState,
    payment: PaymentState,
    account_changed_at_us: int | None,
    payable: Payable,
    now_us: int,
) -> HeldBack | None:
    """The same by the states alone. Pure."""
    if award in (AwardState.PAID_OUT, AwardState.CLOSED):
        award = AwardState.RELEASED  # a part of it came back, and is sent again
    if payment is PaymentState.REFUNDED and payable.let_go_at_us is not None:
        payment = PaymentState.PAID  # a person has said that it is owed all the same
    return keeps_from_sending(policy, award, payment, account_changed_at_us, now_us)
