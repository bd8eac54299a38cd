"""Many lives, a process for each core: every process has tables of its own."""

import asyncio
import logging
import multiprocessing
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
from msgspec import Struct

from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres
from tests.crash_points.life import EVERY, LOTS, Played, play
from tests.crash_points.world import Mortal, house, world

# Lives that share a house: its time goes on by weeks with each.
A_HOUSE: Final = 25


class Batch(Struct, frozen=True):
    """Lives of these seeds; each dies first at another await."""

    seeds: tuple[int, ...]


class Outcome(Struct, frozen=True):
    """What a batch came to. ``wrong``: the lives that did not go as they should."""

    lives: int
    awards: int
    awaits: int
    deaths: int
    wrong: tuple[str, ...]


def batches(awards: int, first_seed: int = 1) -> list[Batch]:
    """Enough lives for so many awards."""
    seeds = range(first_seed, first_seed + -(-awards // LOTS))
    return [Batch(tuple(seeds[at : at + A_HOUSE])) for at in range(0, len(seeds), A_HOUSE)]


def played(batch: Batch) -> Outcome:
    """Play these lives; for a process of its own."""
    hushed()
    return asyncio.run(_played(batch))


def hushed() -> None:
    """This process tells nobody of all that goes wrong in it."""
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # of the coroutines that the dead leave behind


def in_parallel(wanted: list[Batch]) -> Iterator[Outcome]:
    """The outcomes, as they come."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(played, wanted)


async def play_on(dsn: str, seeds: tuple[int, ...]) -> list[Played]:
    """Lives one after the other, on tables that are new."""
    async with world(dsn) as home:
        await house(home)
        return [await play(home, seed, Mortal(seed % EVERY + 1, EVERY)) for seed in seeds]


async def _played(batch: Batch) -> Outcome:
    with TemporaryDirectory(prefix="softclose-crash-points-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", scratch=True)
        dsn = await server.start()
        try:
            await prepare(dsn)
            lives = await play_on(dsn, batch.seeds)
        finally:
            await server.stop()
    return Outcome(
        lives=len(lives),
        awards=LOTS * len(lives),
        awaits=sum(life.awaits for life in lives),
        deaths=sum(life.deaths for life in lives),
        wrong=tuple(repr(life) for life in lives if life.wrong),
    )
