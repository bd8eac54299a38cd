"""What a buyer may claim of a lot, and what it is credited, by formula. Pure.

The hammer price comes back by the share of the manifest's MSRP that was lost, the premium by the
same share; freight by the share of the units that were missing; the tax is what it would have been
on what remains. So a claim is decided by the frozen manifest, not by an opinion of prices.

Several claims on one lot are counted together, less what was credited before: neither a threshold
nor a rounding can be gained by claiming in pieces, and no more is credited than was paid.

1,000 of 20,000 missing on a hammer price of 3,200.00: 160.00.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.catalog.goods import MAX_LINES, MAX_QUANTITY, Condition, FreightTerms, ManifestLine
from auction.money import BasisPoints
from settlement.chart import sales_tax
from settlement.entries import AwardMoney
from settlement.invoices import Line, left_of
from settlement.lives import AwardState
from settlement.policy import ThresholdPays

WHOLE_BPS: Final = 10_000


class Reason(StrEnum):
    """What is wrong with the goods."""

    MISSING = "MISSING"
    WRONG_ITEM = "WRONG_ITEM"  # not what the manifest says
    WORSE_CONDITION = "WORSE_CONDITION"  # than the manifest's grade
    DAMAGED = "DAMAGED"  # on the way


class Covered(Struct, frozen=True):
    """For which goods and which freight something can be claimed."""

    conditions: frozenset[Condition]
    freights: frozenset[FreightTerms]


_ANY_CONDITION: Final = frozenset(Condition)
_ANY_FREIGHT: Final = frozenset(FreightTerms)
# Nothing is promised of the state of these.
_GRADED: Final = _ANY_CONDITION - {Condition.SALVAGE, Condition.UNINSPECTED}

# What is not here cannot be claimed. Salvage is broken already; goods that nobody inspected arrive
# whole or not, but were never said to work; a carrier that the buyer sent is the buyer's affair.
CLAIMABLE: Final[Mapping[Reason, Covered]] = {
    Reason.MISSING: Covered(_ANY_CONDITION, _ANY_FREIGHT),
    Reason.WRONG_ITEM: Covered(_ANY_CONDITION, _ANY_FREIGHT),
    Reason.WORSE_CONDITION: Covered(_GRADED, _ANY_FREIGHT),
    Reason.DAMAGED: Covered(
        _ANY_CONDITION - {Condition.SALVAGE}, _ANY_FREIGHT - {FreightTerms.BUYER_ARRANGED}
    ),
}


class ClaimedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many pieces of a line of the manifest, and what of their value is lost."""

    line: Annotated[int, Meta(ge=1, le=MAX_LINES)]
    reason: Reason
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
    loss_bps: BasisPoints = WHOLE_BPS


class Threshold(Struct, frozen=True):
    """From which share of the MSRP on a loss is credited, and whether all of it is."""

    share_bps: BasisPoints
    pays: ThresholdPays = ThresholdPays.FULL


class ClaimRefusal(StrEnum):
    """Why a claim is not taken."""

    NOT_HANDED_OVER = "NOT_HANDED_OVER"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    CLAIMS_WINDOW_OVER = "CLAIMS_WINDOW_OVER"
    NOTHING_CLAIMED = "NOTHING_CLAIMED"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    NOT_COVERED = "NOT_COVERED"
    QUANTITY_ABOVE_MANIFEST = "QUANTITY_ABOVE_MANIFEST"
    LOSS_NOT_POSSIBLE = "LOSS_NOT_POSSIBLE"


class RefusedClaim(Struct, frozen=True):
    """The first thing that is wrong with a claim, with the sentence that a person reads."""

    code: ClaimRefusal
    message: str


_UNTIMELY: Final = {
    AwardState.AWARDED: (ClaimRefusal.NOT_HANDED_OVER, "it is not paid yet"),
    AwardState.INVOICED: (ClaimRefusal.NOT_HANDED_OVER, "it is not paid yet"),
    AwardState.FUNDED: (ClaimRefusal.NOT_HANDED_OVER, "it was not handed over yet"),
    AwardState.CLAIMED: (ClaimRefusal.ALREADY_CLAIMED, "a claim on it is being decided"),
    AwardState.CANCELLED: (ClaimRefusal.NOT_HANDED_OVER, "it was cancelled"),
    AwardState.VOID: (ClaimRefusal.NOT_HANDED_OVER, "it is void"),
}


def untimely(state: AwardState, until_us: int, now_us: int) -> RefusedClaim | None:
    """Why nothing may be claimed of an award now; the window is open until just before its end."""
    if state in _UNTIMELY:
        return RefusedClaim(*_UNTIMELY[state])
    if state is not AwardState.HANDED_OVER or now_us >= until_us:
        return RefusedClaim(ClaimRefusal.CLAIMS_WINDOW_OVER, "the time for claims is over")
    return None


