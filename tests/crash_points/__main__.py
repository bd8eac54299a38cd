"""``python -m tests.crash_points``: so many awards, whose process dies at each of its awaits.

It stops early, with what is under way played to its end, after ``--minutes`` or when it is told to
(SIGINT, SIGTERM), and says what it did.
"""

import signal
import sys
import time
from collections import Counter

import click

from tests.crash_points.many import batches, in_parallel


@click.command()
@click.option("--awards", default=10_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--minutes", default=0.0, help="Begin nothing new after so long; 0: to the end.")
def main(awards: int, seed: int, minutes: float) -> None:
    """Play whole lives of invoices, and say what is wrong in the end."""
    began, done, kinds = time.monotonic(), [0, 0, 0, 0], Counter[str]()
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: told.append(number))

    def enough() -> bool:
        return bool(told) or 0 < minutes * 60 < time.monotonic() - began

    for outcome in in_parallel(batches(awards, seed), enough=enough):
        sums = (outcome.awards, outcome.awaits, outcome.deaths, len(outcome.wrong))
        done = [total + more for total, more in zip(done, sums, strict=True)]
        kinds.update(outcome.kinds)
        for line in outcome.wrong:
            click.echo(line)
        click.echo(f"{_in_words(done)} ({time.monotonic() - began:.0f} s)", err=True)
    took = time.monotonic() - began
    click.echo(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    stopped = "" if done[0] >= awards else f"; stopped early, {awards:,} were asked for"
    click.echo(f"{_in_words(done)} in {took:.0f} s{stopped}")
    sys.exit(1 if done[3] else 0)


def _in_words(done: list[int]) -> str:
    return f"{done[0]:,} awards, {done[1]:,} awaits, {done[2]:,} deaths, {done[3]} wrong"


if __name__ == "__main__":
    main()
