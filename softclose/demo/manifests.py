"""Made-up manifests: the same for the same seed, and summing up to the lot to the cent.

Article numbers are from the range that GS1 keeps for use inside a company (040 to 049), so none of
them is anything that a shop sells.
"""

import random
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from auction.catalog.goods import Condition, ManifestLine, gtin_check_digit
from auction.ids import LotId
from softclose.demo.articles import ARTICLES, BRANDS, LEFTOVERS, Article
from softclose.demo.goods import Goods

LEAST_LINES, MOST_LINES = 20, 300
# Pieces that came back one by one are listed one by one; surplus comes by the carton.
PIECES_A_LINE: Final = {"customer returns": 1.6, "shelf pulls": 4.0, "overstock": 6.5}
# Prices end in this, but for the box of leftovers, which takes what is left to the lot's MSRP: at
# most so much.
ENDING_MINOR: Final = 99
LEFTOVERS_SPREAD_MINOR: Final = 30_00

# What lines of a lot are graded, besides its own grade.
_BESIDES: Final[dict[Condition, tuple[Condition, ...]]] = {
    Condition.NEW: (),
    Condition.LIKE_NEW: (Condition.NEW, Condition.LIKE_NEW),
    Condition.USED_GOOD: (Condition.LIKE_NEW, Condition.OPEN_BOX, Condition.USED_GOOD),
    Condition.USED_FAIR: (Condition.OPEN_BOX, Condition.USED_GOOD, Condition.USED_FAIR),
    Condition.SALVAGE: (Condition.USED_FAIR, Condition.SALVAGE, Condition.SALVAGE),
    Condition.UNINSPECTED: (),
}


class Product(NamedTuple):
    """What several lines of a lot may be: it has one price and one article number."""

    brand: str
    article: Article
    variant: str

    @property
    def description(self) -> str:
        """As on the line of a manifest."""
        return ", ".join(filter(None, (f"{self.brand} {self.article.name}", self.variant)))

    def digits(self, what: str, count: int) -> str:
        """Digits that are always the same for this product."""
        digest = sha256(f"{what}/{self.description}".encode()).digest()
        return str(int.from_bytes(digest[:10], "big"))[-count:].rjust(count, "0")


@lru_cache(maxsize=256)
def manifest(goods: Goods, lot_id: LotId, seed: int) -> tuple[ManifestLine, ...]:
    """The lines of a lot, in the order in which its pallets were packed."""
    rng = random.Random(f"{seed}/manifest/{lot_id}")  # noqa: S311 - to be repeated, not secret
    quantities = _quantities(rng, goods)
    brands, articles = BRANDS[goods.category], ARTICLES[goods.title]
    products = [_product(rng, brands, rng.choice(articles)) for _ in quantities]
    products[-1] = Product(brands[0], LEFTOVERS, "")
    prices = _prices(rng, goods.msrp_minor, quantities, products)
    pallets = _pallets(goods, lot_id, seed, len(quantities))
    plate = rng.randrange(10**6 - MOST_LINES)
    return tuple(
        _line(rng, goods, number, product, quantity, prices[product], pallet, plate)
        for number, (product, quantity, pallet) in enumerate(
            zip(products, quantities, pallets, strict=True), start=1
        )
    )


def _product(rng: random.Random, brands: Sequence[str], article: Article) -> Product:
    return Product(rng.choice(brands), article, rng.choice(article.variants))


def _quantities(rng: random.Random, goods: Goods) -> list[int]:
    """How many pieces each line has; the last has one."""
    wanted = round(goods.units / PIECES_A_LINE[goods.source])
    lines = min(max(wanted, LEAST_LINES), MOST_LINES, goods.units)
    quantities = [1] * lines
    weights = [rng.paretovariate(1.5) for _ in quantities[:-1]]
    for number in rng.choices(range(lines - 1), weights, k=goods.units - lines):
        quantities[number] += 1
    assert sum(quantities) == goods.units, "every piece is on a line"
    return quantities


def _prices(
    rng: random.Random, msrp_minor: int, quantities: Sequence[int], products: Sequence[Product]
) -> dict[Product, int]:
    """The MSRP of a piece of each product, so that the lot comes to its MSRP to the cent."""
    pieces: Counter[Product] = Counter()
    for product, quantity in zip(products, quantities, strict=True):
        pieces[product] += quantity
    dollars = {p: rng.uniform(p.article.low, p.article.high) for p in pieces}
    scale = msrp_minor / 100 / sum(pieces[p] * dollars[p] for p in pieces)
    prices = {p: max(1, round(dollars[p] * scale)) * 100 - 100 + ENDING_MINOR for p in pieces}
    # Whole dollars go to the products that take them, the rest to the box of leftovers.
    leftovers = products[-1]
    assert pieces[leftovers] == 1, "the box of leftovers is one"
    left_minor = msrp_minor - sum(pieces[p] * prices[p] for p in pieces)
    # Of few pieces each, so that the steps are small.
    others = sorted((p for p in pieces if p is not leftovers), key=lambda p: pieces[p])
    others = others[: len(others) // 2 + 1]
    while left_minor > LEFTOVERS_SPREAD_MINOR or prices[leftovers] + left_minor < 500:
        step = 1 if left_minor > 0 else -1
        product = rng.choice(others)
        if prices[product] + 100 * step < ENDING_MINOR:
            continue
        prices[product] += 100 * step
        left_minor -= 100 * step * pieces[product]
    prices[leftovers] += left_minor
    return prices


def _pallets(goods: Goods, lot_id: LotId, seed: int, lines: int) -> list[str]:
    """Which pallet each line is on: one after the other is filled."""
    first = seed % 90 * 100 + int(lot_id) * 7
    names = [f"HR-{10_000 + first + number}" for number in range(goods.pallets)]
    return [names[line * len(names) // lines] for line in range(lines)]


def _line(
    rng: random.Random,
    goods: Goods,
    number: int,
    product: Product,
    quantity: int,
    price_minor: int,
    pallet: str,
    plate: int,
) -> ManifestLine:
    article = product.article
    returned = goods.source == "customer returns"
    digits = "4" + product.digits("gtin", 10)
    graded = (goods.condition, *_BESIDES[goods.condition])
    return ManifestLine(
        line=number,
        description=product.description,
        brand=product.brand,
        model=f"{product.brand[0]}{article.subcategory[0]}-{product.digits('model', 4)}",
        category=goods.category.capitalize(),
        subcategory=article.subcategory,
        condition=goods.condition if number == 1 else rng.choice(graded),
        source=goods.source,
        item_number=product.digits("item", 8),
        gtin=digits + gtin_check_digit(digits),
        lpn=f"LPHR{plate + number:06}" if returned else "",
        serial=_serial(rng) if goods.category == "electronics" and quantity == 1 else "",
        quantity=quantity,
        unit_msrp_minor=price_minor,
        pallet=pallet,
        weight_g=round(article.weight_g * rng.uniform(0.92, 1.08)),
    )


def _serial(rng: random.Random) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ23456789") for _ in range(11))
