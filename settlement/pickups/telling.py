"""What the services of the dock and of claims write beside their own rows: story and deadlines."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.audit import Actor
from foundation.database import AnyConnection
from settlement.operations import NeedsPerson
from settlement.pickups.pickup_table import HeldAwards
from settlement.policy import Policy
from settlement.policy_table import policy_at
from settlement.rows import InvoiceRow
from settlement.steps import Wanted, want
from settlement.story import HOUSE_ITSELF, Told, tell


def actor_of(actor: Actor) -> str:
    """Who did it, as the story has it; what no person did, the house did."""
    return actor.person_id or HOUSE_ITSELF


async def policy_of(connection: AnyConnection, invoice: InvoiceRow) -> Policy:
    """The policy under which an invoice was issued, and so all that follows it."""
    policy = await policy_at(connection, invoice.invoice.currency, invoice.issued_at_us)
    if policy is None:  # there was one when it was issued
        raise NeedsPerson(f"there is no policy for {invoice.invoice.currency}")
    return policy


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
