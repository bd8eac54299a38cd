"""What a claim comes to, beside the formula itself (`settlement.claims`). Pure.

What was granted on a lot before counts together with what is claimed now, and what the formula said
of it then counts as credited, not what staff made of it: what they cut is not got back by claiming
a little more. After the release freight is not credited: its carrier has it.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from auction.catalog.goods import ManifestLine
from settlement.claiming.words import DeskRefusal, FiledLine, GrantedLine, Refused
from settlement.claims import ClaimedLine, Threshold, credit_of
from settlement.entries import AwardMoney
from settlement.invoices import Line, left_of
from settlement.policy import Commission
from settlement.splits import split_minor


class Before(Struct, frozen=True, kw_only=True):
    """What was granted on a lot before, and what counts as credited of its line."""

    granted: tuple[ClaimedLine, ...] = ()
    credited: tuple[AwardMoney, ...] = ()


def formula_of(
    line: Line,
    manifest: Sequence[ManifestLine],
    claimed: Sequence[ClaimedLine],
    threshold: Threshold,
    before: Before,
    *,
    after_release: bool = False,
) -> AwardMoney:
    """What the formula says of these lines, beyond what counts as credited."""
    every = (*before.granted, *claimed)
    back = credit_of(line, manifest, every, threshold, before.credited)
    if not after_release or not back.freight_minor:
        return back
    left = left_of(line, before.credited)
    remains = line.tax.on_minor(
        left.hammer_minor - back.hammer_minor,
        left.premium_minor - back.premium_minor,
        left.freight_minor,
    )
    return structs.replace(back, freight_minor=0, tax_minor=max(0, left.tax_minor - remains))


def granted_lines(
    claimed: Sequence[FiledLine], granted: Sequence[GrantedLine]
) -> tuple[ClaimedLine, ...]:
    """The lines that count. Raises `Refused` MORE_THAN_CLAIMED, UNKNOWN_LINE."""
    chosen: list[ClaimedLine] = []
    seen: set[int] = set()
    for each in granted:
        if not 1 <= each.place <= len(claimed) or each.place in seen:
            said = f"The claim has no line {each.place}, or it was named twice."
            raise Refused(DeskRefusal.UNKNOWN_LINE, field="lines", detail=said)
        seen.add(each.place)
        line = claimed[each.place - 1]
        if each.quantity > line.quantity or each.loss_bps > line.loss_bps:
            said = f"Line {line.line}: {line.quantity} were claimed, at {line.loss_bps / 100:g} %."
            raise Refused(DeskRefusal.MORE_THAN_CLAIMED, field="lines", detail=said)
        if each.quantity and each.loss_bps:
            chosen.append(as_claimed(line, each.quantity, each.loss_bps))
    return tuple(chosen)


def as_claimed(line: ClaimedLine, quantity: int, loss_bps: int) -> ClaimedLine:
    """The line with so many pieces and such a loss, without the buyer's words."""
    return ClaimedLine(line=line.line, reason=line.reason, quantity=quantity, loss_bps=loss_bps)


def less(formula: AwardMoney, credit_minor: int) -> AwardMoney:
    """So much of what the formula says, of each of its parts in proportion.

    Raises `Refused` MORE_THAN_FORMULA.
    """
    if not 0 <= credit_minor <= formula.total_minor:
        raise Refused(DeskRefusal.MORE_THAN_FORMULA, field="credit_minor")
    parts = (formula.hammer_minor, formula.premium_minor, formula.tax_minor, formula.freight_minor)
    hammer, premium, tax, freight = split_minor(credit_minor, parts)
    return structs.replace(
        formula, hammer_minor=hammer, premium_minor=premium, tax_minor=tax, freight_minor=freight
    )


def commission_back_minor(commission: Commission, kept_minor: int, back_minor: int) -> int:
    """What the house gives up of its commission when so much of a hammer price goes back."""
    return commission.of_minor(kept_minor) - commission.of_minor(kept_minor - back_minor)


def affected(claimed: Sequence[ClaimedLine]) -> Mapping[int, int]:
    """Pieces of each line of the manifest."""
    pieces: dict[int, int] = {}
    for line in claimed:
        pieces[line.line] = pieces.get(line.line, 0) + line.quantity
    return pieces
