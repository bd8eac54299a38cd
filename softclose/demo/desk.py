"""What is on the liquidator's desk in the demonstration: stock, and a sale in preparation.

The goods are those of the catalogue's kind, drawn with another seed, so that nothing at the desk
is in the sale that goes on. Some lots still lack something, for the checks to find.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import structs

from auction.catalog.goods import ManifestLine
from auction.desk.lot_drafts import LotDraft, must_be_open, read_lot
from auction.desk.photo_drafts import add_draft_photo, must_have_room
from auction.desk.refusals import Refused
from auction.desk.room import Desk
from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import Schedule, wall_time, zone_of
from auction.desk.seller import Seller
from auction.ids import ActorId, LotId
from foundation.database import Pool, transaction
from softclose.demo.catalogue import LIQUIDATOR, Catalogue, catalogue
from softclose.demo.filling import (
    PAYMENT_TERMS,
    PICKUP_TERMS,
    lot_details,
    pictures_of,
    sale_details,
)

SELLER: Final = Seller(LIQUIDATOR, ActorId("demonstration"))
ZONE: Final = "America/Chicago"
_DAY_US: Final = 86_400_000_000
IN_STOCK, PLANNED = 6, 3


async def furnish(desk: Desk, seed: int, now_us: int) -> Mapping[LotId, str]:
    """Lots and a draft, unless somebody has been at the desk before; which goods are in which."""
    owner = SELLER.liquidator_id
    if await desk.lots.stock(owner, "", 1) or await desk.sales.list(owner, None, 1):
        return {}
    goods = catalogue(seed + 1)
    drafts = [
        (await desk.lots.create(SELLER, draft, lines)).draft_id
        for draft, lines in _lots(goods)[: IN_STOCK + PLANNED]
    ]
    sale = await desk.sales.create(SELLER, _sale(goods, now_us))
    await desk.sales.put_in(SELLER, sale.sale_id, sale.version, drafts[:PLANNED])
    return dict(zip(goods.goods, drafts, strict=False))


async def photograph(pool: Pool, drafts: Mapping[LotId, str], seed: int, now_us: int) -> None:
    """Photos of what was furnished, but for what was not measured yet. Raises `NotDrawn`.

    A lot that somebody has published or removed meanwhile is left alone. Drawing takes seconds of
    other cores the first time: not to be done before a visitor has something to see.
    """
    if not drafts:
        return
    goods = catalogue(seed + 1)
    pictures = await pictures_of(goods)
    for number, lot_id in enumerate(goods.goods):
        if lot_id not in drafts or _is_raw(number):
            continue
        mine = [drawn for drawn in pictures if drawn.lot_id == lot_id]
        with suppress(Refused):
            async with transaction(pool) as connection:
                lot = await read_lot(connection, LIQUIDATOR, drafts[lot_id], lock=True)
                must_be_open(lot)
                await must_have_room(connection, lot.draft_id, len(mine))
                for drawn in mine:
                    await add_draft_photo(
                        *(connection, lot.draft_id, drawn.alt, drawn.files),
                        *(SELLER.actor_id, now_us),
                    )


def _is_raw(number: int) -> bool:
    """Whether nobody has measured or photographed these goods yet."""
    return number % 4 == 1


def _lots(goods: Catalogue) -> list[tuple[LotDraft, Sequence[ManifestLine]]]:
    """Drafts as they are after an import; every fourth has not been measured yet."""
    found: list[tuple[LotDraft, Sequence[ManifestLine]]] = []
    for number, (lot_id, one) in enumerate(goods.goods.items()):
        details = lot_details(goods, lot_id)
        said = {
            name: getattr(details, name)
            for name in LotDraft.__struct_fields__
            if hasattr(details, name)
        }
        draft = LotDraft(**said, opening_minor=one.opening_minor, reserve_minor=one.reserve_minor)
        if _is_raw(number):
            draft = structs.replace(draft, weight_g=None, height_mm=None)
        found.append((draft, goods.manifest(lot_id)))
    return found


def _sale(goods: Catalogue, now_us: int) -> SaleDraft:
    """A sale that opens in two days at noon, by the clock of its place."""
    details, zone = sale_details(goods), zone_of(ZONE)
    opens, ends = (wall_time(now_us + days * _DAY_US, zone)[:10] for days in (2, 4))
    return SaleDraft(
        title="Weekly returns, Joliet",
        summary=details.summary,
        liquidator_name=details.liquidator_name,
        city=details.city,
        region=details.region,
        payment_terms=PAYMENT_TERMS,
        pickup_terms=PICKUP_TERMS,
        schedule=Schedule(time_zone=ZONE, opens=f"{opens}T12:00", first_end=f"{ends}T16:00"),
    )
