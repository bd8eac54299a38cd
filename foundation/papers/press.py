"""Has papers set in a child process; the caller's event loop only passes bytes on.

One paper at a time leaves a core to the engine; a bounded number waits. The child ends with its
paper, and is killed whatever else happens: a time-out, a cancelled caller.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from foundation.papers.child import LENGTH

AT_ONCE: Final = 1
MAX_WAITING: Final = 8
# A thousand lots take some seconds of one core; the largest sale, ten times that.
PATIENCE_S: Final = 150.0
# Five thousand photos of a tile's size.
MAX_DOCUMENT_BYTES: Final = 256 * 2**20

_BUSY: Final = "Other papers are being made. Try again in a moment."
_FAILED: Final = "The paper could not be made. Try again in a moment."
_encode = msgspec.msgpack.Encoder().encode
_logger = structlog.get_logger(__name__)


class NotPrinted(Exception):
    """There is no document now; the message says to whoever asked for it why."""


class Press:
    """Sets papers, one at a time. ``worker``: the module of the child (see ``child.run``)."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def printed(self, sheets: AsyncIterator[Struct]) -> bytes:
        """The document that these make, the head first. Raises `NotPrinted`."""
        if self._waiting >= MAX_WAITING:
            raise NotPrinted(_BUSY)
        self._waiting += 1
        try:
            async with self._turn:
                return await _ask(self._worker, sheets)
        finally:
            self._waiting -= 1


async def _ask(worker: str, sheets: AsyncIterator[Struct]) -> bytes:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", worker),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},  # no setting and no secret
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _hand_over(child, sheets)
            return await _answer(child)
    except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        await _end(child)
        _logger.warning(
            "paper_worker_failed",
            worker=worker,
            error=type(error).__name__,
            returncode=child.returncode,
        )
        raise NotPrinted(_FAILED) from None
    finally:
        await _end(child)


async def _hand_over(child: Process, sheets: AsyncIterator[Struct]) -> None:
    # The child says nothing before the end, so that neither waits for the other.
    assert child.stdin is not None, "a pipe was asked for"
    async for sheet in sheets:
        frame = _encode(sheet)
        child.stdin.write(LENGTH.pack(len(frame)) + frame)
        await child.stdin.drain()
    child.stdin.close()


async def _answer(child: Process) -> bytes:
    assert child.stdout is not None, "a pipe was asked for"
    (left,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
    if left > MAX_DOCUMENT_BYTES:
        raise OSError("a document longer than any of the worker")
    pieces = []
    while left:
        piece = await child.stdout.read(left)
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())
