"""Several sheets of one manifest: with their columns in another order, or the same goods again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from auction.catalog.importing.columns import Columns
from auction.catalog.importing.sheets import Row
from auction.catalog.importing.tables import Table, filled, usual_count
from auction.catalog.importing.texts import text_in
from auction.catalog.importing.words import plain

Goods = tuple[str, ...]
"""What the mapped columns of a row say."""

# Fewer lines that stand on two sheets may be two pieces of one article.
_LEAST_REPEATED: Final = 5


def aligned(table: Table, model: Table, columns: Columns) -> Table | None:
    """The table with its columns where the ``model`` has those that were mapped.

    ``None`` if one of them is missing: then it is another kind of table.
    """
    if table.headers == model.headers:
        return table
    own = {_key(header): at for at, header in reversed(list(enumerate(table.headers)))}
    wanted = {column.index for column in columns.values()}
    places: dict[int, int] = {}
    for at, header in enumerate(model.headers):
        place = own.get(_key(header))
        if place is not None:
            places[at] = place
        elif at in wanted:
            return None
    last = len(table.headers)
    width = len(model.headers)
    rows = [_moved(row, places, width) for row in table.rows]
    for row, before in zip(rows, table.rows, strict=True):
        row.cells += before.cells[last:]  # what stands beside the table still does
    header_rows = [
        [header[places[at]] if places.get(at, last) < len(header) else "" for at in range(width)]
        for header in table.header_rows
    ]
    return replace(table, headers=model.headers, rows=rows, header_rows=header_rows, places=places)


def _key(header: str) -> str:
    return " ".join(plain(header).split())


def _moved(row: Row, places: dict[int, int], width: int) -> Row:
    cells = [row.at(places[at]) if at in places else "" for at in range(width)]
    filled_in = frozenset(at for at, place in places.items() if place in row.filled)
    return Row(row.line, cells, filled_in, repaired=row.repaired)


def goods_of(table: Table, columns: Columns) -> Counter[Goods]:
    """What the rows of a table say, as often as they say it."""
    usual = usual_count(row for row in table.rows[:2_000] if filled(row) > 1)
    indices = sorted(column.index for column in columns.values())
    return Counter(
        tuple(text_in(row.at(index)) for index in indices)
        for row in table.rows
        if filled(row) * 2 > usual and not table.is_header(row)
    )


def repeating(goods: Sequence[Counter[Goods]]) -> int | None:
    """The one of these that holds just what all others hold together; ``None``: none does."""
    whole = max(range(len(goods)), key=lambda at: goods[at].total())
    others: Counter[Goods] = Counter()
    for at, held in enumerate(goods):
        if at != whole:
            others += held
    if goods[whole].total() < _LEAST_REPEATED or others != goods[whole]:
        return None
    return whole
