"""What a bid means, in one sentence, before it is made: as static/meaning.js says it.

tests/pages/meanings.json holds both to the same sentences.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from auction.pricing import ReserveStatus
from auction.terms import PriceRule

# A typed zero too many is ten times the amount; careful people bid three times the least.
FAR: Final = 3

_LOWER: Final = "your max or the seller's secret reserve, whichever is lower"


class MeantBid(Struct, frozen=True, kw_only=True):
    """A bid before it is made, and the lot as it stands. ``own_minor``: the bidder's max so far."""

    amount_minor: int
    opening_minor: int
    reserve: ReserveStatus
    has_leader: bool
    leads: bool
    own_minor: int | None
    rule: PriceRule


def meaning(bid: MeantBid, money: Callable[[int], str]) -> str:
    """The sentence."""
    amount = money(bid.amount_minor)
    if bid.rule is PriceRule.AT_MAXIMUM:
        if bid.leads:
            return f"You lead already, and this raises your own price to exactly {amount}."
        return f"Your bid is exactly {amount}, and you pay that if nobody bids more."
    if bid.leads:
        return _raising(bid, amount, money)
    # Below the reserve the current bid is the leader's max, so that any bid above it leads.
    if bid.reserve is ReserveStatus.NOT_MET:
        return (
            f"You take the lead, the current bid goes at once to {_LOWER}, "
            f"and you never pay above {amount}."
        )
    if bid.has_leader:
        return (
            f"We bid for you only as far as it takes to lead, never above {amount}, "
            "and if the leader's max is as high they stay ahead."
        )
    if bid.amount_minor <= bid.opening_minor:
        return f"You take the lead at {amount}, and pay no more than that."
    return (
        f"You take the lead at the opening bid of {money(bid.opening_minor)}, and we raise it "
        f"only as far as it takes to stay ahead, never above {amount}."
    )


def _raising(bid: MeantBid, amount: str, money: Callable[[int], str]) -> str:
    assert bid.own_minor is not None, "who leads has a max"
    raised = f"Your max goes from {money(bid.own_minor)} to {amount}"
    if bid.reserve is ReserveStatus.NOT_MET:
        return f"{raised}, and the current bid goes at once to {_LOWER}."
    step = ""
    if bid.rule is PriceRule.INCREMENT_OVER:
        step = ", or to a full step above the next highest bid"
    return f"{raised}, and the current bid goes up only when others bid{step}."


def caution(
    amount_minor: int,
    least_minor: int,
    msrp_minor: int,
    total_minor: int,
    money: Callable[[int], str],
) -> str | None:
    """Why a bid should be looked at twice; ``None``: no reason."""
    if msrp_minor and total_minor > msrp_minor:
        total, msrp = money(total_minor), money(msrp_minor)
        return f"At the door this could come to {total}, more than the MSRP of {msrp}."
    if amount_minor > FAR * least_minor:
        times = amount_minor // least_minor
        return f"This is {times} times the {money(least_minor)} that would be enough now."
    return None
