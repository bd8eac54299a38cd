"""The demonstration's lots in the catalogue: words, manifests and pictures, published."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from auction.catalog.listings import (
    LotDetails,
    SaleDetails,
    publish_lots,
    publish_sale,
    read_sale,
    save_lot,
    save_sale,
)
from auction.catalog.manifests import save_manifest
from auction.catalog.photo_worker import LENGTH
from auction.catalog.photos import add_photo
from auction.ids import LotId
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.errors import OperatorError
from softclose.demo.catalogue import CURRENCY, LIQUIDATOR, Catalogue
from softclose.demo.goods import JOLIET, Goods
from softclose.demo.photo_maker import Drawn
from softclose.demo.picture_cache import keep, kept

# Pallets of 48 by 40 inches; film, cartons and the wood itself weigh too.
PALLET_LENGTH_MM, PALLET_WIDTH_MM = 1_219, 1_016
TARE_G: Final = 22_000
# Before the sale opens: when it was put into the calendar.
PUBLISHED_BEFORE_US: Final = 3 * 86_400_000_000
# Far longer than drawing takes on a slow machine.
PATIENCE_S: Final = 120.0

SUMMARY: Final = (
    "Ten pallets and a truckload of returns, shelf pulls and overstock from four warehouses. All "
    "goods, brands and companies are made up for this demonstration; so are the pictures."
)
TERMS_IN_WORDS: Final = (
    "You bid your maximum, and pay no more than one step above the next bidder. A bid in the last "
    "minute moves the end of its lot to a minute after that bid. The buyer's premium is 10 % of "
    "the winning bid, at least 50.00. Some lots have a reserve; whether it is met is shown. Bids "
    "are binding."
)
PAYMENT_TERMS: Final = (
    "Due two business days after the close, by bank transfer; by card up to 1,000.00. The goods "
    "are released when the payment has arrived."
)
PICKUP_TERMS: Final = (
    "By appointment at the warehouse that the lot names, with a dock-height truck, within five "
    "business days of payment; then storage is 7.00 a pallet and day. Or have it brought: freight "
    "is quoted before you bid."
)


class NotDrawn(OperatorError):
    """The pictures of the demonstration could not be made."""


async def fill_catalogue(pool: Pool, catalogue: Catalogue) -> None:
    """Publish the sale with all its lots, before the engine schedules it.

    What is there already stays: a sale is published once. Takes some seconds of other cores the
    first time, for the pictures. Raises `NotDrawn`.
    """
    async with acquire(pool) as connection:
        if await read_sale(connection, catalogue.sale_id) is not None:
            return
    drawn = await pictures_of(catalogue)
    async with transaction(pool) as connection:
        await _save(connection, catalogue)
        for picture in drawn:
            await add_photo(
                connection, catalogue.sale_id, picture.lot_id, picture.alt, picture.files
            )
        await _publish(connection, catalogue)


async def publish_words(connection: AnyConnection, catalogue: Catalogue) -> None:
    """Publish the sale with all its lots and no pictures, in the caller's transaction."""
    await _save(connection, catalogue)
    await _publish(connection, catalogue)


async def _save(connection: AnyConnection, catalogue: Catalogue) -> None:
    await save_sale(connection, sale_details(catalogue))
    for lot_id in catalogue.goods:
        await save_lot(connection, lot_details(catalogue, lot_id))
        await save_manifest(connection, catalogue.sale_id, lot_id, catalogue.manifest(lot_id))


async def pictures_of(catalogue: Catalogue) -> Sequence[Drawn]:
    """The pictures of all lots, those of a lot one after the other. Raises `NotDrawn`."""
    drawn = kept(catalogue.seed)
    if drawn is None:
        drawn = await _drawn(catalogue)
        keep(catalogue.seed, drawn)
    return drawn


async def _publish(connection: AnyConnection, catalogue: Catalogue) -> None:
    at_us = catalogue.opens_at_us - PUBLISHED_BEFORE_US
    await publish_sale(connection, catalogue.sale_id, at_us)
    await publish_lots(connection, catalogue.sale_id, list(catalogue.goods), at_us)


