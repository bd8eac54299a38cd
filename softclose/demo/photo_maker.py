"""The child process that draws the lots: ``python -m softclose.demo.photo_maker SEED LOT...``.

Drawing and encoding take seconds of a core, which in the process of the house would be seconds
without a bid. A frame on stdout for each picture: four bytes of length, and ``Drawn`` as
MessagePack.
"""

import os
import sys

import msgspec
from msgspec import Struct

from auction.catalog.photo_worker import LENGTH, PhotoFile, in_all_sizes
from auction.ids import LotId
from softclose.demo.catalogue import catalogue
from softclose.demo.scenes import pictures

# Below everything that answers somebody.
NICENESS = 10


class Drawn(Struct, frozen=True):
    """A picture of a lot in all its files."""

    lot_id: LotId
    alt: str
    files: list[PhotoFile]


def main() -> None:
    """Draw what was asked for."""
    os.nice(NICENESS)
    seed, lot_ids = int(sys.argv[1]), [LotId(name) for name in sys.argv[2:]]
    encode = msgspec.msgpack.Encoder().encode
    goods = catalogue(seed).goods
    for lot_id in lot_ids:
        for picture in pictures(goods[lot_id], lot_id, seed):
            frame = encode(Drawn(lot_id, picture.alt, in_all_sizes(picture.image)))
            sys.stdout.buffer.write(LENGTH.pack(len(frame)) + frame)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
