"""What goods are made of, as shares for small bar plots. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from auction.amounts import money
from auction.catalog.goods import Condition, ManifestLine

# What is below is one bar together.
MOST_BARS: Final = 8

# The name of a part, its share in per cent, and what else is to be said of it.
Bar = tuple[str, int, str]


def of_lines(
    lines: Sequence[ManifestLine], key: Callable[[ManifestLine], str], currency: str
) -> list[Bar]:
    """Shares of the MSRP, or of the units where nothing has one."""
    units, worth = Counter[str](), Counter[str]()
    for line in lines:
        units[key(line)] += line.quantity
        worth[key(line)] += line.extended_msrp_minor
    return _bars(worth, units, currency)


def by_category(lines: Sequence[ManifestLine], currency: str) -> list[Bar]:
    """By category, what is worth most first."""
    return of_lines(lines, lambda line: line.category or "Category not known", currency)


def by_condition(lines: Sequence[ManifestLine], currency: str) -> list[Bar]:
    """By grade, best first."""
    ranks = {condition.on_pages: rank for rank, condition in enumerate(Condition)}
    bars = of_lines(lines, lambda line: line.condition.on_pages, currency)
    return sorted(bars, key=lambda bar: ranks[bar[0]])


def counted(counts: Mapping[str, int], name_of: Callable[[str], str]) -> list[Bar]:
    """Shares of a number of lines."""
    whole = sum(counts.values())
    return [
        (name_of(key), _percent(count, whole), f"{count:,} {'line' if count == 1 else 'lines'}")
        for key, count in counts.items()
    ]


def valued(parts: Iterable[tuple[str, int, int]], currency: str) -> list[Bar]:
    """Of triples of a name, units and MSRP."""
    units, worth = Counter[str](), Counter[str]()
    for name, count, msrp_minor in parts:
        units[name] += count
        worth[name] += msrp_minor
    return _bars(worth, units, currency)


def _bars(worth: Counter[str], units: Counter[str], currency: str) -> list[Bar]:
    counts = worth if any(worth.values()) else units
    whole = sum(counts.values())
    ordered = counts.most_common()
    shown = ordered if len(ordered) <= MOST_BARS else ordered[: MOST_BARS - 1]
    bars = [
        (name, _percent(part, whole), _more(units[name], worth[name], currency))
        for name, part in shown
    ]
    rest = [name for name, _ in ordered[len(shown) :]]
    if rest:
        part = sum(counts[name] for name in rest)
        more = _more(sum(units[n] for n in rest), sum(worth[n] for n in rest), currency)
        bars.append((f"{len(rest)} more", _percent(part, whole), more))
    return bars


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _more(units: int, msrp_minor: int, currency: str) -> str:
    said = f"{units:,} {'unit' if units == 1 else 'units'}"
    return f"{said}, {money(msrp_minor, currency)}" if msrp_minor else said
