"""Holding a claim, and whose it is."""

from auction.ids import BidderId
from foundation.database import AnyConnection
from settlement.claiming.claim_table import Claim, hold_claim, read_claim
from settlement.claiming.words import DeskRefusal, Refused
from settlement.rows import Held, hold_award


async def held_claim(
    connection: AnyConnection, claim_id: str, buyer_id: BidderId | None
) -> tuple[Held, Claim]:
    """The claim, held after its award with the invoice. Raises `Refused` NOT_FOUND."""
    seen = owned(await read_claim(connection, claim_id), buyer_id)
    held = await hold_award(connection, seen.award_id)
    return held, await hold_claim(connection, claim_id)


def unchanged(claim: Claim, version: int) -> None:
    """Raises `Refused` CHANGED_MEANWHILE."""
    if claim.version != version:
        raise Refused(DeskRefusal.CHANGED_MEANWHILE)


def owned(claim: Claim, buyer_id: BidderId | None) -> Claim:
    """Raises `Refused` NOT_FOUND for another buyer's; None is staff."""
    if buyer_id is not None and claim.buyer_id != buyer_id:
        raise Refused(DeskRefusal.NOT_FOUND)
    return claim
