"""What a new version of a manifest changes: lines that came, went, or say something else."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from msgspec import Struct, structs

from auction.catalog.goods import ManifestLine

_FIELDS: Final = tuple(name for name in ManifestLine.__struct_fields__ if name != "line")


class FieldChange(Struct, frozen=True):
    """A field that says something else."""

    field: str
    before: object
    after: object


class ChangedLine(Struct, frozen=True):
    """A line of the old manifest and what became of it in the new one."""

    before: ManifestLine
    after: ManifestLine
    fields: list[FieldChange]


class Difference(Struct, frozen=True):
    """What lies between two manifests. Lines that only moved are unchanged."""

    added: list[ManifestLine]
    removed: list[ManifestLine]
    changed: list[ChangedLine]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether both manifests hold the same lines."""
        return not (self.added or self.removed or self.changed)


def _content(line: ManifestLine) -> Hashable:
    return structs.astuple(line)[1:]


def _plate(line: ManifestLine) -> Hashable:
    return line.lpn or None


def _article(line: ManifestLine) -> str:
    return line.item_number or line.gtin or line.description.casefold()


def _on_pallet(line: ManifestLine) -> Hashable:
    return None if line.lpn else (_article(line), line.pallet)


def _anywhere(line: ManifestLine) -> Hashable:
    return None if line.lpn else _article(line)


def diff(old: Sequence[ManifestLine], new: Sequence[ManifestLine]) -> Difference:
    """What the ``new`` manifest changes.

    Lines are the same by their plate number; without one by item number, else GTIN, else
    description, on the same pallet if they can, as often as they stand in both.
    """
    before, after = list(old), list(new)
    same = _matched(before, after, _content)
    changed: list[ChangedLine] = []
    for key in (_plate, _on_pallet, _anywhere):
        changed += [_changed(one, other) for one, other in _matched(before, after, key)]
    changed.sort(key=lambda change: change.after.line)
    return Difference(after, before, changed, len(same))


def _matched(
    before: list[ManifestLine],
    after: list[ManifestLine],
    key: Callable[[ManifestLine], Hashable],
) -> list[tuple[ManifestLine, ManifestLine]]:
    """Pairs with the same key, in the order of the lines; they are taken out of both lists."""
    waiting: dict[Hashable, list[ManifestLine]] = defaultdict(list)
    for line in reversed(before):
        if (own := key(line)) is not None:
            waiting[own].append(line)
    pairs: list[tuple[ManifestLine, ManifestLine]] = []
    left: list[ManifestLine] = []
    for line in after:
        own = key(line)
        if own is not None and waiting.get(own):
            pairs.append((waiting[own].pop(), line))
        else:
            left.append(line)
    taken = {id(one) for one, _ in pairs}
    before[:] = [line for line in before if id(line) not in taken]
    after[:] = left
    return pairs


def _changed(before: ManifestLine, after: ManifestLine) -> ChangedLine:
    fields = [
        FieldChange(name, getattr(before, name), getattr(after, name))
        for name in _FIELDS
        if getattr(before, name) != getattr(after, name)
    ]
    return ChangedLine(before, after, fields)
