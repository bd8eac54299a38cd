"""Sources' words for the state of goods as one of our grades; apart from it, where goods are from.

The longest phrases that a text holds count, and of several the lowest grade. A word such as "used"
or "returns" says little: it gives way to what is said besides ("Used - Like New"). An unknown word
promises nothing, so it is UNINSPECTED, and the line is named.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeVar

from msgspec import Struct

from auction.catalog.goods import Condition, lowest
from auction.catalog.importing.words import words_of

_GRADES: Final[dict[Condition, str]] = {
    Condition.NEW: "new, brand new, nib, bnib, new in box, new sealed, sealed, factory new, nwt, "
    "new with tags, factory sealed, a ware, neu, neuware, neuwertig ovp, n, mint, new in package, "
    "fabrikneu, originalverpackt, neuf, neuve, neufs, nuevo, nueva, nuevos, nuovo, nuova, nieuw, "
    "nowy, nowe, nowa, unused, new condition, sellable new, first quality, grade n, a plus, never "
    "used, nicht benutzt, jamais utilise, grade a plus, new retail box, as new in box",
    Condition.LIKE_NEW: "like new, as new, used like new, nearly new, almost new, grade a, a, "
    "a grade, new without tags, nwot, a stock, near mint, wie neu, neuwertig, comme neuf, "
    "come nuovo, como nuevo, als nieuw, zo goed als nieuw, jak nowy, pristine, aa, "
    "used excellent, used as new, shelf pull like new, gebraucht wie neu, occasion comme neuf, "
    "usado como nuevo, lnew, ln, cond a, gr a, used a, mint in box, excellent like new",
    Condition.OPEN_BOX: "open box, openbox, opened box, new open box, box opened, new other, "
    "open package, opened, new damaged box, damaged box, box damage, box damaged, damaged package, "
    "damaged packaging, package damage, packaging damage, b ware, geoffnet, "
    "verpackung beschadigt, ovp beschadigt, caja abierta, "
    "emballage ouvert, boite ouverte, deballe, scatola aperta, open doos, new damaged packaging, "
    "minor box damage, emballage endommage, embalaje danado, caja danada, otwarte opakowanie, "
    "display model, "
    "floor model, display, ex display, demo, showroom model, vorfuhrgerat, ausstellungsstuck, "
    "vorfuhrware, "
    "modele d exposition, exposition, exposicion, no box, nob, ob, new no box, "
    "damaged carton, crushed box",
    Condition.REFURBISHED: "refurbished, refurb, renewed, certified refurbished, factory "
    "refurbished, "
    "reconditioned, remanufactured, manufacturer refurbished, seller refurbished, certified "
    "renewed, "
    "generaluberholt, refurbed, aufbereitet, reconditionne, reconditionnee, remis a neuf, "
    "reacondicionado, reacondicionada, recondicionado, restaurado, ricondizionato, gereviseerd, "
    "odnowiony, wiederaufbereitet, rfb, refurb a, refurb b, refurbished grade a, "
    "refurbished grade b, certified pre owned, cpo, seller refurb, manufacturer refurb, "
    "factory refurb, refurbished a, refurbished b, ricondizionata, odnowione",
    Condition.USED_GOOD: "used good, good, very good, used very good, b, grade b, b grade, "
    "tested working, tested, working, fully functional, functional, used working, excellent, "
    "gut, sehr gut, gebraucht gut, gebraucht sehr gut, getestet, funktioniert, "
    "bon etat, tres bon etat, bon, tres bon, buen estado, muy buen estado, bueno, muy bueno, "
    "buono, ottimo, goed, zeer goed, dobry, bardzo dobry, testado, teste, funcional, "
    "minor wear, light wear, lightly used, gently used, used grade b, used excellent condition, "
    "guter zustand, sehr guter zustand, grade a b, grade ab, powers on, power on, tested powers "
    "on, cond b, gr b, used b, works, buona, buone condizioni, tested ok, "
    "tested good, works great, pre owned good, "
    "passed, fonctionnel, funziona, sprawny, getestet ok",
    Condition.USED_FAIR: "used fair, fair, acceptable, used acceptable, c, grade c, c grade, "
    "average, "
    "scratch and dent, scratch dent, scratched, dented, scratches, dents, used poor, poor, worn, "
    "scratch n dent, cosmetic damage, cosmetic defects, blemished, heavily used, moderate wear, "
    "heavy wear, akzeptabel, befriedigend, ausreichend, gebrauchsspuren, kratzer, "
    "etat acceptable, etat correct, correct, acceptable, aceptable, accettabile, discreto, "
    "regular, "
    "redelijk, acceptabel, dostateczny, major wear, s d, sd, minor damage, light damage, "
    "cond c, gr c, used c, with defects, w defects, minor defects, new with defects, new w "
    "defects, "
    "grade b c, grade bc, imperfect, irregular, irregulars, seconds, second quality, cosmetic",
    Condition.SALVAGE: "salvage, damaged, for parts, parts only, parts, not working, broken, "
    "defective, "
    "defect, scrap, d, grade d, d grade, f, grade f, for parts or not working, non working, "
    "inoperable, does not work, unsellable, destroy, junk, faulty, customer damage, customer "
    "damaged, "
    "customer damag, warehouse damage, warehouse damaged, carrier damage, carrier damaged, "
    "distributor damaged, store damaged, damage, tested not working, tested non working, "
    "missing parts, incomplete, for repair, repair, expired, non functional, "
    "beschadigt, defekt, kaputt, ersatzteile, bastler, schrott, unvollstandig, c ware, "
    "endommage, abime, casse, defectueux, pour pieces, hors service, en panne, "
    "danado, danada, averiado, roto, para piezas, defectuoso, danneggiato, guasto, difettoso, "
    "beschadigd, kapot, uszkodzony, uszkodzone, na czesci, zepsuty, concealed damage, "
    "used defective, used damaged, repairable, irreparable, not functional, "
    "missing accessories, missing pieces, missing components, unsalable, unsaleable, does not "
    "power on, no power, not power on, non salvageable, "
    "for parts only, parts repair, for parts repair, cond d, gr d, grade x, cracked, "
    "cracked screen, hors d usage, non fonctionnel, non funzionante, no funciona, niesprawny, "
    "non conforme, ne fonctionne pas, funktioniert nicht, failed, fail",
    Condition.UNINSPECTED: "uninspected, untested, unchecked, raw, unknown, as is, unsorted, not "
    "tested, "
    "not inspected, unprocessed, unmanifested, mixed, mixed condition, assorted, ungepruft, "
    "ungetestet, unsortiert, gemischt, nicht getestet, nicht gepruft, non teste, non testes, "
    "non verifie, mixte, no probado, sin probar, sin revisar, sin comprobar, mixto, non testato, "
    "niet getest, ongetest, nietestowany, nieprzetestowane, ungraded, pending, to be inspected, "
    "not graded, not checked, various, varies, return to vendor, grade u, u, testing required, "
    "rtv, "
    "needs testing, to be tested, unopened returns",
}
# They say something only if nothing else is said.
_WEAK_GRADES: Final[dict[Condition, str]] = {
    Condition.USED_FAIR: "used, preowned, pre owned, pre loved, second hand, secondhand, 2nd hand, "
    "gebraucht, "
    "occasion, d occasion, usado, usada, usados, usato, gebruikt, tweedehands, uzywany, uzywane, "
    "previously owned",
    Condition.UNINSPECTED: "returns, return, returned, customer return, customer returns",
}
_SOURCES: Final[dict[str, str]] = {
    "customer returns": "customer return, customer returns, returns, return, returned, "
    "consumer returns, consumer return, raw returns, uninspected returns, raw customer returns, "
    "untested returns, untested customer returns, uninspected customer returns, "
    "retoure, retouren, kundenretoure, kundenretouren, rucklaufer, retourenware, retour, retours, "
    "retour client, retours clients, retours client, devolucion, devoluciones, "
    "devoluciones de clientes, reso, resi, resi clienti, resi cliente, klantretouren, "
    "retourgoederen, "
    "zwrot, zwroty, zwroty konsumenckie, online returns, store returns, fba returns, "
    "ecommerce returns, b2c returns, mixed returns, amazon returns, warehouse returns",
    "overstock": "overstock, overstocks, over stock, surplus, excess, excess inventory, "
    "excess stock, ubebestand, uberbestand, uberhang, surstock, surstocks, excedente, excedentes, "
    "exceso de inventario, eccedenze, overvoorraad, overstocked, lagerware, nadwyzka",
    "shelf pulls": "shelf pull, shelf pulls, shelfpull, shelfpulls, store pull, store pulls, "
    "store stock, mos, retrait de rayon, retiro de tienda",
    "closeout": "closeout, closeouts, close out, close outs, liquidation, discontinued, clearance, "
    "end of line, end of season, restposten, sonderposten, auslaufware, auslaufartikel, "
    "fin de serie, fins de serie, destockage, fin de temporada, saldos, liquidacion, "
    "stock lot, stocklot, fine serie, restpartij, bankruptcy, insolvenzware",
    "store damage": "store damage, store damages, store damaged, in store damage, shop soiled, "
    "warehouse damage, warehouse damaged, shop damaged, marked out of stock damaged",
}

_Words = tuple[str, ...]
T = TypeVar("T")


class Graded(Struct, frozen=True, gc=False):
    """What a text says: a grade if it says one, whether that is a guess, and a source or ''."""

    condition: Condition | None
    source: str
    weak: bool = False


def _table(texts: Mapping[T, str]) -> dict[_Words, T]:
    return {
        tuple(words_of(phrase)): meant
        for meant, phrases in texts.items()
        for phrase in phrases.split(", ")
    }


_GRADE_OF: Final = _table(_GRADES)
_WEAK_GRADE_OF: Final = _table(_WEAK_GRADES)
_SOURCE_OF: Final = _table(_SOURCES)
_LONGEST: Final = max(map(len, (*_GRADE_OF, *_WEAK_GRADE_OF, *_SOURCE_OF)))
# Alone they are a grade; among others they are a letter.
# How good something is that a stronger word names.
_PRAISE: Final = frozenset(
    tuple(words.split())
    for words in ("good", "very good", "excellent", "fair", "acceptable", "working", "tested")
)
_LETTERS: Final = frozenset("abcdfnu")
# In a title other words may be about anything: "Parts", "Good", "Mixed".
_SURE_ALONE: Final = frozenset(
    (
        *("new", "salvage", "refurbished", "refurb", "uninspected", "untested", "used", "returns"),
        *("overstock", "overstocks", "neu", "neuware", "defekt", "retouren"),
    )
)


@lru_cache(maxsize=10_000)
def graded(text: str) -> Graded:
    """What a text in a column of conditions says of grade and source."""
    words = tuple(words_of(text[:200].replace("&", " and ")))
    if len(words) > 12:
        return Graded(None, "")
    sources = _held(words, _SOURCE_OF)
    source = sources[0][1] if sources else ""
    grades = [
        grade
        for phrase, grade in _held(words, _GRADE_OF)
        if len(words) == 1 or len(phrase) > 1 or phrase[0] not in _LETTERS
    ]
    if grades:
        return Graded(lowest(_unqualified(grades, words)), source)
    weak = [grade for _, grade in _held(words, _WEAK_GRADE_OF)]
    if weak:
        return Graded(lowest(weak), source, weak=True)
    return Graded(Condition.UNINSPECTED, source, weak=True) if source else Graded(None, "")


def _unqualified(grades: list[Condition], words: _Words) -> list[Condition]:
    """Without the praise of what is named besides: "Refurbished - Good" is refurbished."""
    if not {Condition.REFURBISHED, Condition.OPEN_BOX} & set(grades):
        return grades
    return [grade for phrase, grade in _held(words, _GRADE_OF) if phrase not in _PRAISE]


def source_in(text: str) -> str:
    """The source of goods that a text names; '' if none."""
    return graded(text).source


def is_grade_word(text: str) -> bool:
    """Whether the text, by itself, is a grade in words: not a letter that could be anything."""
    words = words_of(text[:200])
    return bool(words) and len("".join(words)) > 1 and graded(text).condition is not None


def is_whole_grade(text: str) -> bool:
    """Whether a part of a title is a grade or a source and nothing else: ``Customer Returns``."""
    words = tuple(words_of(text[:200].replace("&", " and ")))
    if len(words) < 2 and not _SURE_ALONE & set(words):
        return False
    held = sum(
        len(phrase)
        for table in (_GRADE_OF | _WEAK_GRADE_OF, _SOURCE_OF)
        for phrase, _ in _held(words, table)
    )
    return held >= len(words) and graded(text).condition is not None


def _held(words: _Words, table: Mapping[_Words, T]) -> list[tuple[_Words, T]]:
    """The phrases of a table that the words hold, without those inside a longer one."""
    found: list[tuple[_Words, T]] = []
    taken: set[int] = set()
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            place = set(range(start, start + length))
            phrase = words[start : start + length]
            if phrase in table and not place & taken:
                taken |= place
                found.append((phrase, table[phrase]))
    return found
