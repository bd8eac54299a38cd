"""The child's side of a press: one document for each process, under limits of memory and time.

It has no setting, no secret and no connection. Frames on stdin and stdout: four bytes of length,
big-endian, and that many bytes. In: MessagePack of the sheets, the head first, until the input
ends. Out: the document, in one frame.
"""

import resource
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

Sheet = TypeVar("Sheet")

LENGTH: Final = struct.Struct(">I")
# The largest catalogue: its photos twice, the pages, and what libraries take.
MEMORY_BYTES: Final = 1 * 2**30
CPU_S: Final = 120


def run(sheet: Any, document: Callable[[Iterator[Any]], bytes]) -> None:
    """Set one document. ``sheet``: the type, or union of types, of what comes in."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    made = document(_sheets(sys.stdin.buffer, msgspec.msgpack.Decoder(sheet).decode))
    sys.stdout.buffer.write(LENGTH.pack(len(made)) + made)
    sys.stdout.buffer.flush()


def _sheets(stream: BinaryIO, decode: Callable[[bytes], Sheet]) -> Iterator[Sheet]:
    while head := stream.read(LENGTH.size):
        yield decode(stream.read(LENGTH.unpack(head)[0]))
