"""Many seeds on all cores. Every run is one process's work, and nothing is shared."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator

from tests.simulation.run import Run, simulate


def run_many(seeds: Iterable[int]) -> Iterator[Run]:
    """The runs of these seeds, as they end."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(simulate, seeds, chunksize=4)
