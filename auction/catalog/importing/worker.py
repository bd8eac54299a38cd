"""The child process that reads manifests: ``python -m auction.catalog.importing.worker``.

A spreadsheet is a program for a parser, so it is parsed here: under limits of memory, CPU time and
files, without a setting, a secret or a connection, one file for each process. Its parent
(``importer``) kills it when it takes too long.

Frames on stdin and stdout: four bytes of length, big-endian, and that many bytes. In: a
MessagePack ``Question`` and the file. Out: MessagePack frames of `Answer`, of which `Refused` or
`Head` comes last; lines and problems come in pieces, so that the parent decodes a little at a time.
"""

import resource
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec
from msgspec import Struct, structs

from auction.catalog.goods import ManifestLine
from auction.catalog.importing.bounds import CPU_S, MEMORY_BYTES
from auction.catalog.importing.faults import Problem, Unreadable
from auction.catalog.importing.manifest_file import manifest_in
from auction.catalog.importing.results import Head, Manifest

LENGTH: Final = struct.Struct(">I")
# Of one frame: some hundredths of a millisecond to decode each.
PIECE: Final = 100

# The exit code that says so.
OUT_OF_MEMORY: Final = 75

T = TypeVar("T")


class Question(Struct, frozen=True):
    """What is asked beside the file."""

    corrections: dict[str, str]
    currency: str | None


class Refused(Struct, frozen=True, tag=True):
    """Why the file cannot be read."""

    code: str
    message: str
    line: int


class Progress(Struct, frozen=True, tag=True):
    """Steps that are done, of all."""

    done: int
    whole: int


class Lines(Struct, frozen=True, tag=True):
    """Some lines, each with the number of its row."""

    lines: list[ManifestLine]
    rows: list[int]


class Faults(Struct, frozen=True, tag=True):
    """Some errors and warnings."""

    errors: list[Problem]
    warnings: list[Problem]


Answer = Refused | Progress | Lines | Faults | Head

TOO_MUCH_MEMORY: Final = Refused(
    "too_large", f"reading the file takes more than {MEMORY_BYTES // 2**20} MiB; split it", 0
)


def answers(question: Question, data: bytes, out: BinaryIO) -> None:
    """Read the file and write all frames."""
    encode = msgspec.msgpack.Encoder().encode

    def tell(answer: Answer) -> None:
        frame = encode(answer)
        out.write(LENGTH.pack(len(frame)) + frame)
        out.flush()

    try:
        manifest = manifest_in(
            data,
            question.corrections,
            question.currency,
            lambda done, whole: tell(Progress(done, whole)),
        )
    except Unreadable as fault:
        tell(Refused(fault.code, str(fault), fault.line))
        return
    except MemoryError:
        tell(TOO_MUCH_MEMORY)
        return
    for answer in _pieces(manifest):
        tell(answer)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_ms = int(1_000 * (used.ru_utime + used.ru_stime))
    tell(structs.replace(manifest.head, peak_kib=_peak_kib(), cpu_ms=cpu_ms))


def _peak_kib() -> int:
    """The most memory that was in use. Linux counts what the parent had into ``ru_maxrss``."""
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except (OSError, UnicodeDecodeError):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _pieces(manifest: Manifest) -> Iterator[Answer]:
    for errors in _cut(manifest.errors):
        yield Faults(errors, [])
    for warnings in _cut(manifest.warnings):
        yield Faults([], warnings)
    for lines, rows in zip(_cut(manifest.lines), _cut(manifest.rows), strict=True):
        yield Lines(lines, rows)


def _cut(values: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), PIECE):
        yield list(values[start : start + PIECE])


def _read_frame(stream: BinaryIO) -> bytes:
    (length,) = LENGTH.unpack(stream.read(LENGTH.size))
    return stream.read(length)


def _limit() -> None:
    """Less than a parser could do with: no file, no other process, so much memory and time."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def main() -> None:
    """Answer one question."""
    _limit()
    question = msgspec.msgpack.decode(_read_frame(sys.stdin.buffer), type=Question)
    try:
        answers(question, _read_frame(sys.stdin.buffer), sys.stdout.buffer)
    except MemoryError:  # where not even the answer found room
        sys.exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
