"""What sellers' systems are told of their awards, by the desk's webhooks."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from auction.desk.webhook_making import AwardNews, tell_of_awards
from auction.desk.webhook_rules import WebhookEvent
from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.rows import Held

# An award comes to each of these once; what else happens to it is between the buyer and the house.
EVENTS: Final[Mapping[AwardState, WebhookEvent]] = {
    AwardState.FUNDED: WebhookEvent.AWARD_PAID,
    AwardState.VOID: WebhookEvent.AWARD_VOID,
    AwardState.CANCELLED: WebhookEvent.AWARD_CANCELLED,
    AwardState.RELEASED: WebhookEvent.AWARD_RELEASED,
    AwardState.PAID_OUT: WebhookEvent.AWARD_PAID_OUT,
}


async def tell_sellers(
    connection: AnyConnection,
    held: Held,
    moved: Mapping[AwardId, AwardState],
    at_us: int,
    now_us: int,
) -> None:
    """Write the deliveries of these moves, in their own transaction."""
    news: defaultdict[LiquidatorId, list[AwardNews]] = defaultdict(list)
    for award_id, state in moved.items():
        if state in EVENTS:
            row = held.awards[award_id]
            news[row.liquidator_id].append(
                AwardNews(
                    event=EVENTS[state],
                    award_id=award_id,
                    sale_id=row.sale_id,
                    lot_id=row.lot_id,
                    title=row.goods.title,
                    hammer_minor=row.award.hammer_minor,
                    currency=row.currency,
                    at_us=at_us,
                )
            )
    for liquidator_id in sorted(news):
        await tell_of_awards(connection, liquidator_id, news[liquidator_id], now_us)