def sale_details(catalogue: Catalogue) -> SaleDetails:
    """The sale in words."""
    return SaleDetails(
        sale_id=catalogue.sale_id,
        liquidator_id=LIQUIDATOR,
        liquidator_name="Harbor Returns",
        title="Returns and overstock, four warehouses",
        summary=SUMMARY,
        time_zone="America/Chicago",
        city=JOLIET.city,
        region=JOLIET.region,
        terms_in_words=TERMS_IN_WORDS,
        payment_terms=PAYMENT_TERMS,
        pickup_terms=PICKUP_TERMS,
        opens_at_us=catalogue.opens_at_us,
    )


def lot_details(catalogue: Catalogue, lot_id: LotId) -> LotDetails:
    """A lot in words and measures."""
    goods = catalogue.goods[lot_id]
    return LotDetails(
        sale_id=catalogue.sale_id,
        lot_id=lot_id,
        place=list(catalogue.goods).index(lot_id) + 1,
        kind=goods.kind,
        title=goods.title,
        description=goods.description,
        category=goods.category.capitalize(),
        source=goods.source,
        restrictions=goods.restrictions,
        company=goods.warehouse.company,
        street=goods.warehouse.street,
        city=goods.warehouse.city,
        region=goods.warehouse.region,
        postal_code=goods.warehouse.postal_code,
        pallets=goods.pallets,
        length_mm=PALLET_LENGTH_MM,
        width_mm=PALLET_WIDTH_MM,
        height_mm=goods.height_mm,
        weight_g=_weight_g(catalogue, lot_id, goods),
        freight_class=goods.freight_class,
        freight_terms=goods.freight_terms,
        freight_fixed_minor=goods.freight_fixed_minor,
        currency=CURRENCY,
    )


def _weight_g(catalogue: Catalogue, lot_id: LotId, goods: Goods) -> int:
    pieces_g = sum(line.quantity * (line.weight_g or 0) for line in catalogue.manifest(lot_id))
    return round(pieces_g * 1.06) + goods.pallets * TARE_G


async def _drawn(catalogue: Catalogue) -> list[Drawn]:
    """All pictures, lot after lot, drawn by a process for each core."""
    lot_ids = list(catalogue.goods)
    cores = min(os.cpu_count() or 1, 4)
    # The truckload, which has the most to draw, is the last one.
    shares = [lot_ids[::-1][core::cores] for core in range(cores)]
    drawing: list[asyncio.Task[list[Drawn]]] = []
    try:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            drawing += [tasks.create_task(_draw(catalogue.seed, share)) for share in shares]
    except TimeoutError:
        raise NotDrawn(f"the pictures of the lots were not drawn in {PATIENCE_S:g} s") from None
    except ExceptionGroup as failed:
        raise NotDrawn(f"the pictures of the lots were not drawn: {failed.exceptions[0]}") from None
    pictures = [picture for task in drawing for picture in task.result()]
    return sorted(pictures, key=lambda picture: lot_ids.index(picture.lot_id))


async def _draw(seed: int, lot_ids: Sequence[LotId]) -> list[Drawn]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "softclose.demo.photo_maker", str(seed), *lot_ids),
        stdout=PIPE,
        env={},  # no setting and no secret
    )
    try:
        frames, _ = await child.communicate()
    finally:
        if child.returncode is None:  # cancelled, or too slow
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        raise NotDrawn(f"the process that draws the lots ended with {child.returncode}")
    return _pictures(frames)


def _pictures(frames: bytes) -> list[Drawn]:
    decode, pictures, at = msgspec.msgpack.Decoder(Drawn).decode, [], 0
    while at < len(frames):
        (length,) = LENGTH.unpack_from(frames, at)
        at += LENGTH.size
        pictures.append(decode(frames[at : at + length]))
        at += length
    return pictures
