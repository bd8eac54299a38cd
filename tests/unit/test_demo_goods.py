"""The made-up goods of the demonstration: whole manifests, and pictures that repeat."""

import pytest
from msgspec import convert, to_builtins

from auction.catalog.goods import (
    SOURCES,
    FreightClass,
    ManifestLine,
    is_gtin,
    lowest,
    manifest_fault,
    manifest_sha256,
)
from auction.catalog.listings import LotDetails, SaleDetails
from auction.ids import LotId
from softclose.demo.articles import ARTICLES, BRANDS
from softclose.demo.catalogue import CURRENCY, catalogue
from softclose.demo.filling import lot_details, sale_details
from softclose.demo.goods import GOODS, Goods
from softclose.demo.icons import ICONS
from softclose.demo.loads import LOOKS
from softclose.demo.manifests import LEAST_LINES, MOST_LINES, manifest
from softclose.demo.scenes import pictures

LOTS = [(LotId(str(number)), goods) for number, goods in enumerate(GOODS, start=1)]


def of(pair: object) -> str:
    return pair.title if isinstance(pair, Goods) else str(pair)


@pytest.mark.parametrize("seed", [0, 7, 12_345])
@pytest.mark.parametrize(("lot_id", "goods"), LOTS, ids=of)
def test_a_manifest_comes_to_its_lot_to_the_piece_and_to_the_cent(
    lot_id: LotId, goods: Goods, seed: int
) -> None:
    lines = manifest(goods, lot_id, seed)
    assert manifest_fault(lines) is None
    assert LEAST_LINES <= len(lines) <= MOST_LINES
    assert sum(line.quantity for line in lines) == goods.units
    assert sum(line.extended_msrp_minor for line in lines) == goods.msrp_minor
    assert min(line.unit_msrp_minor for line in lines) >= 99
    assert lowest(line.condition for line in lines) is goods.condition
    assert len({line.pallet for line in lines}) == goods.pallets
    assert {line.source for line in lines} == {goods.source} <= set(SOURCES)
    for line in lines:
        assert convert(to_builtins(line), ManifestLine) == line


@pytest.mark.parametrize(("lot_id", "goods"), LOTS, ids=of)
def test_article_numbers_are_whole_and_of_the_range_for_use_inside_a_company(
    lot_id: LotId, goods: Goods
) -> None:
    lines = manifest(goods, lot_id, 7)
    for line in lines:
        assert is_gtin(line.gtin) and len(line.gtin) == 12 and line.gtin[0] == "4"
    plates = [line.lpn for line in lines if line.lpn]
    assert len(set(plates)) == len(plates)
    assert bool(plates) is (goods.source == "customer returns")
    by_number: dict[str, set[tuple[str, int]]] = {}
    for line in lines:
        by_number.setdefault(line.gtin, set()).add((line.description, line.unit_msrp_minor))
    assert all(len(articles) == 1 for articles in by_number.values()), "an article has one price"


def test_the_same_seed_makes_the_same_manifests_and_another_seed_others() -> None:
    for lot_id, goods in LOTS:
        first = manifest(goods, lot_id, 7)
        manifest.cache_clear()
        assert manifest(goods, lot_id, 7) == first
        assert manifest(goods, lot_id, 8) != first


def test_the_log_holds_the_digest_of_the_very_manifest() -> None:
    sale = catalogue(7)
    for listing in sale.schedule(bytes(32)).lots:
        digest = manifest_sha256(CURRENCY, sale.manifest(listing.lot_id))
        assert listing.manifest_sha256 == digest
        assert listing.restrictions == sale.goods[listing.lot_id].restrictions
    assert set(sale.restrictions) == {"no marketplaces", "delabel", "export only"}


def test_every_kind_of_goods_has_its_articles_its_brands_and_its_look() -> None:
    titles = {goods.title for goods in GOODS}
    assert titles == ARTICLES.keys() == LOOKS.keys()
    assert {goods.category for goods in GOODS} == BRANDS.keys()
    assert {look.icon for look in LOOKS.values()} == ICONS.keys()


def test_what_is_said_of_a_lot_is_fit_for_the_catalogue() -> None:
    sale = catalogue(7)
    assert convert(to_builtins(sale_details(sale)), SaleDetails) == sale_details(sale)
    for place, (lot_id, goods) in enumerate(sale.goods.items(), start=1):
        details = lot_details(sale, lot_id)
        assert convert(to_builtins(details), LotDetails) == details
        assert convert(goods.freight_class, FreightClass)
        assert (details.place, details.pallets) == (place, goods.pallets)
        assert 60_000 < details.weight_g / goods.pallets < 900_000
        assert len(details.description) > 100


@pytest.mark.parametrize(("lot_id", "goods"), [LOTS[0], LOTS[7], LOTS[10]], ids=of)
def test_pictures_repeat_pixel_for_pixel_and_are_told_in_words(lot_id: LotId, goods: Goods) -> None:
    first, again = (list(pictures(goods, lot_id, 7)) for _ in range(2))
    assert [picture.alt for picture in first] == [picture.alt for picture in again]
    assert [p.image.tobytes() for p in first] == [p.image.tobytes() for p in again]
    assert len(first) == len({picture.alt for picture in first}) == 3
    for picture in first:
        assert picture.alt.startswith("Illustration: ")
        assert picture.image.size == (1_000, 750)
        colours = picture.image.resize((50, 40)).getcolors(2_000)
        assert colours is not None and len(colours) > 60
    other = next(pictures(goods, lot_id, 8))
    assert other.image.tobytes() != first[0].image.tobytes()
