"""The sale of the demonstration: ten pallets and a truckload of made-up liquidation goods."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from auction.commands import ScheduleSale
from auction.ids import ActorId, LiquidatorId, LotId, SaleId
from auction.terms import LotKind, LotListing, Premium, PremiumTier, SoftClose, Terms

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US

# A minute and a minute: at the pace of the demonstration an extension is some seconds.
SOFT_CLOSE: Final = SoftClose(window_us=MINUTE_US, extension_us=MINUTE_US)
FIRST_END_US: Final = 7 * MINUTE_US  # after the opening
BETWEEN_ENDS_US: Final = 45 * SECOND_US

TERMS: Final = Terms(
    soft_close=SOFT_CLOSE, premium=Premium((PremiumTier(0, 1_000),), minimum_minor=50_00)
)
CURRENCY: Final = TERMS.currency
LIQUIDATOR: Final = LiquidatorId("harbor-returns")
AUCTIONEER: Final = ActorId("auctioneer")


@dataclass(frozen=True)
class Goods:
    """What is in a lot. ``worth`` is what its goods usually bring, as a fraction of the MSRP."""

    title: str
    category: str
    source: str
    condition: str
    units: int
    msrp_minor: int
    opening_minor: int
    worth: float
    reserve_minor: int | None = None
    kind: LotKind = LotKind.PALLET

    def manifest_sha256(self) -> bytes:
        """The digest of the manifest as published: what is sold cannot be changed afterwards."""
        published = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("worth", "reserve_minor")
        }
        return hashlib.sha256(json.dumps(published, sort_keys=True).encode()).digest()


# The television lot's reserve is beyond what anybody would pay for salvage, and nobody in the
# room deals in artificial trees in their wrong season: two lots that pass, for two reasons.
GOODS: Final = (
    Goods(
        "Kitchen appliances", "kitchen", "customer returns", "used, good",
        48, 4_870_00, 100_00, 0.21,
    ),
    Goods(
        "Cordless power tools", "tools", "customer returns", "used, good",
        36, 6_240_00, 250_00, 0.27, 1_000_00,
    ),
    Goods(
        "Bedding and bath", "home", "shelf pulls", "like new",
        210, 5_130_00, 100_00, 0.22,
    ),
    Goods(
        "Laptops and tablets", "electronics", "customer returns", "uninspected",
        40, 18_400_00, 1_000_00, 0.25, 3_200_00,
    ),
    Goods(
        "Toys and games", "toys", "overstock", "new",
        320, 6_480_00, 150_00, 0.28,
    ),
    Goods(
        "Strollers, car seats", "baby", "shelf pulls", "like new",
        52, 5_960_00, 150_00, 0.25,
    ),
    Goods(
        "Televisions, cracked", "electronics", "customer returns", "salvage",
        14, 7_350_00, 300_00, 0.09, 2_500_00,
    ),
    Goods(
        "Apparel, mixed sizes", "apparel", "overstock", "new",
        540, 14_200_00, 200_00, 0.12,
    ),
    Goods(
        "Vacuums and floor care", "home", "customer returns", "used, fair",
        32, 7_700_00, 200_00, 0.16, 750_00,
    ),
    Goods(
        "Artificial trees, 7 ft", "seasonal", "customer returns", "used, fair",
        22, 4_180_00, 600_00, 0.10,
    ),
    Goods(
        "Furniture and DIY", "furniture", "customer returns", "uninspected",
        1_150, 96_500_00, 5_000_00, 0.16, 9_500_00, LotKind.TRUCKLOAD,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """The lots of one sale with their goods, and when it opens."""

    sale_id: SaleId
    opens_at_us: int
    goods: dict[LotId, Goods]

    def schedule(self, secret: bytes) -> ScheduleSale:
        """The command that opens the sale. ``secret``: 32 random bytes."""
        return ScheduleSale(
            sale_id=self.sale_id,
            liquidator_id=LIQUIDATOR,
            terms=TERMS,
            lots=tuple(self._listings()),
            secret=secret,
            actor_id=AUCTIONEER,
        )

    def _listings(self) -> Iterable[LotListing]:
        closes_at_us = self.opens_at_us + FIRST_END_US
        for lot_id, goods in self.goods.items():
            yield LotListing(
                lot_id=lot_id,
                kind=goods.kind,
                title=goods.title,
                opening_minor=goods.opening_minor,
                reserve_minor=goods.reserve_minor,
                opens_at_us=self.opens_at_us,
                closes_at_us=closes_at_us,
                manifest_sha256=goods.manifest_sha256(),
            )
            closes_at_us += BETWEEN_ENDS_US


def catalogue(seed: int) -> Catalogue:
    """The sale of this seed. It opens at 14:00 UTC yesterday.

    In the past, so that the log of a sale that was played faster than life holds no event
    of the future, which an engine that keeps real time would have to wait for.
    """
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    opens = datetime.combine(yesterday, time(14), UTC)
    return Catalogue(
        SaleId(f"demo-{seed}"),
        int(opens.timestamp()) * SECOND_US,
        {LotId(str(number)): goods for number, goods in enumerate(GOODS, start=1)},
    )
