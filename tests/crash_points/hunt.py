"""``python -m tests.crash_points.hunt``: every planted bug, and how each is found.

A process for each core; each has a server of its own, and for each life tables that are new.
"""

import asyncio
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator

import click

from tests.crash_points.many import hushed
from tests.crash_points.mutants import MUTANTS, Discovery, find
from tests.crash_points.tables import Tables, server

Found = tuple[str, Discovery | None]


def hunt(names: tuple[str, ...]) -> list[Found]:
    """Plant these, one after the other; for a process of its own."""
    hushed()
    return asyncio.run(_hunt(names))


async def _hunt(names: tuple[str, ...]) -> list[Found]:
    async with server() as tables:
        return [(name, await _found(name, tables)) for name in names]


async def _found(name: str, tables: Tables) -> Discovery | None:
    try:
        return await find(name, tables)
    except Exception as error:  # noqa: BLE001 - not every one comes back from another process
        raise RuntimeError(f"{name}: {''.join(traceback.format_exception(error))}") from None


def in_parallel(at_once: int = 4) -> Iterator[Found]:
    """Every bug and how it is found, as they come."""
    names = list(MUTANTS)
    parts = [tuple(names[at : at + at_once]) for at in range(0, len(names), at_once)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        for found in pool.imap_unordered(hunt, parts):
            yield from found


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Plant each bug, or those of these NAMES, and say which life found it by which words."""
    began, missed = time.monotonic(), []
    for name, discovery in hunt(names) if names else in_parallel():
        if discovery is None:
            missed.append(name)
            click.echo(f"{name}: NOT FOUND")
        else:
            how = f"{discovery.scene.way} {discovery.scene.turn} {discovery.seed}"
            click.echo(f"{name}: {how}: {discovery.sentences}")
    click.echo(f"{len(missed)} not found ({time.monotonic() - began:.0f} s)", err=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
