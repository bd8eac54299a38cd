"""Who acts at the desk."""

from msgspec import Struct

from auction.ids import ActorId, LiquidatorId


class Seller(Struct, frozen=True):
    """A person of a liquidator, or one of its programs."""

    liquidator_id: LiquidatorId
    actor_id: ActorId
