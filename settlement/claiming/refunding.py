"""The money of a claim that was granted: asking for it, and what follows once it has gone back.

Before the release it is a refund out of what is held (`payments`: the operation ``refund``, which
wants ``claim_credited`` when it is booked). The award stays CLAIMED until then, so that the
release, which divides what the ledger holds, cannot divide it too. After the release the seller
owes its part, which is taken back from what it was sent, or netted.
"""

from typing import Final

from foundation.database import AnyConnection
from settlement.accepting import accepted
from settlement.claiming.claim_table import Claim, hold_claim, read_claim, write_credited
from settlement.claiming.mails import granted
from settlement.claiming.words import ClaimState
from settlement.lives import AwardState
from settlement.operations import Deadline, Handler, Operation
from settlement.payouts.reversals import reversal_wanted
from settlement.rows import Held, hold_award
from settlement.steps import Step, Wanted, write
from settlement.story import HOUSE_ITSELF, Told

REFUND: Final = "refund"
CLAIM_CREDITED: Final = "claim_credited"
REASON: Final = "CLAIM"
# Reversals of claims are numbered from here on, those of disputes below it.
_FROM: Final = 1_000


def refund_wanted(claim: Claim, commission_minor: int) -> Wanted:
    """The operation that pays a claim's credit. ``commission_minor``: what the house gives up of
    its commission, after the release."""
    assert claim.credit is not None, "it is granted"
    credit = claim.credit
    return Wanted(
        operation=REFUND,
        subject=claim.claim_id,
        arguments={
            "invoice_id": claim.invoice_id,
            "award_id": claim.award_id,
            "claim_id": claim.claim_id,
            "amount_minor": credit.total_minor,
            "currency": claim.currency,
            "reason": REASON,
            "hammer_minor": credit.hammer_minor,
            "premium_minor": credit.premium_minor,
            "tax_minor": credit.tax_minor,
            "freight_minor": credit.freight_minor,
            "tax_place": credit.tax_place,
            "after_release": claim.after_release,
            "commission_minor": commission_minor,
        },
    )


async def credited(
    connection: AnyConnection, held: Held, claim_id: str, refund_id: str | None, now_us: int
) -> Step:
    """What follows once a claim's credit is booked. For one that is credited already: nothing.

    ``refund_id`` None: it became the buyer's credit here.
    """
    claim = await hold_claim(connection, claim_id)
    if claim.state is not ClaimState.CREDITING:
        return Step()
    assert claim.credit is not None, "it is granted"
    await write_credited(connection, claim_id, refund_id, now_us)
    row = held.awards[claim.award_id]
    told = Told(
        kind="claim_credited",
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        facts={
            "claim_id": claim_id,
            "amount_minor": claim.credit.total_minor,
            "currency": claim.currency,
            "refund_id": refund_id,
        },
    )
    owed = _owed_by_seller(claim)
    mail = granted(claim, row, claim.credit.total_minor)
    operations = (mail,) if owed is None else (mail, owed)
    return Step(story=(told,), operations=operations) + over(held, claim, claim.why)


class ClaimCredited(Deadline):
    """All of a claim's credit is in the books: on its way to the payer, or the buyer's here."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        seen = await read_claim(connection, op.subject)
        held = await hold_award(connection, seen.award_id)
        step = await credited(connection, held, op.subject, op.arguments["refund_id"], now_us)
        await write(connection, held, step, now_us)


def claim_handlers() -> dict[str, Handler]:
    """By operation."""
    return {CLAIM_CREDITED: ClaimCredited()}


def over(held: Held, claim: Claim, why: str = "", actor: str = HOUSE_ITSELF) -> Step:
    """A claim is decided or taken back: its award is accepted, unless it was before it came."""
    row = held.awards[claim.award_id]
    if row.state is not AwardState.CLAIMED:
        return Step()
    return accepted(row, actor=actor, why=why or f"claim {claim.number} is decided")


def _owed_by_seller(claim: Claim) -> Wanted | None:
    """Taking back what a claim after the release makes the seller owe; None: it owes nothing."""
    assert claim.credit is not None, "it is granted"
    seller_minor = claim.credit.hammer_minor - claim.commission_minor
    if not claim.after_release or not seller_minor:
        return None
    return reversal_wanted(claim.award_id, _FROM + claim.number, seller_minor, REASON)
