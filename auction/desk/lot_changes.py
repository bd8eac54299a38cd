"""Some fields of a draft, for changing one cell of a grid or a field of many drafts at once."""

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from auction.desk.lot_drafts import LotDraft

if TYPE_CHECKING:

    class LotChanges(Struct, forbid_unknown_fields=True):
        """Any fields of a `LotDraft`; a field that is absent stays as it is."""

else:
    LotChanges = msgspec.defstruct(
        "LotChanges",
        [(field.name, field.type | UnsetType, UNSET) for field in structs.fields(LotDraft)],
        namespace={"__doc__": "Any fields of a lot's draft; one that is absent stays as it is."},
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
    )

_FIELDS: Final = LotDraft.__struct_fields__


def changed(draft: LotDraft, changes: LotChanges) -> LotDraft:
    """The draft with these fields."""
    said = {name: getattr(changes, name) for name in _FIELDS}
    given = {name: value for name, value in said.items() if value is not UNSET}
    return structs.replace(draft, **given)
