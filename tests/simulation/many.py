"""Many runs on all cores. Every run is one process's work, and nothing is shared."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], on: Iterable[T]) -> Iterator[R]:
    """The results, as they come. ``work`` is a function of a module."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(work, on, chunksize=2)
