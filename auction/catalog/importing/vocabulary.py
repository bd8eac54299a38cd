"""Which concepts in a header speak for which field, and how strongly.

The longest phrase that a header holds counts: "Category Code" is the code of a category, not a
category. What else the header says takes some of it away, unless it is noise for the field.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final

from auction.catalog.importing.words import concepts


class Field(StrEnum):
    """What a column may be; named as in `ManifestLine` where that has it."""

    DESCRIPTION = "description"
    BRAND = "brand"
    MODEL = "model"
    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    CONDITION = "condition"
    SOURCE = "source"
    ITEM_NUMBER = "item_number"
    GTIN = "gtin"
    LPN = "lpn"
    SERIAL = "serial"
    QUANTITY = "quantity"
    UNIT_MSRP = "unit_msrp"
    EXTENDED_MSRP = "extended_msrp"
    PALLET = "pallet"
    WEIGHT = "weight"
    WEIGHT_UNIT = "weight_unit"
    CURRENCY = "currency"


FIELDS: Final = tuple(Field)

# "phrase: weight", a line for each field; * after a phrase: it must be all that the header says.
_PHRASES: Final[dict[Field, str]] = {
    Field.DESCRIPTION: "description 1, description second .6, title .92, name .8, item name .95, "
    "product name .95, "
    "item .55*, product .72*, product item .7, long description 1, product title .97, "
    "item title .97, name title .9, note .3*, product line .3, "
    "category description 0, department description 0, condition description 0, "
    "class description 0, division description 0, subcategory description 0, "
    "pallet description .1, lot description .15, brand name 0, vendor name 0, "
    "manufacturer name 0, category name 0, subcategory name 0, model name .1, seller name 0, "
    "pallet name 0, department name 0, class name 0, family name 0, group name 0, "
    "family description 0, group description 0, source description 0, load name 0, lot name .1, "
    "lot title .2, country name 0, location name 0, type description 0, brand description 0",
    Field.BRAND: "brand 1, label .5*, brand name 1, manufacturer .86, vendor .7, vendor name .76, "
    "manufacturer name .87, manufacturer number 0, manufacturer part 0, vendor number .1, "
    "vendor code .3, vendor item 0, vendor part 0, vendor id .2, manufacturer id .2, "
    "vendor sku 0, vendor style 0, vendor model 0, manufacturer model 0, brand code .4, brand id "
    ".3, seller name .1",
    Field.MODEL: "model 1, model number 1, model name .9, mpn 1, manufacturer part 1, "
    "manufacturer part number 1, manufacturer number .9, part number .75, part .4, style .5, "
    "style number .6, manufacturer model 1, vendor part .7, manufacturer sku .6, vendor style .5, "
    "manufacturer item .6, manufacturer reference .7",
    Field.CATEGORY: "category 1, category name 1, category description 1, category code .3, "
    "category id .25, category number .3, category first 1, category level first 1, "
    "category second .55, category level second .55, category third .4, department .74, "
    "department name .76, "
    "department description .76, department number .3, department code .3, product type .68, "
    "type .4, item type .5, class .55, class name .6, division .52, product class .6, "
    "division name .55, family .6, group .5, product group .75, product family .75, "
    "product category 1, sub category 0, sub department 0, sub class 0, subcategory 0, "
    "load type .1, inventory type .1, lot type .1, pallet type .1, "
    "condition type 0, source type 0, id type 0, product id type 0, return type 0, level "
    "category 1, package type 0, "
    "barcode type 0, currency type 0, class description .6, seller category .9, price type 0, "
    "load category .6, pallet category .5",
    Field.SUBCATEGORY: "category second .95, category level second .95, category third .6, "
    "subcategory 1, sub category 1, subcategory name 1, sub class .75, "
    "sub department .72, sub family .8, subcategory code .3, sub category code .3, class .45, "
    "item type .4, sub group .75, subcategory description 1, department .28, "
    "sub category description 1, sub category name 1, product type .3, family .3, "
    "subcategory number .3, division .1, category level .35",
    Field.CONDITION: "condition 1, item condition 1, grade .85, condition grade 1, "
    "condition description .95, condition name .97, condition code .72, quality .6, status .42, "
    "quality grade .8, condition type .85, product condition 1, package condition .4, "
    "condition note .35, container condition .3, price grade .3, condition id .5, "
    "condition status .9, disposition .5, item status .5, return condition .8, inventory "
    "condition .9",
    Field.SOURCE: "source .9, inventory type .8, lot type .6, return type .8, source type .9, "
    "load type .6, source code .5, inventory source .95, product source .95, return source .9, "
    "disposition .5, return reason .2, inventory status .35, return status .4, pallet type .35, "
    "source name .8, "
    "inventory category .4, load source .7, return .5*",
    Field.ITEM_NUMBER: "item number 1, item id .93, item code .93, sku .9, sku number .93, "
    "asin .9, tcin .85, fnsku .72, product number .93, product id .93, product code .9, "
    "inventory number .9, inventory code .85, item .42*, reference .7, reference number .75, "
    "style number .45, part number .5, id .3*, number .2*, code .42*, item reference .9, "
    "vendor item .6, vendor item number .62, vendor sku .65, seller sku .85, retail sku .9, "
    "item sku .95, product sku .92, product reference .9, manufacturer sku .5, "
    "category number 0, category code 0, category id 0, brand code 0, vendor number .15, "
    "vendor code .1, lot number 0, lot id 0, load number 0, load id 0, pallet number 0, "
    "pallet id 0, serial number 0, model number .2, department number 0, class number 0, "
    "line number 0, currency code 0, condition code 0, upc code 0, ean code 0, item line .1, "
    "country code 0, location id 0, manufacturer number .4, container number 0, link .0, "
    "upc number 0, ean number 0, gtin number 0, barcode number 0, vendor id .1, asin sku .95, "
    "inventory id .8, line item .2, line item number .2",
    Field.GTIN: "upc 1, ean 1, gtin 1, barcode .95, upc code 1, ean code 1, isbn .75, "
    "barcode number .95, upc number 1, ean number 1, gtin number 1, gtin code 1, code bars .95, "
    "product barcode .95, item upc 1, upc ean 1, item barcode .9, barcode type 0, upc name 0, "
    "pallet barcode 0, container barcode 0, upc description 0, lpn barcode .1",
    Field.LPN: "lpn 1, lpn number 1, license plate .97, license plate number 1, lpn id 1, "
    "lpn code 1, item lpn 1, pallet lpn .25, plate number .7, license number .5, lpn barcode .95, "
    "pallet license plate .2, asset number .5, unit id .45, piece id .45, unit number .3, "
    "tracking number .4, asset tag .6, inventory tag .5, container lpn .3",
    Field.SERIAL: "serial 1, serial number 1, imei .9, imei number .9, serial imei 1, item "
    "serial 1, "
    "serial code .9",
    Field.QUANTITY: "quantity 1, units .87*, item quantity 1, unit quantity .95, units quantity "
    ".97, "
    "total quantity .9, total units .86, number units .93, number item .25, product quantity .97, "
    "quantity pack .3, unit pack 0, container quantity .45, pallet quantity .3, "
    "unit .35*, inventory quantity .92, load quantity .9, lot quantity .7, "
    "units pallet .15, unit pallet .1, quantity uom .2, quantity price 0, units price 0, "
    "retail units 0, msrp units 0, units weight 0, extended quantity .9, original quantity .85, "
    "item units .8, quantity unit .9, units uom .1, pack .2, sale units .5, retail unit units 0, "
    "units id 0, value units 0, load units .8, inventory units .8, return quantity .8, "
    "estimated quantity .8, line quantity .9, pack units .2, container units .2, cost units 0, "
    "containers .45, containers quantity .5, quantity containers .5, number containers .5, "
    "containers units .2",
    Field.UNIT_MSRP: "",
    Field.EXTENDED_MSRP: "",
    Field.PALLET: "pallet 1, pallet id 1, pallet number 1, pallet name .97, pallet code .97, "
    "pallet lpn .95, pallet barcode .9, pallet reference .95, container .45, container id .62, "
    "container number .6, container name .6, pallet license plate .97, pallet quantity .1, "
    "pallet weight 0, pallet type .2, pallet size 0, pallet cost 0, pallet price 0, "
    "pallet total .1, container pack 0, container units 0, pallet category .1, pallet description "
    ".2, pallet location .2, "
    "container quantity 0, container weight 0, container condition 0, pallet units 0, "
    "pallet msrp 0, pallet retail 0, pallet value 0, pallet count .1, number pallet .9, "
    "pallet lot .9, pallet load .9, container lpn .7, container type .1, container size 0",
    Field.WEIGHT: "weight 1, unit weight 1, item weight 1, package weight .95, product weight 1, "
    "units weight .95, gross weight .7, total weight .2, extended weight .2, weight uom .2, "
    "item package weight 1, pounds .6*, kilograms .6*, grams .5*, pallet weight 0, "
    "weight pounds 1, weight kilograms 1, weight grams 1, weight ounces 1, load weight .1, "
    "gross weight unit .8, lot weight .1, item gross weight .85, container weight .3, "
    "weight percent 0, weight class .1, unit weight uom .3, package weight uom .2",
    Field.WEIGHT_UNIT: "weight uom 1, weight unit .55, uom .4*, package weight uom 1, "
    "item package weight uom 1, item weight uom 1, weight units .6, unit uom .3, weight type .3, "
    "weight code .4, weight unit uom .9, weight unit code .9, units uom .3, size uom 0",
    Field.CURRENCY: "currency 1, currency code 1, iso currency 1, currency name .8, usd .2*, "
    "price currency .97, retail currency .97, msrp currency .97, currency type .9, iso code .3, "
    "currency usd .9, value currency .9, currency iso code 1, cost currency .6",
}

_MONEY: Final = {
    "msrp": 1.0,
    "retail": 0.97,
    "list price": 0.9,
    "sell": 0.75,
    "sell price": 0.8,
    "list": 0.6,
    "price": 0.66,
    "value": 0.5,
}
_UNIT: Final = {"": 0.86, "unit": 1.0, "units": 0.97, "item": 0.92, "original": 0.88}
_EXTENDED: Final = {"extended": 1.0, "total": 0.97, "lot": 0.3, "line": 0.85}
_OF_UNIT: Final = "amount .25, retail value .86, msrp value .9"
_OF_EXTENDED: Final = (
    "total .45*, extended .6*, total amount .6, amount .45, extended amount .75, line total .6, "
    "retail .25, msrp .2, value .25, total original retail .97, line amount .55, "
    "extended total .7, pallet retail .1, pallet msrp .1, pallet value .1, "
    "unit retail 0, unit msrp 0, unit price 0"
)

# Said of a field without saying anything.
_NOISE: Final = frozenset(
    {"item", "product", "original", "estimated", "seller", "usd", "long", "included"}
)
_NOISE_OF: Final[dict[Field, frozenset[str]]] = {
    Field.UNIT_MSRP: frozenset(
        {"price", "value", "msrp", "retail", "amount", "currency", "list", "tax", "net"}
        | {"location"}
    ),
    Field.EXTENDED_MSRP: frozenset(
        {"price", "value", "msrp", "retail", "amount", "total", "currency", "list", "extended"}
        | {"tax", "net"}
    ),
    Field.GTIN: frozenset({"upc", "ean", "gtin", "barcode", "number", "code", "id", "isbn"}),
    Field.BRAND: frozenset({"manufacturer", "vendor", "name"}),
    Field.MODEL: frozenset({"mpn", "part", "number", "manufacturer", "name"}),
    Field.DESCRIPTION: frozenset({"name", "title"}),
    Field.WEIGHT: frozenset({"pounds", "kilograms", "grams", "ounces", "package", "unit"}),
    Field.WEIGHT_UNIT: frozenset({"package"}),
    Field.PALLET: frozenset({"container", "lpn"}),
    Field.ITEM_NUMBER: frozenset({"sku", "asin", "tcin", "inventory", "code", "id", "number"}),
    Field.SERIAL: frozenset({"imei", "number"}),
    Field.LPN: frozenset({"number", "id"}),
    Field.CONDITION: frozenset({"grade", "code"}),
}
# What money is when it is no retail price.
_OTHER_MONEY: Final = frozenset({"cost", "sale", "percent", "size", "weight", "date"})
# Prices without taxes are retail prices only where nothing else is.
_NET: Final = 0.6
# A phrase that must be all is all beside them.
_ALONE_STILL: Final = frozenset({"usd", "included", "tax"})
_EXTRA: Final = 0.85  # what each other word leaves
# What makes a column something else, whatever its values are like.
_ELSEWHERE: Final = frozenset(
    {"country", "color", "size", "date", "link", "location", "reason", "line", "lot", "load"}
    | {"cost", "sale", "percent", "pack", "note", "iso", "tax", "net"}
)

# "Store price", "line total" are prices.
_PRICED: Final = frozenset({"retail", "msrp", "price", "total"})
_OF_PRICES: Final = frozenset({"location", "line"})

_Phrase = tuple[frozenset[str], float, bool]


def _phrases(text: str) -> list[_Phrase]:
    phrases = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        words, weight = entry.rsplit(" ", 1)
        phrases.append((frozenset(words.split()), float(weight.rstrip("*")), weight[-1] == "*"))
    return phrases


def _money_phrases(before: dict[str, float], more: str) -> list[_Phrase]:
    made = [
        (frozenset(f"{how} {money}".split()), strength * weight, False)
        for how, strength in before.items()
        for money, weight in _MONEY.items()
    ]
    return made + _phrases(more)


_BY_FIELD: Final[dict[Field, list[_Phrase]]] = {
    field: _phrases(text) for field, text in _PHRASES.items()
} | {
    Field.UNIT_MSRP: _money_phrases(_UNIT, _OF_UNIT),
    Field.EXTENDED_MSRP: _money_phrases(_EXTENDED, _OF_EXTENDED),
}


@lru_cache(maxsize=20_000)
def header_score(header: str, field: Field) -> float:
    """How strongly a header speaks for a field, in [0, 1]."""
    said = concepts(header)
    best: tuple[int, float] | None = None
    for phrase, weight, alone in _BY_FIELD[field]:
        if not phrase <= said or (alone and said - phrase - _ALONE_STILL):
            continue
        score = weight * _EXTRA ** len(_extra(said - phrase, field))
        if best is None or (len(phrase), score) > best:
            best = (len(phrase), score)
    if best is None:
        return 0.0
    if field in (Field.UNIT_MSRP, Field.EXTENDED_MSRP):
        return _as_retail(said, field, best[1])
    return best[1]


def _as_retail(said: frozenset[str], field: Field, score: float) -> float:
    if field is Field.UNIT_MSRP and said & {"extended", "total"} and "unit" not in said:
        return score * 0.3
    if said & _OTHER_MONEY and not ("retail" in said and "sale" in said and "msrp" in said):
        return score * 0.15
    retail = bool(said & {"retail", "msrp"})
    if "lot" in said and not retail:
        return score * 0.15
    if "tax" in said and not (retail or "included" in said):
        return score * 0.15
    if "net" in said:
        return score * (_NET if retail else 0.15)
    return score


def _extra(words: frozenset[str], field: Field) -> frozenset[str]:
    return words - _NOISE - _NOISE_OF.get(field, frozenset())


def header_scores(header: str) -> dict[Field, float]:
    """What the header speaks for, strongest scores only."""
    return {field: score for field in FIELDS if (score := header_score(header, field)) >= 0.15}


def speaks_of_something_else(header: str) -> bool:
    """Whether the header says that the column is none that a line has: a colour, a cost."""
    said = concepts(header)
    return bool((said - _OF_PRICES if said & _PRICED else said) & _ELSEWHERE)


@lru_cache(maxsize=20_000)
def strongest(header: str) -> tuple[Field | None, float]:
    """The field for which a header speaks most."""
    scores = header_scores(header)
    if not scores:
        return None, 0.0
    field = max(scores, key=lambda field: scores[field])
    return field, scores[field]
