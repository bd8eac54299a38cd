"""The sale of the demonstration: its terms and times, and the lots as they are scheduled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from auction.catalog.goods import ManifestLine, manifest_sha256
from auction.commands import ScheduleSale
from auction.ids import ActorId, LiquidatorId, LotId, SaleId
from auction.terms import LotListing, Premium, PremiumTier, SoftClose, Terms
from softclose.demo.goods import GOODS, Goods
from softclose.demo.manifests import manifest

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US

# A minute and a minute: at the pace of the demonstration an extension is some seconds.
SOFT_CLOSE: Final = SoftClose(window_us=MINUTE_US, extension_us=MINUTE_US)
FIRST_END_US: Final = 7 * MINUTE_US  # after the opening
BETWEEN_ENDS_US: Final = 45 * SECOND_US

# Until the last lot is paid, fetched, accepted and its money sent: three weeks, with holidays.
BEFORE: Final = timedelta(days=45)

TERMS: Final = Terms(
    soft_close=SOFT_CLOSE, premium=Premium((PremiumTier(0, 1_000),), minimum_minor=50_00)
)
CURRENCY: Final = TERMS.currency
LIQUIDATOR: Final = LiquidatorId("harbor-returns")
AUCTIONEER: Final = ActorId("auctioneer")


@dataclass(frozen=True)
class Catalogue:
    """The lots of one sale with their goods, and when it opens. ``seed``: of all that is drawn."""

    seed: int
    sale_id: SaleId
    opens_at_us: int
    goods: dict[LotId, Goods]

    @property
    def restrictions(self) -> tuple[str, ...]:
        """What who wants to bid on every lot accepts."""
        return tuple(dict.fromkeys(r for goods in self.goods.values() for r in goods.restrictions))

    def manifest(self, lot_id: LotId) -> tuple[ManifestLine, ...]:
        """The lines of a lot."""
        return manifest(self.goods[lot_id], lot_id, self.seed)

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
                restrictions=goods.restrictions,
                manifest_sha256=manifest_sha256(CURRENCY, self.manifest(lot_id)),
            )
            closes_at_us += BETWEEN_ENDS_US


def catalogue(seed: int) -> Catalogue:
    """The sale of this seed. It opens at 14:00 UTC, some weeks ago.

    In the past, so that a sale that was played faster than life, and all that follows its hammer,
    leaves no event of the future, which an engine that keeps real time would have to wait for.
    """
    opens = datetime.combine(datetime.now(UTC).date() - BEFORE, time(14), UTC)
    return Catalogue(
        seed,
        SaleId(f"demo-{seed}"),
        int(opens.timestamp()) * SECOND_US,
        {LotId(str(number)): goods for number, goods in enumerate(GOODS, start=1)},
    )
