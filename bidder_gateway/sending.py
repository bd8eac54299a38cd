"""The hottest loop of the house: the same bytes to many sockets, a system call each.

Compiled (``send_all.c``), where the set-up found a C compiler; else in Python, which costs a tenth
to a quarter more of the processor's time for each delivery. Both do the same, and are tested alike.
"""

import ctypes
import os
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

GONE: Final = -1
LIBRARY: Final = Path(__file__).with_name("send_all.so")

# To each of these descriptors these bytes, without waiting. Returns those that did not take all of
# it: the place, and how many bytes it took, or ``GONE`` if there is no connection any more.
SendAll: TypeAlias = Callable[[Sequence[int], bytes], list[tuple[int, int]]]


def send(fd: int, data: bytes) -> int:
    """How many bytes the socket took without waiting, or ``GONE``."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError:
        return GONE


def send_all_in_python(fds: Sequence[int], data: bytes) -> list[tuple[int, int]]:
    """See `SendAll`."""
    size = len(data)
    return [(at, sent) for at, fd in enumerate(fds) if (sent := send(fd, data)) != size]


def compiled(library: Path = LIBRARY) -> SendAll | None:
    """The compiled one, if there is one."""
    try:
        function = ctypes.CDLL(str(library)).softclose_send_all
    except OSError:  # there was no compiler, or it was made for another system
        return None
    function.restype = ctypes.c_int
    numbers = ctypes.c_void_p
    function.argtypes = [
        numbers, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, numbers, numbers
    ]  # fmt: skip

    which, taken = array("i"), array("l")  # as long as the most sockets so far

    def send_all(fds: Sequence[int], data: bytes) -> list[tuple[int, int]]:
        sockets, count = array("i", fds), len(fds)
        if len(which) < count:
            which.extend(range(len(which), count))
            taken.extend(range(len(taken), count))
        partly = function(
            sockets.buffer_info()[0], count, data, len(data),
            which.buffer_info()[0], taken.buffer_info()[0],
        )  # fmt: skip
        return list(zip(which[:partly], taken[:partly], strict=True))

    return send_all


SEND_ALL: Final[SendAll] = compiled() or send_all_in_python
