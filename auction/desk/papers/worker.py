"""The child process that sets a paper: ``python -m auction.desk.papers.worker``.

Setting a thousand lots takes seconds of pure Python, which beside the engine would take its turns.
So it is done here, one paper for each process, under limits of memory and time, without a setting,
a secret or a connection. Its parent is ``press``.

Frames on stdin and stdout: four bytes of length, big-endian, and that many bytes. In: MessagePack
of ``Sheet``, the head first, until the input ends. Out: the document, in one frame.
"""

import resource
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

import msgspec

from auction.desk.papers.catalogue import catalogue_pdf
from auction.desk.papers.contents import CatalogueHead, CatalogueLot, LotTags, Sheet, TagsHead
from auction.desk.papers.floor_tags import floor_tags_pdf

LENGTH: Final = struct.Struct(">I")
# The largest catalogue: its photos twice, the pages, and what libraries take.
MEMORY_BYTES: Final = 1 * 2**30
CPU_S: Final = 120


def document(sheets: Iterator[Sheet]) -> bytes:
    """The paper that the first of these begins."""
    head = next(sheets)
    if isinstance(head, CatalogueHead):
        return catalogue_pdf(head, cast("Iterator[CatalogueLot]", sheets))
    assert isinstance(head, TagsHead), "the press sends the head first"
    return floor_tags_pdf(head, cast("Iterator[LotTags]", sheets))


def _sheets(stream: BinaryIO) -> Iterator[Sheet]:
    decode = msgspec.msgpack.Decoder(Sheet).decode
    while head := stream.read(LENGTH.size):
        yield decode(stream.read(LENGTH.unpack(head)[0]))


def main() -> None:
    """Set one paper."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    made = document(_sheets(sys.stdin.buffer))
    sys.stdout.buffer.write(LENGTH.pack(len(made)) + made)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
