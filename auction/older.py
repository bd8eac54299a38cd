"""Events of older versions: what their parts held, and how they are read today.

What was logged is never written anew: it keeps its bytes, and so its hash and its commitment.
Only its reading changes: ``as_of_today`` takes the fields of an event from version to version, a
step for each, until they are those of the type as it is now (``events``). A type of which every
version is still the first is not mentioned here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

Fields = Mapping[str, Any]


class OlderVersion(Struct, frozen=True):
    """A version that is written no more.

    ``private``: the fields of its private part, each with what stands for it where it is hidden.
    ``next``: its fields as those of the next version.
    """

    private: Fields
    next: Callable[[Fields], Fields]


def _by_the_organisation(fields: Fields) -> Fields:
    """Bids did not say who of the team made them."""
    return {"person_id": None, **fields}


def _for_everybody(fields: Fields) -> Fields:
    """Every sale was public."""
    return {"audience": "PUBLIC", **fields}


def _without_asking(fields: Fields) -> Fields:
    """No seller was asked after the hammer."""
    return {**fields, "terms": {"confirmation": "NOT_ASKED", **fields["terms"]}}


_A_BID: Final = {"bidder_id": "", "bid_id": "", "maximum_minor": 0, "freight_minor": 0}
_A_SALE: Final = {"seller_ids": (), "actor_id": "", "secret": b""}

OLDER: Final[Mapping[tuple[str, int], OlderVersion]] = {
    ("sale_scheduled", 1): OlderVersion(_A_SALE, _for_everybody),
    ("sale_scheduled", 2): OlderVersion(_A_SALE, _without_asking),
    ("bid_placed", 1): OlderVersion(_A_BID, _by_the_organisation),
    ("maximum_raised", 1): OlderVersion({"lot_id": "", **_A_BID}, _by_the_organisation),
}


def as_of_today(name: str, version: int, fields: Fields) -> Fields:
    """The fields of an event that was written in this version, as its type has them now."""
    while (older := OLDER.get((name, version))) is not None:
        fields, version = older.next(fields), version + 1
    return fields
