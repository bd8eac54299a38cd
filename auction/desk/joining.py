"""Drafts made of drafts: a lot split by its pallets, several joined to one, a copy. Pure.

What a seller has said of a lot goes over to what is made of it as far as it still holds; the rest
is left blank, so that the checks before publishing ask for it. Prices of a whole say nothing of
its parts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import structs

from auction.catalog.goods import FreightTerms, ManifestLine
from auction.desk.lot_drafts import LotDraft
from auction.desk.lot_lines import renumbered
from auction.desk.refusals import Refusal, Refused
from auction.terms import LotKind

# As many pallets as a lot may have.
MAX_PALLETS: Final = 100
MAX_TITLE: Final = 200

_SAME_OR_BLANK: Final = (
    *("category", "source", "alias", "load", "purchase_order", "rma", "freight_class", "group"),
)
_ADDRESS: Final = ("company", "street", "city", "region", "postal_code", "country")

T = TypeVar("T")


def by_pallet(lines: Sequence[ManifestLine]) -> dict[str, list[ManifestLine]]:
    """The lines of each pallet, in the order of the manifest; "": on none that is named.

    Raises `Refused` NO_PALLETS when that is one part, TOO_MANY.
    """
    parts = grouped(lines, [line.pallet for line in lines])
    if len(parts) < 2:
        raise Refused(Refusal.NO_PALLETS)
    if len(parts) > MAX_PALLETS:
        raise Refused(Refusal.TOO_MANY, detail=f"A lot has at most {MAX_PALLETS} pallets.")
    return parts


def grouped(lines: Sequence[ManifestLine], groups: Sequence[str]) -> dict[str, list[ManifestLine]]:
    """The lines of each group as a manifest of their own, in the order of the first of each."""
    parts: dict[str, list[ManifestLine]] = {}
    for line, group in zip(lines, groups, strict=True):
        parts.setdefault(group, []).append(line)
    return {group: renumbered(part) for group, part in parts.items()}


def part_of(whole: LotDraft, pallet: str, lines: Sequence[ManifestLine]) -> LotDraft:
    """What holds of one pallet of a lot; "": of what lies on none."""
    named = f" - pallet {pallet}" if pallet else " - other goods"
    return structs.replace(
        whole,
        title=_with_end(whole.title, named) if whole.title else "",
        description="",
        kind=LotKind.PALLET if pallet else None,
        pallets=1 if pallet else None,
        weight_g=_weight_g(lines),
        freight_fixed_minor=None,
        freight_terms=FreightTerms.BINDING
        if whole.freight_terms is FreightTerms.FIXED
        else whole.freight_terms,
        opening_minor=None,
        reserve_minor=None,
    )


def joined(drafts: Sequence[LotDraft]) -> LotDraft:
    """What holds of several lots together: the first one's title, everybody's restrictions.

    Pallets, weights and prices are summed; what one of them lacks is not known of the whole.
    Raises `Refused` DIFFERENT_CURRENCIES, DIFFERENT_CONSIGNORS, TOO_MANY.
    """
    if _same(draft.currency for draft in drafts) is None:
        raise Refused(Refusal.DIFFERENT_CURRENCIES)
    # A consignor does not bid on its own goods: it has to be known for the whole lot.
    if len({draft.consignor_id for draft in drafts}) > 1:
        raise Refused(Refusal.DIFFERENT_CONSIGNORS)
    # Nor is one hammer price settled by two agreements.
    if len({(draft.agreement_id, draft.agreement_version) for draft in drafts}) > 1:
        raise Refused(
            Refusal.DIFFERENT_CONSIGNORS,
            detail="The lots are under different agreements, or versions of one.",
        )
    pallets = _sum(draft.pallets for draft in drafts)
    if (pallets or 0) > MAX_PALLETS:
        raise Refused(Refusal.TOO_MANY, detail=f"A lot has at most {MAX_PALLETS} pallets.")
    common = {name: _same_of(drafts, name) for name in _SAME_OR_BLANK}
    if len({tuple(getattr(draft, name) for name in _ADDRESS) for draft in drafts}) > 1:
        common |= {name: _BLANK[name] for name in _ADDRESS}
    terms = _same(draft.freight_terms for draft in drafts) or FreightTerms.BINDING
    fixed = terms is FreightTerms.FIXED
    reserves = [draft.reserve_minor for draft in drafts if draft.reserve_minor is not None]
    return structs.replace(
        drafts[0],
        kind=LotKind.PALLETS,
        restrictions=tuple(dict.fromkeys(r for draft in drafts for r in draft.restrictions)),
        pallets=pallets,
        length_mm=_largest(draft.length_mm for draft in drafts),
        width_mm=_largest(draft.width_mm for draft in drafts),
        height_mm=_largest(draft.height_mm for draft in drafts),
        weight_g=_sum(draft.weight_g for draft in drafts),
        freight_terms=terms,
        freight_fixed_minor=_sum(d.freight_fixed_minor for d in drafts) if fixed else None,
        opening_minor=_sum(draft.opening_minor for draft in drafts),
        # What was protected stays so: a lot without reserve adds nothing to it.
        reserve_minor=sum(reserves) if reserves else None,
        **common,
    )


def copied(lines: Iterable[ManifestLine]) -> list[ManifestLine]:
    """The same articles again; what tells single pieces apart is there once."""
    return [structs.replace(line, lpn="", serial="") for line in lines]


_BLANK: Final[Mapping[str, object]] = {
    name: getattr(LotDraft(), name) for name in (*_SAME_OR_BLANK, *_ADDRESS)
}


def _same_of(drafts: Sequence[LotDraft], name: str) -> object:
    common = _same(getattr(draft, name) for draft in drafts)
    return _BLANK[name] if common is None else common


def _same(values: Iterable[T]) -> T | None:
    """What all have in common; ``None``: nothing."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _sum(values: Iterable[int | None]) -> int | None:
    return _over(sum, values)


def _largest(values: Iterable[int | None]) -> int | None:
    return _over(max, values)


def _over(fold: Callable[[list[int]], int], values: Iterable[int | None]) -> int | None:
    """Of all of them; ``None`` when one is not known."""
    all_values = list(values)
    known = [value for value in all_values if value is not None]
    return fold(known) if len(known) == len(all_values) else None


def _weight_g(lines: Sequence[ManifestLine]) -> int | None:
    """What the pieces weigh together, without pallet and wrapping."""
    return _sum(None if line.weight_g is None else line.weight_g * line.quantity for line in lines)


def _with_end(title: str, end: str) -> str:
    return title[: MAX_TITLE - len(end)] + end[:MAX_TITLE]
