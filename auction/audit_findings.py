"""What an audit says: what was checked, what is wrong, and where."""

from enum import StrEnum

from msgspec import Struct

from auction.ids import SaleId, Shard


class Check(StrEnum):
    """What was checked."""

    POSITION = "position"  # gapless, each sale in its shard
    EPOCH = "epoch"
    BODY = "body"  # can be read, and is packed as the engine packs
    TIME = "time"
    NUMBER = "number"  # of sale, lot and owner, gapless
    COMMITMENT = "commitment"  # opens with the sale's secret; carried by the closing
    HASH = "hash"
    FOLD = "fold"  # recovery would stop here
    RULES = "rules"  # not what follows from the events before it
    SNAPSHOT = "snapshot"  # not what the events before it fold to


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that the engine cannot have written, and where. Holds nothing secret."""

    check: Check
    message: str
    sale_id: SaleId | None = None
    shard: Shard | None = None
    position: int | None = None
    sequence: int | None = None  # the public number, in an export
    line: int | None = None  # of the file, in an export

    def __str__(self) -> str:
        where = [
            f"{name} {value}"
            for name in ("line", "shard", "position", "sale_id", "sequence")
            if (value := getattr(self, name)) is not None
        ]
        return f"{' '.join(where).replace('sale_id', 'sale')}: {self.check}: {self.message}"


Fault = tuple[Check, str]

# What bytes that nobody here wrote may lead code to that trusts them.
BROKEN = (AssertionError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
