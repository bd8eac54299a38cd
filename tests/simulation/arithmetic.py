"""The rules of money and time once more, as plainly as they can be said.

For the ``model``; nothing here calls the engine. Of the engine's terms only the data are used.
"""

from fractions import Fraction
from math import floor

from auction.terms import ClosingMode, ExtensionMode, PriceRule, SoftClose, Terms

SECOND = 1_000_000


def increment(terms: Terms, price: int) -> int:
    """The increment at a price."""
    steps = [step for step in terms.increments.steps if step.from_minor <= price]
    return steps[-1].increment_minor


def price_of(terms: Terms, opening: int, reserve: int | None, maxima: list[int]) -> int:
    """The price at these maxima of different bidders, best first."""
    top = maxima[0]
    wanted = max(opening, reserve or 0)
    if terms.price_rule is PriceRule.AT_MAXIMUM:
        wanted = max(wanted, top)
    elif len(maxima) > 1 and terms.price_rule is PriceRule.MATCH_RIVAL:
        wanted = max(wanted, maxima[1])
    elif len(maxima) > 1:
        wanted = max(wanted, maxima[1] + increment(terms, maxima[1]))
    return min(wanted, top)


def half_up(amount: Fraction) -> int:
    """Rounded to whole minor units, half up."""
    return floor(amount + Fraction(1, 2))


def all_in(terms: Terms, hammer: int, tax_bps: int, freight: int) -> int:
    """Hammer price, premium, freight and tax."""
    tiers = terms.premium.tiers
    share = Fraction(0)
    for number, tier in enumerate(tiers):
        until = tiers[number + 1].from_minor if number + 1 < len(tiers) else hammer
        share += Fraction(max(0, min(until, hammer) - tier.from_minor) * tier.rate_bps, 10_000)
    premium = max(half_up(share), terms.premium.minimum_minor)
    taxed = hammer
    if terms.premium.taxable:
        taxed += premium
    if terms.freight_taxable:
        taxed += freight
    return hammer + premium + freight + half_up(Fraction(taxed * tax_bps, 10_000))


def extended(soft_close: SoftClose | None, now: int, end: int, latest: int | None) -> int:
    """The end after a bid that counts, made at ``now``."""
    if soft_close is None or end - now > soft_close.window_us:
        return end
    if soft_close.mode is ExtensionMode.ADD:
        new_end = end + soft_close.extension_us
    else:
        new_end = now + soft_close.extension_us
    return within(new_end, end, latest)


def within(new_end: int, end: int, latest: int | None) -> int:
    """Never back, never past the latest end."""
    if latest is not None and new_end > latest:
        new_end = latest
    return max(new_end, end)


def linked(mode: ClosingMode, moved_from: int, moved_to: int, *, end: int, behind: bool) -> int:
    """Where the extension of a lot wants another one that it may move.

    ``behind``: of the same group, under GROUP; scheduled to end later, under CASCADE.
    """
    if not behind:
        return end
    if mode is ClosingMode.GROUP:
        return max(end, moved_to)
    return end + (moved_to - moved_from)


def outage_move(dark: int, ready: int, first_end: int, extension: int) -> int:
    """By how much ends move after having been away for ``dark``; 0: not at all."""
    notice = 30 * SECOND
    if dark >= 10 * SECOND:
        notice = max(120 * SECOND, 2 * extension)
    if first_end - ready >= notice:
        return 0
    move = max(dark, ready + notice - first_end)
    if dark >= 2 * 3600 * SECOND:
        move += 24 * 3600 * SECOND
    return move
