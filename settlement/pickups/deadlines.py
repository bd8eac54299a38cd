"""What happens at the dock when nobody does anything: the operations that come due by themselves.

* ``pickup_missed``: an appointment was not kept. It is over, it costs, and the lots can be booked
  again. A booking that was changed meanwhile has a later operation of its own.
* ``abandonment_notice``: goods that were paid have stood for the days of the policy. The buyer is
  told by mail that they will be treated as abandoned; what becomes of them, a person decides.
"""

from typing import Final

from foundation.database import AnyConnection
from settlement.accepting import uncollected_wanted
from settlement.due import Calendar, abandonment_notice_us
from settlement.ids import AwardId
from settlement.ledger import post
from settlement.operations import Deadline, Handler, Operation
from settlement.pickups.charge_table import storage_so_far_minor
from settlement.pickups.counting import charge_up_to_now
from settlement.pickups.pickup_table import (
    HeldAwards,
    Pickup,
    end_pickup,
    hold_awards,
    hold_pickup,
    pallets_of,
    why_not_handed_over,
)
from settlement.pickups.words import PickupState
from settlement.policy import Policy
from settlement.rows import AwardRow, calendar_of, policy_of, read_award
from settlement.steps import Wanted, want
from settlement.story import Told, tell
from settlement.telling import Kind, mail_to

PICKUP_MISSED: Final = "pickup_missed"
ABANDONMENT_NOTICE: Final = "abandonment_notice"

_NOTICE: Final = """
insert into abandonment (award_id, noticed_at_us, pallets, storage_minor) values ($1, $2, $3, $4)
on conflict (award_id) do nothing
"""


def abandonment_wanted(row: AwardRow, policy: Policy, calendar: Calendar, funded_us: int) -> Wanted:
    """When the buyer is told that goods which nobody fetched are treated as abandoned: for the
    step that funds an award. Of goods that the house ships it does nothing when it comes due."""
    return Wanted(
        operation=ABANDONMENT_NOTICE,
        subject=row.award_id,
        due_at_us=abandonment_notice_us(policy, calendar, funded_us),
    )


async def want_deadlines(connection: AnyConnection, award_id: AwardId, now_us: int) -> None:
    """Once an award is paid: when its goods count as accepted, or as abandoned, if nobody comes.

    Told twice, nothing is done twice.
    """
    held = await read_award(connection, award_id)
    row = held.awards[award_id]
    if row.funded_at_us is None or row.award.ships_to is not None:
        return
    policy = await policy_of(connection, held.invoiced)
    calendar = await calendar_of(connection, held.invoiced)
    wanted = (
        uncollected_wanted(row, policy, calendar, row.funded_at_us),
        abandonment_wanted(row, policy, calendar, row.funded_at_us),
    )
    await want(connection, wanted, now_us)


class PickupMissed(Deadline):
    """The time has passed in which a truck was waited for."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        pickup, awards = await hold_pickup(connection, op.subject, None)
        if pickup.state is not PickupState.BOOKED or pickup.bookings != op.generation:
            return
        waiting = [
            row
            for row in awards.rows
            if why_not_handed_over(row, awards.held(row.award_id)) is None
        ]
        # Lots that were cancelled, or whose money went back, are waited for by nobody.
        over = PickupState.MISSED if waiting else PickupState.CANCELLED
        await end_pickup(connection, pickup.pickup_id, over, now_us)
        lines = [
            Told(
                kind=f"pickup_{over.lower()}",
                award_id=row.award_id,
                invoice_id=row.invoice_id,
                facts={"pickup_id": pickup.pickup_id, "slot_at_us": pickup.slot_at_us},
            )
            for row in awards.rows
        ]
        await tell(connection, lines, now_us)
        if waiting:
            await want(connection, [_missed_mail(pickup, waiting[0], awards)], now_us)
        await post(connection, await charge_up_to_now(connection, pickup, awards, None, now_us))


class AbandonmentNotice(Deadline):
    """Paid goods have stood on the dock for as long as the policy bears it."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        award_id = AwardId(op.subject)
        awards = await hold_awards(connection, [award_id])
        row, held = awards[award_id], awards.held(award_id)
        if row.award.ships_to is not None or why_not_handed_over(row, held) is not None:
            return
        pallets = (await pallets_of(connection, [row]))[award_id]
        left = sum(pallet.gone_at_us is None for pallet in pallets)
        if not left:
            return
        policy = await policy_of(connection, held.invoiced)
        calendar = await calendar_of(connection, held.invoiced)
        storage_minor = storage_so_far_minor(policy, calendar, row, pallets, now_us)
        await connection.execute(_NOTICE, award_id, now_us, left, storage_minor)
        facts = {"pallets": left, "storage_minor": storage_minor, "currency": row.currency}
        told = Told(
            kind="abandonment_notice", award_id=award_id, invoice_id=row.invoice_id, facts=facts
        )
        await tell(connection, [told], now_us)
        mail = mail_to(
            *(Kind.ABANDONMENT, award_id, row.buyer_id),
            lot=row.goods.number,
            title=row.goods.title,
            pallets=left,
            storage_minor=storage_minor,
            currency=row.currency,
        )
        await want(connection, [mail], now_us)
        await post(connection, await charge_up_to_now(connection, None, awards, None, now_us))


def _missed_mail(pickup: Pickup, row: AwardRow, awards: HeldAwards) -> Wanted:
    return mail_to(
        *(Kind.PICKUP_MISSED, pickup.pickup_id, pickup.buyer_id),
        turn=pickup.bookings,
        lot=row.goods.number,
        slot_at_us=pickup.slot_at_us,
        zone=awards.held(row.award_id).invoiced.zone,
    )


def pickup_handlers() -> dict[str, Handler]:
    """By operation."""
    return {PICKUP_MISSED: PickupMissed(), ABANDONMENT_NOTICE: AbandonmentNotice()}
