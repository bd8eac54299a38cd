"""Whether a notice that waited is still so. Pure."""

from typing import Final, assert_never

from auction.ids import BidderId
from auction.sale import LotStatus
from bidder_gateway.notices.kinds import HOUR_US, Kind
from bidder_gateway.notices.rules import Facts
from bidder_gateway.notices.sale_now import LotNow, SaleNow

# A lot whose end moved by more, as after an outage, does not end soon any more.
MOVED_FAR_US: Final = HOUR_US


def still_true(
    kind: Kind,
    facts: Facts,
    bidder_id: BidderId | None,
    sale: SaleNow | None,
    lot: LotNow | None,
    now_us: int,
) -> bool:
    """Whether a notice that waited is still worth sending; without a lot, its sale is over.

    ``bidder_id``: on whose side the reader is.
    """
    live = lot is not None and lot.status is LotStatus.LIVE
    match kind:
        case Kind.OUTBID:
            return lot is not None and live and lot.leader != bidder_id
        case Kind.LEADING_AGAIN:
            return lot is not None and live and lot.leader == bidder_id
        case Kind.CLOSING_SOON:  # not once it has ended, nor if it has got much more time
            told_us = facts.closes_at_us or 0
            in_time = lot is not None and now_us < lot.closes_at_us < told_us + MOVED_FAR_US
            return live and in_time and sale is not None and not sale.paused
        case Kind.LOT_REOPENED:
            return live
        case Kind.IF_BID_OPENED | Kind.IF_BID_COUNTERED:
            return lot is not None and lot.status is LotStatus.IF_BID
        case Kind.SALE_PAUSED:
            return sale is not None and sale.paused
        case Kind.SALE_RESUMED:
            return sale is not None and not sale.paused
        case Kind.ENDS_MOVED | Kind.LOTS_RESCHEDULED:
            return sale is not None and not sale.closed
        case (
            Kind.BIDS_VOIDED
            | Kind.LOT_WON
            | Kind.LOT_LOST
            | Kind.LOT_WITHDRAWN
            | Kind.SEARCH_MATCHED
            | Kind.QUESTION_ASKED
            | Kind.QUESTION_ANSWERED
            | Kind.QUESTION_HIDDEN
            | Kind.REGISTERED
            | Kind.APPROVAL_DECIDED
        ):
            return True
        case _:
            assert_never(kind)
