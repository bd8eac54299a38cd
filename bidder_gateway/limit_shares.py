"""How a reseller's whole limit is shared out over its sales. Pure.

The sum of what the sales may take never exceeds the whole, also while parts are moved: a part is
*held* from before the engine is told of more until after it was told of less, and what is led or
owed above a lowered part stays held until it is not. So a part that grows waits for those that
shrink.

Who named no part gets what is left, in the order of registration. If the parts come to more than
the whole, because staff lowered it, the last ones are cut.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from auction.ids import SaleId


class Part(Struct, frozen=True, kw_only=True):
    """One sale's part. ``share_minor``: as the reseller wants it; ``None``: what is left.

    ``closed``: nothing can be bid there any more, and what is held is owed.
    """

    sale_id: SaleId
    share_minor: int | None
    held_minor: int
    closed: bool = False


def targets(whole_minor: int, parts: Sequence[Part]) -> Mapping[SaleId, int]:
    """What each open sale should have, parts in the order of registration."""
    left = max(0, whole_minor - sum(part.held_minor for part in parts if part.closed))
    aimed: dict[SaleId, int] = {}
    opened = [part for part in parts if not part.closed]
    for part in sorted(opened, key=lambda part: part.share_minor is None):
        wanted = left if part.share_minor is None else part.share_minor
        aimed[part.sale_id] = min(wanted, left)
        left -= aimed[part.sale_id]
    return aimed


def grant_minor(whole_minor: int, parts: Sequence[Part], sale_id: SaleId) -> int:
    """What an open sale may have now: its target, as far as others do not hold it still."""
    others = sum(part.held_minor for part in parts if part.sale_id != sale_id)
    return max(0, min(targets(whole_minor, parts)[sale_id], whole_minor - others))


def unnamed_minor(whole_minor: int, parts: Sequence[Part]) -> int:
    """What of the whole is neither owed nor named: for who named no part, or names one next."""
    taken = sum(part.held_minor if part.closed else part.share_minor or 0 for part in parts)
    return max(0, whole_minor - taken)
