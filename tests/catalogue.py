"""A catalogue in hand: sales and lots with manifests, published and on the board."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from auction.board import keep_board
from auction.catalog.goods import Condition, ManifestLine, gtin_check_digit
from auction.catalog.listings import (
    LotDetails,
    SaleDetails,
    publish_lots,
    publish_sale,
    save_lot,
    save_sale,
)
from auction.catalog.manifests import save_manifest
from auction.chain import apply, seal
from auction.codec import Recorded
from auction.commands import Command
from auction.decide import decide
from auction.ids import LiquidatorId, LotId, SaleId
from auction.sale import Sale
from auction.terms import LotKind, LotListing, SaleAudience, Terms
from foundation.database import AnyConnection
from tests.builders import EBAY_TERMS, HOUSE, SECRET, STAFF_MEMBER, a_lot, at, schedule

PUBLISHED_US: Final = at("09:00")


def a_sale(sale_id: str = "S-1", **changes: Any) -> SaleDetails:
    """A sale as its liquidator describes it."""
    settings: dict[str, Any] = {
        "sale_id": SaleId(sale_id),
        "liquidator_id": HOUSE,
        "liquidator_name": "Harbour Returns",
        "title": "Returns of March",
        "time_zone": "America/Chicago",
        "city": "Joliet",
        "region": "IL",
        "opens_at_us": at("10:00"),
    }
    return SaleDetails(**(settings | changes))


def a_described_lot(lot_id: str = "1", sale_id: str = "S-1", **changes: Any) -> LotDetails:
    """A pallet of kitchen appliances in Joliet."""
    settings: dict[str, Any] = {
        "sale_id": SaleId(sale_id),
        "lot_id": LotId(lot_id),
        "place": int(lot_id.rstrip("ABC")),
        "kind": LotKind.PALLET,
        "title": "Kitchen appliances",
        "description": "Toasters, kettles and mixers that customers sent back.",
        "category": "Kitchen",
        "source": "customer returns",
        "company": "Prairie Docks",
        "street": "1200 Laraway Rd",
        "city": "Joliet",
        "region": "IL",
        "postal_code": "60433",
        "pallets": 1,
        "length_mm": 1_219,
        "width_mm": 1_016,
        "height_mm": 1_830,
        "weight_g": 260_000,
        "freight_class": "125",
        "currency": "USD",
    }
    return LotDetails(**(settings | changes))


def a_line(line: int = 1, **changes: Any) -> ManifestLine:
    """A toaster."""
    settings: dict[str, Any] = {
        "line": line,
        "description": "Toaster, two slots",
        "brand": "Brindle",
        "model": "T-200",
        "category": "Kitchen",
        "subcategory": "Toasters",
        "condition": Condition.USED_GOOD,
        "source": "customer returns",
        "item_number": f"BR-{line:04}",
        "gtin": with_check_digit(f"04{line:09}"),
        "lpn": f"LPNX{line:06}",
        "serial": f"SN{line:08}",
        "quantity": 2,
        "unit_msrp_minor": 39_99,
        "pallet": "P1",
        "weight_g": 1_800,
    }
    return ManifestLine(**(settings | changes))


def with_check_digit(digits: str) -> str:
    """A GTIN."""
    return digits + gtin_check_digit(digits)


async def list_lots(
    connection: AnyConnection,
    *lots: LotDetails,
    sale: SaleDetails | None = None,
    lines: Sequence[ManifestLine] = (),
    publish: bool = True,
) -> None:
    """A sale with these lots, all with the same manifest."""
    details = sale or a_sale(lots[0].sale_id)
    await save_sale(connection, details)
    async with connection.transaction():
        for lot in lots:
            await save_lot(connection, lot)
            await save_manifest(connection, lot.sale_id, lot.lot_id, lines or (a_line(),))
    if publish:
        await publish_sale(connection, details.sale_id, PUBLISHED_US)
        lot_ids = [lot.lot_id for lot in lots]
        await publish_lots(connection, details.sale_id, lot_ids, PUBLISHED_US)


class Boarded:
    """A sale that the engine judges and the board follows."""

    def __init__(self, connection: AnyConnection, sale_id: str = "S-1") -> None:
        self._connection, self._sale_id = connection, SaleId(sale_id)
        self._sale: Sale | None = None
        self._log: list[Recorded] = []
        self.now_us = at("10:00")

    async def does(self, *commands: Command, when: str | None = None) -> None:
        """Commands that must be accepted, and their way onto the board."""
        self.now_us = at(when) if when else self.now_us
        first = len(self._log)
        for command in commands:
            decision = decide(self._sale, command, self.now_us)
            assert isinstance(decision, list), decision
            self._sale = self._sale or Sale(self._sale_id)
            for event in decision:
                recorded = seal(self._sale, event, len(self._log) + 1, self.now_us)
                apply(self._sale, recorded)
                self._log.append(recorded)
        await keep_board(self._connection, self._log[first:])

    async def opens(
        self,
        *lots: LotListing,
        terms: Terms = EBAY_TERMS,
        liquidator: LiquidatorId = HOUSE,
        audience: SaleAudience = SaleAudience.PUBLIC,
    ) -> None:
        """The sale is scheduled with these lots."""
        command = schedule(*(lots or (a_lot(),)), terms=terms, audience=audience)
        changed = replace(command, sale_id=self._sale_id, liquidator_id=liquidator)
        await self.does(replace(changed, secret=SECRET, actor_id=STAFF_MEMBER))
