"""Words of headers as concepts: what ``Qty.``, ``QUANTITY`` and ``Menge`` have in common.

A header is cut into words (also ``ItemPkgWeightUOM``), each word becomes the concepts it stands for
in English, German, French, Spanish, Italian, Dutch and Polish, and words that say nothing are
dropped. A word with one slip of the keyboard is still known: ``Discription``, ``Quanity``.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from auction.catalog.importing.dictionary import CONCEPTS, DROPPED

# A header is a few words; more is a sentence.
MAX_HEADER_WORDS: Final = 12
# Shorter words with one letter changed are other words.
_LEAST_FOR_SLIPS: Final = 6

# Shorter parts of a compound would be found in too many words.
_LEAST_OF_PART: Final = 3
_SHORT_TAILS: Final = frozenset({"nr", "id"})

_LONG_WORDS: Final[dict[str, list[str]]] = {}
for _word in CONCEPTS:
    if len(_word) >= _LEAST_FOR_SLIPS:
        _LONG_WORDS.setdefault(_word[0], []).append(_word)

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_SIGNS: Final = (
    # Before words lose their order: "number of items" is not "item number".
    (
        re.compile(r"(\b(number|no\.?|num\.?)|#)\s+of\b|\bnombre\s+d[e'\u2019]", re.IGNORECASE),
        " quantity ",
    ),
    (re.compile(r"#|№|\bn[°º]|\bnr?o?\s*[°º.]|\bno\.|\bnum\.", re.IGNORECASE), " number "),
    (re.compile(r"\bs\s*/\s*n\b", re.IGNORECASE), " serial number "),
    (re.compile(r"\bp\s*/\s*n\b", re.IGNORECASE), " part number "),
    (re.compile("%"), " percent "),
    (re.compile(r"[$€£¥]"), " sign "),
)
# Letters that no decomposition takes apart.
_STROKED: Final = str.maketrans("łøđ", "lod")
_NO_WORD: Final = re.compile(r"[\W_]+")
_DIGITS_AT_END: Final = re.compile(r"(?<=[a-z]{3})\d+$")


def plain(text: str) -> str:
    """Text for comparing: compatibility forms, accents and case taken away."""
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_STROKED)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """The words of a header or of a value, folded."""
    text = unicodedata.normalize("NFKC", text)
    for sign, word in _SIGNS:
        text = sign.sub(word, text)
    return _NO_WORD.sub(" ", plain(_CAMEL.sub(" ", text))).split()


@lru_cache(maxsize=20_000)
def concepts(header: str) -> frozenset[str]:
    """What the header speaks of; empty for a sentence."""
    words = words_of(header[:200])
    if len(words) > MAX_HEADER_WORDS:
        return frozenset()
    found: set[str] = set()
    for word in words:
        found.update(_concepts_of(word))
    return frozenset(found)


@lru_cache(maxsize=20_000)
def _concepts_of(word: str) -> tuple[str, ...]:
    if word in DROPPED:
        return ()
    for candidate in (word, word.removesuffix("s"), _DIGITS_AT_END.sub("", word)):
        if candidate in CONCEPTS:
            return CONCEPTS[candidate]
    if len(word) >= _LEAST_FOR_SLIPS:
        for known in _LONG_WORDS.get(word[0], ()):
            if _is_slip(word, known):
                return CONCEPTS[known]
    return _parts_of(word) or (word,)


def _parts_of(word: str) -> tuple[str, ...]:
    """The concepts of a compound, as German and Dutch make them: ``inkoopprijs``, ``palletnr``."""
    for end in range(len(word) - 2, _LEAST_OF_PART - 1, -1):
        head, tail = word[:end], word[end:]
        if len(tail) < _LEAST_OF_PART and tail not in _SHORT_TAILS:
            continue
        first = CONCEPTS.get(head) or (CONCEPTS.get(head.removesuffix("s")) if end > 4 else None)
        if first is not None and (second := CONCEPTS.get(tail)) is not None:
            return (*first, *second)
    return ()


def _is_slip(word: str, known: str) -> bool:
    """Whether one letter was added, left out or changed, or two neighbours were swapped."""
    if word[0] != known[0] or abs(len(word) - len(known)) > 1:
        return False
    start = 0
    while start < min(len(word), len(known)) and word[start] == known[start]:
        start += 1
    rest, other = word[start:], known[start:]
    return (
        rest[1:] == other[1:]
        or rest == other[1:]
        or rest[1:] == other
        or (rest[:2] == other[:2][::-1] and rest[2:] == other[2:])
    )
