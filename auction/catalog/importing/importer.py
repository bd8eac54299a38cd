"""Imports manifests in child processes; the caller's event loop only passes bytes on.

`Importer` starts a process (``worker``) for each file and ends it whatever happens: an answer, a
time-out, a cancelled caller. A process that dies took the file's side of the bargain with it: the
file is refused, with the reason that its end shows. Nothing of a file reaches our memory but
checked values, decoded a hundred at a time.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from auction.catalog.goods import ManifestLine
from auction.catalog.importing.bounds import CPU_S, MAX_FILE_BYTES, PATIENCE_S
from auction.catalog.importing.faults import Problem, Unreadable
from auction.catalog.importing.reading import too_large
from auction.catalog.importing.results import Head, Manifest
from auction.catalog.importing.worker import (
    LENGTH,
    OUT_OF_MEMORY,
    TOO_MUCH_MEMORY,
    Answer,
    Faults,
    Lines,
    Progress,
    Question,
    Refused,
)

# One at a time leaves a core to the engine; those that wait hold their file in our memory.
AT_ONCE: Final = 1
MAX_WAITING: Final = 8
# Of one frame: a hundred lines at their longest.
MAX_FRAME_BYTES: Final = 2 * 2**20
# The file is handed over in pieces.
_PIECE: Final = 256 * 1024
# A process that has closed its end ends by itself; how it does says why.
_ENDING_S: Final = 2.0
_OUT_OF_TIME: Final = (-signal.SIGXCPU, -signal.SIGKILL)

Report = Callable[[int, int], None]

_decode = msgspec.msgpack.Decoder(Answer).decode
_encode = msgspec.msgpack.Encoder().encode
_logger = structlog.get_logger(__name__)


class TooManyImports(Exception):
    """Too many manifests wait to be read."""


def _ignore(_: int, __: int) -> None:
    pass


class Importer:
    """Reads spreadsheets of strangers, one at a time, a bounded number waiting."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def read(
        self,
        data: bytes,
        *,
        corrections: Mapping[str, str] | None = None,
        currency: str | None = None,
        report: Report = _ignore,
    ) -> Manifest:
        """A file as a manifest, with what is wrong with its lines.

        ``corrections``: field -> header, '' for "there is none". ``currency``: the code of amounts
        that name none; USD by default. ``report`` is called with steps done and all steps.
        Raises `Unreadable` for what is no manifest, `TooManyImports` when too many wait.
        """
        if len(data) > MAX_FILE_BYTES:
            raise too_large(len(data))
        if self._waiting >= MAX_WAITING:
            raise TooManyImports("too many manifests wait to be read; try again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(Question(dict(corrections or {}), currency), data, report)
        finally:
            self._waiting -= 1

    async def _ask(self, question: Question, data: bytes, report: Report) -> Manifest:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "auction.catalog.importing.worker"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},  # no setting and no secret
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await _converse(child, question, data, report)
        except (TimeoutError, asyncio.IncompleteReadError, OSError, msgspec.MsgspecError) as error:
            if isinstance(error, asyncio.IncompleteReadError):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ENDING_S):
                        await child.wait()
            await _end(child)
            _logger.warning(
                "manifest_worker_failed",
                error=type(error).__name__,
                returncode=child.returncode,
                bytes=len(data),
            )
            raise _ended(error, child.returncode) from None
        finally:
            await _end(child)


async def _converse(child: Process, question: Question, data: bytes, report: Report) -> Manifest:
    handing_over = asyncio.create_task(_hand_over(child, question, data))
    try:
        return await _answered(child, report)
    finally:
        handing_over.cancel()
        # Why it could not be handed over is told by how the child ended.
        await asyncio.gather(handing_over, return_exceptions=True)


async def _hand_over(child: Process, question: Question, data: bytes) -> None:
    assert child.stdin is not None, "a pipe was asked for"
    asked = _encode(question)
    child.stdin.write(LENGTH.pack(len(asked)) + asked + LENGTH.pack(len(data)))
    for start in range(0, len(data), _PIECE):
        child.stdin.write(data[start : start + _PIECE])
        await child.stdin.drain()
    child.stdin.close()


async def _answered(child: Process, report: Report) -> Manifest:
    lines: list[ManifestLine] = []
    rows: list[int] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []
    while True:
        match await _answer(child):
            case Refused(code, message, line):
                raise Unreadable(code, message, line)
            case Progress(done, whole):
                report(done, whole)
            case Lines() as piece:
                lines += piece.lines
                rows += piece.rows
            case Faults() as faults:
                errors += faults.errors
                warnings += faults.warnings
            case Head() as head:
                return Manifest(head, lines, rows, errors, warnings)
        await asyncio.sleep(0)  # what was in the buffer already must not hold up others


async def _answer(child: Process) -> Answer:
    assert child.stdout is not None, "a pipe was asked for"
    (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise msgspec.DecodeError("a frame longer than any of the worker")
    answer: Answer = _decode(await child.stdout.readexactly(length))
    return answer


def _ended(error: Exception, returncode: int | None) -> Unreadable:
    """Why a file was not read whose process ended without an answer."""
    if isinstance(error, TimeoutError) or returncode in _OUT_OF_TIME:
        return Unreadable("too_slow", f"reading the file takes longer than {CPU_S} s; split it")
    if returncode in (-signal.SIGABRT, OUT_OF_MEMORY):  # a parser in C or Rust; Python
        return Unreadable(TOO_MUCH_MEMORY.code, TOO_MUCH_MEMORY.message)
    message = (
        "the file could not be read; open it in a spreadsheet and save it again as XLSX or CSV"
    )
    return Unreadable("damaged", message)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())
