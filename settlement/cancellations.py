"""What a cancellation after the hammer costs its seller, and brings back to the buyer. Pure.

A hammer price of 4,050.00: a fee of 810.00.
"""

from collections.abc import Iterable

from msgspec import Struct

from auction.money import share_minor
from settlement.entries import AwardMoney
from settlement.invoices import Line, left_of
from settlement.lives import AWARD_LIFE, AwardState
from settlement.policy import Policy


class Cancelled(Struct, frozen=True):
    """``credit``: all that is left of the line; what of it is paid, goes back. ``fee_minor``: the
    seller's."""

    credit: AwardMoney
    fee_minor: int


def seller_fee_minor(policy: Policy, hammer_minor: int) -> int:
    """What a seller pays that takes back what it sold: a share of the price, or the least."""
    share = share_minor(hammer_minor, policy.cancellation_bps)
    return max(share, policy.cancellation_least_minor)


def cancelled(
    policy: Policy,
    line: Line,
    state: AwardState,
    *,
    by_seller: bool,
    credited: Iterable[AwardMoney] = (),
) -> Cancelled:
    """The award is cancelled; raises `IllegalMove` once the goods have been handed over.

    Where the house cancels, or a recall does, nobody pays a fee.
    """
    AWARD_LIFE.move(state, AwardState.CANCELLED)
    fee_minor = seller_fee_minor(policy, line.hammer_minor) if by_seller else 0
    return Cancelled(left_of(line, credited), fee_minor)
