"""What a hammer price comes to at the door: premium, tax, freight. Each rounded half up."""

from itertools import pairwise

from auction.money import share_minor
from auction.terms import Premium


def premium_minor(premium: Premium, hammer_minor: int) -> int:
    """The buyer's premium: each tier's rate on its own part of the price, at least the minimum.

    Tiers of 15/12/10 % from 0, 10,000 and 50,000 on 62,500 make 7,550.
    """
    tiers = premium.tiers
    if not tiers:
        return premium.minimum_minor
    if len(tiers) == 1:
        due = share_minor(hammer_minor, tiers[0].rate_bps)
    else:
        due = _marginal_minor(premium, hammer_minor)
    return max(due, premium.minimum_minor)


def _marginal_minor(premium: Premium, hammer_minor: int) -> int:
    bounds = [tier.from_minor for tier in premium.tiers] + [max(hammer_minor, 0)]
    scaled = 0  # in ten-thousandths of a minor unit, so that only the sum is rounded
    for tier, (low, high) in zip(premium.tiers, pairwise(bounds), strict=True):
        scaled += max(0, min(high, hammer_minor) - low) * tier.rate_bps
    return (scaled + 5_000) // 10_000


def all_in_minor(
    premium: Premium, hammer_minor: int, tax_bps: int, freight_minor: int, freight_taxable: bool
) -> int:
    """Hammer price, premium, freight, and tax on what is taxable: what weighs on a limit."""
    buyers_premium = premium_minor(premium, hammer_minor)
    due = hammer_minor + buyers_premium + freight_minor
    if not tax_bps:
        return due
    base = hammer_minor
    if premium.taxable:
        base += buyers_premium
    if freight_taxable:
        base += freight_minor
    return due + share_minor(base, tax_bps)
