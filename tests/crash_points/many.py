"""Many lives, a process for each core: every process has tables of its own."""

import asyncio
import logging
import multiprocessing
import os
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Final

import structlog
from msgspec import Struct

from tests.crash_points.life import EVERY, LOTS, Played, drawn_way, play
from tests.crash_points.tables import Tables, server
from tests.crash_points.turns import Turn
from tests.crash_points.world import Mortal, house, world

# Lives that share a house: its time goes on by weeks with each.
A_HOUSE: Final = 25


class Batch(Struct, frozen=True):
    """Lives of these seeds; each dies first at another await."""

    seeds: tuple[int, ...]


class Outcome(Struct, frozen=True):
    """What a batch came to. ``wrong``: the lives that did not go as they should; ``kinds``: how
    often which turn was taken, and by which way it was paid."""

    lives: int
    awards: int
    awaits: int
    deaths: int
    wrong: tuple[str, ...]
    kinds: dict[str, int]


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


def in_parallel(
    wanted: list[Batch], *, enough: Callable[[], bool] = lambda: False
) -> Iterator[Outcome]:
    """The outcomes, as they come. Once there is ``enough`` no batch is begun any more."""
    waiting = wanted[::-1]
    at_once = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_once, mp_context=context, initializer=_deaf) as pool:
        under_way: set[Future[Outcome]] = set()
        while True:
            while waiting and len(under_way) < at_once and not enough():
                under_way.add(pool.submit(played, waiting.pop()))
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                yield each.result()


def _deaf() -> None:
    """Who is told to stop by its terminal is told so by whoever hands out the batches."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


async def play_on(dsn: str, seeds: Sequence[int]) -> list[Played]:
    """Lives one after the other, on tables that are new; until one goes wrong, whose house is of
    no use to others any more."""
    lives: list[Played] = []
    async with world(dsn) as home:
        await house(home, keeps=seeds[0] // A_HOUSE % 2 == 1)
        for seed in seeds:
            mortal = Mortal(seed % EVERY + 1, EVERY)
            try:
                lives.append(await play(home, seed, mortal))
            except Exception as error:  # noqa: BLE001 - who reads the outcome learns of it
                words = "".join(traceback.format_exception(error)[-2:])
                lives.append(Played(seed, drawn_way(seed), Turn(), mortal, [words]))
            if lives[-1].wrong:
                break
    return lives


async def _played(batch: Batch) -> Outcome:
    async with server() as tables:
        lives = await _all_of(batch.seeds, tables)
    kinds = Counter(kind for life in lives for kind in (life.way.value, life.turn))
    return Outcome(
        lives=len(lives),
        awards=LOTS * len(lives),
        awaits=sum(life.awaits for life in lives),
        deaths=sum(life.deaths for life in lives),
        wrong=tuple(repr(life) for life in lives if life.wrong),
        kinds=dict(kinds),
    )


async def _all_of(seeds: tuple[int, ...], tables: Tables) -> list[Played]:
    lives: list[Played] = []
    while left := seeds[len(lives) :]:
        async with tables() as dsn:
            lives += await play_on(dsn, left)
    return lives
