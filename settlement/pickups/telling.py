"""What the services of the dock and of claims write beside their own rows: story and deadlines."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.audit import Actor
from foundation.database import AnyConnection
from settlement.pickups.pickup_table import HeldAwards
from settlement.pickups.words import PickupRefusal, Refused
from settlement.rows import AwardRow
from settlement.steps import Wanted, want
from settlement.story import HOUSE_ITSELF, Told, tell


def actor_of(actor: Actor) -> str:
    """Who did it, as the story has it; what no person did, the house did."""
    return actor.person_id or HOUSE_ITSELF


def of_lot(refusal: PickupRefusal, row: AwardRow) -> Refused:
    """A refusal that names the lot."""
    meaning = Refused.meanings[refusal]
    said = f"Lot {row.goods.number}: {meaning[:1].lower()}{meaning[1:]}"
    return Refused(refusal, field=row.award_id, detail=said)


async def tell_awards(
    connection: AnyConnection,
    awards: HeldAwards,
    kind: str,
    facts: Mapping[str, Any],
    actor: Actor,
    now_us: int,
    operations: Sequence[Wanted] = (),
) -> None:
    """A line for each of these awards, and operations, for what changes no award's state."""
    lines = [
        Told(
            kind=kind,
            award_id=row.award_id,
            invoice_id=row.invoice_id,
            actor=actor_of(actor),
            facts=facts,
        )
        for row in awards.rows
    ]
    await tell(connection, lines, now_us)
    await want(connection, operations, now_us)
