"""What is in a lot, as a section of its page: lines, filters, orders, sums by what they share.

The section is an address of its own, with everything chosen in its query; where scripts run they
take it from there and put it into the lot's page, which stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct

from auction.catalog.goods import Condition
from auction.catalog.manifests import GroupBy, LineGroup, LineOrder, PreviewLine, Totals
from bidder_gateway.listed import LotPage
from bidder_gateway.lots import GroupsQuery, LinesQuery, Lots
from bidder_gateway.pages.room import lot_href, viewing
from foundation.http.problems import NOT_FOUND, Problem

LINES: Final = (12, 50, 200)  # shown at once, by choice

MemberT = TypeVar("MemberT", bound=StrEnum)

GROUPS: Final = (
    (GroupBy.CATEGORY, "Category"),
    (GroupBy.SUBCATEGORY, "Subcategory"),
    (GroupBy.CONDITION, "Condition"),
    (GroupBy.BRAND, "Brand"),
    (GroupBy.PALLET, "Pallet"),
    (GroupBy.SOURCE, "Source"),
)

# The columns of the table that it can be ordered by, and whether the most comes first.
COLUMNS: Final = (
    (LineOrder.DESCRIPTION, "Item", "", False),
    (LineOrder.BRAND, "Brand", "", False),
    (LineOrder.CATEGORY, "Category", "", False),
    (LineOrder.CONDITION, "Condition", "", False),
    (LineOrder.PALLET, "Pallet", "", False),
    (LineOrder.QUANTITY, "Units", "figure", True),
    (LineOrder.UNIT_MSRP, "Unit MSRP", "figure", True),
    (LineOrder.EXTENDED_MSRP, "Total MSRP", "figure", True),
)


class Column(Struct, frozen=True):
    """A head of the table. ``sort``: for aria-sort."""

    title: str
    kind: str
    href: str
    sort: str


class ShownGroup(Struct, frozen=True):
    """Lines that share something, and their part of the MSRP in per cent."""

    name: str
    lines: int
    units: int
    msrp_minor: int
    percent: int


class ManifestView(Struct, frozen=True, kw_only=True):
    """The section."""

    path: str
    chosen: Mapping[str, str]
    columns: Sequence[Column]
    lines: Sequence[PreviewLine]
    totals: Totals
    groups: Sequence[ShownGroup]
    by: str
    group_names: Sequence[tuple[str, str]]
    conditions: Sequence[tuple[str, str]]
    next_href: str
    first_href: str
    more_href: str
    filtered: bool


async def manifest_view(lots: Lots, request: web.Request, lot: LotPage) -> ManifestView:
    """The section as the address asks for it; what it cannot mean is passed over."""
    chosen, who = _chosen(request), viewing(request).sees_as
    path = f"{lot_href(lot.sale_id, lot.lot_id)}/manifest"
    order = _member(LineOrder, chosen.get("order")) or LineOrder.LINE
    by = _member(GroupBy, chosen.get("by")) or GroupBy.CATEGORY
    grade = _member(Condition, chosen.get("condition"))
    lines = next((many for many in LINES if str(many) == chosen.get("lines")), LINES[0])
    text, grades = chosen.get("q"), (grade,) if grade else ()
    query = LinesQuery(
        q=text, condition=grades, order=order, descending="descending" in chosen, limit=lines
    )
    query.cursor = chosen.get("cursor")
    try:
        page = await lots.manifest(lot.sale_id, lot.lot_id, query, who)
    except Problem:  # a cursor of another order, from an address that somebody changed
        query.cursor = None
        page = await lots.manifest(lot.sale_id, lot.lot_id, query, who)
    groups_query = GroupsQuery(q=text, condition=grades, by=by)
    groups = await lots.manifest_groups(lot.sale_id, lot.lot_id, groups_query, who)
    if page is None or groups is None:
        raise NOT_FOUND()
    kept = {name: value for name, value in chosen.items() if name != "cursor"}
    return ManifestView(
        path=path,
        chosen=kept,
        columns=list(_columns(path, kept, order, descending=query.descending)),
        lines=page.items,
        totals=page.totals,
        groups=_shown(groups.items, by, page.totals),
        by=by.lower(),
        group_names=[(name.lower(), title) for name, title in GROUPS],
        conditions=[(grade, grade.on_pages) for grade in Condition],
        next_href=_href(path, {**kept, "cursor": page.next_cursor}) if page.next_cursor else "",
        first_href=_href(path, kept) if query.cursor else "",
        more_href=_href(path, {**kept, "lines": str(_more(lines))}) if page.next_cursor else "",
        filtered=bool(kept.get("q") or kept.get("condition")),
    )


def _more(lines: int) -> int:
    """The next larger number of lines to be shown at once."""
    return next((many for many in LINES if many > lines), LINES[-1])


def _chosen(request: web.Request) -> dict[str, str]:
    names = ("q", "condition", "order", "descending", "by", "lines", "cursor")
    given = {name: request.query.get(name, "").replace("\0", "").strip() for name in names}
    return {name: value[:1_000] for name, value in given.items() if value}


def _member(kind: type[MemberT], name: str | None) -> MemberT | None:
    """The member of this name, as addresses write it; ``None``: there is none."""
    return next((member for member in kind if member.lower() == (name or "").lower()), None)


def _columns(
    path: str, chosen: Mapping[str, str], order: LineOrder, *, descending: bool
) -> Iterable[Column]:
    for by, title, kind, most_first in COLUMNS:
        is_this = by is order
        falls = not descending if is_this else most_first
        asked = {name: value for name, value in chosen.items() if name != "descending"}
        asked |= {"order": by.lower(), **({"descending": "yes"} if falls else {})}
        sort = ("descending" if descending else "ascending") if is_this else ""
        yield Column(title, kind, _href(path, asked), sort)


def _shown(groups: Sequence[LineGroup], by: GroupBy, totals: Totals) -> list[ShownGroup]:
    whole = totals.msrp_minor or 1
    return [
        ShownGroup(
            _name(group.key, by),
            group.lines,
            group.units,
            group.msrp_minor,
            round(100 * group.msrp_minor / whole),
        )
        for group in groups
    ]


def _name(key: str, by: GroupBy) -> str:
    if not key:
        return "Not known"
    if by is GroupBy.CONDITION:
        return Condition(key).on_pages
    return key[:1].upper() + key[1:]


def _href(path: str, chosen: Mapping[str, str | None]) -> str:
    told = {name: value for name, value in chosen.items() if value}
    return f"{path}?{urlencode(told)}#manifest" if told else f"{path}#manifest"