def refusal_of(
    manifest: Mapping[int, ManifestLine],
    freight: FreightTerms,
    claimed: Sequence[ClaimedLine],
    earlier: Iterable[ClaimedLine] = (),
) -> RefusedClaim | None:
    """What makes these lines unfit, the first that does. ``earlier``: granted before."""
    if not claimed:
        return RefusedClaim(ClaimRefusal.NOTHING_CLAIMED, "name the lines that are affected")
    affected = Counter[int]()
    for line in earlier:
        affected[line.line] += line.quantity
    for line in claimed:
        listed = manifest.get(line.line)
        if listed is None:
            return RefusedClaim(
                ClaimRefusal.UNKNOWN_LINE, f"line {line.line} is not in the manifest"
            )
        covered = CLAIMABLE[line.reason]
        if listed.condition not in covered.conditions or freight not in covered.freights:
            return RefusedClaim(ClaimRefusal.NOT_COVERED, _not_covered(line, listed, freight))
        if not line.loss_bps or (line.reason is Reason.MISSING and line.loss_bps != WHOLE_BPS):
            return RefusedClaim(
                ClaimRefusal.LOSS_NOT_POSSIBLE,
                f"line {line.line}: what is missing is lost whole, and a loss is more than nothing",
            )
        affected[line.line] += line.quantity
        if affected[line.line] > listed.quantity:
            return RefusedClaim(
                ClaimRefusal.QUANTITY_ABOVE_MANIFEST,
                f"line {line.line}: {affected[line.line]} are affected of {listed.quantity}",
            )
    return None


def lost_share(manifest: Iterable[ManifestLine], claimed: Iterable[ClaimedLine]) -> Fraction:
    """The share of the manifest's MSRP that is lost; of its units, if no MSRP is known."""
    lines = {line.line: line for line in manifest}
    priced = any(line.unit_msrp_minor for line in lines.values())

    def worth(line: ManifestLine) -> int:
        return line.unit_msrp_minor if priced else 1

    lost = sum(worth(lines[c.line]) * c.quantity * c.loss_bps for c in claimed)
    whole = sum(worth(line) * line.quantity for line in lines.values())
    return Fraction(lost, whole * WHOLE_BPS)


def credited_share(lost: Fraction, threshold: Threshold) -> Fraction:
    """What of a loss is credited: nothing below the threshold; at it, FULL pays all of the loss."""
    least = Fraction(threshold.share_bps, WHOLE_BPS)
    if lost < least:
        return Fraction(0)
    return lost if threshold.pays is ThresholdPays.FULL else lost - least


def credit_of(
    line: Line,
    manifest: Sequence[ManifestLine],
    claimed: Sequence[ClaimedLine],
    threshold: Threshold,
    credited: Sequence[AwardMoney] = (),
) -> AwardMoney:
    """What is credited of a line for all that is granted of its claims, beyond earlier credits.

    ``claimed``: what was granted before, too. Nothing is ever asked back by a later claim.
    """
    lost = lost_share(manifest, claimed)
    share = credited_share(lost, threshold)
    assert 0 <= share <= 1, "no more is lost than there was"
    reaches = lost * WHOLE_BPS >= threshold.share_bps
    missing = sum(c.quantity for c in claimed if c.reason is Reason.MISSING) if reaches else 0
    units = sum(each.quantity for each in manifest)
    hammer = _half_up(line.hammer_minor * share)
    premium = _half_up(line.premium_minor * share)
    freight = _half_up(Fraction(line.freight_minor * missing, units))
    remains = line.tax.on_minor(
        line.hammer_minor - hammer, line.premium_minor - premium, line.freight_minor - freight
    )
    left = left_of(line, credited)
    return AwardMoney(
        award_id=line.award_id,
        hammer_minor=max(0, hammer - (line.hammer_minor - left.hammer_minor)),
        premium_minor=max(0, premium - (line.premium_minor - left.premium_minor)),
        tax_minor=max(0, left.tax_minor - remains),
        freight_minor=max(0, freight - (line.freight_minor - left.freight_minor)),
        tax_place=sales_tax(line.tax.tax_place),
    )


def _half_up(exact: Fraction) -> int:
    """Of what is not negative."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _not_covered(line: ClaimedLine, listed: ManifestLine, freight: FreightTerms) -> str:
    if listed.condition not in CLAIMABLE[line.reason].conditions:
        grade = listed.condition.on_pages.lower()
        return f"line {line.line}: of {grade} goods the condition cannot be claimed"
    assert freight is FreightTerms.BUYER_ARRANGED, "other freight is covered"
    return f"line {line.line}: damage on the way is your carrier's"
