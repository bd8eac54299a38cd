"""The goods are the buyer's: signed for at the dock, or proved to have arrived. Pure."""

from collections.abc import Mapping
from typing import Any

from settlement.accepting import window_wanted
from settlement.due import Calendar
from settlement.lives import AwardState
from settlement.policy import Policy
from settlement.rows import AwardRow
from settlement.steps import Step
from settlement.story import Told


def handed_over(
    row: AwardRow,
    policy: Policy,
    calendar: Calendar,
    facts: Mapping[str, Any],
    actor: str,
    now_us: int,
) -> Step:
    """All of an award is with its buyer, and the claims window begins.

    Of goods that nobody fetched in time the money has gone on already: they are told of, and
    nothing else.
    """
    moves = row.state is AwardState.FUNDED
    told = Told(
        kind="handed_over" if moves else "collected_late",
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        actor=actor,
        facts=facts,
    )
    if not moves:
        return Step(story=(told,))
    return Step(
        awards={row.award_id: AwardState.HANDED_OVER},
        operations=(window_wanted(row, policy, calendar, now_us),),
        story=(told,),
        at_us=now_us,
    )
