"""Which turn a life takes, by its seed and by how its buyer pays."""

from random import Random
from typing import Final

from tests.crash_points import by_file, later, turns
from tests.crash_points.course import UNPAID, Paid
from tests.crash_points.turns import Turn

# What may come between however a buyer pays, or does not.
_ANY: Final[tuple[type[Turn], ...]] = (turns.Turn, turns.Turn, turns.Deaf, turns.Owes)
# Where money has come, by whatever way.
_PAID: Final[tuple[type[Turn], ...]] = (
    *_ANY, turns.Turn, turns.Turn, turns.SameHammers, turns.Claimed, turns.RefundedTwice,
    turns.SlowWorker, turns.LongNight, turns.NoTransfersYet, turns.Moved, turns.Greedy,
    later.Refunded, later.Cancelled, later.CancelledBySeller, later.ClaimedLater,
    later.PayoutReturned, by_file.PaidByFile,
)  # fmt: skip
# Where a card's bank may want its money back.
_CARD: Final[tuple[type[Turn], ...]] = (
    *_PAID, turns.DisputeWon, turns.DisputeLost, turns.DisputeAtOnce, later.Inquiry,
    later.DisputeWithdrawn, later.DisputeLostAtHome, later.DisputeLostLater, later.SellersFault,
    later.PartDisputed, later.RefundedThenDisputed, later.RefundReturned,
)  # fmt: skip
# Only where it is asked for: a card is promised, and the promise ends; answers are lost on purpose.
_ASKED_FOR: Final[tuple[type[Turn], ...]] = (
    turns.SellerAsked,
    later.RefundLost,
    later.ReversalLost,
)

TURNS: Final[dict[str, type[Turn]]] = {turn.__name__: turn for turn in (*_CARD, *_ASKED_FOR)}


def drawn(seed: int, way: Paid) -> Turn:
    """The turn of a life. Whose card was declined first may run out of time: nothing that needs
    its money comes between."""
    if way in UNPAID or way in (Paid.DECLINED_FIRST, Paid.DEBIT_TAKEN_BACK):
        choice = _ANY
    else:
        choice = _CARD if way is Paid.CARD else _PAID
    return Random(f"turn {seed}").choice(choice)()
