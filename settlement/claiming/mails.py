"""What the buyer is told of its claim by mail. Pure."""

from settlement.claiming.claim_table import Claim
from settlement.rows import AwardRow
from settlement.steps import Wanted
from settlement.telling import Kind, mail_to

BELOW: str = "What is lost stays below the threshold of the lot's terms."


def asked(claim: Claim, row: AwardRow, number: int, words: str) -> Wanted:
    """Staff want to know more; ``number``: of the message."""
    return mail_to(
        *(Kind.CLAIM_ASKED, claim.claim_id, claim.buyer_id),
        turn=number,
        lot=row.goods.number,
        title=row.goods.title,
        words=words,
    )


def granted(claim: Claim, row: AwardRow, amount_minor: int) -> Wanted:
    """It is credited."""
    return mail_to(
        *(Kind.CLAIM_GRANTED, claim.claim_id, claim.buyer_id),
        lot=row.goods.number,
        title=row.goods.title,
        amount_minor=amount_minor,
        currency=claim.currency,
        why=claim.why,
    )


def refused(claim: Claim, row: AwardRow, why: str) -> Wanted:
    """Nothing is credited."""
    return mail_to(
        *(Kind.CLAIM_REFUSED, claim.claim_id, claim.buyer_id),
        lot=row.goods.number,
        title=row.goods.title,
        why=why,
    )
